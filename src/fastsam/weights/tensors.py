"""Reads and writes checkpoints as safetensors files, and reads them from ONNX files that `graph.py` built.

Enters: a `Checkpoint` or a path. Leaves: a file or a `Checkpoint`.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from fastsam.errors import UsageError
from fastsam.files import write
from fastsam.untrusted import onnxfile
from fastsam.untrusted.budget import Budget
from fastsam.untrusted.shown import reason, shown
from fastsam.weights.torchfile import widened
from fastsam.weights.yolo import DFL, Checkpoint, Float32, as_float, check_shape, make_checkpoint

DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "BF16": "<u2",  # upper halves of float32
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "i1",
    "U8": "u1",
    "BOOL": "?",
}
MOST_HEADER = 4 << 20  # maximum bytes; the header of the largest published network has 0.1 MB


def is_safetensors(head: bytes, size: int) -> bool:
    """Whether a file of `size` bytes begins like safetensors: with the length of a JSON object, then the object."""
    return head[8:9] == b"{" and int.from_bytes(head[:8], "little") < size


def read_safetensors(file: Path) -> Checkpoint:
    """The network in a safetensors file whose entries have the published names.

    Class names, training size and origin are read from the metadata that `write_safetensors` stores. A file without
    such metadata counts as trained by Ultralytics.

    Raises UsageError for any other file.
    """
    from safetensors import SafetensorError

    budget = Budget(str(file))
    try:
        metadata, found = parts(file, budget)
    except (SafetensorError, OSError, ValueError, RecursionError) as error:
        if isinstance(error, UsageError):
            raise
        raise UsageError(f"{file} is not a valid safetensors file: {reason(error)}") from None
    entries = {}
    for name, tensor in found:
        if tensor["dtype"] not in DTYPES:
            budget.refuse(f"entry {shown(name)} is of type {shown(tensor['dtype'])}, not one of {', '.join(DTYPES)}")
        check_shape(file, name, tuple(tensor["shape"]))
        values = np.frombuffer(tensor["data"], DTYPES[tensor["dtype"]]).reshape(tensor["shape"])
        if tensor["dtype"] == "BF16":
            values = widened(values)
        entries[name] = as_float(file, name, values)
    return described(file, entries, metadata.get("fastsam", "{}"))


def parts(file: Path, budget: Budget) -> tuple[dict[str, Any], list[tuple[str, Any]]]:
    """A file's metadata and tensors, counted before they are created. Raises UsageError, and what the parsers raise."""
    from safetensors import deserialize

    budget.spend("bytes", file.stat().st_size)
    content = file.read_bytes()
    length = int.from_bytes(content[:8], "little")
    if length > MOST_HEADER:
        budget.refuse(f"its header takes more than {MOST_HEADER} bytes")
    header: dict[str, Any] = json.loads(content[8 : 8 + length])
    budget.spend("tensors", len(header))
    return header.get("__metadata__") or {}, deserialize(content)  # type: ignore[no-untyped-call]


def write_safetensors(checkpoint: Checkpoint, file: Path) -> None:
    """Writes a checkpoint; entries that fit exactly are stored in half precision."""
    from safetensors.numpy import save

    facts = {"names": checkpoint.names, "imgsz": checkpoint.imgsz, "port": checkpoint.port}
    arrays = {name: smallest(values) for name, values in checkpoint.entries.items()}
    write(file, save(arrays, {"fastsam": json.dumps(facts)}))


def smallest(values: Float32) -> Any:
    """The values as float16 if that is exact, else as they are."""
    with np.errstate(over="ignore"):
        half = values.astype(np.float16)
    return np.ascontiguousarray(half if np.array_equal(half, values) else values)


def read_onnx(file: Path) -> Checkpoint:
    """The network in an ONNX file that `graph.py` built: weights by their published names, batch norms folded.

    Raises UsageError for any other file.
    """
    model = onnxfile.read(file)
    entries = {}
    for tensor in model.graph.initializer:
        if tensor.name.startswith("model."):
            check_shape(file, tensor.name, tuple(tensor.dims))
            entries[tensor.name] = as_float(file, tensor.name, onnxfile.array(file, tensor))
    if not entries:
        raise UsageError(
            f"the weights in {file} do not have the names of a checkpoint: convert the file that it was made from"
        )
    if (bins := entries.get(DFL)) is not None:
        entries[DFL] = bins.reshape(1, -1, 1, 1)
    return described(file, entries, {p.key: p.value for p in model.metadata_props}.get("fastsam", "{}"))


def described(file: Path, entries: dict[str, Float32], metadata: Any) -> Checkpoint:
    """The checkpoint from a file's entries and the JSON object in its metadata. Raises UsageError."""
    try:
        facts = json.loads(metadata)
        names, imgsz, port = facts.get("names"), facts.get("imgsz"), facts.get("port", True)
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise UsageError(f"the metadata in {file} is damaged: convert it again") from None
    return make_checkpoint(file, entries, names, imgsz, bool(port))
