"""Class-agnostic average recall of masks and boxes on a COCO-style folder, by the COCO evaluation (faster-coco-eval).

AR@k: recall with the k best segments of a photo, averaged over IoU 0.50, 0.55, ..., 0.95. Crowds are left out.
"""

import contextlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from faster_coco_eval import COCO, COCOeval_faster

from fastsam.segments import Segments

AT = (1, 10, 100, 1000)
SIZES = {"small": (0, 32**2), "medium": (32**2, 96**2), "large": (96**2, 10**10)}  # pixels of a mask, COCO's bounds


@dataclass(frozen=True)
class Recall:
    """Average recall in percent at 1, 10, 100 and 1000 segments a photo.

    by_size: of masks at 1000, of objects of each of `SIZES`; NaN where there is none
    """

    masks: dict[int, float]
    boxes: dict[int, float]
    photos: int
    per_photo: float
    by_size: dict[str, float]


def predictions(
    segment: Callable[[Path], Segments], folder: Path, images: list[dict[str, Any]]
) -> Iterator[list[dict[str, Any]]]:
    """COCO results of each of the folder's `images` (records of its instances.json)."""
    for image in images:
        segments = segment(folder / "images" / image["file_name"])
        boxes, masks = segments.boxes.astype(float), segments.to_rle()
        yield [
            {
                "image_id": image["id"],
                "category_id": 1,
                "score": float(segments.scores[i]),
                "segmentation": masks[i],
                "bbox": [*boxes[i, :2].tolist(), *(boxes[i, 2:] - boxes[i, :2]).tolist()],
            }
            for i in range(len(segments))
        ]


def recall(folder: Path, results: list[dict[str, Any]], photos: list[int]) -> Recall:
    """Average recall of COCO results on the given photos of a COCO-style folder."""
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(folder / "instances.json"))
        found = truth.loadRes(results) if results else COCO()
        masks, by_size = _average_recall(truth, found, "segm", photos)
        boxes, _ = _average_recall(truth, found, "bbox", photos)
    return Recall(masks, boxes, len(photos), len(results) / max(1, len(photos)), by_size)


def _average_recall(truth: Any, found: Any, kind: str, photos: list[int]) -> tuple[dict[int, float], dict[str, float]]:
    evaluation = COCOeval_faster(truth, found, kind)
    evaluation.params.imgIds = photos
    evaluation.params.useCats = 0
    evaluation.params.maxDets = list(AT)
    evaluation.params.areaRng = [[0, 1e10], *map(list, SIZES.values())]
    evaluation.params.areaRngLbl = ["all", *SIZES]
    evaluation.evaluate()
    evaluation.accumulate()
    values = np.asarray(evaluation.eval["recall"])[:, 0]  # (IoU, size, k), -1 where there is no object
    means = 100 * np.where(values < 0, np.nan, values).mean(0)
    return dict(zip(AT, means[0].tolist(), strict=True)), dict(zip(SIZES, means[1:, -1].tolist(), strict=True))
