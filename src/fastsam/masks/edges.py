"""Computes the edge map of a photo's masks.

Enters: masks and scores. Leaves: (H, W) float32.

As in the FastSAM paper (section 4.2), Sobel filters on the masks' probabilities are summed, then thinned by non-maximum
suppression across the edge. A mask that is cut off by its window has no edge there. Masks on cells of several pixels
are no more exact than a cell. If the photo is known, their edges are therefore moved to the photo's own edges and
weighted by its contrast.
"""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.masks.lazy import Masks, probability

Float32 = npt.NDArray[np.float32]
UInt8 = npt.NDArray[np.uint8]
FINE = 1.0  # pixels: deviation of the blur before the photo's own gradients are computed
OWN = 0.2  # weight of a mask's edge without contrast in the photo, relative to one at mean contrast
SPREAD = 0.3  # spreads strengths over 0..1, so that most thresholds are useful


def edges(masks: Masks, scores: Float32, photo: UInt8 | None = None) -> Float32:
    """(H, W) float32 edge strength, 0..1, one pixel wide. scores: (N,); photo: uint8 RGB (H, W, 3)"""
    strength, normals = gradients(masks, scores)
    pitch = masks.source.pitch
    deviation = max(FINE, pitch / 4)
    if photo is None or pitch <= 1 or (photo == photo[:1, :1]).all():
        return thin(1 - np.exp(-strength), normals, deviation)
    contrast, across = contrasts(photo)
    own, drawn = OWN * strength, cv2.GaussianBlur(strength, (0, 0), max(0.5, pitch / 2)) * contrast
    return thin(1 - np.exp(-SPREAD * (own + drawn)), np.where(drawn > own, across, normals), deviation)


def contrasts(photo: UInt8) -> tuple[Float32, Float32]:
    """Magnitude of a photo's (H, W, 3) gradients in Lab, 1 on average, and their angle in radians: both (H, W).

    A structure tensor combines the gradients of the three channels (Di Zenzo 1986).
    """
    lab = cv2.GaussianBlur(cv2.cvtColor(photo, cv2.COLOR_RGB2LAB).astype(np.float32), (0, 0), FINE)
    x, y = (cv2.Sobel(lab, cv2.CV_32F, 1 - k, k, scale=1 / 8, borderType=cv2.BORDER_REPLICATE) for k in (0, 1))
    xx, yy, xy = (np.asarray(product.sum(2), np.float32) for product in (x * x, y * y, x * y))
    size = np.sqrt((xx + yy + np.hypot(xx - yy, 2 * xy)) / 2)
    return size / max(1e-6, float(size.mean())), 0.5 * np.arctan2(2 * xy, xx - yy)


def gradients(masks: Masks, scores: Float32) -> tuple[Float32, Float32]:
    """Sum of the probabilities' gradients, each times its mask's score, and their angle in radians: both (H, W)."""
    strength = np.zeros(masks.size, np.float32)
    tensor = np.zeros((*masks.size, 3), np.float32)  # xx, yy and xy: opposite gradients belong to the same edge
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


def thin(strength: Float32, normals: Float32, deviation: float) -> Float32:
    """Keeps each pixel (H, W) that is at least as strong as its two neighbours along the normal; 0 elsewhere.

    deviation: of a blur in pixels, without which the facets of bilinear interpolation would become edges
    """
    smooth = cv2.GaussianBlur(strength, (0, 0), deviation)
    rows, columns = np.nonzero(strength > 0)
    x, y, here = np.cos(normals[rows, columns]), np.sin(normals[rows, columns]), smooth[rows, columns]
    kept = here >= sample(smooth, columns + x, rows + y)
    kept &= here > sample(smooth, columns - x, rows - y)  # of two equal pixels keep one
    thinned = np.zeros_like(strength)
    thinned[rows[kept], columns[kept]] = strength[rows[kept], columns[kept]]
    return thinned


def sample(values: Float32, x: npt.NDArray[Any], y: npt.NDArray[Any]) -> Float32:
    """(K,) values of (H, W) at x, y (K,), interpolated bilinearly. (OpenCV's remap ends at 32767 pixels.)"""
    height, width = values.shape
    x, y = np.clip(x, 0, width - 1), np.clip(y, 0, height - 1)
    x0, y0 = np.minimum(x.astype(np.int64), max(0, width - 2)), np.minimum(y.astype(np.int64), max(0, height - 2))
    x1, y1, fx, fy = np.minimum(x0 + 1, width - 1), np.minimum(y0 + 1, height - 1), x - x0, y - y0
    above = values[y0, x0] * (1 - fx) + values[y0, x1] * fx
    return np.asarray(above * (1 - fy) + (values[y1, x0] * (1 - fx) + values[y1, x1] * fx) * fy, np.float32)
