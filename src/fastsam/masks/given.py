"""Second source of masks: pixels, drawn by a person, found by another model, or merged from several views.

Enters: masks as pixels or runs. Leaves: the same answers as `Prototyped`, with logits of plus or minus `GIVEN_LOGIT`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from fastsam.masks.runs import Runs, of_pixels
from fastsam.values import by_fields, fix

Float32 = npt.NDArray[np.float32]
Bool = npt.NDArray[np.bool_]
Int = npt.NDArray[np.int64]
GIVEN_LOGIT = 20.0  # logit of a given pixel: a probability of 1 - 2e-9


@dataclass(frozen=True, eq=False, repr=False)
class Given:
    """N masks of a photo of `size` (height, width), as the runs of one mask after the other.

    table: (R, 3) int32, column, top and bottom of each run, in the order of `Runs`; starts: (N + 1,) int64, first row
    of each mask in the table, then R

    Raises ValueError if the two do not fit. Writable arrays are copied.
    """

    size: tuple[int, int]
    table: npt.NDArray[np.int32]
    starts: Int

    def __post_init__(self) -> None:
        ordered = len(self.starts) > 0 and self.starts[0] == 0 and (np.diff(self.starts) >= 0).all()
        if self.table.shape != (self.starts[-1] if ordered else -1, 3):
            raise ValueError(f"a table of runs {self.table.shape} does not fit {len(self.starts) - 1} masks")
        height, width = self.size
        columns, tops, bottoms = self.table.T
        if ((columns < 0) | (columns >= width) | (tops < 0) | (bottoms <= tops) | (bottoms > height)).any():
            raise ValueError(f"runs must lie on the photo of {width} x {height} pixels")
        fix(self, "table", "starts")

    def __reduce__(self) -> tuple[Any, ...]:
        return by_fields(self)

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def pitch(self) -> float:
        """Width of an edge in photo pixels."""
        return 1.0

    @cached_property
    def windows(self) -> Int:
        """(N, 4) xyxy bounds of each mask in whole photo pixels; all 0 for an empty mask."""
        return np.array([runs.bounds for runs in self.runs_of(np.arange(len(self)))], np.int64).reshape(-1, 4)

    def take(self, indices: Int) -> "Given":
        """The masks at `indices`, in that order."""
        return collect(self.runs_of(np.arange(len(self))[indices]), self.size)

    def occupied(self) -> Bool:
        """(N,) whether each mask has any pixel."""
        return np.asarray(np.diff(self.starts) > 0)

    def runs_of(self, indices: Int, above: float = 0.0) -> list[Runs]:
        """The masks at `indices` as runs. above: ignored; it must be between -`GIVEN_LOGIT` and `GIVEN_LOGIT`"""
        tables = (self.table[self.starts[i] : self.starts[i + 1]] for i in indices.tolist())
        return [Runs(*np.ascontiguousarray(table.T, np.int64)) for table in tables]

    def logits(self, i: int) -> tuple[tuple[int, int], Float32]:
        """Logits of mask i in its bounds plus one pixel: the offset (x, y) on the photo, and (h, w) float32.

        The extra pixel shows that the mask itself ends there. An empty mask gives an empty array.
        """
        crop = self.runs_of(np.array([i]))[0].crop()
        if crop.pixels.size == 0:
            return crop.offset, np.zeros((0, 0), np.float32)
        (height, width), (x0, y0, x1, y1) = self.size, crop.bounds
        left, top, right, bottom = (int(v) for v in (x0 > 0, y0 > 0, x1 < width, y1 < height))
        pixels = np.pad(crop.pixels, ((top, bottom), (left, right)))
        return (x0 - left, y0 - top), np.where(pixels, np.float32(GIVEN_LOGIT), np.float32(-GIVEN_LOGIT))

    def logits_at(self, points: npt.NDArray[np.floating]) -> Float32:
        """(N, P) logits at points (P, 2) in photo pixels; minus infinity outside a mask's bounds."""
        columns, rows = np.floor(points).astype(np.int64).T
        x0, y0, x1, y1 = self.windows.T[:, :, None]
        inside = (columns >= x0) & (columns < x1) & (rows >= y0) & (rows < y1)
        starts, ends = self._ordered
        place = np.arange(len(self))[:, None] * (self.size[0] * self.size[1]) + columns * self.size[0] + rows
        run = np.searchsorted(starts, place, side="right") - 1
        covered = (run >= 0) & (place < ends[run]) if len(ends) else np.zeros(inside.shape, bool)
        return np.where(inside, np.where(covered, GIVEN_LOGIT, -GIVEN_LOGIT), -np.inf).astype(np.float32)

    @cached_property
    def _ordered(self) -> tuple[Int, Int]:
        """First and last + 1 pixel of each run, numbered down the columns of one mask after the other."""
        columns, tops, bottoms = self.table.T.astype(np.int64)
        mask = np.repeat(np.arange(len(self)), np.diff(self.starts))
        first = mask * (self.size[0] * self.size[1]) + columns * self.size[0]
        return first + tops, first + bottoms


def collect(masks: Iterable[Runs], size: tuple[int, int]) -> Given:
    """Masks of a photo of `size` (height, width) from their runs."""
    tables = [np.stack((m.columns, m.tops, m.bottoms), 1).astype(np.int32) for m in masks]
    starts = np.cumsum([0, *map(len, tables)], dtype=np.int64)
    return Given(size, np.concatenate(tables) if tables else np.zeros((0, 3), np.int32), starts)


def pack(masks: Iterable[Bool], size: tuple[int, int]) -> Given:
    """Packs bool masks (H, W) one by one. Raises ValueError if a mask does not have the photo's `size`."""

    def checked(number: int, mask: Bool) -> Runs:
        if mask.shape != size:
            raise ValueError(f"mask {number} has {mask.shape[::-1]} pixels but the photo has {size[::-1]}")
        return of_pixels(mask)

    return collect((checked(number, mask) for number, mask in enumerate(masks)), size)
