"""Masks of one photo, each decoded when it is read.

Enters: boxes and a source of logits (`Prototyped` from the network, `Drawn` from the second one, `Given` from pixels).
Leaves: crops, areas, RLE, polygons, a label map. Only `stack` makes an array of N x H x W.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from fastsam.boxes import lengths
from fastsam.image.letterbox import Letterbox
from fastsam.masks import rle
from fastsam.masks.drawn import Drawn
from fastsam.masks.given import Given
from fastsam.masks.polygons import Polygon, polygons
from fastsam.masks.prototyped import Prototyped
from fastsam.masks.runs import Crop, Runs
from fastsam.masks.simplified import simplified
from fastsam.values import by_fields, fix, is_integer, position, positions

Float32 = npt.NDArray[np.float32]
Bool = npt.NDArray[np.bool_]
TOGETHER = 32  # number of masks decoded at once


def widen(boxes: Float32, margin: float, photo: tuple[int, int]) -> Float32:
    """Boxes (N, 4) xyxy with each side moved outwards by a share of the box's length in that direction.

    The share is `margin` for a box as large as the photo (height, width), and shrinks with the square root of the box's
    area. The sides of larger boxes are less certain, and a neighbour that leaks into them matters less.
    """
    sides = lengths(boxes)
    shares = margin * np.sqrt(sides.prod(1, keepdims=True) / (photo[0] * photo[1]))
    sides = (sides * shares).astype(np.float32)
    return np.concatenate((boxes[:, :2] - sides, boxes[:, 2:] + sides), 1)


def probability(logits: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.floating[Any]]:
    """The probability 0..1 of a logit. Logits are clipped to -50..50."""
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -50, 50))))


@dataclass(frozen=True, eq=False, repr=False)
class Masks:
    """N masks of a photo, each decoded when it is read. `masks[i]` is bool (H, W).

    Parameters
    ----------
    boxes : float32 array (N, 4)
        xyxy in photo pixels. A writable array is copied.
    source : Prototyped, Given or Drawn
        Where the logits come from.

    Raises
    ------
    ValueError
        If the lengths of the two differ.
    """

    boxes: Float32
    source: Prototyped | Given | Drawn

    def __post_init__(self) -> None:
        if self.boxes.shape != (len(self.source), 4):
            raise ValueError(f"boxes {self.boxes.shape} do not fit {len(self.source)} masks")
        fix(self, "boxes")

    def __len__(self) -> int:
        return len(self.boxes)

    @overload
    def __getitem__(self, i: int) -> Bool: ...

    @overload
    def __getitem__(self, i: slice | Sequence[int] | npt.NDArray[Any]) -> "Masks": ...

    def __getitem__(self, i: Any) -> "Bool | Masks":
        """Returns mask i as bool (H, W) for an integer; `Masks` for a slice, one bool per mask, or a list of integers.

        Raises IndexError for an index out of range, UsageError for anything else.
        """
        if not is_integer(i):
            return self.take(positions(i, len(self), "mask"))
        mask = np.zeros(self.size, bool)
        self.crop(position(i, len(self), "mask")).paint(mask, True)
        return mask

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        """All masks as one array (N, H, W), as from `stack`."""
        return np.asarray(self.stack(), dtype)

    def __repr__(self) -> str:
        return f"Masks({len(self)} of a photo of {self.size[1]} x {self.size[0]} pixels)"

    def __reduce__(self) -> tuple[Any, ...]:
        return by_fields(self)

    def __iter__(self) -> Iterator[Bool]:
        return (self[i] for i in range(len(self)))

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the photo."""
        return self.source.size

    @cached_property
    def areas(self) -> npt.NDArray[np.int64]:
        """(N,) int64 number of pixels per mask."""
        return np.array([runs.area for runs in self.all_runs()], np.int64)

    def take(self, indices: npt.NDArray[np.int64]) -> "Masks":
        """The masks at `indices`, in that order."""
        return Masks(self.boxes[indices], self.source.take(indices))

    def occupied(self) -> Bool:
        """(N,) whether each mask has any pixel."""
        return self.source.occupied()

    def runs(self, i: int, above: float = 0.0) -> Runs:
        """Mask i as runs: the pixels whose logits exceed `above`. Raises IndexError for an index out of range."""
        return self.source.runs_of(positions([i], len(self), "mask"), above)[0]

    def all_runs(self, above: float = 0.0) -> Iterator[Runs]:
        """Every mask as runs. They are decoded in groups, which is several times faster than one by one."""
        for some in self._together():
            yield from self.source.runs_of(some, above)

    def crop(self, i: int) -> Crop:
        """The pixels of mask i within their bounds."""
        return self.runs(i).crop()

    def stack(self) -> Bool:
        """All masks as one bool array (N, H, W). It can be large."""
        masks = np.zeros((len(self), *self.size), bool)
        for i, mask in enumerate(masks):
            self.crop(i).paint(mask, True)
        return masks

    def logits(self, i: int) -> tuple[tuple[int, int], Float32]:
        """Logits of mask i inside its window: the offset (x, y) on the photo, and (h, w) float32, possibly empty."""
        return self.source.logits(i)

    def logits_at(self, points: npt.NDArray[np.floating]) -> Float32:
        """(N, P) logits at points (P, 2) in photo pixels; minus infinity outside a mask's window."""
        return self.source.logits_at(points)

    def to_rle(self) -> list[rle.RLE]:
        """COCO RLE of each mask."""
        return [r for some in self._together() for r in rle.encode_runs(self.source.runs_of(some), self.size)]

    def _together(self) -> Iterator[npt.NDArray[np.int64]]:
        """Groups of indices to decode together."""
        return (np.arange(k, min(k + TOGETHER, len(self))) for k in range(0, len(self), TOGETHER))

    def to_polygons(self, i: int, tolerance: float = 0.0) -> list[Polygon]:
        """Outlines of mask i in photo pixels, each with its holes."""
        crop = self.crop(i)
        return simplified(polygons(crop.pixels, crop.offset), tolerance)

    def label_map(self, on_top: Bool | None = None) -> npt.NDArray[np.int32]:
        """(H, W) int32: i + 1 for mask i, 0 for no mask. Small masks lie on top of large ones.

        on_top: (N,) which masks lie on top of all others
        """
        above = np.zeros(len(self), bool) if on_top is None else on_top
        labels = np.zeros(self.size, np.int32)
        for i in np.lexsort((-self.areas, above)).tolist():
            self.crop(i).paint(labels, i + 1)
        return labels


def from_network(
    coefficients: Float32, prototypes: Float32, boxes: Float32, letterbox: Letterbox, windows: Float32
) -> Masks:
    """Masks from the output of the network; see `Prototyped` for the arguments."""
    return Masks(boxes, Prototyped(coefficients, prototypes, letterbox, windows))


def from_pixels(given: Given) -> Masks:
    """Masks from given pixels, with the boxes of these pixels."""
    return Masks(given.windows.astype(np.float32), given)


def from_grids(drawn: Drawn) -> Masks:
    """Masks that the second network drew, with the boxes of their pixels."""
    bounds = [runs.bounds for runs in drawn.runs_of(np.arange(len(drawn)))]
    return Masks(np.array(bounds, np.float32).reshape(-1, 4), drawn)
