"""The settings stored in a weights file."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fastsam.errors import UsageError
from fastsam.untrusted.budget import CLASSES, SIDES
from fastsam.untrusted.shown import shown


@dataclass(frozen=True)
class Settings:
    """Class names, default thresholds, and how to read the outputs of the network.

    names: of the classes; imgsz: longest side of the input in pixels; conf: minimum score, 0..1; iou: IoU above which
    the lower-scored of two boxes is dropped, 0..1; max_det: maximum number of masks per photo
    margin: share of a box's sides by which its mask may extend beyond it, for a box as large as the photo; less for
    smaller boxes
    soft: how slowly scores fall with the overlap with better ones (see `detections.py`); 0 for hard suppression
    positional: number of features with weights that vary across a mask's box (see `masks/positional.py`)
    port: whether boxes and masks are made exactly as in Ultralytics, for weights that were trained there
    """

    names: tuple[str, ...] = ("object",)
    imgsz: int = 640
    conf: float = 0.25
    iou: float = 0.7
    max_det: int = 300
    margin: float = 0.0
    soft: float = 0.0
    positional: int = 0
    port: bool = False

    def stored(self) -> dict[str, Any]:
        """The settings by the names that files have for them."""
        return {IN_FILES.get(name, name): value for name, value in asdict(self).items()}


def share(value: Any) -> float | None:
    return number(value, 1)


def number(value: Any, most: float = 100) -> float | None:
    return float(value) if type(value) in (int, float) and 0 <= value <= most else None


def count(least: int, most: int) -> Callable[[Any], int | None]:
    return lambda value: value if type(value) is int and least <= value <= most else None


def words(value: Any) -> tuple[str, ...] | None:
    """Names of classes, with control characters escaped."""
    right = isinstance(value, list) and len(value) in CLASSES and all(isinstance(v, str) for v in value)
    return tuple(shown(v) for v in value) if right else None


def flag(value: Any) -> bool | None:
    return value if type(value) is bool else None


IN_FILES = {"positional": "placed"}  # settings that files call otherwise
# Per name in a file: a function that turns its value into ours (None if it is invalid), and what it must be.
KINDS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "names": (words, f"a list of {CLASSES[0]} to {CLASSES[-1]} words"),
    "imgsz": (count(SIDES[0], SIDES[-1]), f"an integer from {SIDES[0]} to {SIDES[-1]}"),
    "conf": (share, "a number from 0 to 1"),
    "iou": (share, "a number from 0 to 1"),
    "max_det": (count(1, 1_000_000), "an integer from 1 to 1000000"),
    "margin": (share, "a number from 0 to 1"),
    "soft": (number, "a number from 0 to 100"),
    "placed": (count(0, 64), "an integer from 0 to 64"),
    "port": (flag, "true or false"),
}


def read_settings(metadata: Mapping[str, str], file: Path) -> Settings:
    """The settings in a file's metadata; missing ones get defaults. Raises UsageError that names an invalid one."""
    try:
        stored = json.loads(metadata.get("fastsam", "{}"))
    except (ValueError, RecursionError):
        stored = None
    if not isinstance(stored, dict):
        raise UsageError(f"{file}: its settings are damaged, export it again")
    ours = {there: name for name, there in IN_FILES.items()}
    return Settings(**{ours.get(name, name): typed(name, stored[name], file) for name in KINDS if name in stored})


def typed(name: str, value: Any, file: Path) -> Any:
    """A setting's value in its type. Raises UsageError for an invalid value."""
    made, must = KINDS[name]
    if (result := made(value)) is None:
        raise UsageError(f"{file}: the setting {name} must be {must}, not {shown(json.dumps(value))}: export it again")
    return result
