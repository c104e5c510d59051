"""Segment everything in a photo, then pick what you mean.

>>> from fastsam import FastSAM
>>> segments = FastSAM()("photo.jpg")
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastsam.compat.published import FastSAMDecoder, FastSAMPrompt
    from fastsam.errors import UsageError
    from fastsam.image.read import UnreadableImageError
    from fastsam.model import FastSAM
    from fastsam.prompts import Candidate, Pick, Prompt
    from fastsam.segments import Segments

__version__ = "0.1.0"
__all__ = [
    "Candidate",
    "FastSAM",
    "FastSAMDecoder",
    "FastSAMPrompt",
    "Pick",
    "Prompt",
    "Segments",
    "UnreadableImageError",
    "UsageError",
]

_HOMES = {
    "Candidate": "fastsam.prompts",
    "FastSAM": "fastsam.model",
    "FastSAMDecoder": "fastsam.compat.published",
    "FastSAMPrompt": "fastsam.compat.published",
    "Pick": "fastsam.prompts",
    "Prompt": "fastsam.prompts",
    "Segments": "fastsam.segments",
    "UnreadableImageError": "fastsam.image.read",
    "UsageError": "fastsam.errors",
}


def __getattr__(name: str) -> Any:
    """Imports a public name when it is first used, so that `import fastsam` costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'fastsam' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
