"""Where masks come from, second kind: pixels that somebody drew or another model found.

Enters: bool masks. Leaves: the same answers as `Prototyped`, with logits of plus or minus `SURE`. Held by `Masks`.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fastsam.masks.runs import Runs, bounds, of_pixels

Float = npt.NDArray[np.float32]
Bool = npt.NDArray[np.bool_]
Int = npt.NDArray[np.int64]
SURE = 20.0  # logit of a pixel that is given: a probability of 1 - 2e-9


@dataclass(frozen=True, eq=False)
class Given:
    """N masks of a photo of `size` (height, width), cut to what they cover and packed eight pixels a byte.

    bits: (B,) uint8, the masks' rows one after the other, each padded to whole bytes; starts: (N,) int64, where each
    begins; windows: (N, 4) int64 xyxy in whole photo pixels. The arrays become read-only.
    """

    size: tuple[int, int]
    bits: npt.NDArray[np.uint8]
    starts: Int
    windows: Int

    def __post_init__(self) -> None:
        strides = -(-(self.windows[:, 2] - self.windows[:, 0]) // 8)
        ends = self.starts + strides * (self.windows[:, 3] - self.windows[:, 1])
        if self.windows.shape != (len(self.starts), 4) or (ends > len(self.bits)).any() or (self.starts < 0).any():
            raise ValueError(f"{len(self.bits)} bytes do not hold {len(self.starts)} masks of {self.windows.shape}")
        for array in (self.bits, self.starts, self.windows):
            array.flags.writeable = False

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def pitch(self) -> float:
        """Photo pixels of an edge's width."""
        return 1.0

    def take(self, indices: Int) -> "Given":
        """The masks at `indices`, in that order; the bits are shared."""
        return Given(self.size, self.bits, self.starts[indices], self.windows[indices])

    def occupied(self) -> Bool:
        """(N,) whether a mask has any pixel."""
        return np.asarray(self.windows[:, 0] < self.windows[:, 2])

    def logits(self, i: int) -> tuple[tuple[int, int], Float]:
        """Logits of mask i in its window and a pixel about it: their offset (x, y) on the photo, and (h, w) float32.

        The pixel about it says that the mask ends there by itself. Empty for a mask without pixels.
        """
        x0, y0, x1, y1 = (int(v) for v in self.windows[i])
        if x0 == x1:
            return (x0, y0), np.zeros((0, 0), np.float32)
        height, width = self.size
        pixels = self._pixels(i)
        left, top, right, bottom = (int(v) for v in (x0 > 0, y0 > 0, x1 < width, y1 < height))
        pixels = np.pad(pixels, ((top, bottom), (left, right)))
        return (x0 - left, y0 - top), np.where(pixels, np.float32(SURE), np.float32(-SURE))

    def runs(self, i: int, above: float = 0.0) -> Runs:
        """Mask i as runs: where its logits are above `above`, which lies between -`SURE` and `SURE`."""
        return of_pixels(self._pixels(i), (int(self.windows[i, 0]), int(self.windows[i, 1])))

    def logits_at(self, points: npt.NDArray[np.floating]) -> Float:
        """(N, P) logits at points (P, 2) in photo pixels; minus infinity outside a mask's window."""
        columns, rows = np.floor(points).astype(np.int64).T
        x0, y0, x1, y1 = self.windows.T[:, :, None]
        inside = (columns >= x0) & (columns < x1) & (rows >= y0) & (rows < y1)
        x, y = np.where(inside, columns - x0, 0), np.where(inside, rows - y0, 0)
        place = self.starts[:, None] + y * -(-(x1 - x0) // 8) + x // 8
        bits = self.bits[np.where(inside, place, 0)] if len(self.bits) else np.zeros(inside.shape, np.uint8)
        covered = (bits >> (7 - x % 8).astype(np.uint8)) & 1
        return np.where(inside, np.where(covered, SURE, -SURE), -np.inf).astype(np.float32)

    def _pixels(self, i: int) -> Bool:
        x0, y0, x1, y1 = (int(v) for v in self.windows[i])
        stride = -(-(x1 - x0) // 8)
        packed = self.bits[self.starts[i] : self.starts[i] + stride * (y1 - y0)].reshape(y1 - y0, stride)
        return np.unpackbits(packed, axis=1, count=x1 - x0).view(bool)


def pack(masks: Iterable[Bool], size: tuple[int, int]) -> Given:
    """Packs bool masks (H, W), one by one. Raises ValueError where a mask is not of the photo's `size`."""
    windows, starts, rows, position = [], [], [], 0
    for number, mask in enumerate(masks):
        if mask.shape != size:
            raise ValueError(f"mask {number} is of {mask.shape[::-1]} pixels, the photo of {size[::-1]}")
        window = bounds(mask)
        packed = np.packbits(mask[window[1] : window[3], window[0] : window[2]], axis=1).reshape(-1)
        windows.append(window)
        starts.append(position)
        rows.append(packed)
        position += len(packed)
    bits = np.concatenate(rows) if rows else np.zeros(0, np.uint8)
    return Given(size, bits, np.array(starts, np.int64), np.array(windows, np.int64).reshape(-1, 4))
