"""What the classifier's network sees of a whole photo, averaged over each mask.

Enters: a photo, masks. Leaves: one vector a mask. Called by `classifier`.

A crop shows what a thing looks like; for grass, sky or a wall its place in the scene and its texture tell more.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Float = npt.NDArray[np.float32]
SIDE = 512  # pixels of the photo's longer side, as the network sees it
STRIDE = 32
MAPS = ("map8", "map16", "map32")  # 40, 112 and 1280 channels at strides 8, 16, 32


@dataclass(frozen=True, eq=False)
class Maps:
    """Features of a photo, one array (C, h, w) a stride."""

    maps: tuple[Float, ...]

    def over(self, mask: npt.NDArray[np.bool_]) -> Float:
        """(1432,) their means over a mask (H, W); cells that it half covers count a quarter."""
        parts = []
        for features in self.maps:
            _, h, w = features.shape
            cover = cv2.resize(mask.astype(np.float32), (w, h), interpolation=cv2.INTER_AREA) ** 2
            parts.append(np.tensordot(features, cover, 2) / (cover.sum() + 1e-6))
        return np.concatenate(parts).astype(np.float32)


def look(session: Any, photo: npt.NDArray[np.uint8]) -> Maps:
    """The features of a photo, RGB uint8 (H, W, 3)."""
    height, width = photo.shape[:2]
    scale = SIDE / max(height, width) / STRIDE
    size = (max(1, round(width * scale)) * STRIDE, max(1, round(height * scale)) * STRIDE)
    seen = cv2.resize(photo, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    return Maps(tuple(m[0] for m in session.run(list(MAPS), {"pictures": seen.transpose(2, 0, 1)[None]})))
