"""Interfaces of other libraries on top of this one: change an import, and code written for them runs.

`FastSAM` and `FastSAMPredictor` as in Ultralytics and the published code; `FastSAMPrompt` and `FastSAMDecoder` of the
published code; `SamPredictor` and `SamAutomaticMaskGenerator` of Segment Anything.
`python -m fastsam.compat.inference` is the published script.
"""

from typing import Any

from fastsam.compat.decoder import FastSAMDecoder
from fastsam.compat.generator import SamAutomaticMaskGenerator
from fastsam.compat.parts import Boxes, Masks
from fastsam.compat.published import FastSAMPrompt
from fastsam.compat.results import Results
from fastsam.compat.sam import SamPredictor
from fastsam.compat.ultralytics import FastSAM, FastSAMPredictor

__all__ = [
    "Boxes",
    "FastSAM",
    "FastSAMDecoder",
    "FastSAMPredictor",
    "FastSAMPrompt",
    "Masks",
    "Results",
    "SamAutomaticMaskGenerator",
    "SamPredictor",
]

INSTEAD = {
    "sam_model_registry": "use SamPredictor(fastsam.FastSAM()), because SAM's own weights are not supported",
    "build_sam": "use SamPredictor(fastsam.FastSAM()), because SAM's own weights are not supported",
    "SAM": "use SamPredictor or SamAutomaticMaskGenerator with fastsam.FastSAM()",
    "YOLO": "use FastSAM(checkpoint), which reads YOLOv8-seg checkpoints",
}


def __getattr__(name: str) -> Any:
    """Says what to use instead of other names that people import.

    It raises an ImportError, because `from fastsam.compat import YOLO` would hide the text of an AttributeError.
    """
    if name in INSTEAD:
        raise ImportError(f"{name} is not in fastsam.compat: {INSTEAD[name]}")
    raise AttributeError(f"module 'fastsam.compat' has no attribute {name!r}")
