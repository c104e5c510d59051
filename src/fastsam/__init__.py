"""Segment everything in a photo, then pick what you mean.

>>> from fastsam import FastSAM
>>> segments = FastSAM()("examples/coffee.png")
"""

import os
from typing import TYPE_CHECKING, Any

# Unless this is set before its import, ONNX Runtime records a device id and a list of events for its vendor.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

if TYPE_CHECKING:
    from fastsam.compat.decoder import FastSAMDecoder
    from fastsam.compat.published import FastSAMPrompt
    from fastsam.errors import PhotoWarning, UnreadableImageError, UsageError
    from fastsam.follow.follower import Follower
    from fastsam.image.read import read_image
    from fastsam.model import FastSAM
    from fastsam.prompts import Candidate, Pick, Prompt
    from fastsam.segments import Segments

__version__ = "0.2.0"
__all__ = [
    "Candidate",
    "FastSAM",
    "FastSAMDecoder",
    "FastSAMPrompt",
    "Follower",
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
    "FastSAMDecoder": "fastsam.compat.decoder",
    "FastSAMPrompt": "fastsam.compat.published",
    "Follower": "fastsam.follow.follower",
    "PhotoWarning": "fastsam.errors",
    "Pick": "fastsam.prompts",
    "Prompt": "fastsam.prompts",
    "Segments": "fastsam.segments",
    "UnreadableImageError": "fastsam.errors",
    "UsageError": "fastsam.errors",
    "read_image": "fastsam.image.read",
}


def __getattr__(name: str) -> Any:
    """Imports a public name on first use, so that `import fastsam` costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'fastsam' has no attribute {name!r}")
    from importlib import import_module

    if _HOMES[name] != "fastsam.errors":
        import_module("fastsam.image")  # reports an unusable OpenCV before anything else needs it
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
