"""Which file a model's name stands for."""

import os
from pathlib import Path

from fastsam.errors import UsageError

BUNDLED = {"fastsam-tiny": Path(__file__).parent / "bundled" / "fastsam-tiny.onnx"}
DEFAULT = "fastsam-tiny"


def find(model: str | os.PathLike[str] | None = None) -> Path:
    """The file of a bundled model's name (None: the default one) or of a path.

    Raises UsageError for a name that is neither.
    """
    if model is None:
        return BUNDLED[DEFAULT]
    if str(model) in BUNDLED:
        return BUNDLED[str(model)]
    file = Path(model)
    if not file.is_file():
        raise UsageError(
            f"there is no model {str(model)!r}: give an exported .onnx file or one of {', '.join(BUNDLED)}"
        )
    return file
