"""What every runtime loads: a network that gives raw outputs, and the settings that belong to its weights."""

from typing import Protocol

import numpy as np
import numpy.typing as npt

from fastsam.runtimes.settings import Settings

Float = npt.NDArray[np.float32]


class Network(Protocol):
    """A loaded network. Its calls may run at the same time."""

    @property
    def settings(self) -> Settings:
        """Class names, defaults, and how the outputs are to be read."""
        ...

    def run(self, images: Float) -> tuple[Float, Float]:
        """Raw outputs of images (N, 3, H, W) float32 in 0..1, H and W multiples of 32.

        Returns candidates (N, 4 + classes + K, A): cx, cy, w, h in input pixels, scores, coefficients; and
        prototypes (N, P, H / 4, W / 4).
        """
        ...
