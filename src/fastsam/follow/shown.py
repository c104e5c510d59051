"""What was followed in a frame, as a label map, pictures and segments.

Enters: a frame's pixels and a `Pick` per object. Leaves: arrays, `Segments`.
"""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.masks.cutout import SOFTNESS
from fastsam.masks.given import collect
from fastsam.masks.lazy import from_pixels
from fastsam.masks.tinted import draw_labels, palette
from fastsam.prompts import Pick
from fastsam.segments import Segments

UInt8 = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int32]


def label_map(picks: Sequence[Pick], size: tuple[int, int]) -> Labels:
    """(H, W) int32: k + 1 where object k is, 0 elsewhere. Where two lie, the one that is drawn better has the pixel."""
    labels = np.zeros(size, np.int32)
    for k in sorted(range(len(picks)), key=lambda k: picks[k].score):
        if picks[k]:
            picks[k].candidates[0].runs.crop().paint(labels, k + 1)
    return labels


def drawn(pixels: UInt8, labels: Labels, objects: int) -> UInt8:
    """The frame with the objects tinted, each in one colour throughout the video."""
    return draw_labels(pixels, labels, colours=palette(objects), strong=np.ones(objects + 1, np.float32))


def cut(pixels: UInt8, labels: Labels) -> UInt8:
    """The frame as RGBA, transparent but for the objects, with soft edges."""
    alpha = cv2.GaussianBlur((labels > 0).astype(np.uint8) * np.uint8(255), (0, 0), SOFTNESS)
    return np.dstack((pixels, alpha))


def segments_of(picks: Sequence[Pick], size: tuple[int, int]) -> Segments:
    """The objects that are seen, with their numbers from 1 as ids."""
    there = [k for k, pick in enumerate(picks) if pick]
    masks = from_pixels(collect((picks[k].candidates[0].runs for k in there), size))
    scores = np.array([picks[k].score for k in there], np.float32)
    ids = np.array(there, np.int64) + 1
    return Segments(masks, scores, np.zeros(len(there), np.int64), tracks=ids)
