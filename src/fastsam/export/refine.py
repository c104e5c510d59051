"""The second network to an ONNX graph.

Enters: a checkpoint of `fastsam train refine`. Leaves: a model with inputs `images` (N, S, S, 3) uint8 RGB and `maps`
(N, 4, S / 2, S / 2) float32, and outputs `masks` (N, 4, S / 2, S / 2) logits and `quality` (N, 4), 0..1. N and S are
free.
"""

from pathlib import Path

import torch
from onnx import ModelProto
from torch import Tensor, nn

from fastsam.export.graphs import fold_pads
from fastsam.export.onnx import trace
from fastsam.network.refine import MAPS, RefineNetwork
from fastsam.training import checkpoint


class Exported(nn.Module):
    """The network from bytes to shares."""

    def __init__(self, network: RefineNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor, maps: Tensor) -> tuple[Tensor, Tensor]:
        logits, quality = self.network(images.permute(0, 3, 1, 2).float() / 255, maps)
        return logits, quality.sigmoid()


def load_network(file: Path) -> RefineNetwork:
    """The averaged network of a checkpoint, ready to run. Raises ValueError for a file that holds none."""
    state = checkpoint.load(file)
    if not is_refiner(state):
        raise ValueError(f"{file} holds another network: {state['architecture']}")
    network = RefineNetwork()
    network.load_state_dict({name: value.float() for name, value in state["average"].items()})
    return network.eval()


def is_refiner(state: dict[str, object]) -> bool:
    """Whether a checkpoint of the trainer holds a second network."""
    return state["architecture"] == {"network": "refiner"}


def to_onnx(network: RefineNetwork) -> ModelProto:
    """The ONNX graph in float32, batch norms folded."""
    axes = {
        "images": {0: "batch", 1: "side", 2: "side"},
        "maps": {0: "batch", 2: "cells", 3: "cells"},
        "masks": {0: "batch", 2: "cells", 3: "cells"},
        "quality": {0: "batch"},
    }
    example = torch.zeros(2, 96, 96, 3, dtype=torch.uint8), torch.zeros(2, MAPS, 48, 48)
    model = trace(Exported(network).eval(), example, axes)
    fold_pads(model)
    return model
