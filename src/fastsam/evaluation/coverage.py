"""Measures what everything mode misses in completely annotated photos.

Enters: masks found and masks annotated. Leaves: `Coverage`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fastsam.evaluation.overlaps import overlaps
from fastsam.masks.rle import RLE, area, decode

AT = (50, 70)  # IoU in percent
PHOTO_SIZED = 0.6  # masks of at least this share of the photo do not count as cover


@dataclass(frozen=True)
class Photo:
    """One photo, in pixels: annotated area, area of the regions found at each IoU of `AT`, covered area, total area."""

    annotated: int
    found: tuple[int, ...]
    covered: int
    pixels: int
    masks: int


@dataclass(frozen=True)
class Coverage:
    """Shares in percent over all photos' pixels.

    area_found: share of the annotated area whose region has a mask, per IoU in percent; pixels: share of pixels under
    masks that are smaller than 60% of their photo; masks: mean number per photo
    """

    area_found: dict[int, float]
    pixels: float
    masks: float
    photos: int


def measure(found: Sequence[RLE], annotated: Sequence[RLE], size: tuple[int, int]) -> Photo:
    """The counts of one photo of `size` (H, W)."""
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
    """The shares over all photos. A photo counts by its number of pixels."""
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
