"""How well clicks and boxes get the object they mean.

Enters: a photo's `Segments` and its annotated masks. Leaves: IoU of each answer, and `Success`. Called by
`cli/evaluate/prompts`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.prompts import Prompt
from fastsam.segments import Segments

Bool = npt.NDArray[np.bool_]
AT = (50, 75, 90)  # percent of IoU


@dataclass(frozen=True)
class Success:
    """In percent of all objects: mean IoU of answers, 0 where there is none; share of answers of each IoU of `AT`."""

    miou: float
    at: dict[int, float]
    objects: int


def central(mask: Bool) -> tuple[float, float]:
    """The middle x, y of the pixel of a mask (H, W) that is furthest from all outside it, the photo's border too.

    Of several the one nearest to the mask's mean.
    """
    away = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1]
    rows, columns = np.nonzero(away >= away.max() - 1e-3)
    middle = np.argwhere(mask).mean(0)
    nearest = int(np.argmin(np.hypot(rows - middle[0], columns - middle[1])))
    return float(columns[nearest]) + 0.5, float(rows[nearest]) + 0.5


def clicks(mask: Bool, n: int, rng: np.random.Generator) -> list[tuple[float, float]]:
    """The middles x, y of n pixels of a mask (H, W), drawn evenly; fewer where it has fewer."""
    rows, columns = np.nonzero(mask)
    chosen = rng.permutation(len(rows))[:n]
    return [(float(columns[k]) + 0.5, float(rows[k]) + 0.5) for k in chosen]


def box(mask: Bool) -> tuple[float, float, float, float]:
    """The smallest box xyxy about a mask (H, W)."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return float(columns[0]), float(rows[0]), float(columns[-1]) + 1, float(rows[-1]) + 1


def ask(segments: Segments, masks: Sequence[Bool], n: int, rng: np.random.Generator) -> dict[str, list[float]]:
    """IoU with each mask (H, W) of what one central click, `n` random ones and the box of it are answered with."""
    asked = {
        "central click": [Prompt(points=[central(mask)]) for mask in masks],
        f"{n} clicks": [Prompt(points=clicks(mask, n, rng)) for mask in masks],
        "box": [Prompt(box=box(mask)) for mask in masks],
    }
    return {
        kind: [iou(pick.mask, mask) for pick, mask in zip(segments.select(prompts), masks, strict=True)]
        for kind, prompts in asked.items()
    }


def iou(answer: Bool | None, wanted: Bool) -> float:
    """Intersection over union; 0 for no answer."""
    if answer is None:
        return 0.0
    return int(np.count_nonzero(answer & wanted)) / max(1, int(np.count_nonzero(answer | wanted)))


def summary(ious: Sequence[float]) -> Success:
    """The figures of one kind of prompt."""
    values = np.array(ious, np.float64)
    if not len(values):
        return Success(float("nan"), {at: float("nan") for at in AT}, 0)
    return Success(100 * float(values.mean()), {at: 100 * float((values >= at / 100).mean()) for at in AT}, len(values))
