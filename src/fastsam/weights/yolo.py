"""A file's numbers as those of a YOLOv8-seg network, from whatever kind of file holds them.

Enters: a path, or what `torchfile` and `tensors` read from it. Leaves: a `Checkpoint`, for `graph`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fastsam.errors import UsageError
from fastsam.weights.torchfile import Record, read

Float = npt.NDArray[np.float32]
DFL = "model.22.dfl.conv.weight"  # the entry whose length is reg_max
DEEPEST = 12  # levels of modules; the published networks have 7


@dataclass(frozen=True)
class Checkpoint:
    """`entries` by their published names (`model.0.conv.weight`), float32; class `names`; `imgsz` it was trained at.

    port: the popular port trained it, not `fastsam train`
    """

    entries: dict[str, Float]
    names: tuple[str, ...]
    imgsz: int | None
    port: bool


def read_checkpoint(file: Path) -> Checkpoint:
    """The network of a file that the popular port wrote, or `fastsam train` with the yolov8 backbone.

    Raises UsageError for any other file, and for weights that are not finite.
    """
    root = read(file)
    try:
        return interpret(file, root)
    except UsageError:
        raise
    except (AttributeError, TypeError, ValueError, OverflowError):  # a value of another kind than its name promises
        raise UsageError(f"{file} is no YOLOv8-seg checkpoint: its values are of other kinds") from None


def interpret(file: Path, root: Any) -> Checkpoint:
    """The network in the value of a file. Raises UsageError, or whatever a value of the wrong kind raises."""
    if not isinstance(root, dict):
        raise UsageError(f"{file} is no YOLOv8-seg checkpoint: it holds no dictionary")
    names: Any = None
    ours = isinstance(root.get("average"), dict)
    if ours:
        if (backbone := root.get("architecture", {}).get("backbone")) != "yolov8":
            raise UsageError(
                f"{file} has the backbone {backbone!r}, which only an exported file can run: "
                f"fastsam export {file} FILE.onnx"
            )
        found = root["average"]
        imgsz = root.get("config", {}).get("imgsz")
    else:
        network = root.get("ema") or root.get("model")
        if not isinstance(network, Record):
            raise UsageError(f"{file} is no YOLOv8-seg checkpoint: it holds neither a model nor its average")
        found = {}
        collect(network, "", found, 0, file)
        names = network.attributes.get("names")
        arguments = root.get("train_args")
        imgsz = arguments.get("imgsz") if isinstance(arguments, dict) else None
    entries = {name: as_float(file, name, value) for name, value in found.items()}
    return Checkpoint(entries, class_names(file, names, entries), imgsz if isinstance(imgsz, int) else None, not ours)


def collect(module: Record, prefix: str, found: dict[str, Any], depth: int, file: Path) -> None:
    """Adds a module's parameters and buffers, and those of its parts, to `found`."""
    if depth > DEEPEST:
        raise UsageError(f"{file} is nested too deeply for a YOLOv8-seg checkpoint")
    for kind in ("_parameters", "_buffers"):
        for name, value in module.attributes.get(kind, {}).items():
            if value is not None:
                found[f"{prefix}{name}"] = value
    for name, part in module.attributes.get("_modules", {}).items():
        if isinstance(part, Record):
            collect(part, f"{prefix}{name}.", found, depth + 1, file)


def as_float(file: Path, name: str, value: Any) -> Float:
    """An entry as float32. Raises UsageError where it is no array of finite numbers."""
    if not isinstance(value, np.ndarray):
        raise UsageError(f"{file}: entry {name} is no tensor")
    array = np.ascontiguousarray(value, np.float32).reshape(value.shape)
    if not np.isfinite(array).all():
        raise UsageError(
            f"{file}: entry {name} holds numbers that are not finite: train again, or take an earlier file"
        )
    return array


def class_names(file: Path, names: Any, entries: dict[str, Float]) -> tuple[str, ...]:
    """One name a class, made up where the file has none."""
    weight = entries.get("model.22.cv3.0.2.weight")
    if weight is None:
        raise UsageError(f"{file} is no YOLOv8-seg checkpoint: it lacks model.22.cv3.0.2.weight")
    n = len(weight)
    if isinstance(names, (list, tuple)):
        names = dict(enumerate(names))
    if isinstance(names, dict) and set(names) == set(range(n)):
        return tuple(str(names[k]) for k in range(n))
    return ("object",) if n == 1 else tuple(f"class {k}" for k in range(n))
