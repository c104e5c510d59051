"""What callers give, checked: numbers, switches, lists, places in a sequence.

Enters: any object. Leaves: plain Python and NumPy values. NumPy's numbers are numbers; bool is not one.
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
    """Whether a value is an integer, and not a bool."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def show(value: Any) -> str:
    """A value in one short line, for an error."""
    line = " ".join(repr(value).split())
    return line if len(line) <= 60 else line[:57] + "..."


def plain(value: Any) -> Any:
    """A NumPy number, alone or as an array without axes, as Python's; anything else as it is."""
    if isinstance(value, (np.generic, np.ndarray)) and value.ndim == 0:
        return value.item()
    return value


def integer(value: Any, name: str, least: int, most: int | None = None) -> int:
    """An integer. Raises UsageError for anything else, and for one below `least` or above `most`."""
    found = plain(value)
    if is_integer(found) and least <= found and (most is None or found <= most):
        return int(found)
    limit = f"of at least {least}" if most is None else f"from {least} to {most}"
    raise UsageError(f"{name} must be an integer {limit}, not {show(value)}")


def number(value: Any, name: str, least: float = 0.0, most: float | None = 1.0) -> float:
    """A finite number. Raises UsageError for anything else, and for one below `least` or above `most`."""
    found = plain(value)
    is_number = isinstance(found, (int, float)) and not isinstance(found, bool) and isfinite(found)
    if is_number and least <= found and (most is None or found <= most):
        return float(found)
    limit = f"of at least {least:g}" if most is None else f"between {least:g} and {most:g}"
    raise UsageError(f"{name} must be a number {limit}, not {show(value)}")


def limits(area: Any) -> tuple[float, float]:
    """The least and the most pixels of (least, most), None for no limit. Raises UsageError for anything else."""
    pair = area.tolist() if isinstance(area, np.ndarray) else area
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:
        raise UsageError(f"area {show(area)} is not (least, most) pixels, with None for no limit: area=(500, None)")
    least, most = (v if v is None or is_endless(v) else number(v, "area", most=None) for v in pair)
    return 0.0 if least is None else float(least), float("inf") if most is None else float(most)


def is_endless(value: Any) -> bool:
    """Whether a value is the number infinity."""
    return isinstance(plain(value), float) and plain(value) == float("inf")


def flag(value: Any, name: str) -> bool:
    """True or False. Raises UsageError for anything else."""
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    raise UsageError(f"{name} must be True or False, not {show(value)}")


def listed(values: Any, name: str) -> list[Any]:
    """The entries of a list, an array or any other iterable; none for None. Raises UsageError for anything else."""
    if values is None:
        return []
    if isinstance(values, np.ndarray):
        values = np.asarray(values)  # rows of a matrix are matrices again
    if not is_list(values):
        raise UsageError(f"{name} must be a list, not {show(values)}")
    return list(values)


def is_list(value: Any) -> bool:
    """Whether a value has entries in order, and is not a text."""
    return isinstance(value, Iterable) and not isinstance(value, (str, bytes, dict)) and getattr(value, "ndim", 1) > 0


def position(index: Any, count: int, what: str) -> int:
    """A place among `count` things, counted from the end if it is negative. Raises IndexError if there is none.

    `index` is an integer already.
    """
    place = operator.index(index)
    if not -count <= place < count:
        raise IndexError(f"{what} {place} does not exist: there are {count}")
    return place % count


def positions(indices: Any, count: int, what: str) -> Int:
    """Places among `count` things: of a slice, a bool for each of them, or integers.

    Raises UsageError for anything else, and IndexError for a place that does not exist.
    """
    if isinstance(indices, slice):
        try:
            return np.arange(count)[indices]
        except TypeError:
            raise UsageError(f"{show(indices)} is not a slice of integers") from None
    try:
        found = np.asarray(indices)
    except (ValueError, TypeError):
        found = np.zeros(0, object)
    if found.shape == (0,) and found.dtype.kind == "f":  # what NumPy makes of []
        return np.zeros(0, np.int64)
    if found.ndim == 1 and found.dtype == bool:
        if len(found) != count:
            raise UsageError(f"{len(found)} bools do not choose among {count} {what}s: give one for each")
        return np.flatnonzero(found)
    if found.ndim != 1 or found.dtype.kind not in "iu":
        raise UsageError(f"{show(indices)} chooses no {what}s: give an integer, a slice, bools or a list of integers")
    beyond = found[(found < -count) | (found >= count)]
    if len(beyond):
        raise IndexError(f"{what} {beyond[0]} does not exist: there are {count}")
    return np.asarray(found.astype(np.int64) % max(1, count))


def fixed(values: Any, kind: type[np.generic] | None = None) -> npt.NDArray[Any]:
    """An array that nobody can write to: itself if it is one already, else a copy. kind: of what is not an array yet"""
    if isinstance(values, np.ndarray) and not values.flags.writeable:
        return values
    own = values.copy() if isinstance(values, np.ndarray) else np.array(values, kind)
    own.flags.writeable = False
    return own


def fix(value: Any, *names: str) -> None:
    """For the constructor of a frozen dataclass: makes those of its arrays read-only, as `fixed` does."""
    for name in names:
        object.__setattr__(value, name, fixed(getattr(value, name)))


def by_fields(value: Any) -> tuple[Any, ...]:
    """How a dataclass is pickled that is to be made anew: without what it had computed, its arrays read-only again."""
    return type(value), tuple(getattr(value, f.name) for f in fields(value))
