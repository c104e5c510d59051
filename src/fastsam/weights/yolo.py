"""Reads the weights of a YOLOv8-seg network from a file of any supported kind.

Enters: a path, or what `torchfile.py` and `tensors.py` read from it. Leaves: a `Checkpoint`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fastsam.errors import UsageError
from fastsam.untrusted.budget import CLASSES, SIDES
from fastsam.untrusted.shown import shown
from fastsam.untrusted.unpickle import Record
from fastsam.weights.torchfile import MOST_AXES, Tensor, TorchFile, opened

Float32 = npt.NDArray[np.float32]
DFL = "model.22.dfl.conv.weight"  # the entry whose length is reg_max
SCORES = "model.22.cv3.0.2.weight"  # the entry whose length is the number of classes
DEEPEST = 12  # maximum levels of nested modules; the published networks have 7
LONGEST = 200  # maximum letters in the name of an entry


@dataclass(frozen=True)
class Checkpoint:
    """The weights of a network.

    entries: float32 arrays by their published names (`model.0.conv.weight`); names: of the classes; imgsz: input size
    in training, in pixels; port: whether Ultralytics trained it, and not `fastsam train`
    """

    entries: dict[str, Float32]
    names: tuple[str, ...]
    imgsz: int | None
    port: bool


def read_checkpoint(file: Path) -> Checkpoint:
    """The network in a file of Ultralytics, or of `fastsam train` with the yolov8 backbone.

    Raises UsageError for any other file, and for weights that are not finite.
    """
    with opened(file) as content:
        return interpret(file, content)


def interpret(file: Path, content: TorchFile) -> Checkpoint:
    """The network in the content of a file. Raises UsageError."""
    root = content.root
    if not isinstance(root, dict):
        raise UsageError(f"{file} is not a YOLOv8-seg checkpoint: its content is not a dictionary")
    names: Any = None
    ours = isinstance(root.get("average"), dict)
    if ours:
        if (backbone := dictionary(root, "architecture").get("backbone")) != "yolov8":
            raise UsageError(
                f"{file} has the backbone '{shown(backbone)}', which must be exported first: "
                f"run `fastsam export {file} FILE.onnx`, then use FILE.onnx"
            )
        found = root["average"]
        imgsz = dictionary(root, "config").get("imgsz")
    else:
        network = root.get("ema") or root.get("model")
        if not isinstance(network, Record):
            raise UsageError(f"{file} is not a YOLOv8-seg checkpoint: it has neither a model nor its moving average")
        found = collect(network, content)
        names = network.state.get("names")
        imgsz = dictionary(root, "train_args").get("imgsz")
    entries = {}
    for name, value in found.items():
        if not isinstance(value, Tensor):
            raise UsageError(f"{file}: entry {shown(name)} must be a tensor")
        check_shape(file, name, value.shape)
        entries[name] = as_float(file, name, content.array(value, name))
    return make_checkpoint(file, entries, names, imgsz, not ours)


def dictionary(values: Mapping[Any, Any], name: str) -> dict[Any, Any]:
    """The dictionary under a name; empty if it is missing."""
    found = values.get(name)
    return found if isinstance(found, dict) else {}


def collect(network: Record, content: TorchFile) -> dict[str, Any]:
    """The parameters and buffers of a module and its parts, by name. A part with two names is read once."""
    found: dict[str, Any] = {}
    seen = {id(network)}
    parts = [("", network, 0)]
    while parts:
        prefix, module, depth = parts.pop()
        if depth > DEEPEST:
            content.budget.refuse("it is nested too deeply for a YOLOv8-seg checkpoint")
        for kind in ("_parameters", "_buffers", "_modules"):
            own = dictionary(module.state, kind)
            content.budget.spend("tensors", len(own))
            for name, value in own.items():
                if len(prefix) + len(str(name)) > LONGEST:
                    content.budget.refuse(f"entry {shown(prefix)} has a part with too long a name")
                if kind != "_modules" and value is not None:
                    found[f"{prefix}{name}"] = value
                elif isinstance(value, Record) and id(value) not in seen:
                    seen.add(id(value))
                    parts.append((f"{prefix}{name}.", value, depth + 1))
    return found


def check_shape(file: Path, name: Any, shape: tuple[int, ...]) -> None:
    """Raises UsageError for an entry that cannot belong to a network: without a name, or with an invalid shape."""
    if not isinstance(name, str) or len(name) > LONGEST:
        raise UsageError(f"{file}: entry {shown(name)} has an invalid name")
    if 0 in shape or len(shape) > MOST_AXES:
        raise UsageError(f"{file}: entry {shown(name)} has the invalid shape {shown(str(shape))}")


def as_float(file: Path, name: str, array: npt.NDArray[Any]) -> Float32:
    """An entry as float32. Raises UsageError if its numbers are not finite."""
    with np.errstate(over="ignore"):
        values: Float32 = np.asarray(array, np.float32, order="C")
    if not np.isfinite(values).all():
        raise UsageError(
            f"{file}: entry {shown(name)} has values that are not finite: train again, or use an earlier file"
        )
    if name.endswith(".running_var") and (values < 0).any():
        raise UsageError(f"{file}: entry {shown(name)} has variances below 0: train again, or use an earlier file")
    return values


def make_checkpoint(file: Path, entries: dict[str, Float32], names: Any, imgsz: Any, port: bool) -> Checkpoint:
    """The checkpoint from checked entries and the other facts in a file. Raises UsageError."""
    if type(imgsz) is int and imgsz not in SIDES:
        raise UsageError(f"imgsz in {file} must be an integer from {SIDES[0]} to {SIDES[-1]}, not {shown(imgsz)}")
    return Checkpoint(entries, class_names(file, names, entries), imgsz if type(imgsz) is int else None, port)


def class_names(file: Path, names: Any, entries: Mapping[str, Float32]) -> tuple[str, ...]:
    """One name per class, made up if the file has no names; control characters are escaped."""
    weight = entries.get(SCORES)
    if weight is None:
        raise UsageError(f"{file} is not a YOLOv8-seg checkpoint: {SCORES} is missing")
    n = len(weight) if weight.ndim else 0
    if n not in CLASSES:
        raise UsageError(
            f"{file}: entry {SCORES} has the invalid shape {weight.shape}: its first axis must be the number of classes"
        )
    if isinstance(names, (list, tuple)):
        names = dict(enumerate(names))
    if isinstance(names, dict) and len(names) == n and all(k in names for k in range(n)):
        return tuple(shown(names[k]) for k in range(n))
    return unnamed(n)


def unnamed(classes: int) -> tuple[str, ...]:
    """Names for classes without names in the file."""
    return ("object",) if classes == 1 else tuple(f"class {k}" for k in range(classes))
