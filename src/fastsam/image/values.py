"""Numbers of any kind become RGB uint8 (H, W, 3), the only thing that is segmented.

Whole numbers of 8 bits stay; of 16 bits the upper 8 are kept; other whole numbers count as 8 bits if none is above 255,
else as 16. Floats count from 0 to 1 if none is above 2 (resampling overshoots), else from 0 to 255. Anything else is
refused, since a guess would be black or white; `stretch` takes all of it.
"""

import warnings
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from fastsam.errors import PhotoWarning, UsageError

UInt8 = npt.NDArray[np.uint8]
Alpha = Literal["straight", "premultiplied"]
LOW, HIGH = 1, 99  # percentiles that become black and white when a photo is stretched
DARK = 64  # of 255: a photo with more than 8 bits of which 99% lie below this is nearly black
SAMPLE = 1 << 20  # values that stand for all when percentiles are taken
ROWS = 1 << 22  # values that are converted together


def to_rgb(
    values: npt.NDArray[Any],
    *,
    bits: int = 16,
    alpha: Alpha | None = None,
    stretch: bool = False,
    name: str = "the photo",
) -> UInt8:
    """RGB uint8 (H, W, 3) of grey (H, W) or (H, W, 1), or colours (H, W, 3), with a fourth band if `alpha` is given.

    bits: that uint16 values have; alpha: whether the colours are multiplied by the last band already; it is laid on white
    stretch: the percentiles 1 and 99 of all colours together become 0 and 255

    Raises UsageError for values that stand for no brightness. Warns with PhotoWarning if a photo of more than 8 bits is
    nearly black. name: of the photo, in errors and warnings
    """
    layers = values if values.ndim == 3 else values[..., None]
    colours, opacity = (layers, None) if alpha is None else (layers[..., :-1], layers[..., -1:])
    if stretch:
        eight = _stretched(colours)
    else:
        eight = _eight(colours, bits)
        if colours.dtype != np.uint8 and 0 < float(np.percentile(_sample(eight), HIGH)) < DARK:
            warnings.warn(
                f"{name}: nearly black, as its {colours.dtype} values use a small part of their range: stretch it "
                "(--stretch, or read_image(..., stretch=True))",
                PhotoWarning,
                stacklevel=2,
            )
    if opacity is not None and alpha is not None:
        eight = _on_white(eight, _eight(opacity, bits), alpha == "premultiplied" and not stretch)
    return np.ascontiguousarray(eight if eight.shape[2] == 3 else np.repeat(eight, 3, axis=2))


def from_array(pixels: npt.NDArray[Any], stretch: bool = False, name: str = "the array") -> UInt8:
    """RGB uint8 (H, W, 3) from an array of grey (H, W) or (H, W, 1), RGB (H, W, 3) or RGBA (H, W, 4) pixels.

    Raises UsageError for another shape, and for values that stand for no brightness.
    """
    pixels = np.asarray(pixels)
    shape = pixels.shape
    if pixels.ndim not in (2, 3) or 0 in shape or (pixels.ndim == 3 and shape[2] not in (1, 3, 4)):
        raise UsageError(f"an array of shape {shape} is no photo: give (H, W, 3) RGB")
    return to_rgb(pixels, alpha="straight" if shape[2:] == (4,) else None, stretch=stretch, name=name)


def _eight(values: npt.NDArray[Any], bits: int) -> UInt8:
    kind = values.dtype.newbyteorder("=")
    if kind == np.uint8:
        return values
    if kind == np.uint16:
        return np.right_shift(values, bits - 8).clip(0, 255).astype(np.uint8)
    if values.dtype.kind not in "iuf":
        raise UsageError(f"values of {values.dtype} are no photo: give uint8 values 0 to 255")
    least, most = float(values.min()), float(values.max())
    if values.dtype.kind == "f":
        full = 1.0 if most <= 2 else 255.0
        if not (-full / 2 <= least and most <= 2 * full):  # false for NaN too
            raise UsageError(_range(values, least, most))
        return _by_rows(values, 0.0, full)
    if least < 0 or most > 65535:
        raise UsageError(_range(values, least, most))
    return (values if most <= 255 else np.right_shift(values, 8)).astype(np.uint8)


def _range(values: npt.NDArray[Any], least: float, most: float) -> str:
    return (
        f"{values.dtype} values from {least:.6g} to {most:.6g} are no brightness: give 0 to 255 as uint8, or stretch "
        "them (--stretch, or read_image(..., stretch=True))"
    )


def _stretched(values: npt.NDArray[Any]) -> UInt8:
    if values.dtype.kind not in "iuf":
        raise UsageError(f"values of {values.dtype} are no photo: give numbers")
    some = _sample(values)
    known = some[np.isfinite(some)]
    if not len(known):
        raise UsageError("no value of the photo is a number: nothing can be stretched")
    low, high = (float(v) for v in np.percentile(known.astype(np.float64), (LOW, HIGH)))
    if high <= low:
        low, high = float(known.min()), float(known.max())
    return _by_rows(values, low, high if high > low else low + 1)


def _by_rows(values: npt.NDArray[Any], low: float, high: float) -> UInt8:
    """Values from `low` to `high` as 0 to 255, what lies beyond cut off, what is no number black."""
    made = np.empty(values.shape, np.uint8)
    step = max(1, ROWS // max(1, values[0].size))
    for k in range(0, len(values), step):
        part = (values[k : k + step].astype(np.float64) - low) * (255 / (high - low))
        made[k : k + step] = np.nan_to_num(part, nan=0, posinf=255, neginf=0).clip(0, 255).round()
    return made


def _sample(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A regular part of the values, flat."""
    step = max(1, int((values.size / SAMPLE) ** 0.5))
    return values[::step, ::step].reshape(-1)


def _on_white(colours: UInt8, opacity: UInt8, premultiplied: bool) -> UInt8:
    made = np.empty(colours.shape, np.uint8)
    step = max(1, ROWS // max(1, colours[0].size))
    for k in range(0, len(colours), step):
        alpha = opacity[k : k + step].astype(np.uint16)
        light = colours[k : k + step].astype(np.uint16)
        mixed = light + 255 - alpha if premultiplied else (light * alpha + 255 * (255 - alpha) + 127) // 255
        made[k : k + step] = mixed.clip(0, 255)
    return made
