"""A checkpoint of the trainer to one ONNX file, float16 on disk, float32 when it runs.

Enters: a network and its settings. Leaves: a file with input `images` (N, 3, H, W) float32 in 0..1 and outputs
`candidates` and `prototypes`, all of N, H and W free. Needs the `export` extra. Called by `cli/export`.
"""

import io
import json
import warnings
from dataclasses import asdict
from pathlib import Path

import onnx
import torch
from onnx import ModelProto, helper
from torch import Tensor, nn

from fastsam.export.graphs import content_of, fold_pads, halve
from fastsam.files import whole
from fastsam.network import Architecture, build
from fastsam.network.lite import LiteSeg
from fastsam.network.yolov8 import YOLOv8Seg
from fastsam.runtimes.settings import Settings
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
    """The averaged network of a checkpoint, ready to run. Raises ValueError for a file that is none."""
    state = checkpoint.load(file)
    architecture = checkpoint.architecture_of(state)
    network = build(architecture)
    network.load_state_dict(state["average"])
    return network.eval(), architecture


def export(network: YOLOv8Seg | LiteSeg, architecture: Architecture, settings: Settings, file: Path) -> None:
    """Writes `network` as an ONNX file with its settings inside."""
    model = to_onnx(network)
    halve(model)
    facts = {**asdict(settings), "architecture": asdict(architecture)}
    helper.set_model_props(model, {"fastsam": json.dumps(facts)})
    with whole(file) as part:
        part.write_bytes(content_of(model))


def to_onnx(network: YOLOv8Seg | LiteSeg) -> ModelProto:
    """The ONNX graph in float32, batch norms folded."""
    axes = {"images": {0: "batch", 2: "height", 3: "width"}}
    axes |= {"candidates": {0: "batch", 2: "anchors"}, "prototypes": {0: "batch", 2: "rows", 3: "columns"}}
    model = trace(Exported(network).eval(), torch.zeros(1, 3, 64, 96), axes)
    fold_pads(model)
    return model


def trace(network: nn.Module, example: Tensor, axes: dict[str, dict[int, str]]) -> ModelProto:
    """The ONNX graph of any network.

    axes: the free axes of its one input, then of each of its outputs, by their names
    """
    name, *outputs = axes
    buffer = io.BytesIO()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # the tracing exporter announces its successor at every call
        torch.onnx.export(
            network,
            (example,),
            buffer,  # type: ignore[arg-type]  # the tracing exporter takes files as well
            input_names=[name],
            output_names=outputs,
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,
        )
    return onnx.load_from_string(buffer.getvalue())
