"""The flags that say which network segments the photos of an evaluation."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

from cyclopts import Parameter

from fastsam.segments import Segments


@dataclass(frozen=True)
class Network:
    """Which network segments, and how.

    Parameters
    ----------
    model
        Name or file of the weights.
    imgsz
        Input size in pixels; the weights' own by default.
    iou
        Overlap threshold; the weights' own by default.
    tile
        Side in pixels of tiles that are segmented beside the whole photo; none by default.
    threads
        Threads of the network.
    """

    model: str | None = None
    imgsz: int | None = None
    iou: float | None = None
    tile: int | None = None
    threads: int | None = None

    def load(self, conf: float | None, max_det: int | None) -> Callable[[Any], Segments]:
        """What segments a photo, given as `FastSAM` takes it."""
        from fastsam.model import FastSAM

        model = FastSAM(self.model, threads=self.threads)
        return partial(model, imgsz=self.imgsz, conf=conf, iou=self.iou, max_det=max_det, tile=self.tile)


Flags = Annotated[Network, Parameter(name="*")]
