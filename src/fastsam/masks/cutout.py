"""Cuts an object out of its photo.

Enters: a photo and a mask. Leaves: RGBA pixels.
"""

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.masks.runs import Crop

UInt8 = npt.NDArray[np.uint8]
SOFTNESS = 0.8  # pixels: deviation of the blur on the mask's edge
MARGIN = 2  # pixels around the mask, into which its edge fades


def cutout(photo: UInt8, crop: Crop) -> tuple[UInt8, tuple[int, int]]:
    """RGBA uint8 (h, w, 4) around a mask, with a softened edge, and its top left corner (x, y) on the photo.

    photo: uint8 RGB (H, W, 3). An empty mask gives shape (0, 0, 4).
    """
    left, top, right, bottom = crop.bounds
    if left == right:
        return np.zeros((0, 0, 4), np.uint8), crop.offset
    height, width = photo.shape[:2]
    x0, x1 = max(0, left - MARGIN), min(width, right + MARGIN)
    y0, y1 = max(0, top - MARGIN), min(height, bottom + MARGIN)
    hard = np.zeros((y1 - y0, x1 - x0), np.float32)
    Crop((left - x0, top - y0), crop.tight).paint(hard, 255)
    # An object at the photo's border continues beyond it, so its edge is not softened there.
    alpha = cv2.GaussianBlur(hard, (0, 0), SOFTNESS, borderType=cv2.BORDER_REPLICATE)
    part = photo[y0:y1, x0:x1]
    return np.dstack((part, np.rint(alpha).astype(np.uint8))), (x0, y0)
