"""The second network to an ONNX graph.

Enters: a checkpoint of `fastsam train refine`. Leaves: a model with inputs `images` (N, S, S, 3) uint8 RGB and `maps`
(N, 4, S / 2, S / 2) float32, and outputs `masks` (N, 1, S / 2, S / 2) logits and `quality` (N, 1), 0..1. N and S are
free. Only the first mask is kept: the other three are there to learn from, and nothing asks for them.
"""

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from onnx import ModelProto
from torch import Tensor, nn

from fastsam.export.graphs import fold_bytes, fold_pads, name_nodes
from fastsam.export.int8 import KINDS, Feed, quantised
from fastsam.export.onnx import trace
from fastsam.network.refine import MAPS, MASKS, Level, RefineNetwork
from fastsam.training import checkpoint
from fastsam.training.data import load_set
from fastsam.training.refine.prompts import Habits
from fastsam.training.refine.samples import Samples
from fastsam.training.refine.scenes import Policy, material

BATCH = 8  # crops of one feed
FEEDS = 64  # of which the first three quarters calibrate, the others compare
SIZE = 128  # pixels of those crops
EPSILON = 1e-5  # of batch norms


class Exported(nn.Module):
    """The network from bytes to shares, with its first mask alone."""

    def __init__(self, network: RefineNetwork) -> None:
        super().__init__()
        self.network = deepcopy(network)
        for level in (self.network.at16, self.network.at8, self.network.at4):
            fold_norm(level)
        for name, values in list(self.network.masks.named_parameters()):
            setattr(self.network.masks, name, nn.Parameter(values[: len(values) // MASKS]))

    def forward(self, images: Tensor, maps: Tensor) -> tuple[Tensor, Tensor]:
        logits, quality = self.network(images.permute(0, 3, 1, 2).float() / 255, maps)
        return logits, quality.sigmoid()


def fold_norm(level: Level) -> None:
    """The batch norm of the joined features becomes a part of the convolutions that are joined."""
    state = level.norm.state_dict()
    scale = state["weight"] / torch.sqrt(state["running_var"] + EPSILON)
    for joined in (level.coarse, level.fine, level.finest):
        if joined is not None:
            joined.weight = nn.Parameter(joined.weight * scale[:, None, None, None])
    level.fine.bias = nn.Parameter(state["bias"] - state["running_mean"] * scale)
    level.norm = nn.Identity()


def load_network(file: Path) -> RefineNetwork:
    """The averaged network of a checkpoint, ready to run. Raises ValueError for any other file."""
    state = checkpoint.load(file)
    if not checkpoint.is_refiner(state):
        raise ValueError(f"{file} does not hold a second network: name a checkpoint of fastsam train refine")
    network = RefineNetwork()
    network.load_state_dict({name: value.float() for name, value in state["average"].items()})
    return network.eval()


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


def feeds_of(folder: Path) -> list[Feed]:
    """Crops with prompts from a COCO-style set, as the trainer makes them."""
    source = material(load_set(folder), (), (), {})
    samples = Samples(source, Policy(), Habits(), (SIZE,), (1.0,), BATCH, seed=0)
    chosen = [[samples[k * BATCH + i] for i in range(BATCH)] for k in range(FEEDS)]
    return [{"images": np.stack([s.pixels for s in some]), "maps": np.stack([s.maps for s in some])} for some in chosen]


def quantise(model: ModelProto, feeds: Sequence[Feed]) -> ModelProto:
    """The network in eight bits, weights in seven, calibrated with the feeds; judge and last layer stay in float."""
    name_nodes(model)
    last = [node.name for node in model.graph.node if node.op_type == "Conv"][-1]
    judges = [node.name for node in model.graph.node if "quality" in node.name or "quality" in node.output]
    made = quantised(model, feeds, [last, *judges], [*KINDS, "Reshape", "Transpose"], seven=True)
    fold_bytes(made, "images")
    return made


def agreement(one: bytes, other: bytes, feeds: Sequence[Feed]) -> tuple[float, float]:
    """Mean IoU of two networks' first masks, and the mean difference of the qualities they predict for them."""
    quiet = onnxruntime.SessionOptions()
    quiet.log_severity_level = 3
    a, b = (onnxruntime.InferenceSession(model, quiet) for model in (one, other))
    ious: list[float] = []
    apart: list[float] = []
    for feed in feeds:
        (masks, judged), (others, theirs) = a.run(None, feed), b.run(None, feed)
        x, y = masks[:, 0] > 0, others[:, 0] > 0
        ious += ((x & y).sum((1, 2)) / np.maximum(1, (x | y).sum((1, 2)))).tolist()
        apart += np.abs(judged[:, 0] - theirs[:, 0]).tolist()
    return float(np.mean(ious)), float(np.mean(apart))
