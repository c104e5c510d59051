"""Task-aligned assignment: which anchors answer for which object.

Feng et al. 2021 (arXiv 2108.07755) with YOLOv8's constants. Everything is kept as a list of (object, anchor) pairs
whose anchor lies inside the object's box: most of the full table would be zero.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from fastsam.training.iou import ciou

SCORE_POWER = 0.5
IOU_POWER = 6.0
PER_OBJECT = 10


@dataclass(frozen=True)
class Positives:
    """P anchors that answer for an object. All tensors (P,).

    photos, anchors: where they are; objects: index into the batch's object list
    targets: t normalised per object to its best IoU
    """

    photos: Tensor
    anchors: Tensor
    objects: Tensor
    targets: Tensor


@torch.no_grad()
def assign(scores: Tensor, boxes: Tensor, anchors: Tensor, objects: Tensor, owners: Tensor) -> Positives:
    """The positives of a batch.

    scores: (N, A) predicted, 0..1; boxes: (N, A, 4) predicted xyxy; anchors: (A, 2) centres;
    objects: (T, 4) annotated xyxy; owners: (T,) photo of each object

    An object takes the 10 anchors with the largest t = score^0.5 * IoU^6 among those whose centre lies in its box;
    an anchor claimed by several objects goes to the one with the largest IoU.
    """
    n, a = scores.shape
    inside = (anchors[None] > objects[:, None, :2]).all(-1) & (anchors[None] < objects[:, None, 2:]).all(-1)
    which, where = inside.nonzero(as_tuple=True)
    owner = owners[which]
    overlap = ciou(boxes[owner, where], objects[which]).clamp_(min=0)
    metric = scores[owner, where].pow(SCORE_POWER) * overlap.pow(IOU_POWER)

    table = metric.new_zeros(inside.shape)
    table[which, where] = metric
    overlaps = metric.new_zeros(inside.shape)
    overlaps[which, where] = overlap
    best, best_anchor = table.topk(min(PER_OBJECT, a), dim=1)
    taken = best > 0
    object_, rank = taken.nonzero(as_tuple=True)
    anchor, t = best_anchor[object_, rank], best[object_, rank]
    iou = overlaps[object_, anchor]

    winner = _first_of_largest(owners[object_] * a + anchor, iou, n * a)
    object_, anchor, t, iou = object_[winner], anchor[winner], t[winner], iou[winner]
    best_t = _largest_per(object_, t, len(objects))
    best_iou = _largest_per(object_, iou, len(objects))
    targets = t / best_t[object_] * best_iou[object_]
    return Positives(owners[object_], anchor, object_, targets)


def _largest_per(groups: Tensor, values: Tensor, n: int) -> Tensor:
    return values.new_zeros(n).scatter_reduce(0, groups, values, "amax")


def _first_of_largest(keys: Tensor, values: Tensor, n: int) -> Tensor:
    """Indices of one entry per key: the one with the largest value, the first among equals."""
    is_best = values >= _largest_per(keys, values, n)[keys]
    index = torch.arange(len(keys), device=keys.device)
    contenders = torch.where(is_best, index, len(keys))
    first = torch.full((n,), len(keys), device=keys.device).scatter_reduce(0, keys, contenders, "amin")
    return index[first[keys] == index]
