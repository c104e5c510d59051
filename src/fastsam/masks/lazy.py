"""Masks of one photo, decoded one by one when they are asked for.

Enters: boxes and a source of logits (`Prototyped` from a network, `Drawn` from the second one, `Given` from anywhere).
Leaves: crops, areas, RLE, polygons, a label map: no array of the size N x H x W exists.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from fastsam.image.letterbox import Letterbox
from fastsam.masks import rle
from fastsam.masks.drawn import Drawn
from fastsam.masks.given import Given
from fastsam.masks.polygons import Polygon, polygons
from fastsam.masks.prototyped import Prototyped
from fastsam.masks.runs import Crop, Runs
from fastsam.masks.simplified import simplified
from fastsam.values import by_fields, fix, is_integer, position, positions

Float = npt.NDArray[np.float32]
Bool = npt.NDArray[np.bool_]
TOGETHER = 32  # masks that are decoded at once


def widen(boxes: Float, margin: float, photo: tuple[int, int]) -> Float:
    """Boxes (N, 4) xyxy, each side moved out by a share of the box's length along it.

    The share is `margin` for a box of the size of the photo (height, width) and falls with the root of the box's area:
    the larger a box, the less certain its sides, and the less a neighbour matters that leaks in.
    """
    lengths = boxes[:, 2:] - boxes[:, :2]
    shares = margin * np.sqrt(lengths.prod(1, keepdims=True) / (photo[0] * photo[1]))
    sides = (lengths * shares).astype(np.float32)
    return np.concatenate((boxes[:, :2] - sides, boxes[:, 2:] + sides), 1)


def probability(logits: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.floating[Any]]:
    """The chance 0..1 that a logit means; logits beyond 50 are as sure as 50."""
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -50, 50))))


@dataclass(frozen=True, eq=False, repr=False)
class Masks:
    """N masks of a photo.

    boxes: (N, 4) float32 xyxy in photo pixels; source: where their logits come from

    Raises ValueError if the two do not fit. Boxes that can be written to are copied.
    """

    boxes: Float
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
        """Mask i as bool (H, W) of the photo; masks by a slice, a bool for each of them, or a list of numbers.

        Raises IndexError for a number that does not exist, UsageError for anything else.
        """
        if not is_integer(i):
            return self.take(positions(i, len(self), "mask"))
        mask = np.zeros(self.size, bool)
        self.crop(position(i, len(self), "mask")).paint(mask, True)
        return mask

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        """All masks as (N, H, W), as `stack` gives them."""
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
        """(N,) pixels of each mask."""
        return np.array([runs.area for runs in self.all_runs()], np.int64)

    def take(self, indices: npt.NDArray[np.int64]) -> "Masks":
        """The masks at `indices`, in that order."""
        return Masks(self.boxes[indices], self.source.take(indices))

    def occupied(self) -> Bool:
        """(N,) whether a mask has any pixel."""
        return self.source.occupied()

    def runs(self, i: int, above: float = 0.0) -> Runs:
        """Mask i as runs: where its logits are above `above`. Raises IndexError."""
        return self.source.runs_of(positions([i], len(self), "mask"), above)[0]

    def all_runs(self, above: float = 0.0) -> Iterator[Runs]:
        """Every mask as runs, some decoded together: several times faster than one by one."""
        for some in self._together():
            yield from self.source.runs_of(some, above)

    def crop(self, i: int) -> Crop:
        """The pixels of mask i, within their bounds."""
        return self.runs(i).crop()

    def stack(self) -> Bool:
        """All masks as bool (N, H, W), for those who need them so: the one array of that size."""
        masks = np.zeros((len(self), *self.size), bool)
        for i, mask in enumerate(masks):
            self.crop(i).paint(mask, True)
        return masks

    def logits(self, i: int) -> tuple[tuple[int, int], Float]:
        """Logits of mask i inside its window: their offset (x, y) on the photo, and (h, w) float32, maybe empty."""
        return self.source.logits(i)

    def logits_at(self, points: npt.NDArray[np.floating]) -> Float:
        """(N, P) logits at points (P, 2) in photo pixels; minus infinity outside a mask's window."""
        return self.source.logits_at(points)

    def to_rle(self) -> list[rle.RLE]:
        """COCO RLE of every mask."""
        return [r for some in self._together() for r in rle.encode_runs(self.source.runs_of(some), self.size)]

    def _together(self) -> Iterator[npt.NDArray[np.int64]]:
        """Indices of masks that are decoded together."""
        return (np.arange(k, min(k + TOGETHER, len(self))) for k in range(0, len(self), TOGETHER))

    def to_polygons(self, i: int, tolerance: float = 0.0) -> list[Polygon]:
        """Outlines of mask i in photo pixels, each with its holes."""
        crop = self.crop(i)
        return simplified(polygons(crop.pixels, crop.offset), tolerance)

    def label_map(self) -> npt.NDArray[np.int32]:
        """(H, W) int32: 0 where no mask is, i + 1 where mask i is; small masks lie on large ones."""
        labels = np.zeros(self.size, np.int32)
        for i in np.argsort(-self.areas, kind="stable"):
            self.crop(int(i)).paint(labels, i + 1)
        return labels


def from_network(coefficients: Float, prototypes: Float, boxes: Float, letterbox: Letterbox, windows: Float) -> Masks:
    """Masks of what left the network; see `Prototyped` for the arguments."""
    return Masks(boxes, Prototyped(coefficients, prototypes, letterbox, windows))


def from_pixels(given: Given) -> Masks:
    """Masks that were given; their boxes are those of their pixels."""
    return Masks(given.windows.astype(np.float32), given)


def from_grids(drawn: Drawn) -> Masks:
    """Masks that the second network drew; their boxes are those of their pixels."""
    bounds = [runs.bounds for runs in drawn.runs_of(np.arange(len(drawn)))]
    return Masks(np.array(bounds, np.float32).reshape(-1, 4), drawn)
