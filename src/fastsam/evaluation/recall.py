"""Class-agnostic average recall of masks and boxes, by the COCO evaluation (faster-coco-eval).

Enters: COCO results and the content of a set. Leaves: `Recall`.

AR@k is the recall with the k best segments per photo, averaged over IoU 0.50, 0.55, ..., 0.95. Crowds are left out.
AUC is AR averaged over the logarithm of the number of segments from 10 to 1000 (the axis of Pinheiro et al. 2015,
arXiv 1506.06204).
"""

import contextlib
import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from faster_coco_eval import COCO, COCOeval_faster

from fastsam.segments import Segments

AT = (1, 10, 100, 1000)
CURVE = (1, 10, 20, 50, 100, 200, 500, 1000)
SIZES = {"small": (0, 32**2), "medium": (32**2, 96**2), "large": (96**2, 10**10)}  # pixels of a mask, COCO's bounds


@dataclass(frozen=True)
class Recall:
    """Average recall in percent at 1, 10, 100 and 1000 segments per photo.

    masks_by_size, boxes_by_size: the same for the objects of each of `SIZES`, by mask area; NaN for no objects
    auc: for masks and for boxes
    """

    masks: dict[int, float]
    boxes: dict[int, float]
    auc: tuple[float, float]
    photos: int
    per_photo: float
    masks_by_size: dict[str, dict[int, float]]
    boxes_by_size: dict[str, dict[int, float]]


def results(segments: Segments, photo: int) -> list[dict[str, Any]]:
    """COCO results of a photo. photo: its id"""
    boxes, masks = segments.boxes.astype(float), segments.to_rle()
    return [
        {
            "image_id": photo,
            "category_id": 1,
            "score": float(segments.scores[i]),
            "segmentation": masks[i],
            "bbox": [*boxes[i, :2].tolist(), *(boxes[i, 2:] - boxes[i, :2]).tolist()],
        }
        for i in range(len(segments))
    ]


def recall(content: dict[str, Any], found: list[dict[str, Any]], photos: list[int]) -> Recall:
    """Average recall of COCO results. content: of a set; photos: ids of the photos that count"""
    one = {"categories": [{"id": 1, "name": "object"}], "images": content["images"]}
    one["annotations"] = [{**a, "category_id": 1} for a in content["annotations"]]
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(one)
        loaded = truth.loadRes(found) if found else COCO()
        masks = _curves(truth, loaded, "segm", photos)
        boxes = _curves(truth, loaded, "bbox", photos)
    return Recall(
        masks={k: masks["all"][k] for k in AT},
        boxes={k: boxes["all"][k] for k in AT},
        auc=(auc(masks["all"]), auc(boxes["all"])),
        photos=len(photos),
        per_photo=len(found) / max(1, len(photos)),
        masks_by_size={size: {k: masks[size][k] for k in AT} for size in SIZES},
        boxes_by_size={size: {k: boxes[size][k] for k in AT} for size in SIZES},
    )


def auc(curve: dict[int, float]) -> float:
    """Mean of AR over the logarithm of the number of segments from 10 to 1000, with straight lines between points."""
    counts = np.log10([k for k in curve if k >= 10])
    values = np.array([v for k, v in curve.items() if k >= 10])
    return float((np.diff(counts) * (values[1:] + values[:-1]) / 2).sum() / (counts[-1] - counts[0]))


def _curves(truth: Any, found: Any, kind: str, photos: list[int]) -> dict[str, dict[int, float]]:
    """AR at each number of `CURVE`, for all objects and per `SIZES`."""
    evaluation = COCOeval_faster(truth, found, kind)
    evaluation.params.imgIds = photos
    evaluation.params.useCats = 0
    evaluation.params.maxDets = list(CURVE)
    evaluation.params.areaRng = [[0, 1e10], *map(list, SIZES.values())]
    evaluation.params.areaRngLbl = ["all", *SIZES]
    evaluation.evaluate()
    evaluation.accumulate()
    values = np.asarray(evaluation.eval["recall"])[:, 0]  # (IoU, size, k), -1 for no object
    means = 100 * np.where(values < 0, np.nan, values).mean(0)
    return {size: dict(zip(CURVE, row.tolist(), strict=True)) for size, row in zip(("all", *SIZES), means, strict=True)}
