"""What was followed in a frame, as a label map, pictures and segments.

Enters: a frame's pixels and a `Pick` per object, or objects as `Shown`. Leaves: arrays, `Segments`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.masks.cutout import SOFTNESS
from fastsam.masks.given import collect
from fastsam.masks.lazy import from_pixels
from fastsam.masks.runs import Runs
from fastsam.masks.tinted import draw_labels, palette
from fastsam.prompts import Pick
from fastsam.segments import Segments

UInt8 = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Shown:
    """An object that is seen in a frame. number: of its prompt, from 0; quality: predicted IoU, 0..1"""

    number: int
    runs: Runs
    quality: float


def shown(picks: Sequence[Pick]) -> list[Shown]:
    """The objects that are not lost."""
    return [Shown(k, pick.candidates[0].runs, pick.score) for k, pick in enumerate(picks) if pick]


def label_map(objects: Sequence[Shown], size: tuple[int, int]) -> Labels:
    """(H, W) int32: k + 1 where object k is, 0 elsewhere. Where two lie, the one that is drawn better has the pixel."""
    labels = np.zeros(size, np.int32)
    for one in sorted(objects, key=lambda one: one.quality):
        one.runs.crop().paint(labels, one.number + 1)
    return labels


def drawn(pixels: UInt8, labels: Labels, objects: int) -> UInt8:
    """The frame with the objects tinted, each in one colour throughout the video."""
    return draw_labels(pixels, labels, colours=palette(objects), strong=np.ones(objects + 1, np.float32))


def cut(pixels: UInt8, labels: Labels) -> UInt8:
    """The frame as RGBA, transparent but for the objects, with soft edges."""
    alpha = cv2.GaussianBlur((labels > 0).astype(np.uint8) * np.uint8(255), (0, 0), SOFTNESS)
    return np.dstack((pixels, alpha))


def segments_of(objects: Sequence[Shown], size: tuple[int, int]) -> Segments:
    """The objects, with their numbers from 1 as ids."""
    masks = from_pixels(collect((one.runs for one in objects), size))
    scores = np.array([one.quality for one in objects], np.float32)
    ids = np.array([one.number + 1 for one in objects], np.int64)
    return Segments(masks, scores, np.zeros(len(objects), np.int64), tracks=ids)
