"""IoU of what was found with what was annotated, and why an annotated object is not among what was found.

Enters: RLE and boxes. Leaves: arrays, shares. Called by the other evaluations.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from faster_coco_eval.core.mask import iou

from fastsam.masks.rle import RLE

Float = npt.NDArray[np.float64]
FATES = ("found", "badly ranked", "badly cut", "missed")


def overlaps(wanted: Sequence[RLE], found: Sequence[RLE]) -> Float:
    """(W, F) IoU of masks of one photo."""
    if not len(wanted) or not len(found):
        return np.zeros((len(wanted), len(found)))
    table = iou([_bytes(r) for r in wanted], [_bytes(r) for r in found], [0] * len(found))
    return np.asarray(table, np.float64).reshape(len(wanted), len(found))


def box_overlaps(wanted: Float, found: Float) -> Float:
    """(W, F) IoU of boxes xyxy."""
    a, b = wanted[:, None].astype(np.float64), found[None].astype(np.float64)
    shared = np.maximum(np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2]), 0).prod(-1)
    areas = [(box[..., 2:] - box[..., :2]).prod(-1) for box in (a, b)]
    return np.asarray(shared / np.maximum(areas[0] + areas[1] - shared, 1e-9), np.float64)


def fates(masks: Float, boxes: Float, first: int = 100, least: float = 0.5) -> list[str]:
    """What became of each annotated object: one of `FATES`.

    masks, boxes: (W, F) IoU with what was found, best score first
    Found: a mask among the `first` has an IoU of `least`; badly ranked: a later mask has; badly cut: none has, but a
    box; missed: no box either.
    """
    if not masks.shape[1]:
        return ["missed"] * len(masks)
    good = np.stack((masks[:, :first].max(1), masks.max(1), boxes.max(1), np.ones(len(masks)))) >= least
    return [FATES[k] for k in good.argmax(0)]


def _bytes(mask: RLE) -> dict[str, Any]:
    return {"size": mask["size"], "counts": mask["counts"].encode("ascii")}
