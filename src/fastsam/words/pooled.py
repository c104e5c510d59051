"""What the classifier's network sees of a whole photo, averaged over each mask.

Enters: a photo, masks. Leaves: one vector per mask.

A crop shows what a thing looks like; for grass, sky or a wall its place in the scene and its texture tell more.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.masks.runs import Crop
from fastsam.words.crops import to_input

Float32 = npt.NDArray[np.float32]
SIDE = 512  # pixels of the photo's longer side, as the network sees it
STRIDE = 32
MAPS = ("map8", "map16", "map32")  # 40, 112 and 1280 channels at strides 8, 16, 32


@dataclass(frozen=True, eq=False)
class Maps:
    """Features of a photo, one array (C, h, w) per stride."""

    maps: tuple[Float32, ...]

    def over(self, mask: Crop, photo: tuple[int, int]) -> Float32:
        """(1432,) their means over a mask of a photo (height, width); cells that it half covers count a quarter."""
        parts = []
        for features in self.maps:
            cover = covered(mask, photo, (features.shape[1], features.shape[2])) ** 2
            parts.append(np.tensordot(features, cover, 2) / (cover.sum() + 1e-6))
        return np.concatenate(parts).astype(np.float32)


def covered(mask: Crop, photo: tuple[int, int], cells: tuple[int, int]) -> Float32:
    """(h, w) share of each cell that a mask covers, of `cells` (h, w) that divide a photo (height, width)."""
    x0, y0, x1, y1 = mask.bounds
    share = mask.tight.astype(np.float32)
    for axis, (first, last) in ((0, (y0, y1)), (1, (x0, x1))):
        step = photo[axis] / cells[axis]
        sums = np.concatenate((np.zeros_like(share.take([0], axis)), share.cumsum(axis)), axis)
        # Of a cell's edges between two pixels, the sums' value lies between theirs.
        edges = np.clip(np.arange(cells[axis] + 1) * step, first, last) - first
        low = np.minimum(edges.astype(np.int64), last - first - 1)
        part = (edges - low).astype(np.float32).reshape((-1, 1) if axis == 0 else (1, -1))
        at_edges = sums.take(low, axis) * (1 - part) + sums.take(low + 1, axis) * part
        share = np.diff(at_edges, axis=axis) / np.float32(step)
    return np.asarray(share, np.float32)


def look(session: Any, photo: npt.NDArray[np.uint8]) -> Maps:
    """The features of a photo, RGB uint8 (H, W, 3)."""
    height, width = photo.shape[:2]
    scale = SIDE / max(height, width) / STRIDE
    size = (max(1, round(width * scale)) * STRIDE, max(1, round(height * scale)) * STRIDE)
    seen = np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA), np.uint8)
    return Maps(tuple(m[0] for m in session.run(list(MAPS), {"pictures": to_input(seen[None])})))
