"""Ultralytics' `Boxes` and `Masks`, the parts of its `Results`.

Enters: a photo's segments. Leaves: boxes, masks and outlines as arrays that take a tensor's calls.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from fastsam.boxes import to_centres
from fastsam.compat.arrays import Array, array, picked
from fastsam.compat.known import Known
from fastsam.compat.outlines import outline
from fastsam.segments import Segments


class Held(Known):
    """An object that is always in memory: the calls that move tensors return it unchanged."""

    def cpu(self) -> Any:
        """Itself: everything is in memory."""
        return self

    def cuda(self, *_: Any, **__: Any) -> Any:
        """Itself: arrays stay in memory, wherever the network runs."""
        return self

    def numpy(self) -> Any:
        """Itself: its arrays are NumPy arrays."""
        return self

    def to(self, *_: Any, **__: Any) -> Any:
        """Itself: arrays stay in memory, wherever the network runs."""
        return self


@dataclass(frozen=True, eq=False)
class Boxes(Held):
    """N boxes.

    data: (N, 6) float32, xyxy in photo pixels, score, class; with ids (N, 7), xyxy, id, score, class
    orig_shape: (height, width) of the photo
    """

    data: Array
    orig_shape: tuple[int, int]

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: Any) -> "Boxes":
        return Boxes(self.data[picked(len(self), index)], self.orig_shape)

    def __iter__(self) -> Iterator["Boxes"]:
        return (self[i] for i in range(len(self)))

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, 6), or (N, 7) with ids."""
        return tuple(self.data.shape)

    @property
    def is_track(self) -> bool:
        """Whether the boxes have ids, as from `FastSAM.track`."""
        return bool(self.data.shape[1] == 7)

    @property
    def id(self) -> Array | None:
        """(N,) ids, float32; None if there are none."""
        return array(self.data[:, 4]) if self.is_track else None

    @property
    def xyxy(self) -> Array:
        """(N, 4) x1, y1, x2, y2 in pixels."""
        return array(self.data[:, :4])

    @property
    def conf(self) -> Array:
        """(N,) scores."""
        return array(self.data[:, -2])

    @property
    def cls(self) -> Array:
        """(N,) classes, float32."""
        return array(self.data[:, -1])

    @property
    def xywh(self) -> Array:
        """(N, 4) centre x, y, width, height in pixels."""
        return array(to_centres(self.data[:, :4].numpy()))

    @property
    def xyxyn(self) -> Array:
        """xyxy as shares of the photo."""
        return array(self.xyxy / self._scale)

    @property
    def xywhn(self) -> Array:
        """xywh as shares of the photo."""
        return array(self.xywh / self._scale)

    @property
    def _scale(self) -> npt.NDArray[np.float32]:
        height, width = self.orig_shape
        return np.array([width, height, width, height], np.float32)


@dataclass(frozen=True, eq=False)
class Masks(Held):
    """N masks at the photo's size, decoded when they are first read."""

    _segments: Segments

    def __len__(self) -> int:
        return len(self._segments)

    def __getitem__(self, index: Any) -> "Masks":
        return Masks(self._segments.take(picked(len(self), index)))

    def __iter__(self) -> Iterator["Masks"]:
        return (self[i] for i in range(len(self)))

    @property
    def orig_shape(self) -> tuple[int, int]:
        """(height, width) of the photo."""
        return self._segments.size

    @property
    def shape(self) -> tuple[int, int, int]:
        """(N, height, width)."""
        return len(self), *self.orig_shape

    @cached_property
    def data(self) -> Array:
        """(N, H, W) uint8 0 or 1."""
        return array(self._segments.masks.stack().view(np.uint8))

    @cached_property
    def xy(self) -> list[Array]:
        """The outline of each mask, (K, 2) float32 in pixels, with its parts joined; (0, 2) for an empty mask."""
        return [array(outline(runs.crop())) for runs in self._segments.masks.all_runs()]

    @property
    def xyn(self) -> list[Array]:
        """`xy` as shares of the photo."""
        height, width = self.orig_shape
        return [array(ring / np.array([width, height], np.float32)) for ring in self.xy]
