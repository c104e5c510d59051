"""The four losses of a batch, each a small function that prints as one number.

Enters: the head's `RawOutput` and a `Batch`. Leaves: a dictionary of weighted losses, for `loop`.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from fastsam.network.head import RawOutput, decode_boxes
from fastsam.training.assign import Positives, assign
from fastsam.training.iou import ciou
from fastsam.training.loader import Batch


@dataclass(frozen=True)
class Gains:
    """Weights of the losses (YOLOv8's, and Dice's share within the mask loss)."""

    score: float = 0.5
    box: float = 7.5
    distribution: float = 1.5
    mask: float = 7.5
    dice: float = 0.5


MASKS_PER_PHOTO = 40  # positives whose masks are compared, drawn at random: an unbiased mean at bounded cost


def losses(raw: RawOutput, batch: Batch, bins: Tensor, gains: Gains, generator: torch.Generator) -> dict[str, Tensor]:
    """`score`, `box`, `distribution` and `mask`, each times its gain.

    bins: (reg_max,) 0..reg_max-1; generator: draws the masks to compare, on the CPU
    """
    boxes = decode_boxes(raw.distributions, raw.anchors, raw.strides, bins)
    logits = raw.scores.float()[..., 0]
    positives = assign(logits.detach().sigmoid(), boxes.detach(), raw.anchors, batch.boxes, batch.owners)
    targets = positives.targets * batch.weights[positives.objects]
    total = targets.sum().clamp(min=1.0)
    found = boxes[positives.photos, positives.anchors]
    wanted = batch.boxes[positives.objects]
    chosen = choose(positives, len(batch.images), generator)
    return {
        "score": gains.score * score_loss(logits, targets, positives, background_weights(raw, batch)) / total,
        "box": gains.box * ((1 - ciou(found, wanted)) * targets).sum() / total,
        "distribution": gains.distribution * (distribution_loss(raw, positives, wanted) * targets).sum() / total,
        "mask": gains.mask * mask_loss(raw, batch, positives, chosen, gains.dice),
    }


def background_weights(raw: RawOutput, batch: Batch) -> Tensor:
    """(N, A): 1 where an anchor's centre lies on known ground, else 0."""
    cells = (raw.anchors / 4).long()
    return batch.known[:, cells[:, 1], cells[:, 0]].float()


def score_loss(logits: Tensor, targets: Tensor, positives: Positives, weights: Tensor) -> Tensor:
    """Summed binary cross-entropy of scores (N, A) against the positives' targets and 0 elsewhere."""
    goal = torch.zeros_like(logits)
    goal[positives.photos, positives.anchors] = targets
    weights = weights.clone()
    weights[positives.photos, positives.anchors] = 1.0
    return (F.binary_cross_entropy_with_logits(logits, goal, reduction="none") * weights).sum()


def distribution_loss(raw: RawOutput, positives: Positives, boxes: Tensor) -> Tensor:
    """(P,) distribution focal loss: cross-entropy on the two bins about each distance.

    Li et al. 2020 (arXiv 2006.04388).
    """
    logits = raw.distributions[positives.photos, positives.anchors].float()
    reg_max = logits.shape[1] // 4
    logits = logits.view(-1, 4, reg_max)
    anchors, strides = raw.anchors[positives.anchors], raw.strides[positives.anchors, None]
    distances = torch.cat((anchors - boxes[:, :2], boxes[:, 2:] - anchors), 1) / strides
    distances = distances.clamp(0, reg_max - 1 - 0.01)
    low = distances.floor().long()
    share = distances - low
    logs = logits.log_softmax(-1)
    below = logs.gather(-1, low[..., None])[..., 0]
    above = logs.gather(-1, low[..., None] + 1)[..., 0]
    return -(below * (1 - share) + above * share).mean(-1)


def choose(positives: Positives, photos: int, generator: torch.Generator) -> Tensor:
    """Indices of positives whose masks are compared, the same number a photo on average."""
    n = len(positives.photos)
    limit = MASKS_PER_PHOTO * photos
    device = positives.photos.device
    return torch.randperm(n, generator=generator)[:limit].to(device)


def mask_loss(raw: RawOutput, batch: Batch, positives: Positives, chosen: Tensor, dice: float) -> Tensor:
    """Mean over the chosen positives of the masks' losses, weighted as their objects."""
    total = batch.weights[positives.objects[chosen]].sum().clamp(min=1.0)
    loss = raw.prototypes.sum() * 0.0
    for photo in range(len(batch.images)):
        mine = chosen[positives.photos[chosen] == photo]
        if len(mine) == 0:
            continue
        objects = positives.objects[mine]
        coefficients = raw.coefficients[photo, positives.anchors[mine]].float()
        prototypes = raw.prototypes[photo].float()
        logits = (coefficients @ prototypes.flatten(1)).view(-1, *prototypes.shape[1:])
        each = masks_against(logits, batch.masks[objects].float() / 255, batch.boxes[objects] / 4, dice)
        loss = loss + (each * batch.weights[objects]).sum()
    return loss / total


def masks_against(logits: Tensor, goals: Tensor, boxes: Tensor, dice: float) -> Tensor:
    """(K,) losses of mask logits (K, h, w) against goals 0..1, both within boxes (K, 4) in cells."""
    crop = inside_boxes(boxes, logits.shape[1], logits.shape[2])
    size = crop.sum((1, 2)).clamp(min=1.0)
    entropy = (F.binary_cross_entropy_with_logits(logits, goals, reduction="none") * crop).sum((1, 2)) / size
    probability = logits.sigmoid() * crop
    goals = goals * crop
    overlap = (probability * goals).sum((1, 2))
    both = probability.pow(2).sum((1, 2)) + goals.pow(2).sum((1, 2))
    return entropy + dice * (1 - (2 * overlap + 1) / (both + 1))


def inside_boxes(boxes: Tensor, h: int, w: int) -> Tensor:
    """(K, h, w) float: 1 for the cells that a box (K, 4) touches."""
    y = torch.arange(h, device=boxes.device)[None, :, None]
    x = torch.arange(w, device=boxes.device)[None, None, :]
    x0, y0, x1, y1 = (c[:, None, None] for c in boxes.unbind(1))
    return ((x >= x0.floor()) & (x < x1.ceil()) & (y >= y0.floor()) & (y < y1.ceil())).float()
