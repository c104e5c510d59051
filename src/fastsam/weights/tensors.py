"""Checkpoints as safetensors files, and out of the ONNX files that `graph` builds.

Enters: a `Checkpoint` or a path. Leaves: a file or a `Checkpoint`. Called by `catalogue` and `cli/weights`.
"""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np

from fastsam.errors import UsageError
from fastsam.files import whole
from fastsam.weights.yolo import DFL, Checkpoint, Float, as_float, class_names


def is_safetensors(file: Path) -> bool:
    """Whether a file begins like safetensors: the length of a JSON object, then the object."""
    with file.open("rb") as content:
        head = content.read(9)
    return len(head) == 9 and head[8:] == b"{" and struct.unpack("<Q", head[:8])[0] < file.stat().st_size


def read_safetensors(file: Path) -> Checkpoint:
    """The network of a safetensors file whose entries carry the published names.

    What the entries do not say (class names, the size it was trained at, who trained it) is read from the file's
    metadata where `write_safetensors` put it there; other files count as trained by the popular port.

    Raises UsageError for any other file.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="numpy") as content:
            metadata = content.metadata() or {}
            arrays = {name: content.get_tensor(name) for name in content.keys()}  # noqa: SIM118  # no dictionary
    except (SafetensorError, TypeError, ValueError) as error:
        raise UsageError(f"{file} is no safetensors file: {' '.join(str(error).split())}") from None
    return make_checkpoint(file, arrays, metadata.get("fastsam", "{}"))


def write_safetensors(checkpoint: Checkpoint, file: Path) -> None:
    """Writes a checkpoint, in half precision where that loses nothing."""
    from safetensors.numpy import save

    facts = {"names": checkpoint.names, "imgsz": checkpoint.imgsz, "port": checkpoint.port}
    arrays = {name: smallest(values) for name, values in checkpoint.entries.items()}
    with whole(file) as part:
        part.write_bytes(save(arrays, {"fastsam": json.dumps(facts)}))


def smallest(values: Float) -> Any:
    """The values as float16 where that loses nothing."""
    with np.errstate(over="ignore"):
        half = values.astype(np.float16)
    return np.ascontiguousarray(half if np.array_equal(half, values) else values)


def read_onnx(file: Path) -> Checkpoint:
    """The network of an ONNX file that `graph` built: its weights carry the published names, batch norms folded.

    Raises UsageError for any other file.
    """
    import onnx
    from google.protobuf.message import DecodeError
    from onnx import numpy_helper

    try:
        model = onnx.load(file)
    except DecodeError:
        raise UsageError(f"{file} is no ONNX file") from None
    arrays = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer if t.name.startswith("model.")}
    if not arrays:
        raise UsageError(
            f"{file} does not carry its weights under the names of a checkpoint: convert the file it came from"
        )
    if (bins := arrays.get(DFL)) is not None:
        arrays[DFL] = bins.reshape(1, -1, 1, 1)
    return make_checkpoint(file, arrays, {p.key: p.value for p in model.metadata_props}.get("fastsam", "{}"))


def make_checkpoint(file: Path, arrays: dict[str, Any], metadata: str) -> Checkpoint:
    """The checkpoint of a file's arrays and of the JSON object in its metadata."""
    entries = {name: as_float(file, name, values) for name, values in arrays.items()}
    try:
        facts = json.loads(metadata)
        names, imgsz, port = facts.get("names"), facts.get("imgsz"), facts.get("port", True)
    except (ValueError, AttributeError):
        raise UsageError(f"{file} holds metadata that cannot be read: convert it again") from None
    size = imgsz if isinstance(imgsz, int) else None
    return Checkpoint(entries, class_names(file, names, entries), size, bool(port))
