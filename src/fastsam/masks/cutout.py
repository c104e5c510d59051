"""An object cut out of its photo.

Enters: a photo and a mask. Leaves: RGBA pixels. Called by `segments`.
"""

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.masks.runs import Crop

UInt8 = npt.NDArray[np.uint8]
SOFTNESS = 0.8  # deviation in pixels of the blur on the mask's edge
MARGIN = 2  # pixels about the mask, into which its edge fades


def cutout(photo: UInt8, crop: Crop) -> tuple[UInt8, tuple[int, int]]:
    """RGBA uint8 (h, w, 4) about a mask's pixels, its edge softened, and its corner (x, y) on the photo (H, W, 3).

    (0, 0, 4) for a mask without pixels.
    """
    left, top, right, bottom = crop.bounds
    if left == right:
        return np.zeros((0, 0, 4), np.uint8), crop.offset
    height, width = photo.shape[:2]
    x0, x1 = max(0, left - MARGIN), min(width, right + MARGIN)
    y0, y1 = max(0, top - MARGIN), min(height, bottom + MARGIN)
    hard = np.zeros((y1 - y0, x1 - x0), np.float32)
    Crop((left - x0, top - y0), crop.tight).paint(hard, 255)
    # The photo's border is no edge of the object: what leaves it goes on beyond.
    alpha = cv2.GaussianBlur(hard, (0, 0), SOFTNESS, borderType=cv2.BORDER_REPLICATE)
    part = photo[y0:y1, x0:x1]
    return np.dstack((part, np.rint(alpha).astype(np.uint8))), (x0, y0)
