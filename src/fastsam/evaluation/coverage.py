"""Measures what everything mode misses in completely annotated photos, and how it cuts what it finds.

Enters: masks found and masks annotated. Leaves: `Coverage`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fastsam.evaluation.overlaps import overlaps
from fastsam.evaluation.pieces import pieces
from fastsam.evaluation.seams import seams
from fastsam.masks.rle import RLE, area, decode

Bool = npt.NDArray[np.bool_]
UInt8 = npt.NDArray[np.uint8]

AT = (50, 70)  # IoU in percent
PHOTO_SIZED = 0.6  # masks of at least this share of the photo do not count as cover


@dataclass(frozen=True)
class Photo:
    """One photo, in pixels: annotated area, area of the regions found at each IoU of `AT`, covered area, total area.

    masks: their number; seams: length of straight cuts, see `evaluation.seams`; true_seams: of the annotated regions
    themselves, the floor; pieces: of each annotated region, see `evaluation.pieces`
    """

    annotated: int
    found: tuple[int, ...]
    covered: int
    pixels: int
    masks: int
    seams: int
    true_seams: int
    pieces: tuple[int | None, ...]


@dataclass(frozen=True)
class Coverage:
    """Shares in percent over all photos' pixels.

    area_found: share of the annotated area whose region has a mask, per IoU in percent; pixels: share of pixels under
    masks that are smaller than 60% of their photo; masks: mean number per photo; seams: pixels of straight cuts per
    megapixel; true_seams: the same of the annotated regions; pieces: mean number of masks that cover a region to 90%,
    over the regions that masks cover so far, whose share is `whole`
    """

    area_found: dict[int, float]
    pixels: float
    masks: float
    photos: int
    seams: float
    true_seams: float
    pieces: float
    whole: float


def measure(found: Sequence[RLE], annotated: Sequence[RLE], photo: UInt8) -> Photo:
    """The counts of one photo, RGB (H, W, 3)."""
    size = photo.shape[:2]
    masks = np.stack([decode(r) for r in found]) if len(found) else np.zeros((0, *size), bool)
    truth = [decode(r) for r in annotated]
    flat = masks.reshape(len(masks), size[0] * size[1])
    areas = np.array([area(r) for r in annotated], np.int64)
    best = overlaps(annotated, found).max(1, initial=0)
    return Photo(
        annotated=int(areas.sum()),
        found=tuple(int(areas[best >= at / 100].sum()) for at in AT),
        covered=int(masks[flat.sum(1) < PHOTO_SIZED * size[0] * size[1]].any(0).sum()),
        pixels=size[0] * size[1],
        masks=len(found),
        seams=seams(masks, photo),
        true_seams=seams(truth, photo),
        pieces=tuple(pieces(flat, region.ravel()) for region in truth if region.any()),
    )


def summary(photos: Sequence[Photo]) -> Coverage:
    """The shares over all photos. A photo counts by its number of pixels."""
    annotated, pixels = sum(p.annotated for p in photos), sum(p.pixels for p in photos)
    regions = [count for p in photos for count in p.pieces]
    covered = [count for count in regions if count is not None]
    return Coverage(
        area_found={at: 100 * sum(p.found[k] for p in photos) / max(1, annotated) for k, at in enumerate(AT)},
        pixels=100 * sum(p.covered for p in photos) / max(1, pixels),
        masks=sum(p.masks for p in photos) / max(1, len(photos)),
        photos=len(photos),
        seams=1e6 * sum(p.seams for p in photos) / max(1, pixels),
        true_seams=1e6 * sum(p.true_seams for p in photos) / max(1, pixels),
        pieces=sum(covered) / max(1, len(covered)),
        whole=100 * len(covered) / max(1, len(regions)),
    )
