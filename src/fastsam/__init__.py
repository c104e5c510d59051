"""Segment everything in a photo, then pick what you mean.

>>> from fastsam import FastSAM
>>> segments = FastSAM()("examples/coffee.png")
"""

import os
from typing import TYPE_CHECKING, Any

# ONNX Runtime keeps a device id and a list of events for its maker, from its import on, unless this is set before.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

if TYPE_CHECKING:
    from fastsam.compat.published import FastSAMDecoder, FastSAMPrompt
    from fastsam.errors import PhotoWarning, UnreadableImageError, UsageError
    from fastsam.image.read import read_image
    from fastsam.model import FastSAM
    from fastsam.prompts import Candidate, Pick, Prompt
    from fastsam.segments import Segments

__version__ = "0.1.0"
__all__ = [
    "Candidate",
    "FastSAM",
    "FastSAMDecoder",
    "FastSAMPrompt",
    "PhotoWarning",
    "Pick",
    "Prompt",
    "Segments",
    "UnreadableImageError",
    "UsageError",
    "read_image",
]

_HOMES = {
    "Candidate": "fastsam.prompts",
    "FastSAM": "fastsam.model",
    "FastSAMDecoder": "fastsam.compat.published",
    "FastSAMPrompt": "fastsam.compat.published",
    "PhotoWarning": "fastsam.errors",
    "Pick": "fastsam.prompts",
    "Prompt": "fastsam.prompts",
    "Segments": "fastsam.segments",
    "UnreadableImageError": "fastsam.errors",
    "UsageError": "fastsam.errors",
    "read_image": "fastsam.image.read",
}


def __getattr__(name: str) -> Any:
    """Imports a public name when it is first used, so that `import fastsam` costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'fastsam' has no attribute {name!r}")
    from importlib import import_module

    if _HOMES[name] != "fastsam.errors":
        import_module("fastsam.image")  # tells of an OpenCV that cannot be used, before anything else needs it
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
