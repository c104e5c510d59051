"""Finds the file for the name of a model, and converts checkpoints to files that a runtime loads."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fastsam.errors import UsageError
from fastsam.files import write
from fastsam.untrusted import onnxfile
from fastsam.weights.download import PUBLISHED, cache, present
from fastsam.weights.kinds import refuse_others
from fastsam.weights.tensors import is_safetensors, read_safetensors
from fastsam.weights.yolo import Checkpoint, read_checkpoint

HOME = Path(__file__).parent / "bundled"
OPEN = "fastsam-open"
BUNDLED = {n: HOME / f"{n}.onnx" for n in ("fastsam-tiny", "fastsam-tiny-int8", OPEN)}
TRAINABLE = dict.fromkeys(("fastsam-tiny", "fastsam-tiny-int8"), HOME / "fastsam-tiny.pt")  # what they were made of
LICENCES = {name: "Apache-2.0" if name == OPEN else "research (see its model card)" for name in BUNDLED}
CREDITS = dict.fromkeys((OPEN, "fastsam-refine"), HOME / "open-credits.csv")  # scripts/write_credits.py made it
DEFAULT = "fastsam-tiny"
PUBLISHED_FILES = {"fastsam.pt": "fastsam-x", "fastsam-x.pt": "fastsam-x", "fastsam-s.pt": "fastsam-s"}
ZIP = b"PK"  # what a file of torch.save begins with
CONVERTER = 5  # increase this whenever converted files would change


@contextmanager
def opened(model: str | os.PathLike[str] | None = None) -> Iterator[Path]:
    """Yields an ONNX file for the name of a model (None: the bundled default) or a path.

    A checkpoint of torch.save or a safetensors file is converted first. The result is kept in the user's cache folder,
    under the hash of the checkpoint's content. If the cache cannot be written, the file exists only inside the block.

    Raises UsageError for an unknown name or path, for a published model that was not downloaded yet, for a checkpoint
    that cannot be read, and for an ONNX file that needs other files.
    """
    file = locate(model)
    if not is_checkpoint(file):
        if file not in BUNDLED.values():
            onnxfile.read(file)
        yield file
        return
    kept = cache() / converted_name(file)
    if not kept.is_file():
        content = build(file, read(file))
        try:
            write(kept, content)
        except (OSError, UsageError):
            with tempfile.TemporaryDirectory(prefix="fastsam-") as folder:
                write(Path(folder) / kept.name, content)
                yield Path(folder) / kept.name
            return
    yield kept


def converted_name(checkpoint: Path) -> str:
    """The name of a checkpoint's ONNX file in the cache."""
    import pooch  # slow to import, and only needed here

    return f"{pooch.file_hash(str(checkpoint))}-{CONVERTER}.onnx"


def locate(model: str | os.PathLike[str] | None = None) -> Path:
    """The file for the name of a model or a path, not converted. Raises UsageError if there is no such file."""
    if model is None:
        return BUNDLED[DEFAULT]
    name = str(model)
    if name in BUNDLED:
        return BUNDLED[name]
    if name in PUBLISHED:
        if (file := present(name)) is None:
            raise UsageError(f"{name} was not downloaded yet: run `fastsam weights get {name}`")
        return file
    if not is_file(Path(model)):
        if (known := PUBLISHED_FILES.get(Path(model).name.lower())) is not None:
            raise UsageError(f"{name} not found: run `fastsam weights get {known}`, then use the name {known}")
        names = ", ".join([*BUNDLED, *PUBLISHED])
        raise UsageError(f"unknown model {name!r}: give a .pt, .safetensors or .onnx file, or one of {names}")
    return Path(model)


def is_file(path: Path) -> bool:
    """Whether a path is a file; False also for a path that is too long."""
    try:
        return path.is_file()
    except OSError:
        return False


def is_checkpoint(file: Path) -> bool:
    """Whether a file is a checkpoint, that is weights without a graph, by its content.

    Raises UsageError for a file that cannot be read, and for one that is clearly not a network.
    """
    head = refuse_others(file)
    return head.startswith(ZIP) or is_safetensors(head, file.stat().st_size)


def read(file: Path) -> Checkpoint:
    """The network in a checkpoint of either kind. Raises UsageError."""
    safe = is_safetensors(refuse_others(file), file.stat().st_size)
    return read_safetensors(file) if safe else read_checkpoint(file)


def build(file: Path, checkpoint: Checkpoint) -> bytes:
    """The bytes of an ONNX file for a checkpoint. Raises UsageError that names `file`."""
    from fastsam.weights.graph import build as build_graph  # imports onnx, which is slow

    try:
        return bytes(build_graph(checkpoint, settings(checkpoint)).SerializeToString())
    except UsageError as error:
        raise UsageError(f"{file}: {error}") from None


def settings(checkpoint: Checkpoint) -> dict[str, Any]:
    """Default settings: those of the published script for FastSAM's one class, those of Ultralytics for all others."""
    one = checkpoint.port and len(checkpoint.names) == 1
    chosen = {"conf": 0.4, "iou": 0.9} if one else {"conf": 0.25, "iou": 0.7}
    return {
        "names": checkpoint.names,
        "imgsz": checkpoint.imgsz or (1024 if one else 640),
        "port": checkpoint.port,
        **chosen,
    }
