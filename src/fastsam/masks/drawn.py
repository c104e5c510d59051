"""Third source of masks: logits on a square grid around each mask, as the second network draws them.

Enters: grids of logits and their positions. Leaves: the same answers as `Prototyped`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.masks.runs import Runs, Toggles, crossings, toggles
from fastsam.values import by_fields, fix

Float32 = npt.NDArray[np.float32]
Bool = npt.NDArray[np.bool_]
Int = npt.NDArray[np.int64]
WIDEST = 1 / 32  # maximum width of an edge, as a share of the photo's longer side


@dataclass(frozen=True, eq=False, repr=False)
class Drawn:
    """N masks of a photo of `size` (height, width).

    squares: (N, 3) float64, left, top and side of each grid in photo pixels; cells: (N,) int64, cells along its side
    values: (T,) float32, the logits of all grids, row by row, one grid after the other

    Raises ValueError if these do not fit together. Writable arrays are copied.

    A pixel belongs to a mask if its centre is on the grid and the logit there, interpolated bilinearly between the
    centres of cells, is above 0.
    """

    size: tuple[int, int]
    squares: npt.NDArray[np.float64]
    cells: Int
    values: Float32

    def __post_init__(self) -> None:
        n = len(self.cells)
        if self.squares.shape != (n, 3) or (self.cells < 1).any() or int((self.cells**2).sum()) != len(self.values):
            raise ValueError(f"squares {self.squares.shape}, {n} grids and {len(self.values)} values do not fit")
        if not (np.isfinite(self.squares).all() and (self.squares[:, 2] > 0).all()):
            raise ValueError("the side of a grid must be finite and above 0")
        fix(self, "squares", "cells", "values")

    def __reduce__(self) -> tuple[Any, ...]:
        return by_fields(self)

    def __len__(self) -> int:
        return len(self.cells)

    @property
    def pitch(self) -> float:
        """Photo pixels per cell, the median of all masks: the width of the sharpest edge that the grids can show."""
        if len(self) == 0:
            return 1.0
        return max(1.0, min(float(np.median(self.squares[:, 2] / self.cells)), WIDEST * max(self.size)))

    @cached_property
    def starts(self) -> Int:
        """(N,) index of each grid's first value."""
        return np.cumsum(self.cells**2) - self.cells**2

    @cached_property
    def windows(self) -> Int:
        """(N, 4) the pixels whose centres are on the grids and the photo: x0 <= column < x1, y0 <= row < y1."""
        height, width = self.size
        low = np.maximum(np.ceil(self.squares[:, :2] - 0.5), 0)
        high = np.minimum(np.ceil(self.squares[:, :2] + self.squares[:, 2:] - 0.5), [width, height])
        return np.concatenate((low, np.maximum(high, low)), 1).astype(np.int64)

    def grid(self, i: int) -> Float32:
        """The logits (G, G) of mask i."""
        start, side = int(self.starts[i]), int(self.cells[i])
        return self.values[start : start + side * side].reshape(side, side)

    def take(self, indices: Int) -> "Drawn":
        """The masks at `indices`, in that order."""
        chosen = np.arange(len(self))[indices]
        grids = [self.grid(int(i)) for i in chosen]
        return collect(grids, self.squares[chosen], self.size)

    def occupied(self) -> Bool:
        """(N,) whether each mask has any pixel."""
        return np.array([len(runs.columns) > 0 for runs in self.runs_of(np.arange(len(self)))], bool)

    def runs_of(self, indices: Int, above: float = 0.0) -> list[Runs]:
        """The masks at `indices` as runs: the pixels whose logits exceed `above`."""
        found = [t for k, i in enumerate(indices.tolist()) if (t := self._toggles(i, k, above)) is not None]
        own = indices[np.array([t.mask for t in found], np.int64)]
        scale = self.cells[own] / self.squares[own, 2]
        return crossings(found, scale, -self.squares[own, 1] * scale - 0.5, len(indices))

    def _toggles(self, i: int, mask: int, above: float) -> Toggles | None:
        """Where the columns of mask i change, numbered `mask`; None if it has no pixels."""
        grid = self.grid(i) - np.float32(above)
        rows = np.flatnonzero((grid > 0).any(1))
        x0, y0, x1, y1 = self.windows[i].tolist()
        if len(rows) == 0 or x0 >= x1 or y0 >= y1:
            return None
        left, _, side = self.squares[i].tolist()
        n = int(self.cells[i])
        low, high = max(0, int(rows[0]) - 1), min(n, int(rows[-1]) + 2)
        places = np.clip((np.arange(x0, x1) + 0.5 - left) * (n / side) - 0.5, 0, n - 1)
        first = np.minimum(places.astype(np.int64), max(0, n - 2))
        share = (places - first).astype(np.float32)[:, None]
        upright = np.ascontiguousarray(grid[low:high].T)
        columns = upright[first] * (1 - share) + upright[np.minimum(first + 1, n - 1)] * share
        return toggles(columns, mask, (x0, low), (y0, y1))

    def logits(self, i: int) -> tuple[tuple[int, int], Float32]:
        """Logits of mask i on its window: the offset (x, y) on the photo, and (h, w) float32, possibly empty."""
        x0, y0, x1, y1 = (int(v) for v in self.windows[i])
        if x0 >= x1 or y0 >= y1:
            return (x0, y0), np.zeros((0, 0), np.float32)
        (left, top, side), n = self.squares[i], int(self.cells[i])
        scale = n / side
        matrix = np.array(
            [[scale, 0, (x0 + 0.5 - left) * scale - 0.5], [0, scale, (y0 + 0.5 - top) * scale - 0.5]], np.float64
        )
        logits: Float32 = cv2.warpAffine(
            self.grid(i),
            matrix,
            (x1 - x0, y1 - y0),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return (x0, y0), logits

    def logits_at(self, points: npt.NDArray[np.floating]) -> Float32:
        """(N, P) logits at points (P, 2) in photo pixels; minus infinity outside a mask's window.

        Each point stands for the pixel that contains it.
        """
        pixels = np.floor(points) + 0.5
        x, y = pixels[:, 0], pixels[:, 1]
        left, top, side = (column[:, None] for column in self.squares.T)
        n = self.cells[:, None]
        at_x, at_y = (np.clip((v - edge) * n / side - 0.5, 0, n - 1) for v, edge in ((x, left), (y, top)))
        c0, r0 = at_x.astype(np.int64), at_y.astype(np.int64)
        fx, fy = at_x - c0, at_y - r0
        c1, r1 = np.minimum(c0 + 1, n - 1), np.minimum(r0 + 1, n - 1)
        start = self.starts[:, None]

        def value(rows: Int, columns: Int) -> Float32:
            found: Float32 = self.values[start + rows * n + columns]
            return found

        above = value(r0, c0) * (1 - fx) + value(r0, c1) * fx
        below = value(r1, c0) * (1 - fx) + value(r1, c1) * fx
        x0, y0, x1, y1 = self.windows.T[:, :, None]
        inside = (x >= x0) & (x < x1) & (y >= y0) & (y < y1)
        return np.where(inside, above * (1 - fy) + below * fy, -np.inf).astype(np.float32)


def collect(grids: Sequence[Float32], squares: npt.NDArray[np.float64], size: tuple[int, int]) -> Drawn:
    """Masks of a photo of `size` (height, width) from their grids (G, G) and squares (N, 3)."""
    return Drawn(
        size,
        np.array(squares, np.float64).reshape(-1, 3),
        np.array([len(grid) for grid in grids], np.int64),
        np.concatenate([grid.reshape(-1) for grid in grids]).astype(np.float32) if grids else np.zeros(0, np.float32),
    )
