"""What everything mode leaves out of completely annotated photos.

Enters: masks found and annotated. Leaves: `Coverage`. Called by `cli/evaluate/coverage`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fastsam.evaluation.overlaps import overlaps
from fastsam.masks.rle import RLE, area, decode

AT = (50, 70)  # percent of IoU
PHOTO_SIZED = 0.6  # masks from this share of the photo on cover nothing


@dataclass(frozen=True)
class Photo:
    """One photo, in pixels: annotated area, that of regions found at each IoU of `AT`, what masks cover, its size."""

    annotated: int
    found: tuple[int, ...]
    covered: int
    pixels: int
    masks: int


@dataclass(frozen=True)
class Coverage:
    """Shares in percent of all photos' pixels.

    area_found: of annotated area whose region has a mask of that IoU (percent); pixels: under masks that are smaller
    than 60% of their photo; masks: a photo, on average
    """

    area_found: dict[int, float]
    pixels: float
    masks: float
    photos: int


def measure(found: Sequence[RLE], annotated: Sequence[RLE], size: tuple[int, int]) -> Photo:
    """One photo of `size` (H, W)."""
    areas = np.array([area(r) for r in annotated], np.int64)
    best = overlaps(annotated, found).max(1, initial=0)
    return Photo(
        annotated=int(areas.sum()),
        found=tuple(int(areas[best >= at / 100].sum()) for at in AT),
        covered=int(np.count_nonzero(_under([r for r in found if area(r) < PHOTO_SIZED * size[0] * size[1]], size))),
        pixels=size[0] * size[1],
        masks=len(found),
    )


def summary(photos: Sequence[Photo]) -> Coverage:
    """The shares of all photos together; a large photo counts as its pixels."""
    annotated, pixels = sum(p.annotated for p in photos), sum(p.pixels for p in photos)
    return Coverage(
        area_found={at: 100 * sum(p.found[k] for p in photos) / max(1, annotated) for k, at in enumerate(AT)},
        pixels=100 * sum(p.covered for p in photos) / max(1, pixels),
        masks=sum(p.masks for p in photos) / max(1, len(photos)),
        photos=len(photos),
    )


def _under(masks: Sequence[RLE], size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    canvas = np.zeros(size, bool)
    for mask in masks:
        canvas |= decode(mask)
    return canvas
