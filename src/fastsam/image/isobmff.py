"""Reads sizes and transformations from the boxes of AVIF, HEIC and JPEG 2000 files (ISO 14496-12).

Enters: a file's bytes. Leaves: plain numbers. A box with a wrong length ends the walk, and too many boxes are an error.
Nothing is decoded.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from fastsam.errors import UnreadableImageError
from fastsam.image.kinds import MANY
from fastsam.image.turn import from_steps

MOST_BOXES = 20_000  # maximum number of boxes or entries read per file: a photo has a few hundred
Steps = Iterator[int]  # one per box that may still be read, shared by all walks through a file


@dataclass(frozen=True)
class Still:
    """Facts about an AVIF or HEIC file.

    size: the largest (width, height) that it states anywhere; bits: per sample; orientation: 1..8 if it is turned
    """

    size: tuple[int, int]
    bits: int
    orientation: int | None


def boxes(data: bytes, start: int, end: int, steps: Steps) -> Iterator[tuple[bytes, int, int]]:
    """(type, start, end) of each box's contents between two offsets. Raises UnreadableImageError for too many boxes."""
    for _ in steps:
        if start + 8 > end:
            return
        size, name = struct.unpack_from(">I4s", data, start)
        head = 8
        if size == 1 and start + 16 <= end:
            (size,) = struct.unpack_from(">Q", data, start + 8)
            head = 16
        elif size == 0:
            size = end - start
        if size < head or start + size > end:
            return
        yield name, start + head, start + size
        start += size
    raise UnreadableImageError(MANY)


def find(data: bytes, path: tuple[bytes, ...], start: int, end: int, steps: Steps) -> tuple[int, int] | None:
    """Start and end of the contents of the first box at `path`. `meta` has four bytes before its boxes."""
    for name in path:
        found = next(((a, b) for n, a, b in boxes(data, start, end, steps) if n == name), None)
        if found is None:
            return None
        start, end = found[0] + 4 * (name == b"meta"), found[1]
    return start, end


def still(data: bytes) -> Still | None:
    """The facts that an AVIF or HEIC file states about its picture; None if it states nothing."""
    try:
        return _still(data)
    except (struct.error, IndexError):
        return None


def _still(data: bytes) -> Still | None:
    steps = iter(range(MOST_BOXES))
    sizes, bits = list(_track_sizes(data, steps)), 8
    turns: list[tuple[bytes, int]] = []
    properties = find(data, (b"meta", b"iprp", b"ipco"), 0, len(data), steps)
    if properties is not None:
        held = list(boxes(data, *properties, steps))
        sizes += [struct.unpack_from(">II", data, a + 4) for name, a, _ in held if name == b"ispe"]
        mine = [held[k - 1] for k in _associated(data, steps) if 0 < k <= len(held)]
        turns = [(name, data[a] & 3) for name, a, b in mine if name in (b"irot", b"imir") and b > a]
        depths = [data[a + 5] for name, a, b in mine if name == b"pixi" and b > a + 5]
        bits = max(depths, default=8)
    if not sizes:
        return None
    largest = max(sizes, key=lambda size: size[0] * size[1])
    return Still((largest[0], largest[1]), bits, from_steps(turns) if turns else None)


def _associated(data: bytes, steps: Steps) -> list[int]:
    """Numbers, from 1, of the primary picture's properties, in order."""
    first = find(data, (b"meta", b"pitm"), 0, len(data), steps)
    table = find(data, (b"meta", b"iprp", b"ipma"), 0, len(data), steps)
    if first is None or table is None:
        return []
    (primary,) = struct.unpack_from(">I" if data[first[0]] else ">H", data, first[0] + 4)
    version, wide = data[table[0]], data[table[0] + 3] & 1
    (entries,) = struct.unpack_from(">I", data, table[0] + 4)
    at = table[0] + 8
    for _ in range(min(entries, MOST_BOXES)):
        (item,) = struct.unpack_from(">I" if version else ">H", data, at)
        at += 4 if version else 2
        count = data[at]
        if item == primary:
            kind, mask = (f">{count}H", 0x7FFF) if wide else (f">{count}B", 0x7F)
            return [value & mask for value in struct.unpack_from(kind, data, at + 1)]
        at += 1 + count * (2 if wide else 1)
    return []


def _track_sizes(data: bytes, steps: Steps) -> Iterator[tuple[int, int]]:
    """Width and height of each track of a sequence (ISO 14496-12, 8.5.2: the first entry of each table)."""
    movie = find(data, (b"moov",), 0, len(data), steps)
    for name, a, b in boxes(data, *movie, steps) if movie else ():
        table = find(data, (b"mdia", b"minf", b"stbl", b"stsd"), a, b, steps) if name == b"trak" else None
        if table is not None and table[1] - table[0] >= 44:
            yield struct.unpack_from(">HH", data, table[0] + 8 + 8 + 24)


def jpeg2000(data: bytes) -> tuple[int, int, int, int] | None:
    """Width, height, bits and components of a JPEG 2000 code stream (ISO 15444-1, A.5.1); None if there is none."""
    start = 0
    if not data.startswith(b"\xff\x4f"):
        found = find(data, (b"jp2c",), 0, len(data), iter(range(MOST_BOXES)))
        if found is None:
            return None
        start = found[0]
    try:
        marks, _, _, right, bottom, left, top = struct.unpack_from(">IHHIIII", data, start)
        components, depth = struct.unpack_from(">HB", data, start + 40)
    except struct.error:
        return None
    if marks != 0xFF4FFF51 or right <= left or bottom <= top:
        return None
    return right - left, bottom - top, (depth & 0x7F) + 1, components
