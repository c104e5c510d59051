"""What every evaluation shows: a progress bar, figures, pictures of the best and the worst photos."""

import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.progress import track

from fastsam.cli.say import say
from fastsam.files import make_folder
from fastsam.formats.overlay import draw, write
from fastsam.prompts import Pick
from fastsam.segments import Segments

T = TypeVar("T")
UInt8 = npt.NDArray[np.uint8]
PICTURES = 4  # number of the best photos, and of the worst


def progress(photos: Sequence[T], name: str) -> Iterable[T]:
    """Yields the photos, with a progress bar on standard error if that is a terminal."""
    err = Console(stderr=True)
    return track(photos, name, console=err, transient=True, disable=not err.is_terminal)


def figure(value: float, digits: int = 1, unit: str = "") -> str:
    """A number as text for a table; a dash for NaN."""
    return "–" if math.isnan(value) else f"{value:.{digits}f}{unit}"


def best_and_worst(folder: Path | None, rated: Sequence[tuple[float, Path, T]], picture: Callable[[T], UInt8]) -> None:
    """Draws the photos with the largest and the smallest figures, if a folder is given.

    rated: per photo its figure 0..1, its file, and the argument of `picture`. Files are named worst-1-0.12-NAME.png;
    files of an earlier run are removed.
    """
    if folder is None:
        return
    make_folder(folder)
    for kind in ("best", "worst"):
        for old in folder.glob(f"{kind}-[1-{PICTURES}]-*.png"):
            old.unlink()
    order = sorted(rated, key=lambda row: row[0])
    chosen = [("worst", k, row) for k, row in enumerate(order[:PICTURES], 1)]
    chosen += [("best", k, row) for k, row in enumerate(order[: -PICTURES - 1 : -1], 1)]
    for kind, k, (value, file, item) in chosen:
        write(folder / f"{kind}-{k}-{value:.2f}-{file.stem}.png", picture(item))
    say(f"pictures of the best and the worst: {folder}")


def drawn(segments: Segments, picks: Sequence[Pick] | None = None) -> UInt8:
    """The picture of a photo that was just segmented."""
    assert segments.photo is not None
    return draw(segments.photo, segments, picks)
