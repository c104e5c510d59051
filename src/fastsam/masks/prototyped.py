"""Where masks come from, first kind: coefficients and prototypes, as they leave the network.

Enters: coefficients, prototypes, windows and a letterbox. Leaves: logits, of one mask inside its window or of all masks
at a few points. Held by `Masks`.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.image.letterbox import Letterbox
from fastsam.masks.runs import Runs, crossings, joined

Float = npt.NDArray[np.float32]
Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Prototyped:
    """N masks as coefficients and prototypes.

    coefficients: (N, 32) float32; prototypes: (32, h, w) float32 over the input; letterbox: where the photo lay in it
    windows: (N, 4) float32 xyxy in photo pixels, beyond which a mask has no pixels

    Raises ValueError where the shapes do not fit. The arrays become read-only.

    A pixel belongs to a mask when its centre lies in the mask's window and the logit there, interpolated bilinearly
    between the centres of prototype cells, is above 0 (probability above one half).
    """

    coefficients: Float
    prototypes: Float
    letterbox: Letterbox
    windows: Float

    def __post_init__(self) -> None:
        shape, cells = self.coefficients.shape, self.prototypes.shape
        if self.windows.shape != (shape[0], 4) or len(cells) != 3 or shape[1] != cells[0]:
            raise ValueError(f"coefficients {shape}, prototypes {cells} and windows {self.windows.shape} do not fit")
        for array in (self.coefficients, self.prototypes, self.windows):
            array.flags.writeable = False

    def __len__(self) -> int:
        return len(self.coefficients)

    @property
    def cell(self) -> int:
        """Input pixels a cell of the prototypes: 4 as they leave the network."""
        return self.letterbox.input[0] // int(self.prototypes.shape[1])

    @property
    def pitch(self) -> float:
        """Photo pixels a cell of the prototypes: the width of an edge that is as sharp as they can tell."""
        return max(1.0, self.cell / max(self.letterbox.scale))

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the photo."""
        return self.letterbox.photo

    def take(self, indices: npt.NDArray[np.int64]) -> "Prototyped":
        """The masks at `indices`, in that order; prototypes are shared."""
        return Prototyped(self.coefficients[indices], self.prototypes, self.letterbox, self.windows[indices])

    def occupied(self) -> Bool:
        """(N,) whether a mask can have any pixel: bilinear interpolation never exceeds the largest cell."""
        windows = [self._pixels_of(i) for i in range(len(self))]
        cells = [self._cells_of(*w) if w[0] < w[2] and w[1] < w[3] else (0, 0, 0, 0) for w in windows]
        found = self._sampled(np.array(cells, np.int64).reshape(-1, 4))
        for i in np.flatnonzero(~found):
            c0, r0, c1, r1 = cells[i]
            found[i] = c0 < c1 and r0 < r1 and self._cells(int(i), c0, r0, c1, r1).max() > 0
        return found

    def _sampled(self, cells: npt.NDArray[np.int64]) -> Bool:
        """(N,) whether one of nine cells, spread over each range of `cells` (N, 4), is above 0: most masks show there.

        An empty range's nine are False.
        """
        shares = np.array([0.25, 0.5, 0.75])
        spans = cells[:, 2:] - cells[:, :2]
        across, down = (cells[:, k, None] + (spans[:, k, None] * shares).astype(np.int64) for k in (0, 1))
        values = self.prototypes[:, np.repeat(down, 3, 1), np.tile(across, (1, 3))]
        positive = np.einsum("nc,cnk->nk", self.coefficients, values, optimize=False) > 0
        return np.asarray(positive.any(1) & (spans > 0).all(1))

    def logits(self, i: int) -> tuple[tuple[int, int], Float]:
        """Logits of mask i inside its window: their offset (x, y) on the photo, and (h, w) float32, maybe empty."""
        x0, y0, x1, y1 = self._pixels_of(i)
        if x0 >= x1 or y0 >= y1:
            return (x0, y0), np.zeros((0, 0), np.float32)
        return (x0, y0), self._logits(i, x0, y0, x1, y1)

    def runs(self, i: int, above: float = 0.0) -> Runs:
        """Mask i as runs: where its logits are above `above`.

        Only the columns are interpolated: down a column, between two coarse rows, a run ends where the straight line
        between their logits does.
        """
        x0, y0, x1, y1 = self._pixels_of(i)
        if x0 >= x1 or y0 >= y1:
            return joined(*np.zeros((3, 0), np.int64))
        c0, r0, c1, r1 = self._cells_of(x0, y0, x1, y1)
        coarse = np.ascontiguousarray(self._cells(i, c0, r0, c1, r1).T)
        left, share = _neighbours(self._to_cells(np.arange(x0, x1) + 0.5, 0) - c0, c1 - c0)
        upright = coarse[left]
        upright += (coarse[np.minimum(left + 1, c1 - c0 - 1)] - upright) * share[:, None]
        if above:
            upright -= np.float32(above)
        scale = self.letterbox.scale[1] / self.cell
        columns, tops, bottoms = crossings(upright, scale, self.letterbox.pad[1] / self.cell - 0.5 - r0, (y0, y1))
        return joined(columns + x0, tops, bottoms)

    def logits_at(self, points: npt.NDArray[np.floating]) -> Float:
        """(N, P) logits at points (P, 2) in photo pixels; minus infinity outside a mask's window.

        Each point stands for the pixel it lies in. Costs a few microseconds: 32 prototypes are read at P places.
        """
        pixels = np.floor(points) + 0.5
        columns, rows = self._to_cells(pixels[:, 0], 0), self._to_cells(pixels[:, 1], 1)
        c0, fc = _neighbours(columns, self.prototypes.shape[2])
        r0, fr = _neighbours(rows, self.prototypes.shape[1])
        p = self.prototypes
        c1, r1 = np.minimum(c0 + 1, p.shape[2] - 1), np.minimum(r0 + 1, p.shape[1] - 1)
        above = p[:, r0, c0] * (1 - fc) + p[:, r0, c1] * fc
        below = p[:, r1, c0] * (1 - fc) + p[:, r1, c1] * fc
        logits = self.coefficients @ (above * (1 - fr) + below * fr)
        return np.where(self._within(pixels), logits, -np.inf).astype(np.float32)

    def _within(self, points: npt.NDArray[np.floating]) -> Bool:
        """(N, P) whether points (P, 2) lie in the masks' windows."""
        x, y = points[:, 0], points[:, 1]
        b = self.windows[:, :, None]
        return np.asarray((x >= b[:, 0]) & (x < b[:, 2]) & (y >= b[:, 1]) & (y < b[:, 3]))

    def _pixels_of(self, i: int) -> tuple[int, int, int, int]:
        """Pixels whose centres lie in window i: x0 <= column < x1, y0 <= row < y1."""
        height, width = self.size
        x0, y0, x1, y1 = np.ceil(self.windows[i] - 0.5).astype(int)
        return max(0, x0), max(0, y0), min(width, x1), min(height, y1)

    def _to_cells(self, positions: npt.NDArray[np.floating], axis: int) -> npt.NDArray[np.floating]:
        """Positions on the photo, in cells of the prototypes, where cell k's centre is k."""
        scale, pad = self.letterbox.scale[axis], self.letterbox.pad[axis]
        first, last = self._content(axis)
        return np.clip((positions * scale + pad) / self.cell - 0.5, first, last - 1)

    def _content(self, axis: int) -> tuple[int, int]:
        """First and last + 1 cell whose centre lies on the photo: cells on padding are never mixed in."""
        pad, length = self.letterbox.pad[axis], self.letterbox.content[axis]
        first = -(-(2 * pad - self.cell) // (2 * self.cell))
        last = -(-(2 * (pad + length) - self.cell) // (2 * self.cell))
        return first, max(first + 1, last)

    def _cells_of(self, x0: int, y0: int, x1: int, y1: int) -> tuple[int, int, int, int]:
        """Cells (first and last + 1 column, row) that interpolation on those pixels of the photo reads."""
        (left, right), (top, bottom) = self._content(0), self._content(1)
        c0, c1 = self._to_cells(np.array([x0 + 0.5, x1 - 0.5]), 0)
        r0, r1 = self._to_cells(np.array([y0 + 0.5, y1 - 0.5]), 1)
        return max(int(c0), left), max(int(r0), top), min(int(c1) + 2, right), min(int(r1) + 2, bottom)

    def _cells(self, i: int, c0: int, r0: int, c1: int, r1: int) -> Float:
        """Logits of mask i on cells, before interpolation."""
        coarse: Float = np.tensordot(self.coefficients[i], self.prototypes[:, r0:r1, c0:c1], 1)
        return coarse

    def _logits(self, i: int, x0: int, y0: int, x1: int, y1: int) -> Float:
        """Logits (y1 - y0, x1 - x0) of mask i on those pixels of the photo."""
        c0, r0, c1, r1 = self._cells_of(x0, y0, x1, y1)
        (ax, ay), (px, py) = self.letterbox.scale, self.letterbox.pad
        to_cell = np.array(
            [
                [ax / self.cell, 0, ((x0 + 0.5) * ax + px) / self.cell - 0.5 - c0],
                [0, ay / self.cell, ((y0 + 0.5) * ay + py) / self.cell - 0.5 - r0],
            ]
        )
        logits: Float = cv2.warpAffine(
            self._cells(i, c0, r0, c1, r1),
            to_cell,
            (x1 - x0, y1 - y0),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return logits


def _neighbours(positions: npt.NDArray[np.floating], n: int) -> tuple[npt.NDArray[np.int64], Float]:
    low = np.minimum(np.floor(positions).astype(np.int64), n - 1)
    return low, (positions - low).astype(np.float32)
