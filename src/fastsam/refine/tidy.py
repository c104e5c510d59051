"""Tidies drawn masks: removes islands, fills holes, and extends masks to the photo's border.

Enters and leaves: logits on a grid. Islands get a logit just below 0, holes one just above 0.
"""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.refine.crop import Window

Float32 = npt.NDArray[np.float32]
SPECK = 0.02  # an island or a hole below this share of the mask's area is noise
RIM = 0.25  # a cell's logit counts if its centre is at least this many cells inside the photo
FAINT = 0.5  # distance from 0 of the logits of removed islands and filled holes


def tidied(
    logits: Float32,
    clicks: Sequence[tuple[float, float]] = (),
    least: float = 0.0,
    background: Sequence[tuple[float, float]] = (),
) -> Float32:
    """The logits (G, G) without small islands and holes.

    clicks: x, y in cells; if there are any, only pieces with a click are kept, or else only the largest piece
    background: x, y in cells; a hole with such a point stays
    least: islands and holes with fewer cells are removed whatever the mask's size
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


def reaching(logits: Float32, window: Window, photo: tuple[int, int]) -> Float32:
    """The logits (G, G) of a window; cells beyond a photo (height, width) take the value of the nearest cell inside.

    Otherwise interpolation with the cells beyond would end a mask before the photo's border, and round its corners.
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


def filled(logits: Float32, limit: float, background: Sequence[tuple[float, float]] = ()) -> Float32:
    """The logits with holes below `limit` cells filled, except holes with a background click.

    A gap that touches the grid's border is not a hole.
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
