"""Checks that a network's outputs are those of a segmentation network, before the first photo.

Enters: a loaded network. Leaves: nothing, or an error that names the file and the output.
"""

from pathlib import Path
from typing import Any

import numpy as np

from fastsam.errors import UsageError
from fastsam.runtimes.network import Network
from fastsam.untrusted.shown import reason

SIDE = 64  # side in pixels of the test picture
TERMS = 6  # coefficients per positional feature; the first feature has no map (see `masks/positional.py`)


def check(network: Network, file: Path) -> None:
    """Runs a network on one small grey picture.

    Raises UsageError if the network fails, or if its outputs are not finite or contradict its settings.
    """
    images = np.full((1, 3, SIDE, SIDE), 0.5, np.float32)
    try:
        outputs = network.run(images)
    except Exception as error:  # whatever a runtime raises of a graph
        raise UsageError(f"{file} cannot be run on a picture of {SIDE} x {SIDE} pixels: {reason(error)}") from None
    for name, array, axes in zip(("candidates", "prototypes"), outputs, (3, 4), strict=True):
        if not isinstance(array, np.ndarray) or array.dtype != np.float32 or array.ndim != axes:
            raise UsageError(f"{file} must give {name} as float32 with {axes} axes, not {described(array)}")
        if not np.isfinite(array).all():
            raise UsageError(f"{file} gives {name} that are not finite: train again, or use an earlier file")
    candidates, prototypes = (array.shape for array in outputs)
    n, positional = len(network.settings.names), network.settings.positional
    maps = prototypes[1]
    coefficients = maps + (TERMS - 1) * positional + 1 if positional else maps
    wanted = (1, 4 + n + coefficients)
    if candidates[:2] != wanted or prototypes[0] != 1 or maps < max(1, positional) or not all(prototypes[2:]):
        raise UsageError(
            f"{file} gives candidates {candidates} and prototypes {prototypes}, which do not fit {n} classes "
            f"and {positional} positional features"
        )


def described(array: Any) -> str:
    """Dtype and shape of an output, for an error."""
    return f"{array.dtype} {array.shape}" if isinstance(array, np.ndarray) else f"a {type(array).__name__}"
