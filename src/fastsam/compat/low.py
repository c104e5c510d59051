"""SAM's low-resolution masks: 256 x 256 logits of a photo scaled so that its longer side has 256 cells.

Enters: masks, or logits that a caller feeds back. Leaves: logits, or a mask of the photo. Cells below or right of the
photo are padding.
"""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.errors import UsageError
from fastsam.masks.lazy import Masks

Float32 = npt.NDArray[np.float32]
Bool = npt.NDArray[np.bool_]
LOW = 256  # cells along each side
OUTSIDE = -32.0  # logit of cells outside a mask's window


def cells(size: tuple[int, int]) -> tuple[int, int, float]:
    """Numbers of rows and columns of cells that a photo of `size` (height, width) covers, and cells per photo pixel."""
    scale = LOW / max(size)
    height, width = size
    return max(1, round(height * scale)), max(1, round(width * scale)), scale


def low_resolution(masks: Masks, i: int) -> Float32:
    """(256, 256) logits of mask i, padding included."""
    height, width = masks.size
    h, w, scale = cells(masks.size)
    x = np.minimum((np.arange(w) + 0.5) / scale, width - 0.5)
    y = np.minimum((np.arange(h) + 0.5) / scale, height - 0.5)
    points = np.stack(np.meshgrid(x, y), 2).reshape(-1, 2)
    low = np.full((LOW, LOW), OUTSIDE, np.float32)
    logits = masks.take(np.array([i], np.int64)).logits_at(points)
    low[:h, :w] = np.maximum(logits, OUTSIDE).reshape(h, w)
    return low


def checked(mask_input: Any) -> Float32:
    """Logits (256, 256) float32 from a caller's (1, 256, 256). Raises UsageError for anything else, and for NaN."""
    try:
        logits = np.asarray(mask_input, np.float32)
    except (TypeError, ValueError):
        raise UsageError(f"mask_input must be an array of logits (1, {LOW}, {LOW})") from None
    if logits.shape[-2:] != (LOW, LOW) or logits.size != LOW * LOW:
        raise UsageError(f"mask_input must have shape (1, {LOW}, {LOW}), not {logits.shape}")
    if np.isnan(logits).any():
        raise UsageError("mask_input must not contain NaN")
    return np.clip(logits.reshape(LOW, LOW), OUTSIDE, -OUTSIDE)


def on_photo(low: Float32, size: tuple[int, int]) -> Bool:
    """The mask (H, W) of a photo of `size`: the pixels at which the interpolated low-resolution logits exceed 0."""
    h, w, scale = cells(size)
    matrix = np.array([[scale, 0, scale / 2 - 0.5], [0, scale, scale / 2 - 0.5]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    own = np.ascontiguousarray(low[:h, :w])
    return np.asarray(cv2.warpAffine(own, matrix, size[::-1], flags=flags, borderMode=cv2.BORDER_REPLICATE) > 0)
