"""Which masks a text means, and which word names a mask.

Enters: what was seen of a photo, texts. Leaves: ranked masks for a text, a word for each mask.

The rule. A text is colour words, a place word and the rest, which names a thing. The mask's chance to be that thing
comes from the encoder; a colour multiplies it by how much of the mask is of that colour, half of it being enough. The
masks above the encoder's threshold answer, in order of that chance times the root of their own score: a rim of a cup
looks like a cup, but is less of an object. A mask that answers one of the excluded texts at least half as well goes.
Among those that answer at least half as well as the best, a place word (left, right, top, bottom, largest, smallest)
means the one that it names, which comes first.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fastsam.masks.lazy import Masks
from fastsam.words.colours import TERMS, term
from fastsam.words.distinct import distinct
from fastsam.words.encoder import Encoder
from fastsam.words.sight import Sight

Float32 = npt.NDArray[np.float32]
Chance = npt.NDArray[np.float64]
FILLERS = "the a an one of photo picture image some this that thing object on in at"
STOP = set(FILLERS.split())
SYNONYMS = {
    "left": "left leftmost",
    "right": "right rightmost",
    "top": "top upper topmost",
    "bottom": "bottom lower",
    "largest": "largest biggest big large",
    "smallest": "smallest small little",
}
PLACES = {word: place for place, words in SYNONYMS.items() for word in words.split()}
AXES = {"left": (0, 1), "right": (0, -1), "top": (1, 1), "bottom": (1, -1), "largest": (2, -1), "smallest": (2, 1)}


@dataclass(frozen=True)
class Meaning:
    """A text taken apart: what is named (may be empty), in which colours, at which place."""

    thing: str
    colours: tuple[str, ...]
    place: str | None


def parse(text: str) -> Meaning:
    """Takes a text apart. A place word after a noun is part of it ("tank top"), and an orange is a fruit."""
    words = re.findall(r"[^\W_]+(?:'[^\W_]+)?", text.lower())
    nouns: list[str] = []
    colours: list[str] = []
    places: list[str] = []
    before = ""
    for word in words:
        if word in PLACES and before not in nouns:
            places.append(PLACES[word])
        elif (colour := term(word)) is not None:
            colours.append(colour)
        elif word not in STOP:
            nouns.append(word)
        before = word
    if colours[-1:] == ["orange"] and words[-1] == "orange":
        nouns.append(colours.pop())
    if not (nouns or colours or places):  # "object": taken at its word, rather than for everything
        nouns = words or [text.strip()]
    return Meaning(" ".join(nouns), tuple(colours), places[0] if places else None)


def find(
    sight: Sight,
    scores: Float32,
    text: str,
    exclude: Sequence[str],
    allowed: npt.NDArray[np.int64],
    encoder: Encoder,
) -> list[tuple[int, float]]:
    """Index and score of the masks that a text means, best first; empty if the photo has none.

    scores: (N,) the masks' own; exclude: texts for what must not match; allowed: indices to choose among
    """
    kept = np.isin(sight.indices, allowed)
    wanted, refused = parse(text), [parse(one) for one in exclude]
    chance = chances(sight, [wanted, *refused], encoder)[kept]
    indices, whole = sight.indices[kept], np.sqrt(scores[sight.indices[kept]])
    places = sight.places[kept]
    answers = chance[:, 0] > encoder.threshold
    for meaning, other in zip(refused, chance[:, 1:].T, strict=True):
        goes = (other > encoder.threshold) & (other >= chance[:, 0] / 2)
        if meaning.place is not None:  # the one that it names, and no other
            goes = np.isin(np.arange(len(goes)), ranked(goes, other * whole, places, meaning.place)[:1])
        answers &= ~goes
    ranks = np.where(answers, chance[:, 0] * whole, 0.0)
    return [(int(indices[k]), float(ranks[k])) for k in ranked(answers, ranks, places, wanted.place)]


def once(masks: Masks, found: Sequence[tuple[int, float]]) -> tuple[list[tuple[int, float]], int]:
    """What `find` gave, one mask per object first (see `distinct`), then the others; and how many come first."""
    indices, ranks = np.array([i for i, _ in found], np.int64), np.array([rank for _, rank in found], np.float64)
    first = distinct(masks.take(indices), ranks).tolist()
    others = [k for k in range(len(found)) if k not in first]
    return [found[k] for k in (*first, *others)], len(first)


def ranked(answers: npt.NDArray[np.bool_], ranks: Chance, places: Float32, place: str | None) -> npt.NDArray[np.int64]:
    """Those that answer, best first, or what a place word names first."""
    order = np.flatnonzero(answers)[np.argsort(-ranks[answers], kind="stable")]
    return order if place is None or len(order) == 0 else by_place(order, ranks, places, place)


def by_place(order: npt.NDArray[np.int64], ranks: Chance, places: Float32, place: str) -> npt.NDArray[np.int64]:
    """The order, in which those with at least half the best rank go first, as the place word wants them.

    places: (K, 3) column, row and area of each mask
    """
    sure = order[ranks[order] >= ranks[order[0]] / 2]
    axis, sign = AXES[place]
    first = sure[np.argsort(sign * places[sure, axis], kind="stable")]
    return np.concatenate((first, order[~np.isin(order, first)]))


def chances(sight: Sight, meanings: Sequence[Meaning], encoder: Encoder, among: bool = False) -> Chance:
    """(K, W) chance 0..1 of each mask that is seen to be what each text means, its place left aside.

    among: weighs the texts against one another
    """
    found = np.ones((len(sight.indices), len(meanings)))
    named = [k for k, m in enumerate(meanings) if m.thing]
    if named and len(sight.indices):
        found[:, named] = encoder.chances(sight.through(encoder), [meanings[k].thing for k in named], among)
    for k, meaning in enumerate(meanings):
        for colour in meaning.colours:
            found[:, k] *= np.minimum(1.0, 2 * sight.colours[:, TERMS.index(colour)])
    return found


def name(sight: Sight, scores: Float32, words: Sequence[str], encoder: Encoder, all: bool = False) -> list[str | None]:
    """The word that each of the N masks most likely is, None if no word reaches half the encoder's threshold.

    Half, since a vocabulary says more about what a photo may hold than a single text does.

    scores: (N,) the masks' own, times the root of the chance their rank among masks of one name
    all: whether all of those keep it; else one mask per object does (see `distinct`)
    """
    names: list[str | None] = [None] * len(sight.masks)
    if not words:
        return names
    chance = chances(sight, [parse(word) for word in words], encoder, among=True)
    best, sure = chance.argmax(1), chance.max(1)
    named = np.flatnonzero(sure > encoder.threshold / 2)
    for k in np.unique(best[named]).tolist():
        own = named[best[named] == k]
        indices = sight.indices[own]
        if not all:
            indices = indices[distinct(sight.masks.take(indices), np.sqrt(sure[own]) * scores[indices])]
        for i in indices.tolist():
            names[i] = words[k]
    return names
