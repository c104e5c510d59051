"""`fastsam eval edges`."""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import numpy.typing as npt
from cyclopts import Parameter
from rich.table import Table

from fastsam.cli.evaluate.network import Flags, Network
from fastsam.cli.evaluate.report import best_and_worst, progress, show, write_json
from fastsam.errors import UsageError, require

KINDS = (".mat", ".npz")


def edges(
    photos: Path | None = None,
    /,
    *,
    ground_truth: Path,
    predictions: Path | None = None,
    thresholds: int = 99,
    network: Flags = Network(),  # noqa: B008  # frozen
    conf: float | None = None,
    max_det: int | None = None,
    limit: int | None = None,
    processes: int | None = None,
    pictures: Path | None = None,
    json_file: Annotated[Path | None, Parameter(name="--json")] = None,
) -> int:
    """The BSDS500 boundary benchmark: ODS, OIS, AP and R50 of the masks' edges, or of edge maps in a folder.

    Parameters
    ----------
    photos
        Folder of the photos to segment, or of a set with images/.
    ground_truth
        Folder of what annotators drew: BSDS500's .mat files, or .npz files with packed boundaries and their shape.
    predictions
        Folder of edge maps to judge instead: grey PNGs of 8 or 16 bits, named as the ground truth.
    thresholds
        At how many strengths, evenly spread, the maps are cut.
    conf
        Score threshold; the weights' own by default.
    max_det
        Segments a photo at most; the weights' own by default.
    limit
        Only the first so many photos.
    processes
        Processes that match pixels; one a core by default.
    pictures
        Folder for pictures of the best and the worst photos: white predicted, in colour what was drawn.
    json_file
        File to write the figures to.
    """
    if (photos is None) == (predictions is None):
        raise UsageError("name either a folder of photos or --predictions, a folder of edge maps")
    if thresholds < 1 or (limit is not None and limit < 1):
        raise UsageError(f"--thresholds {thresholds} and --limit {limit} must be at least 1")
    require("scipy", "eval")
    require("skimage", "eval")
    from fastsam.evaluation.boundaries import best, curve, grid, read_drawn, summary

    files = sorted(f for f in ground_truth.glob("*") if f.suffix in KINDS)[:limit]
    if not files:
        raise UsageError(f"{ground_truth} holds no ground truth: neither .mat nor .npz files")
    cuts = grid(thresholds)

    def maps(some: list[Path]) -> Iterator[npt.NDArray[Any]]:
        return predicted(predictions, some) if predictions else segmented(photos, some, network, conf, max_det)

    with ProcessPoolExecutor(processes or os.cpu_count(), mp_context=get_context("spawn")) as pool:
        jobs = [pool.submit(one, strength, file, thresholds) for strength, file in zip(maps(files), files, strict=True)]
        tables = [job.result() for job in progress(jobs, "matching", len(jobs))]
    figures = summary([f.stem for f in files], tables, cuts)
    table = Table("photos", "thresholds", "ODS", "OIS", "AP", "R50")
    row = (figures.ods, figures.ois, figures.ap, figures.r50)
    table.add_row(str(len(files)), str(thresholds), *[f"{v:.3f}" for v in row])
    show(table)
    write_json(json_file, asdict(figures))

    def picture(file: Path) -> Any:
        at = best(*curve(tables[files.index(file)]), cuts).threshold
        canvas = np.zeros((*read_drawn(file)[0].shape, 3), np.uint8)
        canvas[..., 0] = 255 * np.mean(read_drawn(file), 0)
        canvas[next(maps([file])) >= at] = 255
        return canvas

    rated = [(row["f"], file) for row, file in zip(figures.images, files, strict=True)]
    best_and_worst(pictures, rated, lambda file: file.name, picture)
    return 0


def one(strength: npt.NDArray[Any], file: Path, thresholds: int) -> npt.NDArray[np.int64]:
    """The counts of one photo's edge map. Raises UsageError where its size is another."""
    from fastsam.evaluation.boundaries import count, grid, read_drawn

    cv2.setNumThreads(1)
    drawn = read_drawn(file)
    if any(d.shape != strength.shape for d in drawn):
        raise UsageError(f"the edge map of {file.stem} has {strength.shape} pixels, what was drawn {drawn[0].shape}")
    return count(strength, drawn, grid(thresholds))


def predicted(folder: Path, files: list[Path]) -> Iterator[npt.NDArray[Any]]:
    """Edge maps 0..1 of a folder, one for each ground truth. Raises UsageError where one is missing or no grey PNG."""
    for file in files:
        source = folder / f"{file.stem}.png"
        if not source.is_file():
            raise UsageError(f"{source} is missing: every ground truth needs an edge map of its name")
        pixels = cv2.imdecode(np.frombuffer(source.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
        if pixels is None or pixels.ndim != 2 or pixels.dtype not in (np.uint8, np.uint16):
            raise UsageError(f"{source} is no grey PNG of 8 or 16 bits")
        yield pixels.astype(np.float64) / np.iinfo(pixels.dtype).max


def segmented(
    folder: Path | None, files: list[Path], network: Network, conf: float | None, max_det: int | None
) -> Iterator[npt.NDArray[Any]]:
    """Edge maps of the photos of each ground truth's name. Raises UsageError where one is missing."""
    assert folder is not None  # checked by the caller
    inner = folder / "images" if (folder / "images").is_dir() else folder
    named = {f.stem: f for f in inner.glob("*") if f.is_file()}
    segment = network.load(conf, max_det)
    for file in progress(files, "segmenting", len(files)):
        if file.stem not in named:
            raise UsageError(f"{inner} has no photo called {file.stem}")
        yield segment(named[file.stem]).edges()
