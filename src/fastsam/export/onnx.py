"""A checkpoint of the trainer to an ONNX graph.

Enters: a checkpoint or a network. Leaves: a model with input `images` (N, 3, H, W) float32 in 0..1 and outputs
`candidates` and `prototypes`, all of N, H and W free. Needs the `export` extra.
"""

import io
import warnings
from pathlib import Path

import onnx
import torch
from onnx import ModelProto
from torch import Tensor, nn

from fastsam.network import Architecture, build
from fastsam.network.lite import LiteSeg
from fastsam.network.yolov8 import YOLOv8Seg
from fastsam.training import checkpoint

OPSET = 17


class Exported(nn.Module):
    """The network with its boxes decoded, as it leaves torch."""

    def __init__(self, network: YOLOv8Seg | LiteSeg) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        return self.network.head.decode(self.network(images))


def load_network(file: Path) -> tuple[YOLOv8Seg | LiteSeg, Architecture]:
    """The averaged network of a checkpoint, ready to run. Raises ValueError for any other file."""
    state = checkpoint.load(file)
    architecture = checkpoint.architecture_of(state, file)
    network = build(architecture)
    network.load_state_dict(state["average"])
    return network.eval(), architecture


def to_onnx(network: YOLOv8Seg | LiteSeg) -> ModelProto:
    """The ONNX graph in float32, batch norms folded."""
    axes = {"images": {0: "batch", 2: "height", 3: "width"}}
    axes |= {"candidates": {0: "batch", 2: "anchors"}, "prototypes": {0: "batch", 2: "rows", 3: "columns"}}
    return trace(Exported(network).eval(), (torch.zeros(1, 3, 64, 96),), axes)


def trace(network: nn.Module, example: tuple[Tensor, ...], axes: dict[str, dict[int, str]]) -> ModelProto:
    """The ONNX graph of any network.

    axes: the free axes of its inputs, as many as there are in the `example`, then of its outputs, by their names
    """
    names = list(axes)
    inputs, outputs = names[: len(example)], names[len(example) :]
    buffer = io.BytesIO()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # the tracing exporter announces its successor at every call
        torch.onnx.export(
            network,
            example,
            buffer,  # type: ignore[arg-type]  # the tracing exporter takes files as well
            input_names=inputs,
            output_names=outputs,
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,
        )
    return onnx.load_from_string(buffer.getvalue())
