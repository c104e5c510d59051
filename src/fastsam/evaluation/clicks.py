"""Interactive segmentation with the usual robot user: how many clicks an object takes.

Enters: an annotated mask and a function that answers clicks. Leaves: `Clicked`, and `Effort` over many objects.

The robot is that of f-BRS (Sofiiuk et al. 2020, arXiv 2001.10331) and RITM (Sofiiuk et al. 2021, arXiv 2102.06583,
`isegm/inference/clicker.py`). It computes the distance transform of the missing pixels and of the wrongly included
pixels of the answer (the photo's border counts as outside), and clicks the deepest pixel. The click is foreground if
that pixel is missing, and background if it is wrongly included or both are equally deep. Of several deepest pixels it
takes the first, row by row, and never the same pixel twice. At the first click everything is missing.

NoC@90 is the mean number of clicks until an IoU of 0.9 is reached. An object that never reaches it counts with the
maximum number of clicks.
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
# From all points and labels so far, and the previous mask (H, W) or None, to the next mask (H, W) or None.
Answer = Callable[[Sequence[Point], Sequence[int], Bool | None], Bool | None]
MOST = 20  # maximum number of clicks per object
AT = (0.85, 0.9)  # IoU to reach
AFTER = (1, 3, 5)  # numbers of clicks after which the IoU is reported


@dataclass(frozen=True)
class Clicked:
    """One object: the IoU after each click, the points and labels of the clicks, and the last answer."""

    ious: list[float]
    points: list[Point]
    labels: list[int]
    answer: Bool | None


@dataclass(frozen=True)
class Effort:
    """Figures over many objects: per IoU in percent, the mean number of clicks to reach it, and the share in percent
    of objects that never reach it.

    miou: mean IoU in percent per number of clicks; an object that needed fewer clicks counts with its last IoU
    """

    noc: dict[str, float]
    failed: dict[str, float]
    miou: dict[int, float]
    objects: int


def answered_by(segments: Segments, refiner: Refiner | None) -> Answer:
    """A function that answers clicks on a photo.

    With a refiner, it draws a mask from the clicks and the previous answer. Without one, it chooses among the photo's
    masks by the clicks alone, because hardly any other mask would overlap the previous answer.
    """

    def answer(points: Sequence[Point], labels: Sequence[int], before: Bool | None) -> Bool | None:
        mask = before if refiner and before is not None and before.any() else None
        pick = segments.select(Prompt(points=points, labels=labels, mask=mask), refine=refiner or False)[0]
        return pick.mask

    return answer


def click_on(wanted: Bool, answer: Answer, most: int = MOST, until: float = max(AT)) -> Clicked:
    """Clicks on an object (H, W) until the answer has an IoU of `until` or no error, up to `most` times."""
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
    """Row and column of the next click, and its label, 1 foreground or 0 background; None if there is no error.

    wanted: the object (H, W); found: the answer (H, W); free: (H, W) pixels that were not clicked yet
    """
    missing, surplus = (depths(error) * free for error in (wanted & ~found, found & ~wanted))
    label = int(missing.max() > surplus.max())
    deepest = missing if label else surplus
    if not deepest.max() > 0:
        return None
    row, column = np.unravel_index(int(deepest.argmax()), deepest.shape)
    return (int(row), int(column)), label


def depths(region: Bool) -> npt.NDArray[np.float32]:
    """Distance of each pixel of a region (H, W) to the nearest pixel outside it or the photo; 0 outside the region."""
    padded = np.pad(region, 1).astype(np.uint8)
    return np.asarray(cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1], np.float32)


def summary(clicked: Sequence[Sequence[float]], at: Sequence[float] = AT, most: int = MOST) -> Effort:
    """The figures over objects. clicked: the IoU after each click, per object"""
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
