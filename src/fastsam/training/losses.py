"""The four losses of a batch, each a small function that prints as one number.

Enters: the head's `RawOutput` and a `Batch`. Leaves: a dictionary of weighted losses, for `loop`.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from fastsam.network.head import RawOutput, decode_boxes, wide
from fastsam.training.assign import Positives, assign
from fastsam.training.iou import ciou
from fastsam.training.loader import Batch
from fastsam.training.world import ALONE, World


@dataclass(frozen=True)
class Gains:
    """Weights of the losses (YOLOv8's, and Dice's share within the mask loss).

    quality: how far the target of a score falls with its own mask's IoU, 0 (not at all) to 1 (in proportion)
    masks: positives per photo whose masks are compared, drawn at random: an unbiased mean at bounded cost
    """

    score: float = 0.5
    box: float = 7.5
    distribution: float = 1.5
    mask: float = 7.5
    dice: float = 0.5
    quality: float = 0.0
    masks: int = 24


def losses(
    raw: RawOutput,
    batch: Batch,
    bins: Tensor,
    gains: Gains,
    generator: torch.Generator,
    margin: float = 0.0,
    reach: float = 0.0,
    world: World = ALONE,
) -> dict[str, Tensor]:
    """`score`, `box`, `distribution` and `mask`, each times its gain.

    If several processes train together, each gets its photos' share: the sum is the loss of the whole batch.

    bins: (reg_max,) 0..reg_max-1; generator: draws the masks to compare, on the CPU
    margin, reach: shares of a box's sides by which masks are compared beyond it (see `widened`)
    """
    boxes = decode_boxes(raw.distributions, raw.anchors, raw.strides, bins)
    logits = wide(raw.scores)[..., 0]
    positives = assign(logits.detach().sigmoid(), boxes.detach(), raw.anchors, batch.boxes, batch.owners)
    # A machine-made mask is right with the probability of its score: its expected target is the product.
    targets = positives.targets * batch.weights[positives.objects]
    total = world.total(targets.sum()).clamp(min=1.0)
    found = boxes[positives.photos, positives.anchors]
    wanted = batch.boxes[positives.objects]
    goals = targets
    if gains.quality:
        goals = targets * (1 - gains.quality + gains.quality * mask_quality(raw, batch, positives, margin, reach))
    chosen = choose(positives, gains.masks * len(batch.images) * world.size, generator, world)
    return {
        "score": gains.score * score_loss(logits, goals, positives, background_weights(raw, batch)) / total,
        "box": gains.box * ((1 - ciou(found, wanted)) * targets).sum() / total,
        "distribution": gains.distribution * (distribution_loss(raw, positives, wanted) * targets).sum() / total,
        "mask": gains.mask * mask_loss(raw, batch, positives, chosen, gains.dice, margin, reach, world),
    }


def background_weights(raw: RawOutput, batch: Batch) -> Tensor:
    """(N, A): 1 if an anchor's centre lies on known ground, else 0."""
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
    logits = wide(raw.distributions[positives.photos, positives.anchors])
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


def choose(positives: Positives, most: int, generator: torch.Generator, world: World = ALONE) -> Tensor:
    """Indices of the positives whose masks are compared, `most` of all processes together, in order of photo."""
    count = len(positives.photos)
    before, total = world.place(count, positives.photos.device)
    drawn = torch.randperm(total, generator=generator)[:most] - before
    drawn = drawn[(drawn >= 0) & (drawn < count)].to(positives.photos.device)
    return drawn[positives.photos[drawn].argsort()]


def mask_loss(
    raw: RawOutput,
    batch: Batch,
    positives: Positives,
    chosen: Tensor,
    dice: float,
    margin: float = 0.0,
    reach: float = 0.0,
    world: World = ALONE,
) -> Tensor:
    """Mean over the chosen positives (in order of photo) of the masks' losses, weighted as their objects.

    Masks are compared in their objects' boxes, widened by `margin` and `reach`.
    """
    logits, goals, index = cells_to_compare(raw, batch, positives, chosen, margin, reach)
    each = masks_against(logits, goals, index, len(chosen), dice)
    weights = batch.weights[positives.objects[chosen]]
    return (each * weights).sum() / world.total(weights.sum()).clamp(min=1.0)


@torch.no_grad()
def mask_quality(raw: RawOutput, batch: Batch, positives: Positives, margin: float, reach: float) -> Tensor:
    """(P,) IoU of every positive's mask with its object's, on the cells that the mask loss compares."""
    order = positives.photos.argsort(stable=True)
    logits, goals, index = cells_to_compare(raw, batch, positives, order, margin, reach)
    found, wanted = logits > 0, goals > 0.5
    parts = torch.stack((found & wanted, found | wanted), 1).to(logits.dtype)
    shared, either = logits.new_zeros(len(order), 2).index_add(0, index, parts).unbind(1)
    quality = torch.empty_like(shared)
    quality[order] = shared / either.clamp(min=1.0)
    return quality


def cells_to_compare(
    raw: RawOutput, batch: Batch, positives: Positives, chosen: Tensor, margin: float, reach: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Logits and goals 0..1 (C,) of the chosen positives' cells, and which of the chosen each belongs to."""
    objects = positives.objects[chosen]
    h, w = raw.prototypes.shape[2:]
    index, rows, columns = cells_of_boxes(widened(batch.boxes[objects] / 4, (h, w), margin, reach), h, w)
    cells = (index * h + rows) * w + columns
    logits = mask_logits(raw, positives, chosen).view(-1).index_select(0, cells)
    return logits, batch.masks[objects].view(-1).index_select(0, cells).float() / 255, index


def mask_logits(raw: RawOutput, positives: Positives, chosen: Tensor) -> Tensor:
    """(K, h * w) coefficients . prototypes of the chosen positives, which stand in order of photo."""
    coefficients = wide(raw.coefficients[positives.photos[chosen], positives.anchors[chosen]])
    counts = torch.bincount(positives.photos[chosen], minlength=len(raw.prototypes)).tolist()
    prototypes = wide(raw.prototypes).flatten(2)
    return torch.cat([c @ p for c, p in zip(torch.split(coefficients, counts), prototypes, strict=True)])


def widened(boxes: Tensor, size: tuple[int, int], margin: float, reach: float) -> Tensor:
    """Boxes (K, 4) xyxy on a map (height, width), each side moved out by a share of the box's length along it.

    The share is `margin`, and `reach` more for a box of the map's size, falling with the root of the box's area as
    where masks are shown (`masks/lazy.py`).
    """
    lengths = boxes[:, 2:] - boxes[:, :2]
    area = lengths.prod(1, keepdim=True) / (size[0] * size[1])
    sides = lengths * (margin + reach * area.sqrt())
    return torch.cat((boxes[:, :2] - sides, boxes[:, 2:] + sides), 1)


def cells_of_boxes(boxes: Tensor, h: int, w: int) -> tuple[Tensor, Tensor, Tensor]:
    """(index, row, column) of every cell that a box (K, 4), in cells, touches, box by box."""
    limits = boxes.new_tensor([w, h])
    first = boxes[:, :2].floor().clamp(min=0).long()
    last = torch.minimum(boxes[:, 2:].ceil(), limits).long()
    size = (last - first).clamp(min=0)
    counts = size.prod(1)
    index = torch.repeat_interleave(torch.arange(len(boxes), device=boxes.device), counts)
    place = torch.arange(len(index), device=boxes.device) - (counts.cumsum(0) - counts)[index]
    width = size[index, 0].clamp(min=1)
    return index, first[index, 1] + place // width, first[index, 0] + place % width


def masks_against(logits: Tensor, goals: Tensor, index: Tensor, n: int, dice: float) -> Tensor:
    """(n,) losses of masks given as cells: logits and goals 0..1 (C,), and which mask each belongs to.

    Cross-entropy, averaged over the mask's cells, plus `dice` times the Dice loss (Milletari et al. 2016,
    arXiv 1606.04797).
    """
    probability = logits.sigmoid()
    entropy = F.binary_cross_entropy_with_logits(logits, goals, reduction="none")
    parts = torch.stack((torch.ones_like(logits), entropy, probability * goals, probability**2 + goals**2), 1)
    size, entropy, overlap, both = logits.new_zeros(n, 4).index_add(0, index, parts).unbind(1)
    return entropy / size.clamp(min=1.0) + dice * (1 - (2 * overlap + 1) / (both + 1))
