"""Folds batch norms into the convolutions before them.

Enters: entries by their published names. Leaves: finite weights and biases, or an error that names the entry.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from fastsam.untrusted.shown import shown

Float32 = npt.NDArray[np.float32]
EPS = 1e-3  # epsilon of every batch norm
NORM = ("weight", "bias", "running_mean", "running_var")


class FoldingError(Exception):
    """An invalid convolution or batch norm. The text is half a sentence that names the entry."""


def folded(entries: Mapping[str, Float32], prefix: str) -> tuple[Float32, Float32]:
    """Weight and bias of the convolution at `prefix`, with its batch norm folded in (now, or when it was saved).

    Raises FoldingError if an entry is missing or has another shape, or if the result is not finite.
    """
    name = f"{prefix}.conv.weight"
    weight = entry(entries, name)
    if weight.ndim != 4:
        raise FoldingError(f"{name} must have four axes, not shape {weight.shape}")
    if f"{prefix}.bn.weight" not in entries:
        return weight, vector(entries, f"{prefix}.conv.bias", len(weight)).astype(np.float32)
    gamma, beta, mean, variance = (vector(entries, f"{prefix}.bn.{part}", len(weight)) for part in NORM)
    with np.errstate(all="ignore"):
        gain = gamma / np.sqrt(variance + EPS)
        scaled, bias = np.empty_like(weight), (beta - mean * gain).astype(np.float32)
        np.multiply(weight, gain[:, None, None, None], out=scaled, casting="same_kind")  # in float64, in small pieces
    if not (np.isfinite(scaled).all() and np.isfinite(bias).all()):
        raise FoldingError(f"the batch norm {prefix}.bn gives values that are not finite")
    return scaled, bias


def vector(entries: Mapping[str, Float32], name: str, length: int) -> npt.NDArray[np.float64]:
    """An entry with one axis, as float64. Raises FoldingError if it is missing or has another length."""
    values = entry(entries, name)
    if values.shape != (length,):
        raise FoldingError(f"{name} must have shape ({length},), not {values.shape}")
    return values.astype(np.float64)


def entry(entries: Mapping[str, Float32], name: str) -> Float32:
    """An entry. Raises FoldingError if it is missing."""
    if name not in entries:
        raise FoldingError(f"{shown(name)} is missing")
    return entries[name]
