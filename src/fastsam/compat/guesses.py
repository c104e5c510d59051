"""Finds the answers to one prompt of Segment Anything's predictor.

Enters: the segments of a photo, and a prompt. Leaves: candidates, best first: drawn by the second network, or chosen
among the masks of the first.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from fastsam.compat.low import low_resolution
from fastsam.masks import drawn
from fastsam.masks.given import pack
from fastsam.masks.lazy import from_grids, from_pixels
from fastsam.masks.runs import iou_of, of_pixels
from fastsam.prompts import Candidate, Pick, Prompt
from fastsam.refine.crop import pyramid
from fastsam.refine.draw import answer, looked
from fastsam.refine.everything import redraw
from fastsam.refine.network import Refiner
from fastsam.refine.rank import Drawing, judged
from fastsam.segments import Segments

Bool = npt.NDArray[np.bool_]
UInt8 = npt.NDArray[np.uint8]
MOST_MASKS = 3  # maximum number of masks per answer
APART = 1.3  # minimum ratio of areas for two chosen candidates to count as different sizes
SAME_THING_IOU = 0.5  # minimum IoU of a drawing with the mask that was fed back, to mean the same thing


def drawn_for(segments: Segments, photo: UInt8, prompt: Prompt, refiner: Refiner) -> list[Candidate]:
    """Up to three drawn masks for a prompt with points, a box, a mask, or several of these; best first.

    A mask is redrawn together with the other parts of the prompt. The other parts are also drawn without the mask,
    because a wrong mask misleads; these drawings count only if they overlap the mask by half. If all predicted IoUs are
    low, the drawings still answer, with their low quality, but a mask then stays as it was.
    """
    own = Pick(prompt, ()) if prompt.mask is not None else segments.select(prompt, refine=False)[0]
    levels = pyramid(photo)
    (found,) = looked(levels, [own], refiner)
    if prompt.mask is not None and (prompt.box is not None or 1 in (prompt.labels or ())):
        (rest,) = segments.select(replace(prompt, mask=None), refine=False)
        found += near(looked(levels, [rest], refiner)[0], prompt.mask)
    good = answer(own, found, segments.size, refiner).candidates
    if good or prompt.mask is None:
        return list(good) or doubtful(own, found, segments.size)
    quality = max((judged(d, prompt) for d in found if (d.logits > 0).any()), default=0.0)
    return [Candidate(from_pixels(pack([prompt.mask], segments.size)), (0,), quality, quality=quality)]


def near(found: Sequence[Drawing], mask: Bool) -> list[Drawing]:
    """The drawings that overlap a mask (H, W) by at least `SAME_THING_IOU`."""
    height, width = mask.shape
    wanted = of_pixels(mask)
    collected = drawn.collect([d.logits for d in found], np.array([d.square for d in found]), (height, width))
    runs = collected.runs_of(np.arange(len(found)))
    return [d for d, own in zip(found, runs, strict=True) if iou_of(own, wanted, height) >= SAME_THING_IOU]


def doubtful(pick: Pick, found: Sequence[Drawing], size: tuple[int, int]) -> list[Candidate]:
    """The best three drawings when all are poor, without empty ones."""
    ranked = sorted(found, key=lambda d: -judged(d, pick.prompt))
    masks = from_grids(drawn.collect([d.logits for d in ranked], np.array([d.square for d in ranked]), size))
    own = [(i, judged(ranked[i], pick.prompt)) for i in range(len(ranked)) if masks.areas[i]]
    return [Candidate(masks, (i,), q, quality=q, origin=ranked[i].view.origin) for i, q in own[:MOST_MASKS]]


def best_drawn(segments: Segments, photo: UInt8, refiner: Refiner) -> list[Candidate]:
    """The three segments with the best scores, redrawn. They answer an empty prompt."""
    first = np.argsort(-segments.scores, kind="stable")[:MOST_MASKS]
    found = redraw(photo, segments.masks.take(first), segments.scores[first], refiner)
    made = zip(found.indices, found.qualities, strict=True)
    ranked = [
        Candidate(found.masks, (i,), float(q), quality=float(q), origin=int(first[k])) for i, (k, q) in enumerate(made)
    ]
    return sorted(ranked, key=lambda c: -c.score)


def chosen_for(segments: Segments, prompt: Prompt | None) -> list[Candidate]:
    """The segments that answer points or a box; all segments for an empty prompt."""
    if prompt is None:
        return [Candidate(segments.masks, (i,), float(s)) for i, s in enumerate(segments.scores)]
    return [c for c in segments.select(prompt, refine=False)[0].candidates if c.how == "mask"]


def by_overlap(candidates: Sequence[Candidate], wanted: Bool) -> list[Candidate]:
    """Candidates in order of their IoU with a low-resolution mask (256, 256). The IoU becomes their score."""
    ranked = []
    for c in candidates:
        mask = low_resolution(c.masks, c.plus[0]) > 0
        union = np.count_nonzero(mask | wanted)
        ranked.append(replace(c, score=float(np.count_nonzero(mask & wanted) / union) if union else 0.0))
    return sorted((c for c in ranked if c.score > 0), key=lambda c: -c.score)


def spread(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Up to three candidates: first the best ones of clearly different area, then the next best."""
    apart: list[tuple[Candidate, int]] = []
    for c in candidates:
        if len(apart) == MOST_MASKS:
            break
        area = c.runs.area
        if all(max(other, area) >= APART * min(other, area) for _, other in apart):
            apart.append((c, area))
    found = [c for c, _ in apart]
    return found + [c for c in candidates if c not in found][: MOST_MASKS - len(found)]
