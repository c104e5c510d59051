"""The interface of every runtime: a network that gives raw outputs, and the settings stored with its weights."""

from typing import Protocol

import numpy as np
import numpy.typing as npt

from fastsam.runtimes.settings import Settings

Float32 = npt.NDArray[np.float32]


class Network(Protocol):
    """A loaded network. Several threads may call it at the same time."""

    @property
    def settings(self) -> Settings:
        """Class names, default thresholds, and how to read the outputs."""
        ...

    def run(self, images: Float32) -> tuple[Float32, Float32]:
        """Raw outputs of images (N, 3, H, W) float32 in 0..1, H and W multiples of 32.

        Returns candidates (N, 4 + classes + K, A) float32: centre x, centre y, width and height in input pixels, one
        score per class, K coefficients; and prototypes (N, P, H / 4, W / 4) float32.
        """
        ...
