"""What belongs to a network's weights and is stored in their file."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastsam.errors import UsageError
from fastsam.untrusted.budget import CLASSES, SIDES
from fastsam.untrusted.shown import shown


@dataclass(frozen=True)
class Settings:
    """Class names, the defaults chosen for the weights, and how their output is to be read.

    margin: share of a photo-sized box's sides by which its mask may reach beyond it, less for smaller ones
    soft: how slowly scores fall with the overlap with better ones (see `candidates.py`); 0 where they do not
    placed: features that masks weigh differently across their boxes (see `masks/placed.py`)
    port: boxes and masks exactly as the popular port makes them, for weights that were trained with it
    """

    names: tuple[str, ...] = ("object",)
    imgsz: int = 640
    conf: float = 0.25
    iou: float = 0.7
    max_det: int = 300
    margin: float = 0.0
    soft: float = 0.0
    placed: int = 0
    port: bool = False


def share(value: Any) -> float | None:
    return number(value, 1)


def number(value: Any, most: float = 100) -> float | None:
    return float(value) if type(value) in (int, float) and 0 <= value <= most else None


def count(least: int, most: int) -> Callable[[Any], int | None]:
    return lambda value: value if type(value) is int and least <= value <= most else None


def words(value: Any) -> tuple[str, ...] | None:
    """Names of classes, codes in them escaped."""
    right = isinstance(value, list) and len(value) in CLASSES and all(isinstance(v, str) for v in value)
    return tuple(shown(v) for v in value) if right else None


def flag(value: Any) -> bool | None:
    return value if type(value) is bool else None


# Of each setting: what makes a value of what a file says, or None of what cannot be one; and what it must be.
KINDS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "names": (words, f"a list of {CLASSES[0]} to {CLASSES[-1]} words"),
    "imgsz": (count(SIDES[0], SIDES[-1]), f"a whole number from {SIDES[0]} to {SIDES[-1]}"),
    "conf": (share, "a number from 0 to 1"),
    "iou": (share, "a number from 0 to 1"),
    "max_det": (count(1, 1_000_000), "a whole number from 1 to 1000000"),
    "margin": (share, "a number from 0 to 1"),
    "soft": (number, "a number from 0 to 100"),
    "placed": (count(0, 64), "a whole number from 0 to 64"),
    "port": (flag, "true or false"),
}


def read_settings(metadata: Mapping[str, str], file: Path) -> Settings:
    """The settings in a file's metadata, defaults where it has none. Raises UsageError that names the setting."""
    try:
        stored = json.loads(metadata.get("fastsam", "{}"))
    except (ValueError, RecursionError):
        stored = None
    if not isinstance(stored, dict):
        raise UsageError(f"{file} holds settings that cannot be read: export it again")
    return Settings(**{name: typed(name, stored[name], file) for name in KINDS if name in stored})


def typed(name: str, value: Any, file: Path) -> Any:
    """A setting as its kind. Raises UsageError for a value that is none."""
    made, must = KINDS[name]
    if (result := made(value)) is None:
        raise UsageError(
            f"{file} holds the setting {name} {shown(json.dumps(value))}: it must be {must}; export it again"
        )
    return result
