"""Batch norms folded into the convolutions before them.

Enters: entries by their published names. Leaves: weights and biases that are finite, or the name of those that are not.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from fastsam.untrusted.shown import shown

Float = npt.NDArray[np.float32]
EPS = 1e-3  # of every batch norm
NORM = ("weight", "bias", "running_mean", "running_var")


class FoldingError(Exception):
    """What is wrong with a convolution or its batch norm, as half a sentence that names the entry."""


def folded(entries: Mapping[str, Float], prefix: str) -> tuple[Float, Float]:
    """Weight and bias of the convolution at `prefix`, whose batch norm is folded in, or was when the file was saved.

    Raises FoldingError if an entry is not there or of another shape, and if the result is not finite.
    """
    name = f"{prefix}.conv.weight"
    weight = entry(entries, name)
    if weight.ndim != 4:
        raise FoldingError(f"{name} has the shape {weight.shape}, not one of four sides")
    if f"{prefix}.bn.weight" not in entries:
        return weight, vector(entries, f"{prefix}.conv.bias", len(weight)).astype(np.float32)
    gamma, beta, mean, variance = (vector(entries, f"{prefix}.bn.{part}", len(weight)) for part in NORM)
    with np.errstate(all="ignore"):
        gain = gamma / np.sqrt(variance + EPS)
        scaled, bias = np.empty_like(weight), (beta - mean * gain).astype(np.float32)
        np.multiply(weight, gain[:, None, None, None], out=scaled, casting="same_kind")  # float64, a piece at a time
    if not (np.isfinite(scaled).all() and np.isfinite(bias).all()):
        raise FoldingError(f"the batch norm {prefix}.bn makes numbers that are not finite")
    return scaled, bias


def vector(entries: Mapping[str, Float], name: str, length: int) -> npt.NDArray[np.float64]:
    """An entry of one axis, as float64. Raises FoldingError if it is not there or of another length."""
    values = entry(entries, name)
    if values.shape != (length,):
        raise FoldingError(f"{name} has the shape {values.shape}, not ({length},)")
    return values.astype(np.float64)


def entry(entries: Mapping[str, Float], name: str) -> Float:
    """An entry. Raises FoldingError if it is not there."""
    if name not in entries:
        raise FoldingError(f"they lack {shown(name)}")
    return entries[name]
