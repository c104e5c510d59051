"""Reads the keywords of Ultralytics' calls.

Enters: keywords, as given. Leaves: a `Call`, or an error that names the keyword.
"""

import difflib
import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fastsam.errors import UsageError
from fastsam.refine.network import Refiner
from fastsam.values import integer, number

SHARES = ("conf", "iou")
SETTINGS = (*SHARES, "max_det")
PROMPTS = ("bboxes", "points", "labels", "texts")
WRITING = ("save", "save_txt", "save_conf", "save_crop", "show", "project", "name", "exist_ok")
PICTURE = ("line_width", "show_labels", "show_conf", "show_boxes")  # options of pictures that are written or shown
OWN = ("imgsz", "device", "classes", "vid_stride", "refine", "source", "stream")
IGNORED = (  # they change where or how something is computed, or what is printed, but not the result
    "verbose", "half", "retina_masks", "batch", "stream_buffer", "dnn", "agnostic_nms", "task", "mode", "rect", "nms",
    "workers", "optimize", "compile", "int8", "plots", "deterministic", "seed", "persist", "tracker", "quantize",
)  # fmt: skip
WARNED = ("augment", "visualize", "embed", "save_frames", "boxes")  # they would change the result there


@dataclass(frozen=True)
class Call:
    """The keywords of a call.

    settings: those of `conf`, `iou`, `max_det` that were given; imgsz: as given; classes: to keep, None for all
    stride: between the frames of a video; refine: None for the default; writing: what to write, see `written.py`
    """

    settings: dict[str, Any]
    imgsz: Any = None
    device: Any = None
    classes: list[int] | None = None
    stride: int = 1
    refine: bool | Refiner | None = None
    writing: dict[str, Any] = field(default_factory=dict)


def call_of(named: dict[str, Any]) -> Call:
    """Reads keywords. Raises UsageError for an unknown one; warns of one that only has an effect in Ultralytics."""
    known = (*SETTINGS, *WRITING, *PICTURE, *OWN, *IGNORED, *WARNED, *PROMPTS)
    for word in named:
        if word not in known:
            near = difflib.get_close_matches(word, known, 1)
            raise UsageError(f"unknown keyword {word!r}" + (f": do you mean {near[0]!r}?" if near else ""))
    lost = [word for word in WARNED if named.get(word)]
    if lost:
        warnings.warn(f"keywords without effect here: {', '.join(lost)}", stacklevel=4)
    settings: dict[str, Any] = {word: number(named[word], word) for word in SHARES if named.get(word) is not None}
    if named.get("max_det") is not None:
        settings["max_det"] = integer(named["max_det"], "max_det", 1)
    return Call(
        settings=settings,
        imgsz=named.get("imgsz"),
        device=named.get("device"),
        classes=classes_of(named.get("classes")),
        stride=integer(named.get("vid_stride", 1), "vid_stride", 1),
        refine=named.get("refine"),
        writing={word: named[word] for word in (*WRITING, *PICTURE) if named.get(word) is not None},
    )


def classes_of(given: Any) -> list[int] | None:
    """Numbers of classes as a list, None for all. Raises UsageError."""
    if given is None:
        return None
    flat = np.ravel(np.array(given, dtype=object)).tolist()
    if not all(isinstance(v, (int, np.integer)) for v in flat):
        raise UsageError(f"classes must be numbers of classes, such as [0, 2], not {given!r}")
    return [int(v) for v in flat]
