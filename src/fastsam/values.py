"""Checks what callers pass: numbers, switches, lists, indices.

Enters: any object. Leaves: plain Python and NumPy values. A NumPy number counts as a number, a bool does not.
"""

import operator
from collections.abc import Iterable
from dataclasses import fields
from math import isfinite
from typing import Any

import numpy as np
import numpy.typing as npt

from fastsam.errors import UsageError

Int = npt.NDArray[np.int64]


def is_integer(value: Any) -> bool:
    """Whether a value is an integer but not a bool."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def show(value: Any) -> str:
    """A value as one short line, for an error message."""
    line = " ".join(repr(value).split())
    return line if len(line) <= 60 else line[:57] + "..."


def plain(value: Any) -> Any:
    """Turns a NumPy scalar or an array without axes into a Python number; anything else stays as it is."""
    if isinstance(value, (np.generic, np.ndarray)) and value.ndim == 0:
        return value.item()
    return value


def integer(value: Any, name: str, least: int, most: int | None = None) -> int:
    """Checks for an integer from `least` to `most`. Raises UsageError for anything else."""
    found = plain(value)
    if is_integer(found) and least <= found and (most is None or found <= most):
        return int(found)
    limit = f"of at least {least}" if most is None else f"from {least} to {most}"
    raise UsageError(f"{name} must be an integer {limit}, not {show(value)}")


def number(value: Any, name: str, least: float = 0.0, most: float | None = 1.0) -> float:
    """Checks for a finite number from `least` to `most`. Raises UsageError for anything else."""
    found = plain(value)
    is_number = isinstance(found, (int, float)) and not isinstance(found, bool) and isfinite(found)
    if is_number and least <= found and (most is None or found <= most):
        return float(found)
    limit = f"of at least {least:g}" if most is None else f"between {least:g} and {most:g}"
    raise UsageError(f"{name} must be a number {limit}, not {show(value)}")


def limits(area: Any) -> tuple[float, float]:
    """The minimum and maximum area in pixels of a pair, with None for no limit. Raises UsageError for anything else."""
    pair = area.tolist() if isinstance(area, np.ndarray) else area
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:
        raise UsageError(f"area must be (minimum, maximum) in pixels, such as (500, None), not {show(area)}")
    least, most = (v if v is None or is_endless(v) else number(v, "area", most=None) for v in pair)
    return 0.0 if least is None else float(least), float("inf") if most is None else float(most)


def is_endless(value: Any) -> bool:
    """Whether a value is positive infinity."""
    return isinstance(plain(value), float) and plain(value) == float("inf")


def flag(value: Any, name: str) -> bool:
    """Checks for True or False. Raises UsageError for anything else."""
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    raise UsageError(f"{name} must be True or False, not {show(value)}")


def listed(values: Any, name: str) -> list[Any]:
    """The entries of a list, an array or another iterable; [] for None. Raises UsageError for anything else."""
    if values is None:
        return []
    if isinstance(values, np.ndarray):
        values = np.asarray(values)  # rows of a matrix are matrices again
    if not is_list(values):
        raise UsageError(f"{name} must be a list, not {show(values)}")
    return list(values)


def is_list(value: Any) -> bool:
    """Whether a value is an iterable of entries, but not a string, bytes or a dictionary."""
    return isinstance(value, Iterable) and not isinstance(value, (str, bytes, dict)) and getattr(value, "ndim", 1) > 0


def position(index: Any, count: int, what: str) -> int:
    """An index from 0 to `count` - 1; a negative one counts from the end. Raises IndexError if it is out of range.

    index: an integer
    """
    place = operator.index(index)
    if not -count <= place < count:
        raise IndexError(f"{what} {place} does not exist: there are {count}")
    return place % count


def positions(indices: Any, count: int, what: str) -> Int:
    """Indices (K,) int64 below `count`, from a slice, one bool per thing, or integers.

    Raises UsageError for anything else, and IndexError for an index out of range.
    """
    if isinstance(indices, slice):
        try:
            return np.arange(count)[indices]
        except TypeError:
            raise UsageError(f"a slice must have integers, not {show(indices)}") from None
    try:
        found = np.asarray(indices)
    except (ValueError, TypeError):
        found = np.zeros(0, object)
    if found.shape == (0,) and found.dtype.kind == "f":  # what NumPy makes of []
        return np.zeros(0, np.int64)
    if found.ndim == 1 and found.dtype == bool:
        if len(found) != count:
            raise UsageError(f"{len(found)} bools given for {count} {what}s: give one per {what}")
        return np.flatnonzero(found)
    if found.ndim != 1 or found.dtype.kind not in "iu":
        raise UsageError(f"an index must be an integer, a slice, bools or a list of integers, not {show(indices)}")
    beyond = found[(found < -count) | (found >= count)]
    if len(beyond):
        raise IndexError(f"{what} {beyond[0]} does not exist: there are {count}")
    return np.asarray(found.astype(np.int64) % max(1, count))


def fixed(values: Any, kind: type[np.generic] | None = None) -> npt.NDArray[Any]:
    """A read-only array: the array itself if it is read-only already, else a copy. kind: dtype for other sequences"""
    if isinstance(values, np.ndarray) and not values.flags.writeable:
        return values
    own = values.copy() if isinstance(values, np.ndarray) else np.array(values, kind)
    own.flags.writeable = False
    return own


def fix(value: Any, *names: str) -> None:
    """Makes the named arrays of a frozen dataclass read-only, as `fixed` does. For use in its constructor."""
    for name in names:
        object.__setattr__(value, name, fixed(getattr(value, name)))


def by_fields(value: Any) -> tuple[Any, ...]:
    """Pickles a dataclass by its fields: without cached values, and with its arrays read-only again."""
    return type(value), tuple(getattr(value, f.name) for f in fields(value))
