"""The segments of the last few photos, so that the next click on one of them is quick."""

from collections import OrderedDict
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt

from fastsam.image.read import from_array
from fastsam.model import FastSAM
from fastsam.segments import Segments

PHOTOS = 3


class Kept:
    """A model with the segments of the last `PHOTOS` photos that it was asked for."""

    def __init__(self, model: FastSAM) -> None:
        self.model = model
        self._found: OrderedDict[bytes, Segments] = OrderedDict()

    def segments(self, image: npt.NDArray[Any]) -> Segments:
        """Everything in an image: an array as the library takes it. Raises UsageError."""
        pixels = from_array(image)
        key = blake2b(pixels.tobytes(), digest_size=16).digest() + str(pixels.shape).encode()
        if key not in self._found:
            self._found[key] = self.model(np.array(pixels))  # a copy: the caller's array may change
        self._found.move_to_end(key)
        while len(self._found) > PHOTOS:
            self._found.popitem(last=False)
        return self._found[key]
