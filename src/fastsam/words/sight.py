"""What words see of a photo: its masks' crops, colours and places, looked at once.

Enters: a photo and its masks. Leaves: one row a mask, kept for the next word. Held by `segments`, read by `similarity`.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fastsam.errors import UsageError
from fastsam.masks.lazy import Masks
from fastsam.words.colours import TERMS, shares
from fastsam.words.encoder import Encoder

Float = npt.NDArray[np.float32]
LEAST_AREA = 100  # pixels: smaller masks show nothing that could be named


@dataclass(frozen=True, eq=False)
class Sight:
    """Views of the K masks that are large enough to be named.

    photo: RGB uint8 (H, W, 3), None where only masks were kept
    """

    photo: npt.NDArray[np.uint8] | None
    masks: Masks

    @cached_property
    def indices(self) -> npt.NDArray[np.int64]:
        """(K,) of the masks that are seen."""
        return np.flatnonzero(self.masks.areas >= LEAST_AREA)

    @property
    def pixels(self) -> npt.NDArray[np.uint8]:
        """The photo. Raises UsageError where there is none."""
        if self.photo is None:
            raise UsageError("words need the photo, which a saved result lacks: Segments.load(file, photo=...)")
        return self.photo

    def through(self, encoder: Encoder) -> Float:
        """(K, D) what an encoder sees of each mask."""
        if encoder.name not in self._seen:
            pixels, _ = self.pixels, self._looks  # the next word may name a colour, and shall not wait for it
            self._seen[encoder.name] = encoder.see(pixels, map(self.masks.crop, self.indices.tolist()))
        return self._seen[encoder.name]

    @property
    def colours(self) -> Float:
        """(K, 11) shares of the colour terms."""
        return self._looks[0]

    @property
    def places(self) -> Float:
        """(K, 3) mean column, mean row and area of each mask, in pixels."""
        return self._looks[1]

    @cached_property
    def _looks(self) -> tuple[Float, Float]:
        pixels, colours, places = self.pixels, [], []
        for crop in map(self.masks.crop, self.indices.tolist()):
            y, x = np.nonzero(crop.pixels)
            colours.append(shares(crop.view(pixels)[y, x]))
            places.append((x.mean() + crop.offset[0], y.mean() + crop.offset[1], len(x)))
        return (
            np.array(colours, np.float32).reshape(-1, len(TERMS)),
            np.array(places, np.float32).reshape(-1, 3),
        )

    @cached_property
    def _seen(self) -> dict[str, Float]:
        return {}

    def take(self, indices: npt.NDArray[np.int64]) -> "Sight":
        """What was seen of the masks at `indices`, in that order."""
        taken = Sight(self.photo, self.masks.take(indices))
        if self._seen:
            place = np.full(len(self.masks), -1)
            place[self.indices] = np.arange(len(self.indices))
            rows = place[indices][place[indices] >= 0]
            taken.__dict__["_seen"] = {name: seen[rows] for name, seen in self._seen.items()}
            taken.__dict__["_looks"] = tuple(looks[rows] for looks in self._looks)
        return taken
