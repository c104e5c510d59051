"""How well the name of a category finds its objects: text prompts against annotated boxes.

Enters: `Segments` and a photo's annotations. Leaves: `Asked`, `Localisation`. Called by `cli/evaluate/text`.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fastsam.evaluation.overlaps import box_overlaps
from fastsam.evaluation.sets import Set
from fastsam.evaluation.words import plain
from fastsam.segments import Segments

Float = npt.NDArray[np.float64]
LEAST = 0.5  # IoU of boxes


@dataclass(frozen=True)
class Asked:
    """One word asked of a photo that shows it: IoU of the best answer's box with the nearest object so named;
    how many answers have 0.5 with an object, how many objects with an answer; how many answers and objects."""

    word: str
    iou: float
    right: int
    reached: int
    answers: int
    objects: int


@dataclass(frozen=True)
class Localisation:
    """In percent, of boxes: words whose best answer has IoU 0.5 with an object so named; mean IoU of best answers;
    answers that have 0.5 with an object (precision); objects that have 0.5 with an answer (recall)."""

    best: float
    iou: float
    precision: float
    recall: float
    asked: int


def named(one: Set, photo: dict[str, Any]) -> dict[str, Float]:
    """Boxes (K, 4) xyxy of a photo's objects, by the plain words of their categories."""
    names = {c["id"]: plain(c["name"]) for c in one.content["categories"]}
    boxes: dict[str, list[list[float]]] = defaultdict(list)
    for annotation in one.annotations(photo):
        x, y, w, h = annotation["bbox"]
        if word := names.get(annotation["category_id"]):
            boxes[word].append([x, y, x + w, y + h])
    return {word: np.array(corners, np.float64) for word, corners in boxes.items()}


def ask(segments: Segments, objects: dict[str, Float], encoder: str | None) -> list[Asked]:
    """Each word asked of a photo. objects: boxes (K, 4) xyxy of the objects of each word"""
    picks = segments.select(texts=list(objects), encoder=encoder) if objects else []
    asked = []
    for (word, boxes), pick in zip(objects.items(), picks, strict=True):
        indices = [m.index for m in pick.matches if m.index is not None]
        good = box_overlaps(boxes, segments.boxes[indices].astype(np.float64))
        near = good >= LEAST
        first = float(good[:, 0].max(initial=0)) if len(indices) else 0.0
        asked.append(Asked(word, first, int(near.any(0).sum()), int(near.any(1).sum()), len(indices), len(boxes)))
    return asked


def summary(asked: Sequence[Asked]) -> Localisation:
    """The shares over all photos and words."""
    if not asked:
        nothing = float("nan")
        return Localisation(nothing, nothing, nothing, nothing, 0)
    return Localisation(
        best=100 * float(np.mean([a.iou >= LEAST for a in asked])),
        iou=100 * float(np.mean([a.iou for a in asked])),
        precision=100 * sum(a.right for a in asked) / max(1, sum(a.answers for a in asked)),
        recall=100 * sum(a.reached for a in asked) / sum(a.objects for a in asked),
        asked=len(asked),
    )
