"""The second network's losses: cross-entropy that minds edges, Dice, and the quality that it should have predicted.

Enters: mask and quality logits, true masks. Leaves: one named mean for each loss.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

EDGE = 3.0  # what an edge's cell counts beyond others
OTHERS = 0.05  # share of the loss of the two masks that were not the best, so that none falls asleep


def losses(logits: Tensor, quality: Tensor, truth: Tensor, clicked: Tensor, beyond: Tensor) -> dict[str, Tensor]:
    """Losses of a batch.

    logits: (N, M, h, w); quality: (N, M) logits; truth: (N, h, w) shares 0..1; clicked: (N,) whether the prompt is a
    single click, which may mean several things: the best of the masks beyond the first learns from it then (Li et al.
    2018; Kirillov et al. 2023, arXiv 2304.02643)
    beyond: (N,) cells of each thing outside its crop, which a mask cannot reach: its quality knows of them
    """
    logits, quality = logits.float(), quality.float()
    each = cross_entropy(logits, truth) + dice(logits, truth)
    rest = each[:, 1:]
    best = rest.min(1).values * (1 - OTHERS) + rest.mean(1) * OTHERS
    one = each[:, 0].mean()
    several = (best * clicked).sum() / clicked.sum().clamp(min=1)
    reached = iou(logits.detach(), truth, beyond)
    judged = torch.cat((quality[:, :1], quality[:, 1:][clicked].reshape(-1, 1)), 0)
    aims = torch.cat((reached[:, :1], reached[:, 1:][clicked].reshape(-1, 1)), 0)
    return {
        "one": one,
        "several": 0.5 * several,
        "quality": 0.5 * F.binary_cross_entropy_with_logits(judged, aims) - 0.5 * entropy(aims),
    }


def cross_entropy(logits: Tensor, truth: Tensor) -> Tensor:
    """(N, M) mean over cells, those by the true mask's edge weighing more."""
    t = truth[:, None]
    low, high = -F.max_pool2d(-t, 5, 1, 2), F.max_pool2d(t, 5, 1, 2)
    weight = 1 + EDGE * (high - low > 0.5).float()
    each = F.binary_cross_entropy_with_logits(logits, t.expand_as(logits), reduction="none")
    return (each * weight).sum((2, 3)) / weight.sum((2, 3))


def dice(logits: Tensor, truth: Tensor) -> Tensor:
    """(N, M) one minus Dice's coefficient (Milletari et al. 2016, arXiv 1606.04797)."""
    p, t = logits.sigmoid(), truth[:, None]
    return 1 - (2 * (p * t).sum((2, 3)) + 1) / (p.sum((2, 3)) + t.sum((2, 3)) + 1)


def iou(logits: Tensor, truth: Tensor, beyond: Tensor) -> Tensor:
    """(N, M) IoU of masks cut at probability 0.5 with things of which some cells (N,) lie beyond the crop."""
    found, t = logits > 0, (truth > 0.5)[:, None]
    both = (found & t).sum((2, 3)).float()
    return both / ((found | t).sum((2, 3)).float() + beyond[:, None]).clamp(min=1)


def entropy(shares: Tensor) -> Tensor:
    """The least that a cross-entropy with these shares can be: taken off, so that a perfect judge has loss 0."""
    p = shares.clamp(1e-6, 1 - 1e-6)
    return -(p * p.log() + (1 - p) * (1 - p).log()).mean()
