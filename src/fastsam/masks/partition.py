"""A photo divided among its masks: every pixel belongs to one of them at most.

Enters: masks and scores. Leaves: a `Partition`. Called by `segments`.

A pixel goes to the mask with the greatest score times probability there over the root of its area: parts come before
wholes unless they are far less sure. A mask that keeps less than a quarter of its pixels so is a copy of what won, or a
whole that its parts cover: it gives the rest up to the nearest of the others. (Chosen on held-out training photos:
regions that people drew are covered by 0.66 IoU so, by 0.63 without the root and with a half.)
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.masks.lazy import Masks, probability

Float = npt.NDArray[np.float32]
Int = npt.NDArray[np.int32]
LEAST_KEPT = 0.25


@dataclass(frozen=True, eq=False, repr=False)
class Partition:
    """labels: (H, W) int32, 0 where no mask is, i + 1 for mask i; coverage: share of the photo under masks, 0..1,
    before anything was filled."""

    labels: Int
    coverage: float


def partition(masks: Masks, scores: Float, fill: bool = False) -> Partition:
    """Divides the photo among masks with `scores` (N,); with `fill` what no mask covers goes to the nearest one."""
    labels = assign(masks, scores, np.arange(len(masks)))
    kept = np.bincount(labels.reshape(-1), minlength=len(masks) + 1)[1:]
    covered = labels > 0
    labels = filled(assign(masks, scores, np.flatnonzero(kept >= LEAST_KEPT * np.maximum(masks.areas, 1))))
    return Partition(labels if fill else np.where(covered, labels, 0), float(covered.mean()))


def assign(masks: Masks, scores: Float, indices: npt.NDArray[np.int64]) -> Int:
    """Labels (H, W) of the best of the masks at `indices` at every pixel."""
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
    """Labels (H, W) whose zeros have become the nearest pixel's label; as they are where all are 0."""
    if not labels.any():
        return labels
    bare = (labels == 0).astype(np.uint8)
    _, nearest = cv2.distanceTransformWithLabels(bare, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    owner = np.zeros(int(nearest.max()) + 1, np.int32)
    owner[nearest[bare == 0]] = labels[bare == 0]
    return owner[nearest]
