"""First source of masks: coefficients and prototypes, as the network gives them.

Enters: coefficients, prototypes, windows and a letterbox. Leaves: logits, of one mask inside its window or of all masks
at a few points.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.image.letterbox import Letterbox
from fastsam.masks.runs import Runs, Toggles, crossings, toggles
from fastsam.values import by_fields, fix

Float32 = npt.NDArray[np.float32]
Bool = npt.NDArray[np.bool_]
SHARES = np.array([0.25, 0.5, 0.75])  # places along a window's sides where masks are sampled first
CERTAIN = 1e-3  # a logit above this stays above 0 however its sum is rounded


@dataclass(frozen=True, eq=False, repr=False)
class Prototyped:
    """N masks as coefficients and prototypes.

    coefficients: (N, K) float32; prototypes: (K, h, w) float32 over the input; letterbox: where the photo is in it
    windows: (N, 4) float32 xyxy in photo pixels; a mask has no pixels outside its window

    Raises ValueError if the shapes do not fit. Writable arrays are copied.

    A pixel belongs to a mask if its centre is in the mask's window and the logit there, interpolated bilinearly
    between the centres of prototype cells, is above 0 (a probability above 0.5).
    """

    coefficients: Float32
    prototypes: Float32
    letterbox: Letterbox
    windows: Float32

    def __post_init__(self) -> None:
        shape, cells = self.coefficients.shape, self.prototypes.shape
        if self.windows.shape != (shape[0], 4) or len(cells) != 3 or shape[1] != cells[0]:
            raise ValueError(f"coefficients {shape}, prototypes {cells} and windows {self.windows.shape} do not fit")
        fix(self, "coefficients", "prototypes", "windows")

    def __reduce__(self) -> tuple[Any, ...]:
        return by_fields(self)

    def __len__(self) -> int:
        return len(self.coefficients)

    @property
    def cell(self) -> int:
        """Input pixels per prototype cell: 4 as the network gives them."""
        return self.letterbox.input[0] // int(self.prototypes.shape[1])

    @property
    def pitch(self) -> float:
        """Photo pixels per prototype cell: the width of the sharpest edge that the prototypes can show."""
        return max(1.0, self.cell / max(self.letterbox.scale))

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the photo."""
        return self.letterbox.photo

    def take(self, indices: npt.NDArray[np.int64]) -> "Prototyped":
        """The masks at `indices`, in that order. They share the prototypes."""
        return Prototyped(self.coefficients[indices], self.prototypes, self.letterbox, self.windows[indices])

    def occupied(self) -> Bool:
        """(N,) whether each mask has any pixel.

        For most masks one of nine pixels or the peak shows it; only the others are decoded. A mask without a cell
        above 0 has no pixels, because bilinear interpolation never exceeds the largest cell.
        """
        windows = self._pixels
        spans = windows[:, 2:] - windows[:, :2]
        is_open = np.asarray((spans > 0).all(1))
        across, down = (windows[:, k, None] + (spans[:, k, None] * SHARES).astype(np.int64) for k in (0, 1))
        found = is_open & self._holds(np.tile(across, (1, 3)), np.repeat(down, 3, 1)).any(1)
        doubtful = np.flatnonzero(is_open & ~found)
        peaks = [self._peak(int(i), windows[i]) for i in doubtful]
        doubtful, places = doubtful[[p is not None for p in peaks]], np.array([p for p in peaks if p is not None])
        if len(doubtful):
            found[doubtful] = self.take(doubtful)._holds(places[:, :1], places[:, 1:])[:, 0]
            left = doubtful[~found[doubtful]]
            found[left] = [len(runs.columns) > 0 for i in left for runs in self.runs_of(np.array([i]))]
        return found

    def _peak(self, i: int, window: npt.NDArray[np.int64]) -> tuple[int, int] | None:
        """The pixel of a window (4,) next to the largest cell of mask i; None if no cell is above 0."""
        c0, r0, c1, r1 = self._cells_of(window[None])[0].tolist()
        cells = self._cells(i, c0, r0, c1, r1)
        if cells.max(initial=0) <= 0:
            return None
        row, column = np.unravel_index(int(cells.argmax()), cells.shape)
        (ax, ay), (px, py) = self.letterbox.scale, self.letterbox.pad
        x, y = ((c0 + column + 0.5) * self.cell - px) / ax, ((r0 + row + 0.5) * self.cell - py) / ay
        return int(np.clip(x, window[0], window[2] - 1)), int(np.clip(y, window[1], window[3] - 1))

    def _holds(self, columns: npt.NDArray[np.int64], rows: npt.NDArray[np.int64]) -> Bool:
        """(N, P) whether the logits of each mask at its own P pixels are above `CERTAIN`. columns, rows: (N, P)"""
        height, width = self.size
        values = self._read(np.clip(columns, 0, width - 1) + 0.5, np.clip(rows, 0, height - 1) + 0.5)
        return np.asarray(np.einsum("nc,cnk->nk", self.coefficients, values, optimize=False) > CERTAIN)

    def logits(self, i: int) -> tuple[tuple[int, int], Float32]:
        """Logits of mask i inside its window: the offset (x, y) on the photo, and (h, w) float32, possibly empty."""
        x0, y0, x1, y1 = (int(v) for v in self._pixels[i])
        if x0 >= x1 or y0 >= y1:
            return (x0, y0), np.zeros((0, 0), np.float32)
        return (x0, y0), self._logits(i, x0, y0, x1, y1)

    def runs_of(self, indices: npt.NDArray[np.int64], above: float = 0.0) -> list[Runs]:
        """The masks at `indices` as runs: the pixels whose logits exceed `above`.

        Only columns are interpolated. Down a column, a run ends where the straight line between the logits of two
        coarse rows crosses `above`. All masks are decoded at once, so pass only a few.
        """
        windows = self._pixels[indices]
        cells = self._cells_of(windows)
        coarse = self.coefficients[indices] @ self._upright  # (w, n, h)
        found: list[Toggles] = []
        for k in range(len(indices)):
            x0, y0, x1, y1 = windows[k]
            if x0 < x1 and y0 < y1:
                _, r0, _, r1 = cells[k]
                left, right, share = (v[x0:x1] for v in self._columns)
                rows = coarse[:, k, r0:r1]
                upright = rows[left]
                upright += (rows[right] - upright) * share[:, None]
                if above:
                    upright -= np.float32(above)
                found.append(toggles(upright, k, (int(x0), int(r0)), (int(y0), int(y1))))
        scale = self.letterbox.scale[1] / self.cell
        return crossings(found, scale, self.letterbox.pad[1] / self.cell - 0.5, len(indices))

    def logits_at(self, points: npt.NDArray[np.floating]) -> Float32:
        """(N, P) logits at points (P, 2) in photo pixels; minus infinity outside a mask's window.

        Each point stands for the pixel that contains it. This takes microseconds: the prototypes are read at P places.
        """
        pixels = np.floor(points) + 0.5
        logits = self.coefficients @ self._read(pixels[:, 0], pixels[:, 1])
        return np.where(self._within(pixels), logits, -np.inf).astype(np.float32)

    def _read(self, x: npt.NDArray[np.floating], y: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
        """(K, ...) the prototypes at x, y in photo pixels, interpolated bilinearly."""
        p = self.prototypes
        c0, fc = _neighbours(self._to_cells(x, 0), p.shape[2])
        r0, fr = _neighbours(self._to_cells(y, 1), p.shape[1])
        c1, r1 = np.minimum(c0 + 1, p.shape[2] - 1), np.minimum(r0 + 1, p.shape[1] - 1)
        above = p[:, r0, c0] * (1 - fc) + p[:, r0, c1] * fc
        below = p[:, r1, c0] * (1 - fc) + p[:, r1, c1] * fc
        return np.asarray(above * (1 - fr) + below * fr)

    def _within(self, points: npt.NDArray[np.floating]) -> Bool:
        """(N, P) whether points (P, 2) are in the masks' windows."""
        x, y = points[:, 0], points[:, 1]
        b = self.windows[:, :, None]
        return np.asarray((x >= b[:, 0]) & (x < b[:, 2]) & (y >= b[:, 1]) & (y < b[:, 3]))

    @cached_property
    def _pixels(self) -> npt.NDArray[np.int64]:
        """(N, 4) the pixels whose centres are in the windows: x0 <= column < x1, y0 <= row < y1."""
        height, width = self.size
        pixels = np.ceil(self.windows - 0.5).astype(np.int64)
        return np.concatenate((np.maximum(pixels[:, :2], 0), np.minimum(pixels[:, 2:], [width, height])), 1)

    @cached_property
    def _columns(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Float32]:
        """Per pixel column of the photo: the cells left and right of its centre, and the weight of the right one."""
        cells = self.prototypes.shape[2]
        left, share = _neighbours(self._to_cells(np.arange(self.size[1]) + 0.5, 0), cells)
        return left, np.minimum(left + 1, cells - 1), share

    @cached_property
    def _upright(self) -> Float32:
        """(w, K, h) the prototypes, column by column.

        A product with them consists of many small products, which the library computes on one thread. With several
        threads each, the workers of a stream would wait for each other.
        """
        return np.ascontiguousarray(self.prototypes.transpose(2, 0, 1))

    def _to_cells(self, positions: npt.NDArray[np.floating], axis: int) -> npt.NDArray[np.floating]:
        """Turns photo pixels into prototype cells; the centre of cell k is k."""
        scale, pad = self.letterbox.scale[axis], self.letterbox.pad[axis]
        first, last = self._content(axis)
        return np.clip((positions * scale + pad) / self.cell - 0.5, first, last - 1)

    def _content(self, axis: int) -> tuple[int, int]:
        """First and last + 1 cell whose centre is on the photo. Cells on padding never enter the interpolation."""
        pad, length = self.letterbox.pad[axis], self.letterbox.content[axis]
        first = -(-(2 * pad - self.cell) // (2 * self.cell))
        last = -(-(2 * (pad + length) - self.cell) // (2 * self.cell))
        return first, max(first + 1, last)

    def _cells_of(self, pixels: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Cells (n, 4) that interpolation on photo pixels (n, 4) reads: first and last + 1 column and row."""
        (left, right), (top, bottom) = self._content(0), self._content(1)
        across, down = (self._to_cells(pixels[:, k::2] + [0.5, -0.5], k).astype(np.int64) for k in (0, 1))
        first = np.maximum(np.stack((across[:, 0], down[:, 0]), 1), [left, top])
        last = np.minimum(np.stack((across[:, 1], down[:, 1]), 1) + 2, [right, bottom])
        return np.concatenate((first, last), 1)

    def _cells(self, i: int, c0: int, r0: int, c1: int, r1: int) -> Float32:
        """Logits (r1 - r0, c1 - c0) of mask i on cells, before interpolation."""
        coarse: Float32 = np.tensordot(self.coefficients[i], self.prototypes[:, r0:r1, c0:c1], 1)
        return coarse

    def _logits(self, i: int, x0: int, y0: int, x1: int, y1: int) -> Float32:
        """Logits (y1 - y0, x1 - x0) of mask i on pixels of the photo."""
        c0, r0, c1, r1 = self._cells_of(np.array([[x0, y0, x1, y1]]))[0].tolist()
        (ax, ay), (px, py) = self.letterbox.scale, self.letterbox.pad
        to_cell = np.array(
            [
                [ax / self.cell, 0, ((x0 + 0.5) * ax + px) / self.cell - 0.5 - c0],
                [0, ay / self.cell, ((y0 + 0.5) * ay + py) / self.cell - 0.5 - r0],
            ]
        )
        logits: Float32 = cv2.warpAffine(
            self._cells(i, c0, r0, c1, r1),
            to_cell,
            (x1 - x0, y1 - y0),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return logits


def _neighbours(positions: npt.NDArray[np.floating], n: int) -> tuple[npt.NDArray[np.int64], Float32]:
    low = np.minimum(np.floor(positions).astype(np.int64), n - 1)
    return low, (positions - low).astype(np.float32)
