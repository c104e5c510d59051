"""Interfaces that people know from elsewhere, over the library: change an import, and code written for them runs.

`FastSAM` and `FastSAMPredictor` as Ultralytics and the published code have them, `FastSAMPrompt` and `FastSAMDecoder`
of the published code, `SamPredictor` and `SamAutomaticMaskGenerator` of Segment Anything.
`python -m fastsam.compat.inference` is the published script.
"""

from typing import Any

from fastsam.compat.port import FastSAM, FastSAMPredictor
from fastsam.compat.published import FastSAMDecoder, FastSAMPrompt
from fastsam.compat.results import Boxes, Masks, Results
from fastsam.compat.sam import SamAutomaticMaskGenerator, SamPredictor

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
    "sam_model_registry": "there are no SAM weights here: SamPredictor(fastsam.FastSAM()) takes our model",
    "build_sam": "there are no SAM weights here: SamPredictor(fastsam.FastSAM()) takes our model",
    "SAM": "use SamPredictor or SamAutomaticMaskGenerator with fastsam.FastSAM()",
    "YOLO": "use FastSAM(checkpoint), which reads YOLOv8-seg checkpoints",
}


def __getattr__(name: str) -> Any:
    """Says what to use for the names beside these that people import.

    An ImportError, because `from fastsam.compat import YOLO` would hide the text of an AttributeError.
    """
    if name in INSTEAD:
        raise ImportError(f"{name} is not in fastsam.compat: {INSTEAD[name]}")
    raise AttributeError(f"module 'fastsam.compat' has no attribute {name!r}")
