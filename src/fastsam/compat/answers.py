"""Answers prompts as in the published code and Ultralytics: boxes, points together, words.

Enters: the segments of a photo, prompts, and whether answers are redrawn. Leaves: candidates per prompt, in order, and
`Segments` of them.

A box gets one mask. Points get the mask that fits them all, else one mask per foreground point. Redrawn answers follow
the same rule: one drawing for all points if it fits them, else one per foreground point.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastsam.masks import drawn, given
from fastsam.masks.drawn import Drawn
from fastsam.masks.given import Given
from fastsam.masks.lazy import Masks
from fastsam.masks.runs import iou_of
from fastsam.model import FastSAM
from fastsam.prompts import Candidate, Pick, Point, Prompt
from fastsam.refine.network import Refiner
from fastsam.segments import Segments

COPY_IOU = 0.8  # minimum IoU for the drawings of two points to count as one


def refiner_of(model: FastSAM, refine: bool | Refiner) -> Refiner | None:
    """The second network that `refine` asks for: the model's own if it is True, None if it is False."""
    if isinstance(refine, Refiner):
        return refine
    return model.refiner if refine else None


def answer_boxes(segments: Segments, boxes: Sequence[Any], refine: bool | Refiner = False) -> list[list[Candidate]]:
    """The mask that answers each box (xyxy in photo pixels), if there is one."""
    return [best_of(pick) for pick in segments.select(boxes=boxes, refine=refine)]


def answer_texts(segments: Segments, texts: Sequence[str]) -> list[list[Candidate]]:
    """The mask that matches each text best, if there is one. Answers to words are never redrawn."""
    return [best_of(pick) for pick in segments.select(texts=texts, refine=False)]


def best_of(pick: Pick) -> list[Candidate]:
    """The best candidate if it is a single mask, and not a union."""
    return [c for c in pick.candidates[:1] if c.how in ("mask", "drawn")]


def answer_points(
    segments: Segments, points: Sequence[Point], labels: Sequence[int] | None, refine: bool | Refiner = False
) -> list[Candidate]:
    """The masks for labelled points: one that fits all, else one per foreground point.

    Empty if there are only background points.
    """
    if labels is not None and len(labels) == len(points) > 0 and all(label == 0 for label in labels):
        Prompt(points=points).check(segments.size)
        return []
    asked = Prompt(points=points, labels=labels)
    marks = list(zip(asked.points, asked.labels or (), strict=True))
    refused = [p for p, label in marks if not label]
    each = [Prompt([p, *refused], [1] + [0] * len(refused)) for p, label in marks if label]
    (together,) = segments.select(asked, refine=refine)
    if refine is not False:
        return drawn_points(segments, together, each, refine)
    if together.candidates and not together.candidates[0].minus:
        return [chosen(segments, i) for i in together.candidates[0].plus]
    found = dict.fromkeys(p.index for p in segments.select(each, refine=False) if p.index is not None)
    return [chosen(segments, i) for i in found]


def drawn_points(segments: Segments, together: Pick, each: Sequence[Prompt], refine: bool | Refiner) -> list[Candidate]:
    """The drawing for all points if it fits them, else distinct drawings for `each` foreground point."""
    fit = [c for c in together.candidates if holds(c, together.prompt)]
    if fit or len(each) == 1:
        return fit[:1] or list(together.candidates[:1])
    found: list[Candidate] = []
    for pick in segments.select(each, refine=refine):
        for c in pick.candidates[:1]:
            if all(iou_of(c.runs, other.runs, segments.size[0]) < COPY_IOU for other in found):
                found.append(c)
    return found


def holds(candidate: Candidate, prompt: Prompt) -> bool:
    """Whether a mask contains every foreground point of a prompt and no background point."""
    inside = candidate.masks.logits_at(np.array(prompt.points, np.float64))[candidate.plus[0]] > 0
    return bool((inside == (np.array(prompt.labels) == 1)).all())


def chosen(segments: Segments, i: int) -> Candidate:
    """Segment i as a candidate."""
    return Candidate(segments.masks, (i,), float(segments.scores[i]))


def gathered(segments: Segments, candidates: Sequence[Candidate]) -> Segments:
    """Single masks, chosen or redrawn, as `Segments` of the photo. The score of a redrawn mask is its predicted IoU.

    Masks keep their logits if all are chosen or all are redrawn; of a mixture only the pixels are kept.
    """
    if all(c.quality is None for c in candidates):
        return segments.take(np.array([c.plus[0] for c in candidates], np.int64))
    scores = [segments.scores[c.plus[0]] if c.quality is None else c.score for c in candidates]
    classes = [0 if c.index is None else segments.classes[c.index] for c in candidates]
    boxes = np.stack([c.masks.boxes[c.plus[0]] for c in candidates])
    return Segments(
        Masks(boxes, source_of(candidates, segments.size)),
        np.array(scores, np.float32),
        np.array(classes, np.int64),
        segments.names,
        segments.seconds,
        segments.photo,
    )


def source_of(candidates: Sequence[Candidate], size: tuple[int, int]) -> Drawn | Given:
    """The source of the candidates' masks: their grids if all are redrawn, otherwise their pixels."""
    grids, squares = [], []
    for c in candidates:
        if not isinstance(c.masks.source, Drawn):
            return given.collect([one.runs for one in candidates], size)
        grids.append(c.masks.source.grid(c.plus[0]))
        squares.append(c.masks.source.squares[c.plus[0]])
    return drawn.collect(grids, np.stack(squares), size)
