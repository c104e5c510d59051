"""What every evaluation shares: a bar, a table, a JSON file, pictures of the best and the worst photos."""

import dataclasses
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.progress import track
from rich.table import Table

from fastsam.files import make_folder, whole
from fastsam.formats.overlay import write

T = TypeVar("T")
PICTURES = 4  # of the best photos, and of the worst


def progress(photos: Iterable[T], name: str, total: int) -> Iterable[T]:
    """The same, with a bar on standard error while they are gone through."""
    return track(photos, name, total, console=Console(stderr=True), transient=True)


def show(table: Table) -> None:
    """Prints a table, wide where nobody's window limits it."""
    Console(file=sys.stdout, width=200 if not sys.stdout.isatty() else None).print(table)


def write_json(file: Path | None, value: Any) -> None:
    """Writes a value, in which dataclasses may stand, where a file is given."""
    if file:
        with whole(file) as part:
            part.write_text(json.dumps(value, indent=2, default=dataclasses.asdict) + "\n")


def best_and_worst(
    folder: Path | None, rated: Sequence[tuple[float, T]], name: Callable[[T], str],
    draw: Callable[[T], npt.NDArray[np.uint8]],
) -> None:  # fmt: skip
    """Draws the photos with the largest and the smallest figures, where a folder is given.

    rated: figure 0..1 and what is drawn, of each photo; files are called worst-1-0.12-NAME.png
    """
    if folder is None:
        return
    make_folder(folder)
    order = sorted((pair for pair in rated if np.isfinite(pair[0])), key=lambda pair: pair[0])
    chosen = [("worst", k, pair) for k, pair in enumerate(order[:PICTURES], 1)]
    chosen += [("best", k, pair) for k, pair in enumerate(order[: -PICTURES - 1 : -1], 1)]
    for kind, k, (figure, item) in chosen:
        write(folder / f"{kind}-{k}-{figure:.2f}-{Path(name(item)).stem}.png", draw(item))
    print(f"pictures of the best and the worst: {folder}")
