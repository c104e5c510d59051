"""Turns photos the right way up, by EXIF orientations 1..8."""

import struct
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

ORIENTATION = 0x0112
UInt8 = npt.NDArray[np.uint8]


def turn(pixels: UInt8, orientation: int) -> UInt8:
    """Applies an EXIF orientation 1..8 to (H, W, 3); any other number leaves the pixels as they are."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


def from_exif(exif: bytes) -> int:
    """The orientation in a block of EXIF (2.3, section 4.6: tag 0x0112 of its first directory); default 1."""
    start = 6 if exif[:6] == b"Exif\0\0" else 0
    order = {b"II": "<", b"MM": ">"}.get(exif[start : start + 2])
    if order is None:
        return 1
    try:
        (offset,) = struct.unpack_from(order + "I", exif, start + 4)
        (entries,) = struct.unpack_from(order + "H", exif, start + offset)
        for i in range(entries):
            tag, kind, count, value = struct.unpack_from(order + "HHIH", exif, start + offset + 2 + 12 * i)
            if tag == ORIENTATION and kind == 3 and count == 1:
                return int(value)
    except struct.error:
        pass
    return 1


def from_steps(steps: Sequence[tuple[bytes, int]]) -> int:
    """The orientation that equals a sequence of HEIF transformations.

    steps: (`irot`, quarter turns to the left) or (`imir`, 0 for upside down, 1 for left to right)
    """
    marks = np.arange(6, dtype=np.uint8).reshape(2, 3, 1)
    shown = marks
    for name, value in steps:
        shown = np.rot90(shown, value % 4) if name == b"irot" else np.flip(shown, value % 2)
    return next(k for k in range(1, 9) if np.array_equal(turn(marks, k), shown))
