"""An object cut out of its photo.

Enters: a photo and a mask. Leaves: RGBA pixels. Called by `segments`.
"""

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.masks.lazy import Crop

UInt8 = npt.NDArray[np.uint8]
SOFTNESS = 0.8  # deviation in pixels of the blur on the mask's edge
MARGIN = 2  # pixels about the mask, into which its edge fades


def cutout(photo: UInt8, crop: Crop) -> tuple[UInt8, tuple[int, int]]:
    """RGBA uint8 (h, w, 4) about a mask's pixels, its edge softened, and its corner (x, y) on the photo (H, W, 3).

    (0, 0, 4) for a mask without pixels.
    """
    down, across = np.flatnonzero(crop.pixels.any(1)), np.flatnonzero(crop.pixels.any(0))
    if len(down) == 0:
        return np.zeros((0, 0, 4), np.uint8), crop.offset
    height, width = photo.shape[:2]
    x0, x1 = max(0, crop.offset[0] + across[0] - MARGIN), min(width, crop.offset[0] + across[-1] + 1 + MARGIN)
    y0, y1 = max(0, crop.offset[1] + down[0] - MARGIN), min(height, crop.offset[1] + down[-1] + 1 + MARGIN)
    tight = crop.pixels[down[0] : down[-1] + 1, across[0] : across[-1] + 1]
    hard = np.zeros((y1 - y0, x1 - x0), np.float32)
    Crop((int(crop.offset[0] + across[0] - x0), int(crop.offset[1] + down[0] - y0)), tight).paint(hard, 255)
    # The photo's border is no edge of the object: what leaves it goes on beyond.
    alpha = cv2.GaussianBlur(hard, (0, 0), SOFTNESS, borderType=cv2.BORDER_REPLICATE)
    part = photo[y0:y1, x0:x1]
    return np.dstack((part, np.rint(alpha).astype(np.uint8))), (int(x0), int(y0))
