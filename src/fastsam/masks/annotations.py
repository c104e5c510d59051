"""Reads masks from arrays, label maps, RLE, or the annotations of a COCO file.

Enters: any of these. Leaves: `Given` masks, with the scores and categories stored with them.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fastsam.errors import UsageError
from fastsam.masks import rle
from fastsam.masks.given import Given, pack
from fastsam.values import is_list, show

Bool = npt.NDArray[np.bool_]


def read(masks: Any, size: tuple[int, int]) -> tuple[Given, list[float], list[int]]:
    """Masks of a photo of `size` (height, width), their scores (default 1) and category ids (default 0).

    masks: bool (N, H, W); an integer label map (H, W), 0 for no mask; or a list of (H, W) arrays, RLE ({"size",
    "counts"}) and COCO annotations ({"segmentation"}). A float counts as True from 0.5 on.

    Raises UsageError for anything that is not a mask of that photo.
    """
    if not is_list(masks):
        raise UsageError(f"masks must be (N, H, W), a label map (H, W), or a list of masks, not {show(masks)}")
    if isinstance(masks, np.ndarray) and masks.ndim == 2 and masks.dtype != bool:
        masks = [masks == label for label in np.unique(masks) if label > 0]
    rows = list(masks)
    facts = [row if isinstance(row, dict) else {} for row in rows]
    try:
        scores = [1.0 if f.get("score") is None else float(f["score"]) for f in facts]
        kinds = [int(f.get("category_id") or 0) for f in facts]
        return pack(_each(rows, size), size), scores, kinds
    except UsageError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
        raise UsageError(f"the masks do not fit a photo of {size[1]} x {size[0]} pixels: {error}") from None


def _each(masks: Sequence[Any], size: tuple[int, int]) -> Iterator[Bool]:
    for number, mask in enumerate(masks):
        try:
            found = decode(mask.get("segmentation", mask), size) if isinstance(mask, dict) else as_bool(mask)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)
            raise UsageError(f"mask {number} is invalid: {reason}") from None
        if found.shape != size:
            shape = " x ".join(str(v) for v in found.shape[::-1])
            raise UsageError(f"mask {number} has {shape} pixels but the photo has {size[1]} x {size[0]}")
        yield found


def as_bool(mask: Any) -> Bool:
    """A mask of any numbers as bool: an integer above 0, or a float of at least 0.5. Raises ValueError, TypeError."""
    values = np.asarray(mask)
    if values.dtype.kind not in "biuf":
        raise ValueError(f"a mask must be an array of numbers, not a {type(mask).__name__}")
    return np.asarray(values >= 0.5 if values.dtype.kind == "f" else values > 0)


def decode(segmentation: Any, size: tuple[int, int]) -> Bool:
    """A COCO segmentation as bool (H, W): RLE, or polygons as flat lists of x, y."""
    if isinstance(segmentation, np.ndarray):
        return as_bool(segmentation)
    if isinstance(segmentation, dict):
        return rle.decode(segmentation)  # type: ignore[arg-type]  # `decode` checks it
    found = np.zeros(size, bool)
    for polygon in segmentation:
        found |= fill(polygon, size)
    return found


def fill(polygon: Sequence[float], size: tuple[int, int]) -> Bool:
    """The pixels (H, W) whose centres lie inside a polygon x, y, x, y, ..., found by counting the edges to their left.

    Raises ValueError for an invalid polygon.
    """
    corners = np.asarray(polygon, np.float64)
    if corners.ndim != 1 or len(corners) < 6 or len(corners) % 2 or not np.isfinite(corners).all():
        raise ValueError(f"a polygon must be x, y, x, y, x, y, ..., not {str(polygon)[:60]}")
    height, width = size
    x0, y0 = corners.reshape(-1, 2).T
    x1, y1 = np.roll(x0, -1), np.roll(y0, -1)
    # From top to bottom, so that an edge and its way back cross a row at the same place.
    x0, y0, x1, y1 = np.where(y0 <= y1, (x0, y0, x1, y1), (x1, y1, x0, y0))
    first = np.ceil(np.clip(y0, 0, height) - 0.5).astype(np.int64)
    last = np.ceil(np.clip(y1, 0, height) - 0.5).astype(np.int64)
    edge = np.repeat(np.arange(len(x0)), last - first)
    row = np.arange(len(edge)) - np.repeat(np.cumsum(last - first) - (last - first), last - first) + first[edge]
    across = x0[edge] + (row + 0.5 - y0[edge]) / (y1 - y0)[edge] * (x1 - x0)[edge]
    column = np.ceil(np.clip(across, 0, width) - 0.5).astype(np.int64)
    crossed = np.zeros((height, width + 1), np.int64)
    np.add.at(crossed, (row, column), 1)
    return np.asarray(crossed[:, :width].cumsum(1) % 2 == 1)
