"""What the published calls take: models, results, masks, points and boxes in many forms.

Enters: any of these forms. Leaves: ours, or a UsageError.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.compat.arrays import untensored
from fastsam.compat.results import Results
from fastsam.errors import UsageError
from fastsam.model import FastSAM
from fastsam.segments import Segments

Bool = npt.NDArray[np.bool_]


def masks_of(annotations: Any) -> Any:
    """`Segments` or masks (K, H, W) from what the published calls return and accept."""
    if annotations is None:
        raise UsageError("annotations must be masks, such as the prompts return, not None")
    if isinstance(annotations, Results):
        return annotations.segments
    if not isinstance(annotations, (list, tuple)):
        return annotations
    if len(annotations) == 1 and isinstance(annotations[0], (Results, Segments)):
        return masks_of(annotations[0])
    return [one["segmentation"] if isinstance(one, dict) else one for one in annotations]


def labels_of(size: Sequence[int], masks: Iterable[Any], smooth: bool = False) -> npt.NDArray[np.int32]:
    """(H, W) int32 labels of masks (H, W), small ones on top. smooth: smooths each mask, as the published code does"""
    bools = [np.asarray(mask) > 0 for mask in masks]
    for number, mask in enumerate(bools):
        if mask.shape != tuple(size):
            raise UsageError(
                f"mask {number} has shape {mask.shape} but the photo has {tuple(size)}: give the same size"
            )
    if smooth:
        bools = [smoothed(mask) for mask in bools]
    labels = np.zeros(tuple(size), np.int32)
    for number in sorted(range(len(bools)), key=lambda k: -np.count_nonzero(bools[k])):
        labels[bools[number]] = number + 1
    return labels


def smoothed(mask: Bool) -> Bool:
    """A mask without small holes and specks: closed with 3 x 3, then opened with 8 x 8 pixels."""
    closed = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    return np.asarray(cv2.morphologyEx(closed, cv2.MORPH_OPEN, np.ones((8, 8), np.uint8)) > 0)


def boxes_of(bbox: Any, bboxes: Any) -> list[Any]:
    """The boxes from both arguments of a call; each can be None."""
    return [box for value in (bbox, bboxes) if value is not None for box in nested(value)]


def nested(values: Any) -> list[Any]:
    """A list of points or boxes, from a list or from a single flat one; empty for None. The result is a copy."""
    try:
        rows = np.array(untensored(values), np.float64)
    except (ValueError, TypeError):
        rows = np.zeros((0, 0, 0))
    if rows.size == 0 and rows.ndim in (1, 2):
        return []
    if rows.ndim not in (1, 2):
        raise UsageError(f"points and boxes must be lists of numbers, not {values!r}")
    return [tuple(float(v) for v in row) for row in np.atleast_2d(rows)]


def one_of(results: Any) -> Segments:
    """The `Segments` of one photo, from `Segments`, `Results`, or a list of one of these."""
    if isinstance(results, (list, tuple)):
        if len(results) != 1:
            raise UsageError(f"FastSAMPrompt needs the result of one photo, not of {len(results)}")
        (results,) = results
    found = getattr(results, "segments", results)
    if not isinstance(found, Segments):
        raise UsageError(f"results must be what FastSAM returned, not a {type(results).__name__}")
    return found


def model_of(model: Any) -> FastSAM:
    """The model of this library, also from inside the `FastSAM` of `fastsam.compat`."""
    found = getattr(model, "model", model)
    if not isinstance(found, FastSAM):
        raise UsageError(f"model must be a FastSAM, not a {type(model).__name__}")
    return found
