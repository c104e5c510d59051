"""A mask as runs, column by column, and as pixels.

A run is a stretch of one column that belongs to the mask. A smooth mask has few runs, and their ends follow from the
logits of coarse cells alone (`crossings`). So areas, RLE and bounds never need the pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Bool = npt.NDArray[np.bool_]
Int = npt.NDArray[np.int64]
Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, repr=False)
class Crop:
    """A mask inside its window. pixels: (h, w) bool; offset: (x, y) of the window on the photo"""

    offset: tuple[int, int]
    pixels: Bool

    @cached_property
    def bounds(self) -> tuple[int, int, int, int]:
        """x0, y0, x1, y1 of its pixels on the photo, in whole pixels; all 0 if it is empty."""
        (x, y), (x0, y0, x1, y1) = self.offset, bounds(self.pixels)
        return (x + x0, y + y0, x + x1, y + y1) if x1 > x0 else (0, 0, 0, 0)

    @property
    def tight(self) -> Bool:
        """Its pixels within its bounds."""
        (x, y), (x0, y0, x1, y1) = self.offset, self.bounds
        return self.pixels[y0 - y : y1 - y, x0 - x : x1 - x] if x1 > x0 else self.pixels[:0, :0]

    def paint(self, canvas: npt.NDArray[Any], value: float) -> None:
        """Sets the mask's pixels on a `canvas` (H, W, ...) of the photo's size to `value`, in place."""
        self.view(canvas)[self.pixels] = value

    def view(self, canvas: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """A view (h, w, ...) of the part of a photo-sized `canvas` (H, W, ...) that the window covers."""
        (x, y), (h, w) = self.offset, self.pixels.shape
        return canvas[y : y + h, x : x + w]


@dataclass(frozen=True, eq=False, repr=False)
class Runs:
    """n runs of one mask, from left to right, and within a column from top to bottom.

    No run is empty, and no two runs touch in a column.

    columns, tops, bottoms: (n,) int64 in photo pixels; run k covers rows tops[k] <= y < bottoms[k] of its column
    """

    columns: Int
    tops: Int
    bottoms: Int

    @property
    def area(self) -> int:
        """Its number of pixels."""
        return int((self.bottoms - self.tops).sum())

    @property
    def bounds(self) -> tuple[int, int, int, int]:
        """x0, y0, x1, y1 of its pixels, in whole pixels; all 0 if it is empty."""
        if len(self.columns) == 0:
            return 0, 0, 0, 0
        return int(self.columns[0]), int(self.tops.min()), int(self.columns[-1]) + 1, int(self.bottoms.max())

    def crop(self) -> Crop:
        """Its pixels within its bounds."""
        x0, y0, x1, y1 = self.bounds
        w, h = x1 - x0, y1 - y0
        first = (self.columns - x0) * h - y0
        lengths = np.diff(between(first + self.tops, first + self.bottoms, w * h))
        upright = np.repeat(np.arange(len(lengths)) % 2 == 1, lengths).reshape(w, h)
        if upright.size == 0:
            return Crop((x0, y0), upright)
        return Crop((x0, y0), cv2.transpose(upright.view(np.uint8)).view(bool))

    def points(self, most: int) -> npt.NDArray[np.float64]:
        """(K, 2) centres x, y of up to `most` of its pixels, evenly spread."""
        ends = np.cumsum(self.bottoms - self.tops)
        if len(ends) == 0:
            return np.zeros((0, 2))
        some = np.linspace(0, ends[-1] - 1, min(most, int(ends[-1]))).round().astype(np.int64)
        run = np.searchsorted(ends, some, side="right")
        return np.stack((self.columns[run], self.bottoms[run] - (ends[run] - some)), 1).astype(np.float64) + 0.5


NONE = Runs(*np.zeros((3, 0), np.int64))


def between(starts: Int, ends: Int, last: int) -> Int:
    """0, then starts and ends in turn, then `last`."""
    borders = np.empty(2 * len(starts) + 2, np.int64)
    borders[0], borders[-1] = 0, last
    borders[1:-1:2], borders[2:-1:2] = starts, ends
    return borders


def bounds(mask: Bool) -> tuple[int, int, int, int]:
    """x0, y0, x1, y1 of the pixels of a mask (H, W), in whole pixels; all 0 if it is empty."""
    down, across = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return (int(across[0]), int(down[0]), int(across[-1]) + 1, int(down[-1]) + 1) if len(down) else (0, 0, 0, 0)


def of_pixels(pixels: Bool, offset: tuple[int, int] = (0, 0)) -> Runs:
    """The runs of a bool mask (h, w) at `offset` (x, y) of the photo."""
    if pixels.size == 0:
        return NONE
    upright = cv2.transpose(np.ascontiguousarray(pixels).view(np.uint8)).view(bool)
    columns, rows = changes(upright)
    return joined(columns[::2] + offset[0], rows[::2] + offset[1], rows[1::2] + offset[1])


def changes(upright: Bool) -> tuple[Int, Int]:
    """Where the columns of a mask (w, h) change: the column and row of each pixel that differs from the one above it.

    Pixels above and below a column count as False, so a change can be at row h. Changes come in pairs: the two ends of
    a run.
    """
    w, h = upright.shape
    framed = np.zeros((w, h + 1), bool)
    framed[:, :-1] = upright
    flat = framed.reshape(-1)
    found = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    if flat[0]:
        found = np.concatenate(([0], found))
    columns = found // (h + 1)
    return columns, found - columns * (h + 1)


@dataclass(frozen=True, eq=False)
class Toggles:
    """Where the columns of one mask change on coarse rows. Changes come in pairs: the two ends of a run.

    mask: its number; columns: (t,) photo columns; rows: (t,) the coarse row below the change; above, below: (t,) logits
    on the coarse rows around the change; edge: (t,) -1 if the column begins inside the mask, 1 if it ends inside, else
    0; window: first and last + 1 photo row
    """

    mask: int
    columns: Int
    rows: Int
    above: Float32
    below: Float32
    edge: Int
    window: tuple[int, int]


def toggles(upright: Float32, mask: int, offset: tuple[int, int], window: tuple[int, int]) -> Toggles:
    """Where logits (w, r) of photo columns on coarse rows cross 0.

    offset: first photo column and first coarse row; window: first and last + 1 photo row
    """
    columns, rows = changes(upright > 0)
    last = upright.shape[1]
    above, below = upright[columns, np.maximum(rows - 1, 0)], upright[columns, np.minimum(rows, last - 1)]
    edge = (rows == last).astype(np.int64) - (rows == 0)
    return Toggles(mask, columns + offset[0], rows + offset[1], above, below, edge, window)


def crossings(found: Sequence[Toggles], scale: Float64 | float, shift: Float64 | float, masks: int) -> list[Runs]:
    """The runs of `masks` masks. Each run ends where the line between two logits crosses 0.

    Photo row y is at coarse row scale * (y + 0.5) + shift. Both are one number, or (F,) one per item of `found`.
    """
    if not found:
        return [NONE] * masks
    counts = [len(t.columns) for t in found]
    scale, shift = (np.repeat(np.broadcast_to(v, len(found)), counts) for v in (scale, shift))
    columns, rows, edge = (np.concatenate([getattr(t, name) for t in found]) for name in ("columns", "rows", "edge"))
    a, b = (np.concatenate([getattr(t, name) for t in found]).astype(np.float64) for name in ("above", "below"))
    first, last = np.repeat(np.array([t.window for t in found]), counts, 0).T
    share = np.divide(a, a - b, out=np.zeros_like(a), where=edge == 0)
    places = (rows - 1 + share - shift) / scale - 0.5
    exact = np.where(a > 0, np.ceil(places), np.floor(places) + 1)
    exact = np.where(edge == 0, np.clip(exact, first, last), np.where(edge < 0, first, last)).astype(np.int64)
    # One number encodes mask and column, so that runs of different masks never touch.
    span = int(columns.max()) + 1 if len(columns) else 1
    owners = np.repeat(np.array([t.mask for t in found]), counts)
    whole = joined((owners * span + columns)[::2], exact[::2], exact[1::2])
    owners, columns = np.divmod(whole.columns, span)
    cuts = np.searchsorted(owners, np.arange(masks + 1))
    return [Runs(columns[i:j], whole.tops[i:j], whole.bottoms[i:j]) for i, j in pairwise(cuts)]


def joined(columns: Int, tops: Int, bottoms: Int) -> Runs:
    """Cleans runs that are in order: drops empty ones, and joins those that touch in a column."""
    full = tops < bottoms
    if not full.all():
        columns, tops, bottoms = columns[full], tops[full], bottoms[full]
    touch = (columns[1:] == columns[:-1]) & (tops[1:] <= bottoms[:-1])
    if touch.any():
        first, last = np.concatenate(([True], ~touch)), np.concatenate((~touch, [True]))
        columns, tops, bottoms = columns[first], tops[first], bottoms[last]
    return Runs(columns, tops, bottoms)


def flat(runs: Runs, height: int) -> tuple[Int, Int]:
    """First and last + 1 pixel of each run, numbered down the columns of a photo of `height`."""
    return runs.columns * height + runs.tops, runs.columns * height + runs.bottoms


def union(masks: Sequence[Runs], height: int) -> Runs:
    """The union of masks of a photo of `height`."""
    starts, ends = (np.concatenate(v) for v in zip(*(flat(runs, height) for runs in masks), strict=True))
    order = np.argsort(starts, kind="stable")
    columns, tops = np.divmod(starts[order], height)
    reach = np.maximum.accumulate(ends[order]) - columns * height  # a run inside another ends with it
    return joined(columns, tops, reach)


def iou_of(a: Runs, b: Runs, height: int) -> float:
    """Intersection over union of two masks of a photo of `height`."""
    shared = overlap_of(a, b, height)
    return shared / max(1, a.area + b.area - shared)


def overlap_of(a: Runs, b: Runs, height: int) -> int:
    """Number of pixels that two masks of a photo of `height` share."""
    (s, e), (starts, ends) = flat(a, height), flat(b, height)
    if len(starts) == 0:
        return 0
    lengths = np.concatenate(([0], np.cumsum(ends - starts)))

    def before(place: Int) -> Int:
        """Number of pixels of b before each place."""
        run = np.searchsorted(starts, place, side="right")
        inside = np.maximum(0, ends[np.maximum(run - 1, 0)] - place)
        return np.asarray(lengths[run] - np.where(run > 0, inside, 0))

    return int((before(e) - before(s)).sum())
