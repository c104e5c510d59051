"""The outline of a mask as in Ultralytics: one ring, whatever the number of parts.

Enters: a mask's pixels. Leaves: (K, 2) float32 columns and rows of border pixels, which OpenCV's functions can fill.

The outer contours of the parts, in OpenCV's order, are joined one to the next between their two nearest points. The
ring runs there and back along the same line.
"""

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.masks.runs import Crop

Float32 = npt.NDArray[np.float32]


def outline(mask: Crop) -> Float32:
    """The ring through a mask's border pixels; (0, 2) for an empty mask."""
    contours, _ = cv2.findContours(mask.pixels.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    rings: list[Float32] = [np.asarray(contour, np.float32).reshape(-1, 2) for contour in contours]
    if not rings:
        return np.zeros((0, 2), np.float32)
    return chained(rings) + np.array(mask.offset, np.float32)


def chained(rings: Sequence[Float32]) -> Float32:
    """One ring through several, each joined to the one before at their two nearest points."""
    gaps = [nearest(a, b) for a, b in pairwise(rings)]
    entries = [0, *(entry for _, entry in gaps)]
    ring: Float32 = np.zeros((0, 2), np.float32)
    for k in range(len(rings) - 1, -1, -1):  # the last ring becomes a detour of the one before it, and so on
        own, entry = rings[k], entries[k]
        pieces = [own]
        if k < len(gaps):
            leave = gaps[k][0]
            pieces = [own[: leave + 1], ring, own[leave:]]
            entry = entry if entry <= leave else entry + len(ring) + 1
        whole = np.roll(np.concatenate(pieces), -entry, 0)
        ring = np.concatenate((whole, whole[:1])) if k else whole
    return ring


def nearest(a: Float32, b: Float32) -> tuple[int, int]:
    """Indices of the two nearest points, one on each ring."""
    best = [int(np.square(b - point).sum(1).argmin()) for point in a]
    k = int(np.square(a - b[best]).sum(1).argmin())
    return k, best[k]
