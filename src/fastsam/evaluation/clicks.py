"""Interactive segmentation by the field's robot: how many clicks an object takes.

Enters: an annotated mask and what answers clicks. Leaves: `Clicked`, and `Effort` of many objects.

The robot is that of f-BRS (Sofiiuk et al. 2020, arXiv 2001.10331) and RITM (Sofiiuk et al. 2021, arXiv 2102.06583),
`isegm/inference/clicker.py` of the latter: of what is missing from the answer and of what is too much in it, each with
its distance transform (the photo's border counts as outside), it clicks the deepest pixel, foreground if that is
missing, background if not or if both are equally deep; never the same pixel twice; of several the first, row by row.
At the first click everything is missing. NoC@90 is the mean number of clicks until IoU 0.9 is reached; an object that
does not reach it counts with the most clicks there are.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.evaluation.prompts import iou
from fastsam.prompts import Point, Prompt
from fastsam.refine.network import Refiner
from fastsam.segments import Segments

Bool = npt.NDArray[np.bool_]
# Answers all points and labels so far, and the answer before (None at first, or if there was none), with a mask (H, W).
Answer = Callable[[Sequence[Point], Sequence[int], Bool | None], Bool | None]
MOST = 20  # clicks on an object
AT = (0.85, 0.9)  # IoU
AFTER = (1, 3, 5)  # clicks


@dataclass(frozen=True)
class Clicked:
    """One object: the IoU after each click, where the clicks were, their labels, the last answer."""

    ious: list[float]
    points: list[Point]
    labels: list[int]
    answer: Bool | None


@dataclass(frozen=True)
class Effort:
    """Of many objects, by IoU in percent: mean number of clicks until it is reached, share in percent that never does.

    miou: mean IoU in percent after so many clicks; an object that needed fewer counts with the IoU that it had
    """

    noc: dict[str, float]
    failed: dict[str, float]
    miou: dict[int, float]
    objects: int


def answered_by(segments: Segments, refiner: Refiner | None) -> Answer:
    """What answers clicks on a photo: what is drawn from them and the answer before; the choice among the photo's masks
    if there is no refiner, by the clicks alone, because no other mask would have much in common with the one before."""

    def answer(points: Sequence[Point], labels: Sequence[int], before: Bool | None) -> Bool | None:
        mask = before if refiner and before is not None and before.any() else None
        pick = segments.select(Prompt(points=points, labels=labels, mask=mask), refine=refiner or False)[0]
        return pick.mask

    return answer


def click_on(wanted: Bool, answer: Answer, most: int = MOST, until: float = max(AT)) -> Clicked:
    """Clicks on an object (H, W) until its answer has an IoU of `until`, no error is left to click, or `most` times."""
    done = Clicked([], [], [], None)
    free = np.ones(wanted.shape, bool)
    found: Bool | None = None
    while len(done.ious) < most and (not done.ious or done.ious[-1] < until):
        click = next_click(wanted, np.zeros_like(wanted) if found is None else found, free)
        if click is None:
            break
        (row, column), label = click
        free[row, column] = False
        done.points.append((column + 0.5, row + 0.5))
        done.labels.append(label)
        found = answer(done.points, done.labels, found)
        done.ious.append(iou(found, wanted))
    return Clicked(done.ious, done.points, done.labels, found)


def next_click(wanted: Bool, found: Bool, free: Bool) -> tuple[tuple[int, int], int] | None:
    """Row and column of the next click and its label, 1 foreground or 0 background; None if nothing is wrong.

    free: (H, W) what was not clicked yet
    """
    missing, surplus = (depths(error) * free for error in (wanted & ~found, found & ~wanted))
    label = int(missing.max() > surplus.max())
    deepest = missing if label else surplus
    if not deepest.max() > 0:
        return None
    row, column = np.unravel_index(int(deepest.argmax()), deepest.shape)
    return (int(row), int(column)), label


def depths(region: Bool) -> npt.NDArray[np.float32]:
    """Distance of each pixel of a region (H, W) to the nearest outside it, beyond the photo's border too; 0 outside."""
    padded = np.pad(region, 1).astype(np.uint8)
    return np.asarray(cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1], np.float32)


def summary(clicked: Sequence[Sequence[float]], at: Sequence[float] = AT, most: int = MOST) -> Effort:
    """The figures of objects, of each the IoU after its clicks."""
    noc, failed = {}, {}
    for least in at:
        needed = [next((k for k, v in enumerate(ious, 1) if v >= least), None) for ious in clicked]
        name = f"{100 * least:g}"
        noc[name] = _mean([most if k is None else k for k in needed])
        failed[name] = 100 * _mean([k is None for k in needed])
    after = {k: 100 * _mean([ious[min(k, len(ious)) - 1] for ious in clicked]) for k in AFTER}
    return Effort(noc, failed, after, len(clicked))


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else float("nan")
