"""Measures how well the name of a category finds its objects: text prompts against annotated boxes.

Enters: `Segments` and a photo's annotations. Leaves: `Asked`, `Localisation`.
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
LEAST = 0.5  # minimum IoU of boxes


@dataclass(frozen=True)
class Asked:
    """One word asked about a photo that shows it: the best answer's IoU with an object of that name; the numbers of
    answers that have an IoU of 0.5 with an object, of objects that have it with an answer, of answers, of objects."""

    word: str
    iou: float
    right: int
    reached: int
    answers: int
    objects: int


@dataclass(frozen=True)
class Localisation:
    """Figures in percent, by boxes: words whose best answer has an IoU of 0.5 with an object of that name; mean IoU of
    best answers; answers with an IoU of 0.5 with an object (precision); objects with such an answer (recall)."""

    best: float
    iou: float
    precision: float
    recall: float
    asked: int


def named(one: Set, photo: dict[str, Any]) -> dict[str, Float]:
    """Boxes (K, 4) xyxy of a photo's objects, by the plain word of their category."""
    names = {c["id"]: plain(c["name"]) for c in one.content["categories"]}
    boxes: dict[str, list[list[float]]] = defaultdict(list)
    for annotation in one.annotations(photo):
        x, y, w, h = annotation["bbox"]
        if word := names.get(annotation["category_id"]):
            boxes[word].append([x, y, x + w, y + h])
    return {word: np.array(corners, np.float64) for word, corners in boxes.items()}


def ask(segments: Segments, objects: dict[str, Float], encoder: str | None) -> list[Asked]:
    """Asks each word about a photo. objects: boxes (K, 4) xyxy per word"""
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
    """The figures over all photos and words."""
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
