"""Masks that weigh features by the place in their box, as plain sums, for the losses: `masks/positional.py` in torch.

Enters: a `RawOutput`. Leaves: one whose coefficients hold on all of the input.
"""

from dataclasses import replace

import torch
from torch import Tensor

from fastsam.masks.positional import LEAST_SIDE, TERMS, shifted
from fastsam.network.head import RawOutput, decode_boxes, wide

UNIT = 256.0  # input pixels that a place counts as 1
CELL = 4  # input pixels per cell of the prototypes


def place(raw: RawOutput, bins: Tensor, positional: int) -> RawOutput:
    """The same with K prototypes for K coefficients, in float32, since the terms are large.

    bins: (reg_max,) 0..reg_max-1; positional: number of features; 0 changes nothing
    """
    if not positional:
        return raw
    boxes = decode_boxes(raw.distributions.detach(), raw.anchors, raw.strides, bins)
    k = raw.coefficients.shape[-1] - TERMS * positional
    plain, terms = torch.split(wide(raw.coefficients), [k, TERMS * positional], -1)
    terms = about_boxes(terms.reshape(*terms.shape[:-1], positional, TERMS), boxes)
    prototypes = wide(raw.prototypes)
    features = torch.cat((torch.ones_like(prototypes[:, :1]), prototypes[:, k:]), 1)
    weighed = (features[:, :, None] * powers(prototypes)).flatten(1, 2)
    return replace(
        raw,
        coefficients=torch.cat((plain, terms.flatten(-2)), -1),
        prototypes=torch.cat((prototypes[:, :k], weighed), 1),
    )


def about_boxes(terms: Tensor, boxes: Tensor) -> Tensor:
    """Coefficients (N, A, F, 6) of `powers` from those in the places within boxes (N, A, 4) xyxy in input pixels."""
    boxes = boxes[..., None, :]
    slope = 2 * UNIT / (boxes[..., 2:] - boxes[..., :2]).clamp(min=LEAST_SIDE)
    start = -slope * (boxes[..., :2] + boxes[..., 2:]) / (2 * UNIT)
    (p, r), (q, s) = slope.unbind(-1), start.unbind(-1)
    return torch.stack(shifted(terms.unbind(-1), p, q, r, s), -1)


def powers(prototypes: Tensor) -> Tensor:
    """(6, h, w): 1, x, y, x^2, y^2, x y of each cell's centre, in `UNIT`s, of prototypes (N, M, h, w)."""
    h, w = prototypes.shape[2:]
    steps = ((torch.arange(n, device=prototypes.device, dtype=torch.float32) + 0.5) * (CELL / UNIT) for n in (h, w))
    y, x = torch.meshgrid(*steps, indexing="ij")
    return torch.stack((torch.ones_like(x), x, y, x * x, y * y, x * y))
