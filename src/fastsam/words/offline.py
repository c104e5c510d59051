"""The encoder that needs no download: an ImageNet classifier, a linear layer for everyday words, and MiniLM.

Enters: photos, masks and words. Leaves: chances. An `Encoder`.

A mask is seen as two distributions, over everyday words and over ImageNet's classes (`classifier`). A word is a kernel
on these classes: how near each of them is to it in MiniLM's space, the nearest counting fully.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from fastsam.words import classifier, minilm

Float = npt.NDArray[np.float32]
SHARPNESS = 12.0  # of the kernel on cosines
UNSURE = 0.45  # largest cosine with any class at or below which a text means nothing that is known


class Offline:
    """EfficientNet-Lite0's posterior in MiniLM's word space."""

    name = "offline"
    threshold = 0.10
    limits = (
        "Knows 108 everyday words, ImageNet's 1000 classes and what means nearly the same; no brands, letters, "
        "actions, relations or people by name. Small or unusual objects are often mistaken."
    )

    def see(self, photo: npt.NDArray[np.uint8], masks: Iterable[npt.NDArray[np.bool_]]) -> Float:
        """(K, C) float32: two distributions side by side, over the everyday words and over ImageNet's classes."""
        return classifier.load().chances(photo, masks)

    def chances(self, seen: Float, words: Sequence[str]) -> Float:
        """(K, W) chances; see `Encoder`."""
        if not words:
            return np.zeros((len(seen), 0), np.float32)
        return np.clip(seen @ np.stack([kernel(word) for word in words], 1), 0, 1).astype(np.float32)


@lru_cache(maxsize=4096)
def kernel(word: str) -> Float:
    """(C,) how much each class is what a word says: 1 for the nearest, all 0 for a word near to none."""
    cosines = classifier.load().vectors @ minilm.load().embed_one(word)
    if cosines.max(initial=-1.0) <= UNSURE:
        return np.zeros(len(cosines), np.float32)
    near: Float = np.exp(SHARPNESS * (cosines - cosines.max())).astype(np.float32)
    return near
