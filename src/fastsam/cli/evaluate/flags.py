"""The flags that evaluations share: how to segment photos, which photos, and what to write."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from fastsam.errors import UsageError
from fastsam.refine.network import Refiner
from fastsam.refine.network import load as load_refiner
from fastsam.segments import Segments


@dataclass(frozen=True)
class Network:
    """How to segment photos.

    Parameters
    ----------
    model
        Name or file of the weights.
    imgsz
        Longest side of the network's input in pixels; by default as stored with the weights.
    conf
        Minimum score of a mask, 0 to 1; by default as stored with the weights, for recall 0.001.
    iou
        Drop the lower-scored of two masks whose boxes overlap by more than this IoU, 0 to 1; by default as stored with
        the weights.
    max_det
        Maximum number of masks per photo; by default as stored with the weights, for recall 1000.
    tile
        Also segment the photo in tiles of this side in pixels; no tiles by default.
    threads
        Number of CPU threads of the network.
    """

    model: str | None = None
    imgsz: int | None = None
    conf: float | None = None
    iou: float | None = None
    max_det: int | None = None
    tile: int | None = None
    threads: int | None = None

    def load(self, refiner: Refiner | None = None) -> Callable[..., Segments]:
        """A function that segments a photo, as `FastSAM` does. refiner: redraws every mask, if given"""
        from fastsam.model import FastSAM

        model = FastSAM(self.model, threads=self.threads)
        words = {k: getattr(self, k) for k in ("imgsz", "conf", "iou", "max_det", "tile")}
        return partial(model, **words, refine=refiner or False)

    def unless_said(self, **words: Any) -> "Network":
        """The same with other defaults."""
        return replace(self, **{k: v for k, v in words.items() if getattr(self, k) is None})


@dataclass(frozen=True)
class Second:
    """Which second network redraws masks.

    Parameters
    ----------
    refiner
        File of another second network; the bundled one by default.
    """

    refiner: Path | None = None

    def load(self, refine: bool, threads: int | None) -> Refiner | None:
        """The second network; None without `refine`. Raises UsageError if a file is named without `refine`."""
        if refine:
            return load_refiner(self.refiner, threads)
        if self.refiner is not None:
            raise UsageError(f"--refiner {self.refiner} needs --refine: give both, or leave it out")
        return None


@dataclass(frozen=True)
class Files:
    """Which photos to use, and what to write.

    Parameters
    ----------
    images
        Folder of the photos, if they are not in the sets.
    only
        Text file with a set/file line per photo to use; all photos by default.
    pictures
        Folder for pictures of the photos with the best and the worst figures.
    json_file
        File to write the figures to.
    """

    images: Path | None = None
    only: Path | None = None
    pictures: Path | None = None
    json_file: Annotated[Path | None, Parameter(name="--json")] = None


Sets = Annotated[list[Path], Parameter(consume_multiple=True)]
NetworkFlags = Annotated[Network, Parameter(name="*")]
SecondFlags = Annotated[Second, Parameter(name="*")]
FileFlags = Annotated[Files, Parameter(name="*")]
AS_STORED, BUNDLED, NO_FILES = Network(), Second(), Files()
