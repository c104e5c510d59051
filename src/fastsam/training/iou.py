"""Overlap of boxes, pairwise along the first axis."""

import math

import torch
from torch import Tensor


def ciou(a: Tensor, b: Tensor, eps: float = 1e-7) -> Tensor:
    """Complete IoU of boxes (..., 4) xyxy: IoU less centre distance and aspect penalty.

    Zheng et al. 2020 (arXiv 1911.08287).
    """
    wh_a, wh_b = a[..., 2:] - a[..., :2], b[..., 2:] - b[..., :2]
    overlap = (torch.minimum(a[..., 2:], b[..., 2:]) - torch.maximum(a[..., :2], b[..., :2])).clamp(min=0)
    intersection = overlap.prod(-1)
    union = wh_a.prod(-1) + wh_b.prod(-1) - intersection + eps
    iou = intersection / union
    hull = torch.maximum(a[..., 2:], b[..., 2:]) - torch.minimum(a[..., :2], b[..., :2])
    diagonal = hull.pow(2).sum(-1) + eps
    distance = ((a[..., :2] + a[..., 2:] - b[..., :2] - b[..., 2:]) / 2).pow(2).sum(-1)
    angle_a = torch.atan(wh_a[..., 0] / (wh_a[..., 1] + eps))
    angle_b = torch.atan(wh_b[..., 0] / (wh_b[..., 1] + eps))
    v = 4 / math.pi**2 * (angle_b - angle_a).pow(2)
    with torch.no_grad():
        alpha = v / (v - iou + 1 + eps)
    return iou - distance / diagonal - alpha * v
