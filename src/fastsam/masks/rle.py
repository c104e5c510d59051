"""COCO run-length encoding in NumPy: masks in, compressed strings out, and back.

The format (COCO API, maskApi): runs of zeros and ones in turn, column by column, beginning with zeros; each count
from the fourth on is stored as its difference from the count two before; each number in groups of five bits, least
significant first, bit 6 saying that more follow, plus 48 to be printable.
"""

from typing import TypedDict

import numpy as np
import numpy.typing as npt

from fastsam.masks.runs import Runs, between, of_pixels

Bool = npt.NDArray[np.bool_]
Int = npt.NDArray[np.int64]


class RLE(TypedDict):
    """`size` [height, width] and `counts`, as in a COCO file."""

    size: list[int]
    counts: str


def encode(mask: npt.NDArray[np.bool_], offset: tuple[int, int] = (0, 0), size: tuple[int, int] | None = None) -> RLE:
    """The RLE of a bool mask (h, w); of one of `size` (H, W) with it at `offset` (x, y), and False elsewhere."""
    return encode_runs(of_pixels(mask, offset), size or (mask.shape[0], mask.shape[1]))


def encode_runs(runs: Runs, size: tuple[int, int]) -> RLE:
    """The RLE of the mask of `size` (H, W) that has these runs."""
    height, width = size
    starts, ends = runs.columns * height + runs.tops, runs.columns * height + runs.bottoms
    # Runs that touch across the foot of one column and the head of the next are one run.
    apart = starts[1:] != ends[:-1]
    if len(starts):
        starts, ends = starts[np.concatenate(([True], apart))], ends[np.concatenate((apart, [True]))]
    counts = np.diff(between(starts, ends, height * width))
    if len(counts) > 1 and counts[-1] == 0:
        counts = counts[:-1]
    return {"size": [int(height), int(width)], "counts": compress(counts)}


def decode(rle: RLE) -> Bool:
    """The bool mask (H, W) of an RLE. `counts` may also be an uncompressed list.

    Raises ValueError where the runs do not add up to the size.
    """
    height, width = rle["size"]
    raw = rle["counts"]
    counts = np.asarray(raw, np.int64) if isinstance(raw, list) else decompress(raw)
    if (counts < 0).any() or counts.sum() != height * width:
        raise ValueError(f"RLE runs add up to {counts.sum()}, not to {height} x {width} pixels")
    values = np.arange(len(counts)) % 2 == 1
    return np.repeat(values, counts).reshape(width, height).T


def area(rle: RLE) -> int:
    """Number of True pixels, without decoding."""
    return int(decompress(rle["counts"])[1::2].sum())


def compress(counts: Int) -> str:
    """The string of run lengths."""
    deltas = counts.copy()
    deltas[3:] -= counts[1:-2]
    groups: list[npt.NDArray[np.uint8]] = []
    open_ = np.ones(len(deltas), bool)
    written: list[npt.NDArray[np.bool_]] = []
    rest = deltas
    while open_.any():
        low = rest & 0x1F
        rest = rest >> 5
        more = np.where(low & 0x10, rest != -1, rest != 0)
        groups.append((low + np.where(more, 0x20, 0) + 48).astype(np.uint8))
        written.append(open_)
        open_ = open_ & more
    letters, used = np.stack(groups, 1), np.stack(written, 1)
    return letters[used].tobytes().decode("ascii")


def decompress(string: str | bytes) -> Int:
    """Run lengths from their string. Raises ValueError for a string that ends inside a number."""
    raw = string.encode("ascii") if isinstance(string, str) else string
    letters = np.frombuffer(raw, np.uint8).astype(np.int64) - 48
    if len(letters) == 0:
        return np.zeros(0, np.int64)
    last = (letters & 0x20) == 0
    if not last[-1]:
        raise ValueError("RLE string ends inside a number")
    ends = np.flatnonzero(last)
    starts = np.concatenate(([0], ends[:-1] + 1))
    place = np.arange(len(letters)) - np.repeat(starts, ends - starts + 1)
    values = np.add.reduceat((letters & 0x1F) << (5 * place), starts)
    negative = (letters[ends] & 0x10) != 0
    values = np.where(negative, values - (np.int64(1) << (5 * (ends - starts + 1))), values)
    values[1::2] = values[1::2].cumsum()
    values[2::2] = values[2::2].cumsum()
    return values
