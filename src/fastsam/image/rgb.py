"""Converts pixel values of any type to uint8 RGB (H, W, 3), the only format that is segmented.

8-bit integers stay as they are. 16-bit integers keep their upper 8 bits. Other integers count as 8 bits if all are up
to 255, else as 16 bits. Floats count as 0..1 if all are up to 2 (resampling overshoots), else as 0..255. All other
values are refused, because a guess would give a black or white photo; `stretch` accepts any numbers.
"""

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fastsam.errors import PhotoWarning, UsageError

UInt8 = npt.NDArray[np.uint8]
LOW, HIGH = 1, 99  # percentiles that become black and white when a photo is stretched
DARK = 64  # of 255: a photo of more than 8 bits is nearly black if 99% of its values are below this
SAMPLE = 1 << 20  # number of values from which percentiles are computed
PART = 1 << 22  # number of values converted at a time
STRETCH = "--stretch, or read_image(..., stretch=True)"


@dataclass(frozen=True)
class Values:
    """Pixel values as stored in a file.

    colours: (H, W, 1 or 3), grey or RGB; opacity: (H, W, 1), or None for an opaque photo; premultiplied: whether the
    colours are multiplied by the opacity already; bits: bits per value that uint16 colours use
    """

    colours: npt.NDArray[Any]
    opacity: npt.NDArray[Any] | None = None
    premultiplied: bool = False
    bits: int = 16


def to_rgb(values: Values, stretch: bool = False, name: str = "the photo") -> UInt8:
    """uint8 RGB (H, W, 3); transparent photos get a white background.

    stretch: the percentiles 1 and 99 of all colours together become 0 and 255
    name: name of the photo in warnings

    Raises UsageError if it is unclear how bright the values are. Warns with PhotoWarning if a photo of more than 8 bits
    is nearly black.
    """
    colours, opacity = values.colours, values.opacity
    eight = _stretched(colours) if stretch else _eight(colours, values.bits)
    if opacity is not None:
        eight = _on_white(eight, _eight(opacity, values.bits), values.premultiplied and not stretch)
    if not stretch and colours.dtype != np.uint8 and 0 < float(np.percentile(_sample(eight), HIGH)) < DARK:
        why = f"nearly black, because its {colours.dtype} values use a small part of their range"
        warnings.warn(f"{name}: {why}: stretch it ({STRETCH})", PhotoWarning, stacklevel=2)
    return np.ascontiguousarray(eight if eight.shape[2] == 3 else np.repeat(eight, 3, axis=2))


def from_array(pixels: npt.NDArray[Any], stretch: bool = False, name: str = "the array") -> UInt8:
    """uint8 RGB (H, W, 3) from an array of grey (H, W) or (H, W, 1), RGB (H, W, 3) or RGBA (H, W, 4) pixels.

    Raises UsageError for another shape, for masked values, and if it is unclear how bright the values are.
    """
    shape = pixels.shape
    if pixels.ndim not in (2, 3) or 0 in shape or (pixels.ndim == 3 and shape[2] not in (1, 3, 4)):
        raise UsageError(f"a photo must be an RGB array (H, W, 3), not an array of shape {shape}")
    if np.ma.is_masked(pixels):
        raise UsageError("a photo must not have masked values: fill them first, as in array.filled(0)")
    layers = np.asarray(pixels).reshape(*shape[:2], -1)
    opacity = layers[..., 3:] if layers.shape[2] == 4 else None
    return to_rgb(Values(layers[..., :3], opacity), stretch, name)


def _eight(values: npt.NDArray[Any], bits: int) -> UInt8:
    if values.dtype == np.uint8:
        return values
    if values.dtype.newbyteorder("=") == np.uint16:
        return _by_parts(values, lambda part: np.right_shift(part, bits - 8).clip(0, 255))
    if values.dtype.kind not in "iuf":
        raise UsageError(f"a photo must have uint8 values from 0 to 255, not values of {values.dtype}")
    least, most = float(values.min()), float(values.max())
    full = 1.0 if most <= 2 else 255.0
    known = -full / 2 <= least and most <= 2 * full if values.dtype.kind == "f" else least >= 0 and most <= 65535
    if not known:  # also for NaN
        raise UsageError(
            f"{values.dtype} values from {least:.6g} to {most:.6g} have no clear brightness: "
            f"give uint8 values from 0 to 255, or stretch them ({STRETCH})"
        )
    if values.dtype.kind == "f":
        return _spread(values, 0.0, full)
    return _by_parts(values, lambda part: part if most <= 255 else np.right_shift(part, 8))


def _stretched(values: npt.NDArray[Any]) -> UInt8:
    if values.dtype.kind not in "iuf":
        raise UsageError(f"a photo must have numbers as values, not values of {values.dtype}")
    some = _sample(values)
    known = some[np.isfinite(some)].astype(np.float64)
    if not len(known):
        raise UsageError("the photo cannot be stretched: none of its values is finite")
    low, high = (float(v) for v in np.percentile(known, (LOW, HIGH)))
    if high <= low:
        low, high = float(known.min()), float(known.max())
    return _spread(values, low, high if high > low else low + 1)


def _spread(values: npt.NDArray[Any], low: float, high: float) -> UInt8:
    """Maps values from `low` to `high` to 0..255. Values beyond are clipped, NaN becomes black."""

    def convert(part: npt.NDArray[Any]) -> npt.NDArray[Any]:
        light = (part.astype(np.float64) - low) * (255 / (high - low))
        return np.where(np.isnan(light), 0, light.clip(0, 255)).round()

    return _by_parts(values, convert)


def _on_white(colours: UInt8, opacity: UInt8, premultiplied: bool) -> UInt8:
    if opacity.min() == 255:
        return colours
    made = np.empty(colours.shape, np.uint8)
    for rows in _parts(colours):
        light, alpha = colours[rows].astype(np.uint16), opacity[rows].astype(np.uint16)
        if premultiplied:
            made[rows] = (light + (255 - alpha)).clip(0, 255)
        else:
            mixed = light * alpha + (255 * (255 - alpha) + 128)
            made[rows] = (mixed + (mixed >> 8)) >> 8  # division by 255, rounded
    return made


def _by_parts(values: npt.NDArray[Any], convert: Callable[[npt.NDArray[Any]], npt.NDArray[Any]]) -> UInt8:
    """Applies `convert` to a few rows at a time, so that only the photo and the result take much memory."""
    made = np.empty(values.shape, np.uint8)
    for rows in _parts(values):
        made[rows] = convert(values[rows])
    return made


def _parts(values: npt.NDArray[Any]) -> Iterator[slice]:
    step = max(1, PART // max(1, values[0].size))
    return (slice(k, k + step) for k in range(0, len(values), step))


def _sample(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """An evenly spaced sample of the values, flat."""
    step = max(1, int((values.size / SAMPLE) ** 0.5))
    return values[::step, ::step].reshape(-1)
