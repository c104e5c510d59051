"""`fastsam eval edges`."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import numpy.typing as npt
from cyclopts import Group, Parameter
from rich.table import Table

from fastsam.cli import flags
from fastsam.cli.evaluate.flags import BUNDLED, NO_FILES, Reports, Second, segmenter
from fastsam.cli.evaluate.report import progress
from fastsam.cli.flags import Segmenting
from fastsam.errors import UsageError, require
from fastsam.machine import cores
from fastsam.segments import Segments

Map = npt.NDArray[Any]
KINDS = (".mat", ".npz")
OUTPUT = Group("Output", help="Pictures show predicted edges white and annotated ones red.", sort_key=5)
WAITING = 4  # maximum number of maps per process that wait to be matched


def edges(
    photos: Path | None = None,
    /,
    *,
    ground_truth: Path,
    predictions: Path | None = None,
    thresholds: int = 99,
    use: Segmenting = flags.AS_STORED,
    second: Second = BUNDLED,
    reports: Annotated[Reports, Parameter(group=OUTPUT)] = NO_FILES,
    refine: Annotated[bool, flags.REFINE] = False,
    some: Annotated[bool, Parameter(negative="")] = False,
    limit: int | None = None,
    processes: int | None = None,
) -> int:
    """Run the BSDS500 boundary benchmark (ODS, OIS, AP and R50) on the masks' edges, or on edge maps in a folder.

    Parameters
    ----------
    photos
        Folder of the photos to segment, or of a set with images/.
    ground_truth
        Folder of the annotators' boundaries: BSDS500's .mat files, or .npz files with packed boundaries and shape.
    predictions
        Folder of edge maps to measure instead of photos: grey PNGs of 8 or 16 bits, named as the ground truth.
    thresholds
        Number of evenly spaced thresholds.
    some
        Judge the pictures that are there, if others of the ground truth are missing.
    limit
        Maximum number of photos.
    processes
        Number of processes that match pixels; one per core by default.
    """
    if (photos is None) == (predictions is None):
        raise UsageError("give either a folder of photos, or a folder of edge maps with --predictions")
    for name, value in (("thresholds", thresholds), ("limit", limit), ("processes", processes)):
        if value is not None and value < 1:
            raise UsageError(f"--{name} must be at least 1, not {value}")
    if predictions and refine:
        raise UsageError("--refine needs photos: give a folder of photos instead of --predictions")
    refiner = second.load(refine, use.running.threads)
    require("scipy", "eval")
    require("skimage", "eval")
    from fastsam.evaluation.boundaries import best, curve, grid, read_drawn, summary

    files = sorted(f for f in ground_truth.glob("*") if f.suffix in KINDS)[:limit]
    if not files:
        raise UsageError(f"{ground_truth} has no ground truth: give a folder with .mat or .npz files")
    sources = sources_of(files, predictions or photos_of(photos), [".png"] if predictions else None, some)
    files = [file for file in files if file.stem in sources]
    read = read_map if predictions else edges_by(segmenter(use, refiner))
    cuts = grid(thresholds)
    tables = matched([(sources[file.stem], file) for file in files], read, thresholds, processes or cores())
    figures = summary([f.stem for f in files], tables, cuts)
    table = Table("photos", "thresholds", "ODS", "OIS", "AP", "R50")
    row = (figures.ods, figures.ois, figures.ap, figures.r50)
    table.add_row(str(len(files)), str(thresholds), *[f"{v:.3f}" for v in row])

    def picture(k: int) -> npt.NDArray[np.uint8]:
        drawn = read_drawn(files[k])
        canvas = np.zeros((*drawn[0].shape, 3), np.uint8)
        canvas[..., 0] = 255 * np.mean(drawn, 0)
        canvas[read(sources[files[k].stem]) >= best(*curve(tables[k]), cuts).threshold] = 255
        return canvas

    reports.write([table], figures, [(row["f"], files[k], k) for k, row in enumerate(figures.images)], picture)
    return 0


def matched(
    pairs: list[tuple[Path, Path]], read: Callable[[Path], Map], thresholds: int, processes: int
) -> list[npt.NDArray[np.int64]]:
    """The counts of each pair of edge map and ground truth, in several processes."""
    jobs: list[Future[npt.NDArray[np.int64]]] = []
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        try:
            for k, (source, file) in enumerate(progress(pairs, "edges")):
                if k >= WAITING * processes:
                    jobs[k - WAITING * processes].result()
                jobs.append(pool.submit(counts_of, read(source), file, thresholds))
            return [job.result() for job in progress(jobs, "matching the last")]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def counts_of(strength: Map, file: Path, thresholds: int) -> npt.NDArray[np.int64]:
    """The counts of one photo's edge map. Raises UsageError if the ground truth has another size."""
    from fastsam.evaluation.boundaries import count, grid, read_drawn

    cv2.setNumThreads(1)
    drawn = read_drawn(file)
    if not drawn:
        raise UsageError(f"{file} has no boundaries: give a folder with BSDS500's .mat files, or .npz files")
    if any(d.shape != strength.shape for d in drawn):
        raise UsageError(
            f"the edge map of {file.stem} has {strength.shape} pixels but its ground truth has {drawn[0].shape}"
        )
    return count(strength, drawn, grid(thresholds))


def photos_of(folder: Path | None) -> Path:
    """The folder of the photos: its subfolder images/, if there is one."""
    assert folder is not None  # checked by the caller
    return folder / "images" if (folder / "images").is_dir() else folder


def sources_of(files: list[Path], folder: Path, suffixes: list[str] | None, some: bool) -> dict[str, Path]:
    """The photo or edge map of each ground truth, by its name.

    some: drop ground truth without a picture, as long as any has one

    Raises UsageError if pictures are missing.
    """
    named = {f.stem: f for f in _pictures(folder) if suffixes is None or f.suffix.lower() in suffixes}
    missing = [file.stem for file in files if file.stem not in named]
    there = len(files) - len(missing)
    if missing and not (some and there):
        first = f"{missing[0]}{(suffixes or [''])[0]}"
        many = "" if len(missing) == 1 else f" and {len(missing) - 1} more"
        offer = f"; add --some to judge the {there} that {'is' if there == 1 else 'are'} there" if there else ""
        raise UsageError(f"{folder} has no picture {first}{many}: {len(missing)} of {len(files)} are missing{offer}")
    return {file.stem: named[file.stem] for file in files if file.stem in named}


def _pictures(folder: Path) -> Iterator[Path]:
    """Files in a folder and its subfolders that OpenCV can read, by their suffix."""
    return (f for f in sorted(folder.rglob("*")) if f.is_file() and cv2.haveImageReader(str(f)))


def read_map(source: Path) -> Map:
    """An edge map (H, W), 0..1. Raises UsageError if the file is not a grey PNG."""
    pixels = cv2.imdecode(np.frombuffer(source.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.ndim != 2 or pixels.dtype not in (np.uint8, np.uint16):
        raise UsageError(f"{source} must be a grey PNG of 8 or 16 bits")
    strength: Map = pixels.astype(np.float64) / np.iinfo(pixels.dtype).max
    return strength


def edges_by(segment: Callable[[Path], Segments]) -> Callable[[Path], Map]:
    """A function from a photo to its edge map."""
    return lambda source: segment(source).edges()
