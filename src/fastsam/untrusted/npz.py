"""Reads npz files. The name, dtype and number of axes of each array are checked before its numbers are read.

Enters: bytes. Leaves: arrays as float32, float64, int64 or text, finite, with as many values as their headers state.
"""

import io
import math
from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from fastsam.untrusted.budget import Budget
from fastsam.untrusted.shown import shown
from fastsam.untrusted.zips import Zip

Arrays = dict[str, npt.NDArray[Any]]
UNPACKED = 1 << 30  # default maximum bytes of all arrays together
LONGEST_TEXT = 4000  # maximum bytes of a text: 1000 letters
WHOLE = (1, 2, 4, 8)  # possible bytes of an integer


def read(data: bytes, kinds: Mapping[str, str], budget: Budget, most: int = UNPACKED) -> Arrays:
    """The arrays of an npz file.

    kinds: name of each array, with its type (`f4`, `f8`, `i8` or `U`) and number of axes, such as `f4 2`; integers may
    be stored in fewer bytes
    budget: of the file, which errors name; most: maximum bytes of all arrays together

    Raises UsageError for an array that is not in `kinds`, has another type, is not finite, or is too large; and
    whatever a damaged zip or header raises.
    """
    archive = Zip(io.BytesIO(data), budget)
    left, arrays = most, {}
    for member in archive.members:
        known = member.removesuffix(".npy")
        if known == member or known not in kinds:
            budget.refuse(f"it has the unexpected member {shown(member)}")
        content = archive.read(member, left, packed=True)
        left -= len(content)
        arrays[known] = array(content, known, kinds[known], budget)
    return arrays


def array(content: bytes, name: str, kind: str, budget: Budget) -> npt.NDArray[Any]:
    """The numbers of an npy file. Raises UsageError unless they are of `kind`."""
    stream = io.BytesIO(content)
    shape, by_column, dtype = head(stream)
    wanted, axes = kind.split()
    right = dtype.kind == wanted[0] and len(shape) == int(axes) and not dtype.hasobject
    if wanted == "U":
        sized = 0 < dtype.itemsize <= LONGEST_TEXT
    else:
        sized = dtype.itemsize in WHOLE if wanted[0] == "i" else dtype.itemsize == int(wanted[1])
    if not (right and sized and min(shape, default=0) >= 0):
        budget.refuse(
            f"{name} is an array of {shown(str(dtype))} {shown(str(shape))}, not of {wanted} with {axes} axes"
        )
    count = math.prod(shape)
    if count * dtype.itemsize != len(content) - stream.tell():
        budget.refuse(f"{name} has {len(content) - stream.tell()} bytes for {shown(count)} values")
    values = np.frombuffer(content, dtype, count, stream.tell()).reshape(shape, order="F" if by_column else "C")
    if wanted == "U":
        return values
    values = np.asarray(values, wanted, order="C")
    if wanted[0] == "f" and not np.isfinite(values).all():
        budget.refuse(f"{name} has values that are not finite")
    return values


def head(stream: BinaryIO) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """The header of an npy file: shape, whether it is stored column by column, dtype. Raises ValueError."""
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(stream)
    if version == (2, 0):
        return np.lib.format.read_array_header_2_0(stream)
    raise ValueError(f"it is written in version {version} of npy")
