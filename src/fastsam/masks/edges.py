"""The edge map of a photo's masks.

Enters: masks and scores. Leaves: (H, W) float32. Called by `segments`.

As in the FastSAM paper (section 4.2): Sobel filters on the masks' probabilities, summed, then thinned by non-maximum
suppression across the edge. Where a mask ends at its window, and not by itself, there is no edge.
"""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.masks.lazy import Masks, probability

Float = npt.NDArray[np.float32]


def edges(masks: Masks, scores: Float) -> Float:
    """(H, W) float32 strength 0..1, one pixel wide: of masks with `scores` (N,)."""
    strength, normals = gradients(masks, scores)
    return thin(1 - np.exp(-strength), normals, max(1.0, masks.source.pitch / 4))


def gradients(masks: Masks, scores: Float) -> tuple[Float, Float]:
    """Summed gradients of the probabilities, each times its mask's score: (H, W), and the angle across them (H, W)."""
    strength = np.zeros(masks.size, np.float32)
    tensor = np.zeros((*masks.size, 3), np.float32)  # xx, yy and xy of the gradients: opposite ones are the same edge
    pitch = np.float32(masks.source.pitch)
    for i in range(len(masks)):
        (x, y), logits = masks.logits(i)
        if logits.size == 0:
            continue
        chance = probability(logits)
        across = cv2.Sobel(chance, cv2.CV_32F, 1, 0, scale=1 / 8, borderType=cv2.BORDER_REPLICATE)
        down = cv2.Sobel(chance, cv2.CV_32F, 0, 1, scale=1 / 8, borderType=cv2.BORDER_REPLICATE)
        part = np.s_[y : y + logits.shape[0], x : x + logits.shape[1]]
        slope = np.hypot(across, down) * (scores[i] * pitch)
        strength[part] += slope
        tensor[part] += np.stack((across * across, down * down, across * down), 2) * scores[i]
    tensor = cv2.GaussianBlur(tensor, (0, 0), max(0.5, float(pitch) / 4))
    return strength, 0.5 * np.arctan2(2 * tensor[..., 2], tensor[..., 0] - tensor[..., 1])


def thin(strength: Float, normals: Float, deviation: float) -> Float:
    """Keeps a pixel (H, W) where no neighbour along its normal, one pixel to either side, is stronger; 0 elsewhere.

    deviation: in pixels, of the blur before, without which the facets of bilinear interpolation would be edges
    """
    smooth = cv2.GaussianBlur(strength, (0, 0), deviation)
    rows, columns = np.nonzero(strength > 0)
    x, y, here = np.cos(normals[rows, columns]), np.sin(normals[rows, columns]), smooth[rows, columns]
    kept = here >= sample(smooth, columns + x, rows + y)
    kept &= here > sample(smooth, columns - x, rows - y)  # of two equal pixels one stays
    thinned = np.zeros_like(strength)
    thinned[rows[kept], columns[kept]] = strength[rows[kept], columns[kept]]
    return thinned


def sample(values: Float, x: npt.NDArray[Any], y: npt.NDArray[Any]) -> Float:
    """Values (H, W) at places (K,) between pixels, bilinearly. (OpenCV's own goes no further than 32767 pixels.)"""
    height, width = values.shape
    x, y = np.clip(x, 0, width - 1), np.clip(y, 0, height - 1)
    x0, y0 = np.minimum(x.astype(np.int64), max(0, width - 2)), np.minimum(y.astype(np.int64), max(0, height - 2))
    x1, y1, fx, fy = np.minimum(x0 + 1, width - 1), np.minimum(y0 + 1, height - 1), x - x0, y - y0
    above = values[y0, x0] * (1 - fx) + values[y0, x1] * fx
    return np.asarray(above * (1 - fy) + (values[y1, x0] * (1 - fx) + values[y1, x1] * fx) * fy, np.float32)
