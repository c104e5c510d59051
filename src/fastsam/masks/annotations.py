"""Masks from anywhere: arrays, RLE, a COCO file's annotations.

Enters: what people have. Leaves: `Given` masks and the scores that came with them. Called by `segments`.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.errors import UsageError
from fastsam.masks import rle
from fastsam.masks.given import Given, pack

Bool = npt.NDArray[np.bool_]


def read(masks: Any, size: tuple[int, int]) -> Given:
    """Masks of a photo of `size` (height, width).

    masks: bool (N, H, W), or a list of (H, W) arrays, RLE ({"size", "counts"}) and COCO annotations ({"segmentation"})

    Raises UsageError for what is no mask of that photo.
    """
    try:
        return pack(_each(masks, size), size)
    except UsageError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
        raise UsageError(f"these are no masks of a photo of {size[1]} x {size[0]} pixels: {error}") from None


def scores_of(masks: Any) -> list[float]:
    """The `score` of each annotation, 1 where there is none."""
    return [float(m.get("score", 1.0)) if isinstance(m, dict) else 1.0 for m in masks]


def _each(masks: Any, size: tuple[int, int]) -> Iterator[Bool]:
    for number, mask in enumerate(masks):
        found = decode(mask.get("segmentation", mask), size) if isinstance(mask, dict) else np.asarray(mask) > 0
        if found.shape != size:
            shape = " x ".join(str(v) for v in found.shape[::-1])
            raise UsageError(f"mask {number} is of {shape} pixels, the photo of {size[1]} x {size[0]}")
        yield found


def decode(segmentation: Any, size: tuple[int, int]) -> Bool:
    """A COCO segmentation as bool (H, W): RLE, or polygons as flat lists of x, y."""
    if isinstance(segmentation, dict):
        return rle.decode(segmentation)  # type: ignore[arg-type]  # checked where it is read
    return fill(segmentation, size)


def fill(polygons: Sequence[Sequence[float]], size: tuple[int, int]) -> Bool:
    """The pixels whose centres polygons cover, at 1/16 pixel."""
    canvas = np.zeros(size, np.uint8)
    for polygon in polygons:
        corners = np.asarray(polygon, np.float64).reshape(-1, 2)
        part = np.zeros(size, np.uint8)
        cv2.fillPoly(part, [np.rint((corners - 0.5) * 16).astype(np.int32)], 1, shift=4)
        canvas |= part
    return canvas > 0
