"""Stage 2: what a user points at, and which masks answer.

Enters: `Prompt`s and a photo's masks with their scores. Leaves: one `Pick` a prompt, in order. Called by `segments`.

The rule. Points: a mask answers when it holds every foreground point and no background point; it ranks by its own
score times its probability at the least certain foreground point. Boxes: a mask answers when the IoU of its box and
the prompt's is at least one half; it ranks by that IoU. Both together: both must hold, and the two ranks multiply.
Nothing is decoded: points are read in prototype space, boxes compared with the network's.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np
import numpy.typing as npt

from fastsam.errors import UsageError
from fastsam.masks.lazy import Masks

Float = npt.NDArray[np.float32]
Point = tuple[float, float]
Box = tuple[float, float, float, float]
LEAST_IOU = 0.5


@dataclass(frozen=True)
class Prompt:
    """What one answer is wanted for.

    points: x, y in photo pixels; labels: 1 foreground, 0 background, one a point (all foreground where left out)
    box: x1, y1, x2, y2 in photo pixels

    Raises UsageError for a prompt without a foreground point or box, labels that do not fit, or a box without area.
    """

    points: Sequence[Point] = ()
    labels: Sequence[int] | None = None
    box: Box | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.points, Iterable) or not isinstance(self.labels, Iterable | None):
            raise UsageError(
                f"points {self.points!r} and labels {self.labels!r} must be lists: [(x, y), ...] and [1, ...]"
            )
        points = tuple(_numbers(p, 2, "point") for p in self.points)
        labels = (1,) * len(points) if self.labels is None else tuple(self.labels)
        if len(labels) != len(points):
            raise UsageError(f"{len(points)} points have {len(labels)} labels: give one label a point")
        if any(v not in (0, 1) for v in labels):
            raise UsageError(f"labels {labels} are not all 0 (background) or 1 (foreground)")
        box = None if self.box is None else _numbers(self.box, 4, "box")
        if box is not None and not (box[0] < box[2] and box[1] < box[3]):
            raise UsageError(f"box {_show(box)} has no area: give x1,y1,x2,y2 with x1 < x2 and y1 < y2")
        if box is None and 1 not in labels:
            raise UsageError("a prompt needs a foreground point or a box to say what is meant")
        object.__setattr__(self, "points", points)
        object.__setattr__(self, "labels", tuple(int(v) for v in labels))
        object.__setattr__(self, "box", box)

    def check(self, size: tuple[int, int]) -> None:
        """Raises UsageError where the prompt does not lie on a photo of `size` (height, width)."""
        height, width = size
        for x, y in self.points:
            if not (0 <= x < width and 0 <= y < height):
                raise UsageError(f"point {_show((x, y))} lies outside the photo of {width} x {height} pixels")
        if self.box is not None:
            x1, y1, x2, y2 = self.box
            if x1 >= width or y1 >= height or x2 <= 0 or y2 <= 0:
                raise UsageError(f"box {_show(self.box)} lies outside the photo of {width} x {height} pixels")


@dataclass(frozen=True)
class Candidate:
    """A mask that answers a prompt: its `index` among the segments and its rank's `score`, 0..1."""

    index: int
    score: float


@dataclass(frozen=True, eq=False)
class Pick:
    """The answer to one prompt. `candidates`: all masks that answer, best first; none where nothing matched."""

    prompt: Prompt
    candidates: tuple[Candidate, ...]
    masks: Masks

    @property
    def index(self) -> int | None:
        """Index of the best mask among the segments, None where nothing matched."""
        return self.candidates[0].index if self.candidates else None

    @property
    def score(self) -> float:
        """Score of the best mask, 0 where nothing matched."""
        return self.candidates[0].score if self.candidates else 0.0

    @property
    def mask(self) -> npt.NDArray[np.bool_] | None:
        """The best mask, bool (H, W), None where nothing matched."""
        return None if self.index is None else self.masks[self.index]


def select(masks: Masks, scores: Float, prompts: Sequence[Prompt]) -> list[Pick]:
    """One answer a prompt, in order. Raises UsageError for a prompt outside the photo."""
    for prompt in prompts:
        prompt.check(masks.size)
    return [Pick(prompt, rank(masks, scores, prompt), masks) for prompt in prompts]


def rank(masks: Masks, scores: Float, prompt: Prompt) -> tuple[Candidate, ...]:
    """All masks that answer a prompt, best first, by the rule above."""
    if len(masks) == 0:
        return ()
    ranks = np.ones(len(masks), np.float64)
    if prompt.points:
        ranks *= rank_by_points(masks, scores, prompt)
    if prompt.box is not None:
        ranks *= rank_by_box(masks.boxes, prompt.box)
    order = np.argsort(-ranks, kind="stable")
    return tuple(Candidate(int(i), float(ranks[i])) for i in order if ranks[i] > 0)


def rank_by_points(masks: Masks, scores: Float, prompt: Prompt) -> npt.NDArray[np.float64]:
    """(N,) ranks of masks for a prompt's points, 0 for those that do not answer."""
    logits = masks.logits_at(np.array(prompt.points, np.float64)).astype(np.float64)
    foreground = np.array(prompt.labels) == 1
    held, refused = logits[:, foreground], logits[:, ~foreground]
    fits = np.asarray((held > 0).all(1) & ~(refused > 0).any(1))
    if not foreground.any():
        return fits.astype(np.float64)
    least = 1 / (1 + np.exp(-np.clip(held.min(1), -50, 50)))
    return np.asarray(np.where(fits, scores * least, 0.0), np.float64)


def rank_by_box(boxes: Float, wanted: Box) -> npt.NDArray[np.float64]:
    """(N,) IoU of boxes (N, 4) with the wanted one, 0 where it is under one half."""
    iou = box_iou(boxes, wanted)
    return np.where(iou >= LEAST_IOU, iou, 0.0)


def box_iou(boxes: Float, box: Box) -> npt.NDArray[np.float64]:
    """(N,) IoU of boxes (N, 4) xyxy with one box."""
    b = boxes.astype(np.float64)
    w = np.minimum(b[:, 2], box[2]) - np.maximum(b[:, 0], box[0])
    h = np.minimum(b[:, 3], box[3]) - np.maximum(b[:, 1], box[1])
    overlap = np.maximum(w, 0) * np.maximum(h, 0)
    areas = (b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1])
    union = areas + (box[2] - box[0]) * (box[3] - box[1]) - overlap
    return np.asarray(overlap / np.maximum(union, 1e-9), np.float64)


def _numbers(values: Sequence[float], n: int, what: str) -> tuple[float, ...]:
    try:
        numbers = tuple(float(v) for v in values)
    except (TypeError, ValueError):
        numbers = ()
    if len(numbers) != n or not all(isfinite(v) for v in numbers):
        raise UsageError(f"{what} {values!r} is not {n} finite numbers")
    return numbers


def _show(numbers: Sequence[float]) -> str:
    return ",".join(f"{v:g}" for v in numbers)
