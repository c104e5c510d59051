"""Which masks a text means.

Enters: a photo, its segments, texts. Leaves: ranked candidates for each text, none where the photo holds no such thing.
Called by `compat`.

The rule. A text is colour words, a place word and the rest, which names a thing. The thing's score is the mask's chance
of the classes that the thing's words are near to in MiniLM's space; a colour multiplies it by how much of the mask is
of that colour, half of it being enough. The masks above a threshold answer, in order of that chance times the root of
their own score: a rim of a cup looks like a cup, but is less of an object. Among those that answer at least half as
well as the best, a place word (left, right, top, bottom, largest, smallest) puts the one that it names first.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fastsam.prompts import Candidate
from fastsam.segments import Segments
from fastsam.words import classifier, minilm
from fastsam.words.colours import shares, term
from fastsam.words.crops import describe

Float = npt.NDArray[np.float32]
LEAST_AREA = 100  # pixels: smaller masks show nothing that could be named
SHARPNESS = 12.0  # of the kernel on cosines
UNSURE = 0.45  # largest cosine with any class at or below which a text means nothing that is known
THRESHOLD = 0.10
FILLERS = "the a an one of photo picture image some this that thing object on in at"
STOP = set(FILLERS.split())
SAME = {
    "left": "left leftmost",
    "right": "right rightmost",
    "top": "top upper topmost",
    "bottom": "bottom lower",
    "largest": "largest biggest big large",
    "smallest": "smallest small little",
}
PLACES = {word: place for place, words in SAME.items() for word in words.split()}


@dataclass(frozen=True)
class Meaning:
    """A text taken apart: what is named (may be empty), in which colours, at which place."""

    thing: str
    colours: tuple[str, ...]
    place: str | None


def parse(text: str) -> Meaning:
    """Takes a text apart."""
    words = re.findall(r"[a-z']+", text.lower())
    colours = tuple(t for w in words if (t := term(w)))
    places = [PLACES[w] for w in words if w in PLACES]
    rest = [w for w in words if not term(w) and w not in PLACES and w not in STOP]
    return Meaning(" ".join(rest), colours, places[0] if places else None)


def find(photo: npt.NDArray[np.uint8], segments: Segments, texts: Sequence[str]) -> list[tuple[Candidate, ...]]:
    """Masks that each text means, best first; empty where the photo has none.

    photo: RGB uint8 (H, W, 3) that the segments are of
    """
    large = np.flatnonzero(segments.masks.areas >= LEAST_AREA)
    meanings = [parse(text) for text in texts]

    def masks() -> Iterator[npt.NDArray[np.bool_]]:
        """Decoded one by one, each time: together they may not fit into memory."""
        return (segments.masks[int(i)] for i in large)

    seen: dict[str, npt.NDArray[Any]] = {}  # what some text asks for, and no more
    if any(m.thing for m in meanings):
        seen["chances"] = classifier.load().chances(photo, masks())
    if any(m.colours for m in meanings):
        seen["colours"] = np.array([shares(photo[mask]) for mask in masks()])
    if any(m.place for m in meanings):
        seen["places"] = np.array([describe(photo, mask)[[1, 0, 2]] for mask in masks()]).reshape(-1, 3)
    whole = np.sqrt(segments.scores[large])
    answers = []
    for meaning in meanings:
        scores = score(meaning, seen["chances"]) if meaning.thing else np.ones(len(large))
        for colour in meaning.colours:
            scores = scores * np.minimum(1.0, [2 * named[colour] for named in seen["colours"]])
        answers.append(rank(meaning, scores, whole, large, seen.get("places")))
    return answers


def score(meaning: Meaning, chances: Float) -> npt.NDArray[np.float64]:
    """(N,) chance 0..1 of masks with `chances` (N, C) to be what is named."""
    known = classifier.load()
    cosines = known.vectors @ minilm.load().embed_one(meaning.thing)
    if cosines.max(initial=-1.0) <= UNSURE:
        return np.zeros(len(chances))
    kernel = np.exp(SHARPNESS * (cosines - cosines.max()))
    return np.asarray(chances @ kernel, np.float64).clip(0, 1)


def rank(
    meaning: Meaning,
    chances: npt.NDArray[np.float64],
    whole: npt.NDArray[np.floating],
    indices: npt.NDArray[np.int64],
    places: npt.NDArray[np.floating] | None,
) -> tuple[Candidate, ...]:
    """Candidates whose chance is above the threshold, by chance times `whole`, or first by the meaning's place.

    places: (N, 3) column, row and area of each mask, where the meaning has a place
    """
    kept, scores = np.flatnonzero(chances > THRESHOLD), chances * whole
    order = kept[np.argsort(-scores[kept], kind="stable")]
    if meaning.place is not None and places is not None and len(kept):
        sure = order[scores[order] >= scores[order[0]] / 2]
        axis, sign = {"left": (0, 1), "right": (0, -1), "top": (1, 1), "bottom": (1, -1)}.get(meaning.place, (2, 1))
        sign = -1 if meaning.place == "largest" else sign
        first = sure[np.argsort(sign * places[sure, axis], kind="stable")]
        order = np.concatenate((first, order[~np.isin(order, first)]))
    return tuple(Candidate(int(indices[k]), float(scores[k])) for k in order)
