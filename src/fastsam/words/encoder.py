"""What can tell whether a mask shows what a word says, and which one is used.

Enters: a name. Leaves: an `Encoder`: `offline`, which this package holds, or `clip`, once its towers are
there.
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from fastsam.errors import UsageError
from fastsam.masks.runs import Crop
from fastsam.values import show

Float32 = npt.NDArray[np.float32]
NAMES = ("offline", "clip")


class Encoder(Protocol):
    """Sees masks, reads words, compares.

    name: for a person, and to tell what was seen through which; limits: what it cannot do, one sentence
    threshold: minimum chance for a mask to answer a word
    """

    @property
    def name(self) -> str: ...

    @property
    def limits(self) -> str: ...

    @property
    def threshold(self) -> float: ...

    def see(self, photo: npt.NDArray[np.uint8], masks: Iterable[Crop]) -> Float32:
        """(K, D) of masks of a photo, RGB uint8 (H, W, 3), each with a pixel."""

    def chances(self, seen: Float32, words: Sequence[str], among: bool = False) -> Float32:
        """(K, W) chance 0..1 that what was seen is what each word says, 0 for an unknown word.

        Each word is weighed against everyday words of other meaning; with `among` the words are weighed against one
        another as well.
        """


def load(name: str | os.PathLike[str] | None = None) -> Encoder:
    """The encoder `offline` or `clip`, or the towers in a folder; None: CLIP if it is installed, else offline.

    Raises UsageError for an unknown name, and for one whose files or packages are missing.
    """
    from fastsam.words import clip

    if not (name is None or isinstance(name, (str, os.PathLike))):
        raise UsageError(f"encoder must be a name or a folder, not {show(name)}")
    if name is None:
        name = "clip" if clip.is_installed() else "offline"
    if name == "offline":
        from fastsam.words.offline import Offline

        return Offline()
    if name == "clip":
        return clip.load(clip.home())
    if Path(name).is_dir():
        return clip.load(Path(name))
    raise UsageError(
        f"unknown encoder {str(name)!r}: choose from {', '.join(NAMES)}, or name a folder of CLIP's towers"
    )
