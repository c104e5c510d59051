"""The flags that evaluations share: how photos are segmented, which photos, what is written."""

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
    """How photos are segmented.

    Parameters
    ----------
    model
        Name or file of the weights.
    imgsz
        Input size in pixels; the weights' own by default.
    conf
        Score threshold; the weights' own by default, 0.001 for recall.
    iou
        Overlap threshold; the weights' own by default.
    max_det
        Segments a photo at most; the weights' own by default, 1000 for recall.
    tile
        Side in pixels of tiles that are segmented beside the whole photo; none by default.
    threads
        Threads of the network.
    """

    model: str | None = None
    imgsz: int | None = None
    conf: float | None = None
    iou: float | None = None
    max_det: int | None = None
    tile: int | None = None
    threads: int | None = None

    def load(self, refiner: Refiner | None = None) -> Callable[..., Segments]:
        """What segments a photo, given as `FastSAM` takes it. refiner: draws every mask anew, if there is one"""
        from fastsam.model import FastSAM

        model = FastSAM(self.model, threads=self.threads)
        words = {k: getattr(self, k) for k in ("imgsz", "conf", "iou", "max_det", "tile")}
        return partial(model, **words, refine=refiner or False)

    def unless_said(self, **words: Any) -> "Network":
        """The same with other defaults."""
        return replace(self, **{k: v for k, v in words.items() if getattr(self, k) is None})


@dataclass(frozen=True)
class Second:
    """Which second network draws masks.

    Parameters
    ----------
    refiner
        File of another second network; the bundled one by default.
    """

    refiner: Path | None = None

    def load(self, refine: bool, threads: int | None) -> Refiner | None:
        """The second network, None if nothing is to be drawn. Raises UsageError if one is named then."""
        if refine:
            return load_refiner(self.refiner, threads)
        if self.refiner is not None:
            raise UsageError(f"--refiner {self.refiner} would draw nothing: say --refine with it, or leave it out")
        return None


@dataclass(frozen=True)
class Files:
    """Which photos, and what is written.

    Parameters
    ----------
    images
        Folder of the photos, where they do not lie in the sets.
    only
        File of set/file lines: photos to use, all by default.
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
