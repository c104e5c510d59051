"""IoU of found and annotated objects, and why an annotated object was not found.

Enters: RLE and boxes. Leaves: arrays, and one of `FATES` per object.
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
    """(W, F) IoU of wanted and found masks of one photo."""
    if not len(wanted) or not len(found):
        return np.zeros((len(wanted), len(found)))
    table = iou([_bytes(r) for r in wanted], [_bytes(r) for r in found], [0] * len(found))
    return np.asarray(table, np.float64).reshape(len(wanted), len(found))


def box_overlaps(wanted: Float, found: Float) -> Float:
    """(W, F) IoU of wanted and found boxes xyxy."""
    a, b = wanted[:, None].astype(np.float64), found[None].astype(np.float64)
    shared = np.maximum(np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2]), 0).prod(-1)
    areas = [(box[..., 2:] - box[..., :2]).prod(-1) for box in (a, b)]
    return np.asarray(shared / np.maximum(areas[0] + areas[1] - shared, 1e-9), np.float64)


def fates(masks: Float, boxes: Float, first: int = 100, least: float = 0.5) -> list[str]:
    """The fate of each annotated object, one of `FATES`.

    found: one of the `first` masks has an IoU of at least `least`; badly ranked: only a later mask has; badly cut: only
    a box has; missed: neither a mask nor a box has

    masks, boxes: (W, F) IoU with what was found, best score first
    """
    if not masks.shape[1]:
        return ["missed"] * len(masks)
    good = np.stack((masks[:, :first].max(1), masks.max(1), boxes.max(1), np.ones(len(masks)))) >= least
    return [FATES[k] for k in good.argmax(0)]


def _bytes(mask: RLE) -> dict[str, Any]:
    return {"size": mask["size"], "counts": mask["counts"].encode("ascii")}
