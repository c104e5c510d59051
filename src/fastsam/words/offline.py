"""The encoder that needs no download: an ImageNet classifier, a linear layer for everyday words, and MiniLM.

Enters: photos, masks and words. Leaves: chances. An `Encoder`.

A mask is seen as two distributions, over everyday words and over ImageNet's classes (`classifier`). The chance of each
class goes to the words that it is near to in MiniLM's space: to the wanted one, or to everyday words of other meaning.
What is nearer to "cat" than to "dog" adds nothing to "dog".
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from fastsam.masks.runs import Crop
from fastsam.words import classifier, minilm

Float32 = npt.NDArray[np.float32]
SHARPNESS = 20.0  # of the shares that words get of a class, on cosines
RELATED, EQUAL = 0.4, 0.8  # cosine of a class from which on it counts for a word, and from which on it counts fully
SAME_WORD_COSINE = 0.75  # minimum cosine for an everyday word to be a synonym of the wanted one
BESIDE = 0.4  # weight of ImageNet's distribution beside that of the everyday words
# What MiniLM does not take for the everyday word that it means.
PERSONS = "man woman boy girl child kid baby people human men women children pedestrian"
ALIASES = dict.fromkeys(PERSONS.split(), "person")
# Stuff of which the training photos show next to nothing, and the everyday word that it looks like: worth half of it.
GROUND, WATERS = "sand gravel mud soil beach desert", "sea ocean river lake pond"
KIN = {
    **dict.fromkeys(GROUND.split(), "dirt"),
    **dict.fromkeys(WATERS.split(), "water"),
}


class Offline:
    """EfficientNet-Lite0's posterior in MiniLM's word space."""

    name = "offline"
    threshold = 0.2  # where precision and recall meet on the training photos
    limits = (
        "Knows some hundred everyday words, ImageNet's 1000 classes and what means nearly the same; no brands, "
        "letters, actions, relations or people by name. Takes man and woman for person; small or unusual "
        "objects are often mistaken."
    )

    def see(self, photo: npt.NDArray[np.uint8], masks: Iterable[Crop]) -> Float32:
        """(K, C) float32: two distributions side by side, over the everyday words and over ImageNet's classes."""
        return classifier.load().chances(photo, masks)

    def chances(self, seen: Float32, words: Sequence[str], among: bool = False) -> Float32:
        """(K, W) chances; see `Encoder`."""
        if not words:
            return np.zeros((len(seen), 0), np.float32)
        known = [ALIASES.get(word, word) for word in words]
        shares = shares_of(tuple(known)) if among else np.concatenate([shares_of((word,)) for word in known])
        everyday = len(classifier.everyday_words())
        weights = np.where(np.arange(seen.shape[1]) < everyday, 1.0, BESIDE)
        something = 1 - seen[:, [classifier.everyday_words().index(classifier.NOTHING)]]
        chances = (seen * weights) @ shares.T
        # That a mask is not an object speaks against every word alike: it bears on whether, not on which.
        chances = chances / np.maximum(something, 0.05) if among else chances * something
        return np.clip(chances, 0, 1).astype(np.float32)


@lru_cache(maxsize=256)
def shares_of(words: tuple[str, ...]) -> Float32:
    """(W, C) how much of the chance of each class goes to each of the words."""
    classes = classifier.load().vectors
    everyday = classes[: len(classifier.everyday_words())]
    wanted = minilm.load().embed(words)
    others = everyday[(everyday @ wanted.T).max(1) < SAME_WORD_COSINE]
    cosines = np.concatenate((wanted, others)) @ classes.T
    shares = np.exp(SHARPNESS * (cosines - cosines.max(0)))
    shares = shares[: len(words)] / shares.sum(0)
    shares *= np.clip((cosines[: len(words)] - RELATED) / (EQUAL - RELATED), 0, 1)
    for k, word in enumerate(words):
        if word in KIN:
            kin = classifier.everyday_words().index(KIN[word])
            shares[k, kin] = max(shares[k, kin], 0.5 * (1 - shares[:, kin].sum()))
    return np.asarray(shares, np.float32)
