"""A network in eight bits: static quantisation by ONNX Runtime's own tools, per channel, sensitive layers in float.

Enters: a float32 model and photos to calibrate with. Leaves: a model in QDQ form, whose weights are int8, activations
uint8.

The layers that end in an output, and all that follows them, stay in float: boxes need more than eight bits. Other
layers stay in float if they alone, quantised, would move the outputs by more than `TOLERANCE`; three are tried at a
time.
"""

import logging
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import ModelProto, NodeProto, TensorProto, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

from fastsam.errors import UsageError
from fastsam.export.graphs import name_nodes
from fastsam.image.letterbox import Letterbox, letterbox, prepare, to_tensor
from fastsam.image.read import read_image
from fastsam.masks.positional import coefficients_of
from fastsam.runtimes.onnx import open_file
from fastsam.runtimes.settings import Settings

Float32 = npt.NDArray[np.float32]
Feed = dict[str, npt.NDArray[np.generic]]
LAYERS = ["Conv", "Clip", "Relu"]  # an activation becomes a part of the convolution before it
KINDS = [*LAYERS, "Sigmoid", "Mul", "Add", "Concat", "MaxPool", "Resize", "Split"]
TOLERANCE = 0.05  # mean change of coefficients and prototypes by one group, relative to their mean size
GROUP = 3  # layers that are tried together
PROBES = 2  # photos on which sensitivity is measured
BEST = 100  # candidates whose coefficients count
WIDER = 1 / 128  # by which a step grows that would make ties
EQUAL = 1e-4  # difference of two shares that are meant to be equal


def quantise(
    model: ModelProto,
    photos: Sequence[Path],
    settings: Settings,
    say: Callable[[str], object],
    size: tuple[int, int] | None = None,
) -> ModelProto:
    """The same network in eight bits, calibrated with `photos` as it will see them.

    say: takes a line of progress, or of warning if the network finds nothing in at least half of the photos
    size: see `inputs_of`
    """
    if any(node.op_type == "QuantizeLinear" for node in model.graph.node):
        raise UsageError("this network already has eight bits: give its float file")
    name_nodes(model)
    inputs = inputs_of(photos, settings.imgsz, size)
    feeds: list[Feed] = [{"images": images} for images in inputs]
    layers, excluded = split(model)
    outputs = outputs_of(model, inputs)
    if warning := nothing_found(outputs, settings):
        say(warning)
    reference = outputs[:PROBES]
    del outputs  # of all photos: they are large
    sensitive: list[str] = []
    groups = [layers[k : k + GROUP] for k in range(0, len(layers), GROUP)]
    for number, group in enumerate(groups):
        others = [name for name in layers if name not in group]
        tried = quantised(model, feeds[:PROBES], [*excluded, *others], LAYERS)
        moved = change(reference, outputs_of(tried, inputs[:PROBES]), settings.positional)
        if moved > TOLERANCE:
            sensitive += group
        say(f"layers {number * GROUP + 1} to {number * GROUP + len(group)} of {len(layers)}: {100 * moved:.1f}%")
    say(f"{len(sensitive)} sensitive layers stay in float")
    return quantised(model, feeds, [*excluded, *sensitive], KINDS)


def inputs_of(photos: Sequence[Path], imgsz: int, size: tuple[int, int] | None = None) -> list[Float32]:
    """Photos as the network will see them.

    size: (height, width) of the one input that it will be used with; by default photos keep their shape at `imgsz`
    """
    pixels = [read_image(photo) for photo in photos]
    return [prepare(p, imgsz)[1] if size is None else fill(p, size) for p in pixels]


def fill(pixels: npt.NDArray[np.uint8], size: tuple[int, int]) -> Float32:
    """A photo (H, W, 3) centred in one input, (1, 3, *size), as large as fits."""
    box = Letterbox((pixels.shape[0], pixels.shape[1]), size, (1, 1), (0, 0), size[::-1]).on_cells(1)
    return to_tensor(letterbox(pixels, box))


def nothing_found(outputs: Sequence[tuple[Float32, Float32]], settings: Settings) -> str | None:
    """A line of warning if at least half of the photos show nothing that the network finds."""
    best = [float(c[0, 4 : -coefficients_of(p.shape[1], settings.positional)].max()) for c, p in outputs]
    empty = sum(score < settings.conf for score in best)
    if 2 * empty < len(best):
        return None
    return (
        f"warning: the network finds nothing in {empty} of {len(best)} calibration photos (scores reach "
        f"{max(best):.2f}, conf is {settings.conf:g}): eight bits may lose what such photos do not show; "
        "calibrate with photos like those it will see"
    )


def split(model: ModelProto) -> tuple[list[str], list[str]]:
    """Names of the convolutions that may be quantised, and of the nodes that may not: those that end in an output."""
    users: dict[str, list[NodeProto]] = {}
    for node in model.graph.node:
        for name in node.input:
            users.setdefault(name, []).append(node)

    def after(node: NodeProto) -> Iterator[NodeProto]:
        todo, seen = [node], {node.name}
        while todo:
            for name in todo.pop().output:
                for user in users.get(name, ()):
                    if user.name not in seen:
                        seen.add(user.name)
                        todo.append(user)
                        yield user

    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    last = [n for n in convolutions if all(u.op_type not in ("Conv", "ConvTranspose") for u in after(n))]
    excluded = {n.name for n in last} | {u.name for n in last for u in after(n)}
    return [n.name for n in convolutions if n.name not in excluded], sorted(excluded)


def quantised(
    model: ModelProto, feeds: Sequence[Feed], excluded: Sequence[str], kinds: list[str], seven: bool = False
) -> ModelProto:
    """The model with all nodes of these kinds in eight bits, but for the excluded ones.

    feeds: what to calibrate with: each input of the model by its name
    seven: whether weights take seven bits only: x86 processors without VNNI add pairs of products in 16 bits, which
    overflow with eight
    """
    logging.getLogger().addFilter(_quiet)
    try:
        with tempfile.TemporaryDirectory() as folder:
            source, target = Path(folder) / "float.onnx", Path(folder) / "int8.onnx"
            onnx.save(model, source)
            quantize_static(
                source,
                target,
                Inputs(feeds),
                quant_format=QuantFormat.QDQ,
                op_types_to_quantize=kinds,
                per_channel=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                nodes_to_exclude=list(excluded),
                reduce_range=seven,
            )
            found = onnx.load(target)
            untie(found)
            return found
    finally:
        logging.getLogger().removeFilter(_quiet)


def untie(model: ModelProto) -> None:
    """Widens the steps of sums of which every second one would lie exactly between two steps.

    That is so where both inputs have the same step and the sum has twice that step, as sums of two activations that
    reach their upper limit. Runtimes round such ties in different directions, so that browsers would give other masks.
    """
    values = {tensor.name: tensor for tensor in model.graph.initializer}
    made = {node.output[0]: node for node in model.graph.node}
    for node in model.graph.node:
        if node.op_type != "QuantizeLinear" or (added := made.get(node.input[0])) is None or added.op_type != "Add":
            continue
        read = [made.get(name) for name in added.input]
        steps = [_step(values[n.input[1]]) for n in read if n is not None and n.op_type == "DequantizeLinear"]
        own = values[node.input[1]]
        halves = [2 * step / _step(own) for step in steps]
        if len(steps) == 2 and all(abs(h - round(h)) < EQUAL for h in halves) and any(round(h) % 2 for h in halves):
            wider = np.array(_step(own) * (1 + WIDER), np.float32)
            own.CopyFrom(numpy_helper.from_array(wider, own.name))


def _step(scale: TensorProto) -> float:
    """The step of a tensor of which every value has the same."""
    return float(numpy_helper.to_array(scale).reshape(()))


class Inputs(CalibrationDataReader):  # type: ignore[misc]  # what the quantiser reads from must be of its own class
    """Inputs of the network, one after the other."""

    def __init__(self, feeds: Sequence[Feed]) -> None:
        self._rest = iter(feeds)

    def get_next(self) -> Feed | None:
        """The next one, None at the end."""
        return next(self._rest, None)


def outputs_of(model: ModelProto, inputs: Sequence[Float32]) -> list[tuple[Float32, Float32]]:
    """Candidates and prototypes of each input."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "network.onnx"
        onnx.save(model, file)
        session = open_file(file)
        found = [tuple(session.run(["candidates", "prototypes"], {"images": images})) for images in inputs]
        del session  # lets go of the file, which some systems would not delete otherwise
    return found


def change(
    reference: Sequence[tuple[Float32, Float32]], found: Sequence[tuple[Float32, Float32]], positional: int
) -> float:
    """How far outputs moved: mean difference over mean size, of the best candidates' coefficients and of prototypes."""
    shares = []
    for (a, p), (b, q) in zip(reference, found, strict=True):
        k = coefficients_of(p.shape[1], positional)
        best = np.argsort(-a[0, 4:-k].max(0))[:BEST]
        for x, y in ((a[0, -k:, best], b[0, -k:, best]), (p, q)):
            shares.append(float(np.abs(x - y).mean() / max(1e-9, float(np.abs(x).mean()))))
    return float(np.mean(shares))


def _quiet(record: logging.LogRecord) -> bool:
    """Drops the quantiser's advice to run its own pre-processing."""
    return os.sep + "quantization" + os.sep not in record.pathname
