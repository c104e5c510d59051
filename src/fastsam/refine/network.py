"""Loads the second network: crops and prompt maps in, logits and qualities out.

Enters: the bundled file or another that `fastsam export` wrote. Leaves: a `Refiner`.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fastsam.errors import UsageError
from fastsam.machine import cores
from fastsam.runtimes.onnx import open_file
from fastsam.untrusted import onnxfile
from fastsam.untrusted.shown import reason
from fastsam.weights.kinds import refuse_others

Float32 = npt.NDArray[np.float32]
UInt8 = npt.NDArray[np.uint8]
BUNDLED = Path(__file__).parents[1] / "weights" / "bundled" / "fastsam-refine.onnx"
SIGNATURE = [  # names, types and ranks of its inputs and outputs
    ("images", "tensor(uint8)", 4),
    ("maps", "tensor(float)", 4),
    ("masks", "tensor(float)", 4),
    ("quality", "tensor(float)", 2),
]
TRIED = 96  # side in pixels of the crop that a network is tested on
AT_ONCE = 8  # crops per run of the network: more gain nothing on a CPU
UNKNOWN = -20.0  # logit that replaces one that is not finite


@dataclass(frozen=True)
class Refiner:
    """A loaded second network, which draws the mask of one thing. `Segments.select(refine=...)` takes it.

    told, meant: two straight lines (slope, offset) that give the logit of the expected IoU: `told` from the logit of
    the predicted IoU, for a box or a mask; `meant` from the logarithm of a click's rank (see `rank`). They are stored
    with the weights.
    file: where it was loaded from; threads: number of CPU threads it may use
    """

    session: Any
    told: tuple[float, float] = (0.0, 1.0)
    meant: tuple[float, float] = (2.0, 1.0)
    file: Path | None = None
    threads: int = 1

    @cached_property
    def single(self) -> "Refiner":
        """The same network on one thread: several runs of it at a time take less than one run on several threads."""
        if self.file is None or self.threads == 1:
            return self
        return replace(self, session=open_file(self.file, 1), threads=1)

    def run(self, images: Sequence[UInt8], maps: Sequence[Float32]) -> tuple[list[Float32], Float32]:
        """The drawn mask of each crop: logits (S / 2, S / 2) float32, and qualities (N,), 0..1.

        images: N crops (S, S, 3) uint8 RGB, each of one of the network's sizes; maps: (4, S / 2, S / 2) per crop

        A mask whose logits are not finite has quality 0.
        """
        logits: list[Float32] = [np.zeros((0, 0), np.float32)] * len(images)
        quality = np.zeros(len(images), np.float32)
        for size in sorted({image.shape[0] for image in images}):
            alike = [k for k, image in enumerate(images) if image.shape[0] == size]
            for some in (alike[k : k + AT_ONCE] for k in range(0, len(alike), AT_ONCE)):
                feed = {"images": np.stack([images[k] for k in some]), "maps": np.stack([maps[k] for k in some])}
                drawn, judged = (found[:, 0] for found in self.session.run(["masks", "quality"], feed))
                sound = np.isfinite(drawn).all((1, 2)) & np.isfinite(judged)
                if not sound.all():
                    drawn = np.where(np.isfinite(drawn), drawn, np.float32(UNKNOWN))
                quality[some] = np.where(sound, np.clip(judged, 0, 1), 0)
                for k, own in zip(some, drawn, strict=True):
                    logits[k] = own
        return logits, quality


def load(file: str | os.PathLike[str] | None = None, threads: int | None = None) -> Refiner:
    """Loads a second network.

    Parameters
    ----------
    file : str or path, optional
        An ONNX file that `fastsam export` wrote. Default: the bundled network.
    threads : int, optional
        Number of CPU threads. Default: ONNX Runtime chooses.

    Returns
    -------
    Refiner
        The network.

    Raises
    ------
    UsageError
        If the file is not a second network.
    """
    path = BUNDLED if file is None else Path(file)
    if file is not None:
        refuse_others(path)
        onnxfile.read(path)
    try:
        session = open_file(path, threads)
    except Exception as error:  # ONNX Runtime's own kinds share no base class
        raise UsageError(f"{path} is not a network that ONNX Runtime can load") from error
    if [(v.name, v.type, len(v.shape)) for v in (*session.get_inputs(), *session.get_outputs())] != SIGNATURE:
        raise UsageError(f"{path} is not a second network: `fastsam train refine` and `fastsam export` make one")
    refiner = replace(calibrated(session, path), file=path, threads=threads or cores())
    if file is not None:
        check(refiner, path)
    return refiner


def check(refiner: Refiner, file: Path) -> None:
    """Draws the mask of one grey crop. Raises UsageError if the network fails or its outputs have wrong shapes."""
    half = TRIED // 2
    feed = {"images": np.full((1, TRIED, TRIED, 3), 90, np.uint8), "maps": np.zeros((1, 4, half, half), np.float32)}
    try:
        masks, quality = refiner.session.run(["masks", "quality"], feed)
    except Exception as error:  # whatever ONNX Runtime raises of a graph
        raise UsageError(f"{file} cannot be run on a crop of {TRIED} pixels: {reason(error)}") from None
    if masks.shape != (1, max(1, masks.shape[1]), half, half) or quality.shape != masks.shape[:2]:
        raise UsageError(
            f"{file} gives masks {masks.shape} and qualities {quality.shape}, not (1, 1, {half}, {half}) and (1, 1)"
        )


def calibrated(session: Any, file: Path) -> Refiner:
    """A loaded network with the two lines of `Refiner` that its file stores. Raises UsageError."""
    try:
        stored = json.loads(session.get_modelmeta().custom_metadata_map.get("fastsam", "{}"))
        lines: dict[str, Any] = {name: pair(stored[name]) for name in ("told", "meant") if name in stored}
    except (ValueError, TypeError, RecursionError):
        raise UsageError(f"{file}: its settings are damaged, export it again") from None
    return Refiner(session, **lines)


def pair(line: Any) -> tuple[float, float]:
    """A line's two numbers. Raises ValueError for anything else."""
    if isinstance(line, list) and len(line) == 2 and all(type(v) in (int, float) and abs(v) <= 1e6 for v in line):
        return float(line[0]), float(line[1])
    raise ValueError


@lru_cache(maxsize=4)
def shared(threads: int | None = None) -> Refiner:
    """The bundled second network, loaded once per process and number of threads."""
    return load(None, threads)
