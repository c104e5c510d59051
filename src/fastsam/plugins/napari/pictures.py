"""The slices of an image layer, as pictures that the network takes.

Enters: a layer's values. Leaves: uint8 pictures, each made when it is asked for, so that a stack may be larger than
memory. Grey values are mapped as napari shows them, by the layer's contrast limits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from fastsam.errors import UsageError
from fastsam.image.read import from_array

UInt8 = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Slices(Sequence[UInt8]):
    """Pictures (H, W, 3) of an image (H, W) or a stack (..., H, W), in the order of its leading axes.

    values: an array, or anything with its shape, dtype and indices, such as a dask array
    colour: whether a last axis of 3 or 4 has the colours
    limits: the grey values that are black and white; None for those of the dtype

    Raises UsageError if there are no pixels, or no pictures in them.
    """

    values: Any
    colour: bool = False
    limits: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        shape, kind = tuple(self.values.shape), np.dtype(self.values.dtype)
        if len(shape) < 2 + self.colour or (self.colour and shape[-1] not in (3, 4)):
            raise UsageError(f"an image must have axes (y, x) or (z, y, x), and colours last, not the shape {shape}")
        if 0 in shape:
            raise UsageError(f"the image of shape {shape} has no pixels: give one that has some")
        if kind.kind not in "biuf":
            raise UsageError(f"the image's values are {kind}: convert them to numbers, such as float32")

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape without colours: that of its labels."""
        return tuple(self.values.shape[:-1] if self.colour else self.values.shape)

    @property
    def lead(self) -> tuple[int, ...]:
        """The shape of the axes before y and x; empty for a single image."""
        return self.shape[:-2]

    def __len__(self) -> int:
        return prod(self.lead)

    def place(self, number: int) -> tuple[int, ...]:
        """The indices of a slice on the leading axes."""
        return tuple(int(k) for k in np.unravel_index(number, self.lead)) if self.lead else ()

    @overload
    def __getitem__(self, number: int) -> UInt8: ...

    @overload
    def __getitem__(self, number: slice) -> list[UInt8]: ...

    def __getitem__(self, number: Any) -> Any:
        if isinstance(number, slice):
            return [self[k] for k in range(*number.indices(len(self)))]
        if not 0 <= number < len(self):
            raise IndexError(f"slice {number} does not exist: there are {len(self)}")
        values = np.asarray(self.values[self.place(number)])
        return from_array(coloured(values) if self.colour else grey(values, self.limits))


def grey(values: npt.NDArray[Any], limits: tuple[float, float] | None) -> UInt8:
    """Values (H, W) as grey: the first limit and less is black, the second and more is white, NaN is black."""
    if limits is None:
        limits = (0.0, 1.0) if values.dtype.kind in "bf" else (0.0, float(np.iinfo(values.dtype).max))
    low, high = limits
    if values.dtype == np.uint8 and (low, high) == (0, 255):
        return values
    light = (np.nan_to_num(values.astype(np.float64), nan=low) - low) * (255 / (high - low if high > low else 1))
    return light.clip(0, 255).round().astype(np.uint8)


def coloured(values: npt.NDArray[Any]) -> UInt8:
    """Colours (H, W, 3 or 4) in eight bits. Floats are 0..1, as napari shows them; integers fill their dtype."""
    return values if values.dtype == np.uint8 else grey(values, None)
