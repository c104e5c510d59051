"""The flags that evaluations share: which photos, which networks, and what to write.

Enters: words of a command line, read by cyclopts. Leaves: annotated sets, functions that segment, reports.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from cyclopts import Group, Parameter
from rich.table import Table

from fastsam.cli import flags
from fastsam.cli.evaluate.report import UInt8, best_and_worst
from fastsam.cli.figures import show, write_json
from fastsam.cli.flags import Segmenting
from fastsam.errors import UsageError
from fastsam.refine.network import Refiner
from fastsam.refine.network import load as load_refiner
from fastsam.segments import Segments

if TYPE_CHECKING:
    from fastsam.evaluation.sets import Set

T = TypeVar("T")
Rated = Sequence[tuple[float, Path, T]]  # figure 0..1, file, and argument of the picture, per photo
Folders = Annotated[list[Path], flags.SETS]


def segmenter(use: Segmenting, refiner: Refiner | None = None, **defaults: Any) -> Callable[..., Segments]:
    """A function that segments a photo, as `FastSAM` does.

    refiner: redraws every mask, if given; defaults: settings for flags that were left out
    """
    settings = use.settings
    settings |= {name: value for name, value in defaults.items() if settings[name] is None}
    return partial(use.running.load(), **settings, refine=refiner or False)


@Parameter(name="*")
@dataclass(frozen=True)
class Second:
    """Which second network redraws masks."""

    refiner: Annotated[Path | None, flags.REFINER] = None

    def load(self, refine: bool, threads: int | None) -> Refiner | None:
        """The second network; None without `refine`. Raises UsageError if a file is named without `refine`."""
        if refine:
            return load_refiner(self.refiner, threads)
        if self.refiner is not None:
            raise UsageError(f"--refiner {self.refiner} needs --refine: give both, or leave out --refiner")
        return None


@Parameter(name="*")
@dataclass(frozen=True)
class Choosing:
    """Which photos to use.

    Parameters
    ----------
    images
        Folder of the photos, if they are not in the sets.
    only
        Text file with a line SET/FILE for each photo to use; all photos by default.
    """

    images: Path | None = None
    only: Path | None = None

    def sets(self, folders: Sequence[Path]) -> "list[Set]":
        """The annotated sets. Raises UsageError if a folder is not a set, or if no photo is left."""
        from fastsam.evaluation.sets import read_sets

        return read_sets(folders, self.images, self.only)


@Parameter(name="*", group=Group("Output", sort_key=5))
@dataclass(frozen=True)
class Reports:
    """What to write.

    Parameters
    ----------
    pictures
        Folder for pictures of the photos with the best and the worst figures.
    """

    json_file: Annotated[Path | None, flags.JSON_FILE] = None
    pictures: Path | None = None

    def write(
        self,
        tables: Sequence[Table],
        figures: Any,
        rated: Sequence[tuple[float, Path, T]],
        picture: Callable[[T], UInt8],
    ) -> None:
        """Prints tables, and writes what flags ask for. rated, picture: see `best_and_worst`"""
        for table in tables:
            show(table)
        write_json(self.json_file, figures)
        best_and_worst(self.pictures, rated, picture)


BUNDLED, ALL_PHOTOS, NO_FILES = Second(), Choosing(), Reports()
