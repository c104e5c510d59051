"""Builds the ONNX graph of a YOLOv8-seg network of any depth and width, with folded batch norms and decoded boxes.

Enters: a `Checkpoint`. Leaves: a model with input `images` and outputs `candidates` and `prototypes`, with any batch
size, height and width.

Layers are numbered as in the published description. Sizes and counts follow from the shapes of the entries.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from fastsam.errors import UsageError
from fastsam.untrusted.shown import reason, shown
from fastsam.weights.folding import FoldingError, folded
from fastsam.weights.yolo import DFL, SCORES, Checkpoint

OPSET = 17
SMALL_CONSTANT = 1024  # maximum bytes of a constant that shapes can depend on
STRIDES = (8, 16, 32)
COEFFICIENTS = 32


@dataclass(frozen=True)
class Graph:
    """A graph under construction: nodes and constants, from `entries`. Each method adds nodes and returns a name."""

    entries: dict[str, npt.NDArray[np.float32]]
    nodes: list[NodeProto] = field(default_factory=list)
    constants: list[TensorProto] = field(default_factory=list)

    def op(self, kind: str, *inputs: str, outputs: int = 1, **attributes: Any) -> Any:
        """Adds a node; returns the name of its output, or the names of several."""
        names = [f"v{len(self.nodes)}_{k}" for k in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, **attributes))
        return names[0] if outputs == 1 else names

    def constant(self, value: Any, dtype: Any = np.float32, name: str = "") -> str:
        """Adds a constant. Weights keep the `name` of their entry, so that they can be read back from the graph."""
        name = name or f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def entry(self, name: str) -> npt.NDArray[np.float32]:
        """An entry. Raises UsageError if it is missing."""
        if name not in self.entries:
            raise UsageError(f"the weights are not a YOLOv8-seg network: {shown(name)} is missing")
        return self.entries[name]

    def weights(self, prefix: str, weight: npt.NDArray[Any], bias: npt.NDArray[Any]) -> tuple[str, str]:
        """The two constants of a convolution."""
        return self.constant(weight, name=f"{prefix}.weight"), self.constant(bias, name=f"{prefix}.bias")

    def plain(self, x: str, prefix: str) -> str:
        """A convolution with bias."""
        return str(
            self.op("Conv", x, *self.weights(prefix, self.entry(f"{prefix}.weight"), self.entry(f"{prefix}.bias")))
        )

    def conv(self, x: str, prefix: str, stride: int = 1) -> str:
        """Convolution, batch norm (folded), SiLU."""
        weight, bias = folded(self.entries, prefix)
        pad = weight.shape[2] // 2
        constants = self.weights(f"{prefix}.conv", weight, bias)
        y = self.op("Conv", x, *constants, strides=[stride, stride], pads=[pad, pad, pad, pad])
        return str(self.op("Mul", y, self.op("Sigmoid", y)))

    def c2f(self, x: str, prefix: str, shortcut: bool) -> str:
        """Two halves, the second through every bottleneck; all intermediate results are joined."""
        half = self.entry(f"{prefix}.cv1.conv.weight").shape[0] // 2
        halves = self.constant([half, half], np.int64)
        parts = self.op("Split", self.conv(x, f"{prefix}.cv1"), halves, outputs=2, axis=1)
        k = 0
        while f"{prefix}.m.{k}.cv1.conv.weight" in self.entries:
            y = self.conv(self.conv(parts[-1], f"{prefix}.m.{k}.cv1"), f"{prefix}.m.{k}.cv2")
            parts.append(self.op("Add", parts[-1], y) if shortcut else y)
            k += 1
        return self.conv(self.join(*parts), f"{prefix}.cv2")

    def sppf(self, x: str, prefix: str) -> str:
        """Three chained 5x5 max-pools."""
        parts = [self.conv(x, f"{prefix}.cv1")]
        for _ in range(3):
            parts.append(self.op("MaxPool", parts[-1], kernel_shape=[5, 5], pads=[2, 2, 2, 2]))
        return self.conv(self.join(*parts), f"{prefix}.cv2")

    def join(self, *parts: str, axis: int = 1) -> str:
        return str(self.op("Concat", *parts, axis=axis))

    def double(self, x: str) -> str:
        """Nearest-neighbour doubling."""
        scales = self.constant([1, 1, 2, 2])
        return str(
            self.op(
                "Resize",
                x,
                "",
                scales,
                mode="nearest",
                coordinate_transformation_mode="asymmetric",
                nearest_mode="floor",
            )
        )


def build(checkpoint: Checkpoint, settings: dict[str, Any]) -> ModelProto:
    """The network as an ONNX model, with `settings` in its metadata.

    Raises UsageError if the entries are not a YOLOv8-seg network, or their shapes do not fit.
    """
    g = Graph(checkpoint.entries)
    try:
        p3, p4, p5 = backbone(g)
        features = neck(g, p3, p4, p5)
        outputs = {"candidates": decode(g, features), "prototypes": prototypes(g, features[0])}
        model = finish(g, outputs, len(g.entry(SCORES)))
    except FoldingError as error:
        raise UsageError(f"the weights are not a YOLOv8-seg network: {error}") from None
    except (ValueError, IndexError, onnx.shape_inference.InferenceError) as error:
        raise UsageError(f"the weights are not a YOLOv8-seg network: shapes do not fit ({reason(error)})") from None
    helper.set_model_props(model, {"fastsam": json.dumps(settings)})
    return model


def finish(g: Graph, outputs: dict[str, str], classes: int) -> ModelProto:
    """The model of a graph, with named outputs and checked shapes. It takes the graph's constants out of the graph."""
    for name, value in outputs.items():
        g.nodes.append(helper.make_node("Identity", [value], [name]))
    shapes: dict[str, list[str | int | None]] = {
        "candidates": ["batch", 4 + classes + COEFFICIENTS, "anchors"],
        "prototypes": ["batch", COEFFICIENTS, "rows", "columns"],
    }
    graph = helper.make_graph(
        g.nodes,
        "YOLOv8-seg",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 3, "height", "width"])],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, shapes[n]) for n in outputs],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    check_shapes(model, g.constants)
    g.constants.reverse()
    while g.constants:  # moved one by one, so that they are never in memory twice
        model.graph.initializer.append(g.constants.pop())
    return model


def check_shapes(model: ModelProto, constants: Sequence[TensorProto]) -> None:
    """Raises InferenceError if shapes do not fit. Large constants take part with their shapes only."""
    light = ModelProto()
    light.CopyFrom(model)
    for constant in constants:
        if len(constant.raw_data) <= SMALL_CONSTANT:
            light.graph.initializer.append(constant)
        else:
            shape = helper.make_tensor_value_info(constant.name, constant.data_type, constant.dims)
            light.graph.input.append(shape)
    onnx.shape_inference.infer_shapes(light, check_type=True, strict_mode=True)


def backbone(g: Graph) -> tuple[str, str, str]:
    """Layers 0 to 9: features at strides 8, 16, 32."""
    x = g.conv(g.conv("images", "model.0", 2), "model.1", 2)
    x = g.conv(g.c2f(x, "model.2", True), "model.3", 2)
    p3 = g.c2f(x, "model.4", True)
    p4 = g.c2f(g.conv(p3, "model.5", 2), "model.6", True)
    p5 = g.sppf(g.c2f(g.conv(p4, "model.7", 2), "model.8", True), "model.9")
    return p3, p4, p5


def neck(g: Graph, p3: str, p4: str, p5: str) -> tuple[str, str, str]:
    """Layers 10 to 21: the feature pyramid, coarse to fine and back."""
    m4 = g.c2f(g.join(g.double(p5), p4), "model.12", False)
    n3 = g.c2f(g.join(g.double(m4), p3), "model.15", False)
    n4 = g.c2f(g.join(g.conv(n3, "model.16", 2), m4), "model.18", False)
    n5 = g.c2f(g.join(g.conv(n4, "model.19", 2), p5), "model.21", False)
    return n3, n4, n5


def decode(g: Graph, features: Sequence[str]) -> str:
    """(N, 4 + classes + 32, A) boxes, scores and coefficients of every anchor, level by level, row by row."""
    bins = g.constant(g.entry(DFL).reshape(1, 1, -1, 1), name=DFL)
    levels = []
    for k, (feature, stride) in enumerate(zip(features, STRIDES, strict=True)):
        towers = {}
        for name in ("cv2", "cv3", "cv4"):
            prefix = f"model.22.{name}.{k}"
            towers[name] = g.plain(g.conv(g.conv(feature, f"{prefix}.0"), f"{prefix}.1"), f"{prefix}.2")
        boxes = decode_boxes(g, towers["cv2"], bins, stride)
        scores = g.op("Sigmoid", flat(g, towers["cv3"]))
        levels.append(g.join(boxes, scores, flat(g, towers["cv4"])))
    return g.join(*levels, axis=2)


def decode_boxes(g: Graph, x: str, bins: str, stride: int) -> str:
    """(N, 4, A) centre, width and height in input pixels, from (N, 4 * bins, h, w) distributions of side distances."""
    count = g.entry(DFL).size
    split = g.op("Reshape", x, g.constant([0, 4, count, -1], np.int64))
    shares = g.op("Mul", g.op("Softmax", split, axis=2), bins)
    distances = g.op("ReduceSum", shares, g.constant([2], np.int64), keepdims=0)
    before, after = g.op("Split", distances, g.constant([2, 2], np.int64), outputs=2, axis=1)
    half = g.op("Mul", g.op("Sub", after, before), g.constant(0.5))
    centre = g.op("Add", anchors(g, x), half)
    return str(g.op("Mul", g.join(centre, g.op("Add", before, after)), g.constant(stride)))


def anchors(g: Graph, x: str) -> str:
    """(1, 2, h * w) centres x, y of the cells of a feature map, in cells."""
    shape = g.op("Shape", x)
    grids = []
    for axis, line in ((3, [1, -1]), (2, [-1, 1])):
        length = g.op("Cast", g.op("Gather", shape, g.constant(axis, np.int64)), to=TensorProto.FLOAT)
        steps = g.op("Range", g.constant(0), length, g.constant(1))
        centres = g.op("Reshape", g.op("Add", steps, g.constant(0.5)), g.constant(line, np.int64))
        full = g.op("Expand", centres, g.op("Slice", shape, g.constant([2], np.int64), g.constant([4], np.int64)))
        grids.append(g.op("Reshape", full, g.constant([1, 1, -1], np.int64)))
    return g.join(*grids)


def flat(g: Graph, x: str) -> str:
    """(N, C, h * w) from (N, C, h, w)."""
    return str(g.op("Reshape", x, g.constant([0, 0, -1], np.int64)))


def prototypes(g: Graph, x: str) -> str:
    """(N, 32, H / 4, W / 4) from the features at stride 8."""
    prefix = "model.22.proto"
    name = f"{prefix}.upsample"
    doubling = g.weights(name, g.entry(f"{name}.weight"), g.entry(f"{name}.bias"))
    y = g.op("ConvTranspose", g.conv(x, f"{prefix}.cv1"), *doubling, strides=[2, 2])
    return g.conv(g.conv(y, f"{prefix}.cv2"), f"{prefix}.cv3")
