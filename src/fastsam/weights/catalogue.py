"""Which file a model's name stands for, and how a checkpoint becomes one that a runtime loads."""

import os
import tempfile
from pathlib import Path
from typing import Any

from fastsam.errors import UsageError
from fastsam.files import whole
from fastsam.weights.yolo import Checkpoint, read_checkpoint

BUNDLED = {"fastsam-tiny": Path(__file__).parent / "bundled" / "fastsam-tiny.onnx"}
DEFAULT = "fastsam-tiny"
ZIP = b"PK"  # what a file of torch.save begins with
CONVERTER = 3  # raised whenever a converted file would come out different


def find(model: str | os.PathLike[str] | None = None) -> Path:
    """The ONNX file of a bundled model's name (None: the default one) or of a path.

    A YOLOv8-seg checkpoint of torch.save is converted; the result is kept in the user's cache folder under the hash of
    the checkpoint's content.

    Raises UsageError for a name that is neither, and for a checkpoint that cannot be read.
    """
    if model is None:
        return BUNDLED[DEFAULT]
    if str(model) in BUNDLED:
        return BUNDLED[str(model)]
    file = Path(model)
    if not file.is_file():
        raise UsageError(f"there is no model {str(model)!r}: give a .pt or .onnx file or one of {', '.join(BUNDLED)}")
    with file.open("rb") as content:
        if content.read(len(ZIP)) != ZIP:
            return file
    return converted(file)


def converted(checkpoint: Path) -> Path:
    """The ONNX file of a checkpoint, made where the cache has none for its content."""
    import pooch  # both are slow to import, and needed here only

    from fastsam.weights.graph import build

    folder = Path(pooch.os_cache("fastsam"))
    file = folder / f"{pooch.file_hash(str(checkpoint))}-{CONVERTER}.onnx"
    if not file.is_file():
        content = read_checkpoint(checkpoint)
        try:
            network = build(content, settings(content)).SerializeToString()
        except UsageError as error:
            raise UsageError(f"{checkpoint}: {error}") from None
        if not os.access(_existing(folder), os.W_OK):
            file = Path(tempfile.mkdtemp(prefix="fastsam-")) / file.name
        with whole(file) as part:
            part.write_bytes(network)
    return file


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists."""
    return next(f for f in (folder, *folder.parents) if f.exists())


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
