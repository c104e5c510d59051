"""Compares two files of one network: masks, speed, and recall if annotations are available.

Enters: two models and photos. Leaves: a `Parity`.
"""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.masks.runs import iou_of
from fastsam.model import FastSAM
from fastsam.segments import Segments

TURNS, RUNS = 3, 5
CLOSE = 0.9  # minimum IoU for two masks to count as the same


@dataclass(frozen=True)
class Parity:
    """How far two files agree.

    photos, masks: numbers compared; masks of both files count
    iou: mean of each mask's best IoU with a mask of the other file; same: share of masks with an IoU of at least 0.9
    milliseconds: of the network per photo, first and second file, medians of alternating turns
    recall: mask AR@100 in percent, first and second file; None without annotations
    """

    photos: int
    masks: int
    iou: float
    same: float
    milliseconds: tuple[float, float]
    recall: tuple[float, float] | None = None

    def __str__(self) -> str:
        first, second = self.milliseconds
        text = f"no masks in {self.photos} photos to compare"
        if self.masks:
            text = f"{self.masks} masks of {self.photos} photos: mean IoU {self.iou:.3f}, "
            text += f"{100 * self.same:.1f}% above {CLOSE}"
        if self.recall is not None:
            text += f"; mask AR@100 {self.recall[0]:.1f} -> {self.recall[1]:.1f}"
        return f"{text}; network {first:.1f} -> {second:.1f} ms ({first / second:.2f}x)"


def compare(
    files: tuple[Path, Path],
    photos: Sequence[Path | npt.NDArray[np.uint8]],
    recall: Callable[[FastSAM], float] | None = None,
) -> Parity:
    """Compares two files, with the settings of the first. recall: a function that measures a model's mask AR@100"""
    first, second = (FastSAM(file) for file in files)
    ious: list[float] = []
    for photo in photos:
        one, other = first(photo), second(photo)
        ious += best_ious(one, other) + best_ious(other, one)
    recalls = (recall(first), recall(second)) if recall else None
    same = float(np.mean([v >= CLOSE for v in ious])) if ious else 1.0
    del first, second  # their idle threads would disturb those that are timed
    return Parity(len(photos), len(ious), float(np.mean(ious or [1.0])), same, speeds(files, photos[0]), recalls)


def best_ious(first: Segments, second: Segments) -> list[float]:
    """The best IoU of each mask of the first with a mask of the second."""
    others, height = list(second.masks.all_runs()), first.size[0]
    return [max((iou_of(runs, other, height) for other in others), default=0.0) for runs in first.masks.all_runs()]


def speeds(files: tuple[Path, Path], photo: Any) -> tuple[float, float]:
    """Milliseconds of each file's network on a photo: medians of alternating turns."""
    times: list[list[float]] = [[], []]
    for _ in range(TURNS):
        for file, own in zip(files, times, strict=True):
            model = FastSAM(file)
            own += [1000 * model(photo).seconds["network"] for _ in range(RUNS + 1)][1:]
    return statistics.median(times[0]), statistics.median(times[1])


def drawn(side: int = 512) -> npt.NDArray[np.uint8]:
    """A picture of discs and boxes, to compare on without photos."""
    rng = np.random.default_rng(0)
    pixels = np.full((side * 3 // 4, side, 3), (120, 140, 90), np.uint8)
    for k in range(24):
        x, y, r = (int(v) for v in rng.integers((20, 20, 8), (side - 20, side * 3 // 4 - 20, 48)))
        colour = [int(v) for v in rng.integers(0, 256, 3)]
        if k % 2:
            cv2.circle(pixels, (x, y), r, colour, -1, cv2.LINE_AA)
        else:
            cv2.rectangle(pixels, (x - r, y - r // 2), (x + r, y + r // 2), colour, -1)
    return pixels
