"""Instance segmentation from a detector's boxes: mask AP with each box as a prompt (FastSAM paper, section 4.4).

Enters: `Segments` and a photo's COCO results. Leaves: results with masks, and `Precision`.
"""

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from faster_coco_eval import COCO, COCOeval_faster

from fastsam.evaluation.recall import SIZES
from fastsam.masks.rle import encode_runs
from fastsam.prompts import Prompt
from fastsam.refine.network import Refiner
from fastsam.segments import Segments


@dataclass(frozen=True)
class Precision:
    """Average precision in %: over IoU 0.50 to 0.95, at 0.50, at 0.75, by size; and the number of boxes answered."""

    ap: float
    ap50: float
    ap75: float
    by_size: dict[str, float]
    boxes: int
    answered: int


def answers(
    segments: Segments, detections: Sequence[dict[str, Any]], refiner: Refiner | None = None
) -> list[dict[str, Any]]:
    """The same COCO results, each with the mask that answers its box. With a refiner, the masks are drawn.

    Results without an answering mask are left out.
    """
    height, width = segments.size
    kept, masks = [], []
    for detection in detections:
        x, y, w, h = detection["bbox"]
        corners = max(0.0, x), max(0.0, y), min(float(width), x + w), min(float(height), y + h)
        if corners[0] < corners[2] and corners[1] < corners[3]:
            pick = segments.select(Prompt(box=corners), refine=refiner or False)[0]
            if pick.matches:
                kept.append(detection)
                masks.append(pick.matches[0].runs)
    coded = encode_runs(masks, segments.size)
    return [{**detection, "segmentation": mask} for detection, mask in zip(kept, coded, strict=True)]


def precision(content: dict[str, Any], results: list[dict[str, Any]], photos: list[int], boxes: int) -> Precision:
    """Mask AP of results on some photos of a COCO file. content: of the file; photos: their ids"""
    if not results:
        return Precision(0.0, 0.0, 0.0, dict.fromkeys(SIZES, 0.0), boxes, 0)
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(content)
        bare = [{k: v for k, v in r.items() if k != "bbox"} for r in results]  # so that areas are those of masks
        evaluation = COCOeval_faster(truth, truth.loadRes(bare), "segm")
        evaluation.params.imgIds = photos
        evaluation.params.areaRng = [[0, 1e10], *map(list, SIZES.values())]
        evaluation.params.areaRngLbl = ["all", *SIZES]
        evaluation.evaluate()
        evaluation.accumulate()
    values = np.asarray(evaluation.eval["precision"])[..., -1]  # (IoU, recall, category, size), -1 for no value
    each = np.where(values < 0, np.nan, 100 * values)

    def mean(part: Any) -> float:
        return float(np.nanmean(part)) if np.isfinite(part).any() else float("nan")

    by_size = {name: mean(each[..., k + 1]) for k, name in enumerate(SIZES)}
    whole = each[..., 0]
    return Precision(mean(whole), mean(whole[0]), mean(whole[5]), by_size, boxes, len(results))
