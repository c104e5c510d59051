"""What calls of the model may say beside a photo: the input's size, who draws, keywords of the published code.

Enters: arguments as they were given. Leaves: checked values.
"""

from typing import Any

import numpy as np

from fastsam.errors import UsageError
from fastsam.image.letterbox import STRIDE
from fastsam.refine.network import Refiner
from fastsam.values import flag, integer, show

Size = int | tuple[int, int]  # of the network's input: its longest side, or what it lies within (height, width)
LARGEST = 8192  # pixels of an input's side
# Keywords of the published call and of Ultralytics' that change nothing here, whatever they say: masks are always made
# at the photo's own size, nothing is printed, and the precision is chosen when weights are loaded.
IGNORED = (
    "verbose",
    "half",
    "retina_masks",
    "augment",
    "agnostic_nms",
    "batch",
    "stream_buffer",
    "visualize",
    "workers",
)
# Those that would do something there: what does it here.
INSTEAD = {
    "save": "say segments.save(file), or write a picture with `fastsam segment`",
    "show": "a notebook shows segments by itself; `fastsam segment` writes pictures",
    "save_txt": "see fastsam.formats.outlines.yolo",
    "save_crop": "see Segments.cutout",
    "classes": "see Segments.filter and Segments.classes",
}


def sides(imgsz: Any) -> Size | None:
    """The input's size that a caller names: an integer, or (height, width), which is an integer if both are the same.

    Raises UsageError for anything else.
    """
    if imgsz is None:
        return None
    pair = imgsz.tolist() if isinstance(imgsz, np.ndarray) else imgsz
    if not isinstance(pair, (tuple, list)):
        return integer(pair, "imgsz", STRIDE, LARGEST)
    if len(pair) not in (1, 2):
        raise UsageError(f"imgsz must be an integer or (height, width), not {show(imgsz)}")
    found = [integer(side, "imgsz", STRIDE, LARGEST) for side in pair]
    return found[0] if found[0] == found[-1] else (found[0], found[1])


def drawing(refine: Any) -> bool | Refiner:
    """Whether masks are drawn anew, and by which network. Raises UsageError for anything else."""
    return refine if isinstance(refine, Refiner) else flag(refine, "refine")


def refuse(published: dict[str, Any]) -> None:
    """Raises UsageError for a keyword that is unknown, or that would do what is done by other means here."""
    for name, value in published.items():
        if name in INSTEAD and (value is None or value is False):
            continue
        if name in INSTEAD:
            raise UsageError(f"{name}={show(value)} does nothing in this call: {INSTEAD[name]}")
        if name not in IGNORED:
            raise UsageError(f"unknown keyword {name!r}: see help(FastSAM.__call__)")
