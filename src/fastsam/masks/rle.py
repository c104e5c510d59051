"""COCO run-length encoding in NumPy: masks in, compressed strings out, and back.

The format (COCO API, maskApi): counts of zeros and ones in turn, column by column, beginning with zeros. From the
fourth on, each count is stored as the difference from the count two before. Each number is written in groups of five
bits, least significant first. Bit 6 means that another group follows, and 48 is added to make the byte printable.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import TypedDict

import numpy as np
import numpy.typing as npt

from fastsam.masks.runs import Runs, between, flat, of_pixels

Bool = npt.NDArray[np.bool_]
Int = npt.NDArray[np.int64]


LETTERS = 13  # maximum number of groups of five bits for a 64-bit number


class RLE(TypedDict):
    """`size` [height, width] and `counts`, as in a COCO file."""

    size: list[int]
    counts: str


def encode(mask: npt.NDArray[np.bool_], offset: tuple[int, int] = (0, 0), size: tuple[int, int] | None = None) -> RLE:
    """The RLE of a bool mask (h, w). offset: (x, y) of the mask in an otherwise empty mask of `size` (H, W)"""
    return encode_runs([of_pixels(mask, offset)], size or (mask.shape[0], mask.shape[1]))[0]


def encode_runs(masks: Sequence[Runs], size: tuple[int, int]) -> list[RLE]:
    """The RLE of each mask of `size` (H, W), from runs. All masks are encoded together."""
    height, width = size
    counts = []
    for runs in masks:
        borders = between(*linked(runs, height), height * width)
        to_the_end = len(borders) > 2 and borders[-1] == borders[-2]  # an empty last run is not written
        counts.append(np.diff(borders[:-1] if to_the_end else borders))
    return [{"size": [int(height), int(width)], "counts": string} for string in compress(counts)]


def linked(runs: Runs, height: int) -> tuple[Int, Int]:
    """First and last + 1 pixel of each stretch, numbered down the columns.

    A run at the bottom of one column and a run at the top of the next are one stretch.
    """
    starts, ends = flat(runs, height)
    apart = starts[1:] != ends[:-1]
    if apart.all():
        return starts, ends
    return starts[np.concatenate(([True], apart))], ends[np.concatenate((apart, [True]))]


def decode(rle: RLE) -> Bool:
    """The bool mask (H, W) of an RLE. `counts` may also be an uncompressed list.

    Raises ValueError if the runs do not add up to the size.
    """
    height, width = rle["size"]
    counts = counts_of(rle)
    wrong = (counts < 0) | (counts > height * width)  # the sum alone could overflow
    if height < 0 or width < 0 or wrong.any() or counts.sum() != height * width:
        raise ValueError(f"RLE counts must add up to {height} x {width} pixels, not to {counts.sum()}")
    values = np.arange(len(counts)) % 2 == 1
    return np.repeat(values, counts).reshape(width, height).T


def counts_of(rle: RLE) -> Int:
    """The run lengths of an RLE, compressed or not."""
    raw = rle["counts"]
    return np.asarray(raw, np.int64) if isinstance(raw, list) else decompress(raw)


def area(rle: RLE) -> int:
    """Number of pixels of the mask, without decoding."""
    return int(counts_of(rle)[1::2].sum())


def compress(runs: Sequence[Int]) -> list[str]:
    """The string of each mask's run lengths."""
    if not runs:
        return []
    ends = np.cumsum([len(counts) for counts in runs])
    deltas = np.concatenate(runs)
    place = np.arange(len(deltas)) - np.repeat(ends - [len(counts) for counts in runs], [len(c) for c in runs])
    late = np.flatnonzero(place > 2)
    deltas[late] = deltas[late] - deltas[late - 2]  # the right side is computed before anything is replaced
    letters = np.zeros((len(deltas), LETTERS), np.uint8)
    used = np.zeros((len(deltas), LETTERS), bool)
    open_, rest, k = np.arange(len(deltas)), deltas, 0
    while len(open_):
        low, rest = rest & 0x1F, rest >> 5
        more = np.where(low & 0x10, rest != -1, rest != 0)
        letters[open_, k], used[open_, k] = low + np.where(more, 0x20, 0) + 48, True
        open_, rest, k = open_[more], rest[more], k + 1
    string = letters[used].tobytes().decode("ascii")
    cuts = [0, *np.cumsum(used.sum(1))[ends - 1].tolist()]
    return [string[a:b] for a, b in pairwise(cuts)]


def decompress(string: str | bytes) -> Int:
    """Run lengths from their string. Raises ValueError if the string ends inside a number."""
    raw = string.encode("ascii") if isinstance(string, str) else string
    letters = np.frombuffer(raw, np.uint8).astype(np.int64) - 48
    if len(letters) == 0:
        return np.zeros(0, np.int64)
    last = (letters & 0x20) == 0
    if not last[-1]:
        raise ValueError("the RLE string ends inside a number")
    ends = np.flatnonzero(last)
    starts = np.concatenate(([0], ends[:-1] + 1))
    place = np.arange(len(letters)) - np.repeat(starts, ends - starts + 1)
    values = np.add.reduceat((letters & 0x1F) << (5 * place), starts)
    negative = (letters[ends] & 0x10) != 0
    values = np.where(negative, values - (np.int64(1) << (5 * (ends - starts + 1))), values)
    values[1::2] = values[1::2].cumsum()
    values[2::2] = values[2::2].cumsum()
    return values
