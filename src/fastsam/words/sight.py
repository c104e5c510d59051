"""What words see of a photo: its masks' crops, colours and places, each looked at once.

Enters: a photo and its masks. Leaves: one row per mask, kept for the next word, whichever masks it is asked of.
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fastsam.errors import without_photo
from fastsam.masks.lazy import Masks
from fastsam.words.colours import TERMS, shares
from fastsam.words.encoder import Encoder

Float32 = npt.NDArray[np.float32]
Int = npt.NDArray[np.int64]
LEAST_AREA = 100  # minimum pixels of a mask that is named: smaller ones show too little
PLACE = 3  # numbers per mask for its position
Rows = dict[int, Float32]


@dataclass(frozen=True, eq=False, repr=False)
class Sight:
    """Views of the K masks that are large enough to be named.

    photo: RGB uint8 (H, W, 3), None if only masks were kept
    numbers: (N,) what each mask is called in `known`, its place among those that were first seen; None for its own
    known: rows of features by the encoder's name, those of colours and places under "", by the mask's number. All that
    is taken from one sight shares them: what one learns the others know.
    """

    photo: npt.NDArray[np.uint8] | None
    masks: Masks
    numbers: Int | None = None
    known: dict[str, Rows] = field(default_factory=dict)

    @cached_property
    def indices(self) -> Int:
        """(K,) of the masks that are seen."""
        return np.flatnonzero(self.masks.areas >= LEAST_AREA)

    @property
    def pixels(self) -> npt.NDArray[np.uint8]:
        """The photo. Raises UsageError if it is missing."""
        if self.photo is None:
            raise without_photo("comparing masks with words")
        return self.photo

    def through(self, encoder: Encoder) -> Float32:
        """(K, D) what an encoder sees of each mask, of which there is at least one."""
        pixels, _ = self.pixels, self._looks  # the next word may name a colour, and shall not wait for it
        rows = self.known.setdefault(encoder.name, {})
        if new := self._unknown(rows):
            seen = encoder.see(pixels, (self.masks.crop(i) for i in new.values()))
            rows.update(zip(new, seen, strict=True))
        return np.stack([rows[number] for number in self._numbers])

    @property
    def colours(self) -> Float32:
        """(K, 11) shares of the colour terms."""
        return self._looks[:, PLACE:]

    @property
    def places(self) -> Float32:
        """(K, 3) mean column, mean row and area of each mask, in pixels."""
        return self._looks[:, :PLACE]

    @cached_property
    def _looks(self) -> Float32:
        """(K, 14) places and colours."""
        pixels, rows = self.pixels, self.known.setdefault("", {})
        for number, i in self._unknown(rows).items():
            crop = self.masks.crop(i)
            y, x = np.nonzero(crop.pixels)
            place = (x.mean() + crop.offset[0], y.mean() + crop.offset[1], len(x))
            rows[number] = np.array([*place, *shares(crop.view(pixels)[y, x])], np.float32)
        found = [rows[number] for number in self._numbers]
        return np.stack(found) if found else np.zeros((0, PLACE + len(TERMS)), np.float32)

    @cached_property
    def _numbers(self) -> list[int]:
        """(K,) what the masks that are seen are called in `known`."""
        found: list[int] = (self.indices if self.numbers is None else self.numbers[self.indices]).tolist()
        return found

    def _unknown(self, rows: Rows) -> dict[int, int]:
        """Number and index of each mask that has no row yet."""
        pairs = zip(self._numbers, self.indices.tolist(), strict=True)
        return {number: i for number, i in pairs if number not in rows}

    def take(self, indices: Int) -> "Sight":
        """The sight of the masks at `indices`, in that order."""
        numbers = np.arange(len(self.masks)) if self.numbers is None else self.numbers
        return Sight(self.photo, self.masks.take(indices), numbers[indices], self.known)
