"""Converts a network's file to another format.

Enters: two paths. Leaves: the second file.
"""

from pathlib import Path

from fastsam.errors import UsageError
from fastsam.files import write
from fastsam.weights import catalogue
from fastsam.weights.tensors import read_onnx, write_safetensors
from fastsam.weights.yolo import Checkpoint


def read_any(file: Path) -> Checkpoint:
    """The network in a checkpoint, a safetensors file, or an ONNX file made from one. Raises UsageError."""
    if not file.is_file():
        raise UsageError(f"{file} not found: give a .pt, .safetensors or .onnx file")
    return catalogue.read(file) if catalogue.is_checkpoint(file) else read_onnx(file)


def convert(source: Path, target: Path) -> None:
    """Writes the network in `source` (.pt, .safetensors or .onnx) to `target` (.safetensors or .onnx, by its suffix).

    Raises UsageError for a source that cannot be read, and for another suffix of the target.
    """
    if target.suffix not in (".safetensors", ".onnx"):
        raise UsageError(f"the suffix of {target} must be .safetensors or .onnx")
    checkpoint = read_any(source)
    content = catalogue.build(source, checkpoint)  # also for safetensors: this checks that the network can run
    if target.suffix == ".safetensors":
        write_safetensors(checkpoint, target)
    else:
        write(target, content)
