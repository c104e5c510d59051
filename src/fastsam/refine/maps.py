"""Prompts as maps over a square crop: the rough mask, the box, the foreground clicks, the background clicks.

Enters: prompts in pixels of a crop of side S. Leaves: (4, S / 2, S / 2) float32, as the second network reads them.
Training draws its samples' maps with the same functions.

The map of a prompt that was not given is 0 everywhere. Mask: -1 for cells that the thing surely does not cover, 1 for
cells that it surely covers. Box: -1 outside, 1 inside. Clicks: 1 in a disk around each (Sofiiuk et al. 2021, arXiv
2102.06583), one map per label.
"""

import cv2
import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]
CELL = 2  # crop pixels per cell of the maps and of the drawn masks
RADIUS = 2.5  # radius of a click's disk, in cells
MASK, BOX, POSITIVE, NEGATIVE = range(4)


def empty(size: int) -> Float32:
    """Maps of a crop of `size` pixels without any prompt."""
    return np.zeros((4, size // CELL, size // CELL), np.float32)


def put_mask(maps: Float32, shares: Float32) -> None:
    """Adds a rough mask: the share 0..1 of each cell that the thing covers."""
    maps[MASK] = 2 * shares - 1


def put_box(maps: Float32, box: tuple[float, float, float, float]) -> None:
    """Adds the thing's box, xyxy in crop pixels. A cell is inside if its centre is; at least one cell is inside."""
    side = maps.shape[1]
    x0, y0, x1, y1 = (v / CELL - 0.5 for v in box)
    maps[BOX] = -1
    rows, columns = _span(y0, y1, side), _span(x0, x1, side)
    maps[BOX, rows[0] : rows[1], columns[0] : columns[1]] = 1


def _span(low: float, high: float, side: int) -> tuple[int, int]:
    first = min(max(int(np.ceil(low)), 0), side - 1)
    return first, max(first + 1, min(int(np.ceil(high)), side))


def put_click(maps: Float32, x: float, y: float, positive: bool) -> None:
    """Adds a click at x, y in crop pixels: on the thing if `positive`, else beside it."""
    k = POSITIVE if positive else NEGATIVE
    side = maps.shape[1]
    cx, cy = x / CELL - 0.5, y / CELL - 0.5
    x0, x1 = max(0, int(cx - RADIUS)), min(side, int(cx + RADIUS) + 2)
    y0, y1 = max(0, int(cy - RADIUS)), min(side, int(cy + RADIUS) + 2)
    if x0 >= x1 or y0 >= y1:
        return
    ys, xs = np.mgrid[y0:y1, x0:x1]
    maps[k, y0:y1, x0:x1][(xs - cx) ** 2 + (ys - cy) ** 2 <= RADIUS**2] = 1


def shares_of(mask: npt.NDArray[np.uint8]) -> Float32:
    """Share 0..1 of each cell that a crop's mask, (S, S) uint8 0..255, covers."""
    half = cv2.resize(mask, (mask.shape[1] // CELL, mask.shape[0] // CELL), interpolation=cv2.INTER_AREA)
    return np.asarray(half, np.float32) / np.float32(255)
