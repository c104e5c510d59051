"""Measures how well clicks and boxes get their object, and how reliable the predicted IoU of the answers is.

Enters: a photo's `Segments` and its annotated masks. Leaves: the IoU of each answer, `Success`, `Calibration`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.prompts import Prompt
from fastsam.refine.network import Refiner
from fastsam.segments import Segments

Bool = npt.NDArray[np.bool_]
AT = (50, 75, 90)  # IoU in percent
FIRST = 3  # number of candidates for a central click of which the best one counts
BINS = 10  # number of bins of predicted IoU
TOGETHER = 32  # prompts answered at a time: their drawings are in memory together


@dataclass(frozen=True)
class Success:
    """Figures in percent over all objects: mean IoU, with 0 for no answer; share of answers at each IoU of `AT`."""

    miou: float
    at: dict[int, float]
    objects: int


@dataclass(frozen=True)
class Answered:
    """The IoU of a prompt's answer, the best IoU of its first candidates, and the predicted IoU of the answer.

    quality: the predicted IoU; None if nothing answered or the answer was not drawn
    """

    iou: float
    best: float
    quality: float | None


@dataclass(frozen=True)
class Bin:
    """Answers with a predicted IoU from `low` to below `high` (1 belongs to the last bin).

    count: their number; predicted, reached: mean IoU, 0..1, NaN for no answer
    """

    low: float
    high: float
    count: int
    predicted: float
    reached: float


@dataclass(frozen=True)
class Calibration:
    """How reliable the predicted IoU is.

    error: mean difference of predicted and reached IoU, 0..1, bins weighted by answers (expected calibration error)
    all: every answer as one bin
    """

    error: float
    all: Bin
    bins: list[Bin]


def central(mask: Bool) -> tuple[float, float]:
    """Centre x, y of the pixel of a mask (H, W) that is furthest from pixels outside the mask and from the border.

    Of several such pixels, the nearest to the mask's mean.
    """
    away = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1]
    rows, columns = np.nonzero(away >= away.max() - 1e-3)
    middle = np.argwhere(mask).mean(0)
    nearest = int(np.argmin(np.hypot(rows - middle[0], columns - middle[1])))
    return float(columns[nearest]) + 0.5, float(rows[nearest]) + 0.5


def clicks(mask: Bool, n: int, rng: np.random.Generator) -> list[tuple[float, float]]:
    """Centres x, y of n random pixels of a mask (H, W); fewer if the mask has fewer."""
    rows, columns = np.nonzero(mask)
    chosen = rng.permutation(len(rows))[:n]
    return [(float(columns[k]) + 0.5, float(rows[k]) + 0.5) for k in chosen]


def box(mask: Bool) -> tuple[float, float, float, float]:
    """The smallest box xyxy around a mask (H, W)."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return float(columns[0]), float(rows[0]), float(columns[-1]) + 1, float(rows[-1]) + 1


def prompts_of(masks: Sequence[Bool], n: int, rng: np.random.Generator) -> dict[str, list[Prompt]]:
    """Prompts of each kind, one per mask (H, W): a central click, `n` random clicks, the box."""
    return {
        "central click": [Prompt(points=[central(mask)]) for mask in masks],
        f"{n} clicks": [Prompt(points=clicks(mask, n, rng)) for mask in masks],
        "box": [Prompt(box=box(mask)) for mask in masks],
    }


def ask(
    segments: Segments, asked: Mapping[str, Sequence[Prompt]], masks: Sequence[Bool], refiner: Refiner | None
) -> dict[str, list[Answered]]:
    """Answers prompts of each kind, one per mask (H, W). With a refiner, the answers are drawn."""
    answers: dict[str, list[Answered]] = {}
    for kind, prompts in asked.items():
        own = answers[kind] = []
        for start in range(0, len(prompts), TOGETHER):
            picks = segments.select(prompts[start : start + TOGETHER], refine=refiner or False)
            for pick, mask in zip(picks, masks[start:], strict=False):
                reached = [iou(candidate.mask, mask) for candidate in pick.candidates[:FIRST]] or [0.0]
                own.append(Answered(reached[0], max(reached), pick.quality))
    return answers


def iou(answer: Bool | None, wanted: Bool) -> float:
    """Intersection over union; 0 for no answer."""
    if answer is None:
        return 0.0
    return int(np.count_nonzero(answer & wanted)) / max(1, int(np.count_nonzero(answer | wanted)))


def figures(answers: Mapping[str, Sequence[Answered]]) -> dict[str, Success]:
    """The figures per kind of prompt; for central clicks also those of their best candidates."""
    rows: dict[str, Success] = {}
    for kind, own in answers.items():
        rows[kind] = summary([a.iou for a in own])
        if kind == "central click":
            rows[f"{kind}, best of {FIRST}"] = summary([a.best for a in own])
    return rows


def summary(ious: Sequence[float]) -> Success:
    """The figures of answers with these IoU."""
    values = np.array(ious, np.float64)
    if not len(values):
        return Success(float("nan"), {at: float("nan") for at in AT}, 0)
    return Success(100 * float(values.mean()), {at: 100 * float((values >= at / 100).mean()) for at in AT}, len(values))


def calibration(answers: Sequence[Answered]) -> Calibration:
    """Predicted against reached IoU, over the answers with a predicted IoU."""
    drawn = [a for a in answers if a.quality is not None]
    predicted, reached = (np.array(v, np.float64) for v in ([a.quality for a in drawn], [a.iou for a in drawn]))
    edges = np.arange(BINS + 1) / BINS
    which = np.digitize(predicted, edges[1:-1])

    def within(low: float, high: float, own: Bool) -> Bin:
        n = int(own.sum())
        means = [float(v[own].mean()) if n else float("nan") for v in (predicted, reached)]
        return Bin(low, high, n, means[0], means[1])

    bins = [within(float(edges[k]), float(edges[k + 1]), which == k) for k in range(BINS)]
    error = sum(b.count * abs(b.predicted - b.reached) for b in bins if b.count)
    return Calibration(error / len(drawn) if drawn else float("nan"), within(0.0, 1.0, which >= 0), bins)
