"""One thing is one piece, and ends where the photo does: islands and holes of drawn masks go, their borders reach out.

Enters and leaves: logits on a grid. Islands get a logit just below 0, holes one just above it.
"""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.refine.crop import Window

Float = npt.NDArray[np.float32]
SPECK = 0.02  # share of a mask's area below which an island or a hole is noise
RIM = 0.25  # cells that the centre of a cell must lie within the photo to be believed
FAINT = 0.5  # logit, below or above 0, of what was removed or filled


def tidied(
    logits: Float,
    clicks: Sequence[tuple[float, float]] = (),
    least: float = 0.0,
    background: Sequence[tuple[float, float]] = (),
) -> Float:
    """The logits (G, G) without islands and holes that are small.

    clicks: x, y in cells; if there are any, the pieces that hold one are kept alone, or the largest piece if none does
    background: x, y in cells; a hole that holds one stays
    least: cells of an island or a hole below which it goes whatever the mask's size
    """
    on = (logits > 0).astype(np.uint8)
    area = int(on.sum())
    if area == 0:
        return logits
    limit = max(least, SPECK * area)
    out = logits.copy()
    count, labels, stats, _ = cv2.connectedComponentsWithStats(on, connectivity=8)
    areas = stats[:, cv2.CC_STAT_AREA]
    keep = areas >= limit
    if clicks:
        held = pieces_at(labels, clicks) - {0}
        keep = np.zeros(count, bool)
        keep[list(held)] = True
    if not keep[1:].any():
        keep[1 + int(areas[1:].argmax())] = True
    keep[0] = False
    gone = (on > 0) & ~keep[labels]
    out[gone] = np.minimum(-np.abs(out[gone]), -FAINT)
    return filled(out, limit, background)


def pieces_at(labels: npt.NDArray[np.int32], points: Sequence[tuple[float, float]]) -> set[int]:
    """The labels (G, G) at points x, y in cells; a point beyond the grid counts as on its border."""
    last = len(labels) - 1
    return {int(labels[min(max(int(y), 0), last), min(max(int(x), 0), last)]) for x, y in points}


def reaching(logits: Float, window: Window, photo: tuple[int, int]) -> Float:
    """The logits (G, G) of a window, cells beyond the border of a photo (height, width) as the nearest within it.

    Interpolated with what lies beyond, what fills a photo to its border would end before it, and its corners be round.
    """
    n, step = len(logits), window.side / len(logits)
    if min(window.x0, window.y0) >= 0 and window.x0 + window.side <= photo[1] and window.y0 + window.side <= photo[0]:
        return logits
    spans = []
    for low, length in ((window.y0, photo[0]), (window.x0, photo[1])):
        first = int(np.ceil(-low / step - 0.5 + RIM)) if low < 0 else 0
        last = int(np.floor((length - low) / step + 0.5 - RIM)) if low + window.side > length else n
        spans.append(np.clip(np.arange(n), min(first, n - 1), max(min(last, n) - 1, min(first, n - 1))))
    rows, columns = spans
    return np.asarray(logits[rows][:, columns], np.float32)


def filled(logits: Float, limit: float, background: Sequence[tuple[float, float]] = ()) -> Float:
    """The logits with holes below `limit` cells closed but for those that hold a background click.

    What touches the grid's border is no hole.
    """
    off = (logits <= 0).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(off, connectivity=4)
    rim = np.unique(np.concatenate((labels[0], labels[-1], labels[:, 0], labels[:, -1])))
    small = stats[:, cv2.CC_STAT_AREA] < limit
    small[rim] = False
    small[0] = False
    small[list(pieces_at(labels, background))] = False
    if not small.any():
        return logits
    holes = (off > 0) & small[labels]
    out = logits.copy()
    out[holes] = np.maximum(np.abs(out[holes]), FAINT)
    return out
