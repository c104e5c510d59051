"""Divides a photo among its masks, so that each pixel belongs to one mask or to none.

Enters: masks and scores. Leaves: a `Partition`.

A pixel goes to the mask with the greatest score times probability there, divided by the square root of its area: parts
win over wholes unless they are much less certain. A mask that keeps less than a quarter of its pixels this way is a
copy of the winner, or a whole that its parts cover. It gives the rest up to the nearest other masks. (Chosen on
held-out training photos: regions that people drew are covered with 0.66 IoU, against 0.63 without the root and with a
half instead of a quarter.)
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.masks.lazy import Masks, probability

Float32 = npt.NDArray[np.float32]
Int = npt.NDArray[np.int32]
LEAST_KEPT = 0.25  # minimum share of its pixels that a mask must win


@dataclass(frozen=True, eq=False, repr=False)
class Partition:
    """labels: (H, W) int32, i + 1 for mask i, 0 for no mask; coverage: share of the photo under masks before filling,
    0..1"""

    labels: Int
    coverage: float


def partition(masks: Masks, scores: Float32, fill: bool = False) -> Partition:
    """Divides the photo among masks with `scores` (N,). fill: assign uncovered pixels to the nearest mask"""
    labels = assign(masks, scores, np.arange(len(masks)))
    kept = np.bincount(labels.reshape(-1), minlength=len(masks) + 1)[1:]
    covered = labels > 0
    labels = filled(assign(masks, scores, np.flatnonzero(kept >= LEAST_KEPT * np.maximum(masks.areas, 1))))
    return Partition(labels if fill else np.where(covered, labels, 0), float(covered.mean()))


def assign(masks: Masks, scores: Float32, indices: npt.NDArray[np.int64]) -> Int:
    """Labels (H, W) of the best mask at each pixel, among those at `indices`."""
    labels, best = np.zeros(masks.size, np.int32), np.full(masks.size, -1, np.float32)
    for i in indices.tolist():
        (x, y), logits = masks.logits(i)
        part = np.s_[y : y + logits.shape[0], x : x + logits.shape[1]]
        value = probability(logits) * (scores[i] / np.sqrt(max(1, masks.areas[i])))
        wins = (logits > 0) & (value > best[part])
        labels[part][wins] = i + 1
        best[part][wins] = value[wins]
    return labels


def filled(labels: Int) -> Int:
    """Labels (H, W) with each 0 replaced by the label of the nearest pixel; unchanged if all are 0."""
    if not labels.any():
        return labels
    bare = (labels == 0).astype(np.uint8)
    _, nearest = cv2.distanceTransformWithLabels(bare, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    owner = np.zeros(int(nearest.max()) + 1, np.int32)
    owner[nearest[bare == 0]] = labels[bare == 0]
    return owner[nearest]
