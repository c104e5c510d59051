"""How weights move: the rate at each step, and which weights have which share of it.

Enters: a network and a `Run`. Leaves: groups for AdamW, and rates.
"""

import math
from typing import TypedDict

from torch import nn

from fastsam.network.lite import backbone_of
from fastsam.training.config import Run


class Group(TypedDict):
    """Parameters that move alike. share: of the rate"""

    params: list[nn.Parameter]
    share: float
    weight_decay: float


def parameter_groups(network: nn.Module, config: Run) -> list[Group]:
    """What learns: weights with decay, biases and norms without; a pretrained backbone at its share of the rate."""
    backbone = backbone_of(network)
    pretrained = set(backbone.parameters()) if backbone else set()
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for parameter in network.parameters():
        if parameter.requires_grad:
            groups.setdefault((parameter in pretrained, parameter.ndim > 1), []).append(parameter)
    return [
        Group(
            params=parameters,
            share=config.backbone_rate if is_pretrained else 1.0,
            weight_decay=config.decay if decays else 0.0,
        )
        for (is_pretrained, decays), parameters in groups.items()
    ]


def rate_at(step: int, config: Run) -> float:
    """Linear warm-up, then a half cosine to a hundredth of the peak."""
    warm = max(1, config.warmup // config.batch)
    if step < warm:
        return config.rate * (step + 1) / warm
    done = (step - warm) / max(1, config.steps - warm)
    return config.rate * (0.01 + 0.99 * (1 + math.cos(math.pi * min(1.0, done))) / 2)
