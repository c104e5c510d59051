"""Which file a model's name stands for, and how a checkpoint becomes one that a runtime loads."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fastsam.errors import UsageError
from fastsam.files import write
from fastsam.untrusted import onnxfile
from fastsam.weights.kinds import refuse_others
from fastsam.weights.published import PUBLISHED, cache, present
from fastsam.weights.tensors import is_safetensors, read_safetensors
from fastsam.weights.yolo import Checkpoint, read_checkpoint

BUNDLED = {n: Path(__file__).parent / "bundled" / f"{n}.onnx" for n in ("fastsam-tiny", "fastsam-tiny-int8")}
TRAINABLE = dict.fromkeys(BUNDLED, Path(__file__).parent / "bundled" / "fastsam-tiny.pt")  # what they were made of
DEFAULT = "fastsam-tiny"
PUBLISHED_FILES = {"fastsam.pt": "fastsam-x", "fastsam-x.pt": "fastsam-x", "fastsam-s.pt": "fastsam-s"}
ZIP = b"PK"  # what a file of torch.save begins with
CONVERTER = 5  # raised whenever a converted file would come out different


@contextmanager
def opened(model: str | os.PathLike[str] | None = None) -> Iterator[Path]:
    """The ONNX file of a model's name (None: the bundled default) or of a path, for as long as the block lasts.

    A checkpoint of torch.save or a safetensors file is converted; the result is kept in the user's cache folder under
    the hash of the checkpoint's content. If that cannot be written, a copy exists for the block alone.

    Raises UsageError for a name that is neither, for a published model that was not fetched yet, for a checkpoint that
    cannot be read, and for an ONNX file that is not whole in itself.
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
    """What the ONNX file of a checkpoint is called in the cache."""
    import pooch  # slow to import, and needed here only

    return f"{pooch.file_hash(str(checkpoint))}-{CONVERTER}.onnx"


def locate(model: str | os.PathLike[str] | None = None) -> Path:
    """The file of a model's name or path, as it is. Raises UsageError where there is none."""
    if model is None:
        return BUNDLED[DEFAULT]
    name = str(model)
    if name in BUNDLED:
        return BUNDLED[name]
    if name in PUBLISHED:
        if (file := present(name)) is None:
            raise UsageError(f"{name} is not on this machine yet: fastsam weights get {name}")
        return file
    if not is_file(Path(model)):
        if (known := PUBLISHED_FILES.get(Path(model).name.lower())) is not None:
            raise UsageError(f"there is no file {name}: fastsam weights get {known}, then say {known}")
        names = ", ".join([*BUNDLED, *PUBLISHED])
        raise UsageError(f"there is no model {name!r}: give a .pt, .safetensors or .onnx file or one of {names}")
    return Path(model)


def is_file(path: Path) -> bool:
    """Whether a path is that of a file; False for one that is too long for any."""
    try:
        return path.is_file()
    except OSError:
        return False


def is_checkpoint(file: Path) -> bool:
    """Whether a file holds a network's numbers alone, by its content.

    Raises UsageError for a file that cannot be read, and for one that is clearly no network.
    """
    head = refuse_others(file)
    return head.startswith(ZIP) or is_safetensors(head, file.stat().st_size)


def read(file: Path) -> Checkpoint:
    """The network of a checkpoint, whichever kind of file it is. Raises UsageError."""
    safe = is_safetensors(refuse_others(file), file.stat().st_size)
    return read_safetensors(file) if safe else read_checkpoint(file)


def build(file: Path, checkpoint: Checkpoint) -> bytes:
    """The ONNX file's content of the network that `file` holds. Raises UsageError that names the file."""
    from fastsam.weights.graph import build as build_graph  # imports onnx, which is slow

    try:
        return bytes(build_graph(checkpoint, settings(checkpoint)).SerializeToString())
    except UsageError as error:
        raise UsageError(f"{file}: {error}") from None


def settings(checkpoint: Checkpoint) -> dict[str, Any]:
    """Defaults for a checkpoint: the published script's for FastSAM's one class, the popular port's for all others."""
    one = checkpoint.port and len(checkpoint.names) == 1
    chosen = {"conf": 0.4, "iou": 0.9} if one else {"conf": 0.25, "iou": 0.7}
    return {
        "names": checkpoint.names,
        "imgsz": checkpoint.imgsz or (1024 if one else 640),
        "port": checkpoint.port,
        **chosen,
    }
