"""A network's file of one kind to one of another.

Enters: two paths. Leaves: the second file. Called by `cli/weights`.
"""

from pathlib import Path

from fastsam.errors import UsageError
from fastsam.files import write
from fastsam.weights import catalogue
from fastsam.weights.tensors import read_onnx, write_safetensors
from fastsam.weights.yolo import Checkpoint


def read_any(file: Path) -> Checkpoint:
    """The network of a checkpoint, a safetensors file, or an ONNX file that came from one. Raises UsageError."""
    if not file.is_file():
        raise UsageError(f"there is no file {file}")
    return catalogue.read(file) if catalogue.is_checkpoint(file) else read_onnx(file)


def convert(source: Path, target: Path) -> None:
    """Writes the network of `source` (.pt, .safetensors or .onnx) as `target` (.safetensors or .onnx, by its suffix).

    Raises UsageError for a source that cannot be read and for another suffix.
    """
    if target.suffix not in (".safetensors", ".onnx"):
        raise UsageError(f"{target} has no suffix that says what to write: use .safetensors or .onnx")
    checkpoint = read_any(source)
    content = catalogue.build(source, checkpoint)  # whatever the target: what cannot run is not passed on
    if target.suffix == ".safetensors":
        write_safetensors(checkpoint, target)
    else:
        write(target, content)
