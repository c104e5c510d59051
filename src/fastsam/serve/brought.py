"""Segments that a client brings: an npz from outside, in which nothing is believed.

Enters: bytes. Leaves: `Segments`, or UsageError. Called by `work`, in a process of its own.
"""

import io
import math
import zipfile
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from fastsam.errors import UsageError
from fastsam.segments import Segments

UNPACKED, MOST, LONGEST = 256 << 20, 10_000, 1000  # bytes, segments and names, letters of a name
KINDS = {  # of every array: its dtype's kind and its axes
    "format": "i0", "scores": "f1", "classes": "i1", "names": "U1", "boxes": "f2",
    "coefficients": "f2", "prototypes": "f3", "windows": "f2",
    "letterbox_photo": "i1", "letterbox_input": "i1", "letterbox_scale": "f1", "letterbox_pad": "i1",
    "letterbox_content": "i1", "size": "i1", "table": "i2", "starts": "i1",
    "squares": "f2", "cells": "i1", "values": "f1",
}  # fmt: skip
PAIRS = ("letterbox_photo", "letterbox_input", "letterbox_scale", "letterbox_pad", "letterbox_content", "size")
NONE = "the field 'segments' holds nothing that POST /v1/segment gave"


def read(packed: bytes, pixels: int, photo: npt.NDArray[np.uint8] | None) -> Segments:
    """The segments, with their photo where there is one. pixels: of the largest photo

    Raises UsageError for anything that a service cannot have given, whatever it is.
    """
    try:
        check_arrays(packed)
        segments = Segments.from_npz(packed, photo, name="the field 'segments'")
        height, width = segments.size
        if not 0 < height * width <= pixels or len(segments) > MOST:
            raise UsageError(f"{len(segments)} segments of {width} x {height} pixels are too many or too large")
        scores, classes = segments.scores, segments.classes
        if not ((scores >= 0) & (scores <= 1)).all() or not ((classes >= 0) & (classes < len(segments.names))).all():
            raise UsageError("the field 'segments' holds scores or classes that no network gives")
        if not np.isfinite(segments.boxes).all():
            raise UsageError("the field 'segments' holds boxes that are no numbers")
    except UsageError:
        raise
    except Exception:  # of bytes that somebody made up: no error of theirs is the server's
        raise UsageError(NONE) from None
    return segments


def check_arrays(packed: bytes) -> None:
    """Reads the heads of all arrays before anything is unpacked. Raises UsageError."""
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        entries = archive.infolist()
        size = sum(entry.file_size for entry in entries)
        if size > UNPACKED or len(entries) > len(KINDS):
            raise UsageError(f"segments of {size} bytes are too large: the most is {UNPACKED}")
        for entry in entries:
            name = entry.filename.removesuffix(".npy")
            with archive.open(entry) as stream:
                shape, dtype = head(stream)
            axes = int(KINDS[name][1])
            right = dtype.kind == KINDS[name][0] and len(shape) == axes and dtype.itemsize > 0
            if not right or math.prod(shape) * dtype.itemsize > entry.file_size:
                raise UsageError(NONE)
            if (name in PAIRS and shape != (2,)) or (name == "names" and not is_short(shape, dtype)):
                raise UsageError(NONE)


def head(stream: Any) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and dtype that an array's file begins with. Raises ValueError."""
    source: BinaryIO = stream
    version = np.lib.format.read_magic(source)
    reader = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
    shape, _, dtype = reader(source)
    return shape, dtype


def is_short(shape: tuple[int, ...], dtype: np.dtype[Any]) -> bool:
    """Whether an array of names is such as models have."""
    return 0 < shape[0] <= MOST and dtype.itemsize <= 4 * LONGEST
