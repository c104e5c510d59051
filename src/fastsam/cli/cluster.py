"""`fastsam cluster`: photos by the million, on this machine or a Ray cluster."""

import sys
import time
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from fastsam.cli.report import clock
from fastsam.cli.say import complain, say
from fastsam.errors import UsageError, require
from fastsam.files import make_folder, write
from fastsam.formats import FORMATS
from fastsam.formats.content import Options, check, content

if TYPE_CHECKING:
    from fastsam.cluster.job import Progress

EVERY = 10.0  # seconds between two lines where nobody watches
BUSY = 0.7  # share of a processor below which the progress line says that other programs are in the way
PICTURES = ("overlay", "cutouts", "edges")  # need the photo


def segment(
    input_: str,
    output: str,
    /,
    *,
    address: str | None = None,
    model: str | None = None,
    imgsz: int | None = None,
    conf: float | None = None,
    iou: float | None = None,
    max_det: int | None = None,
    tile: int | None = None,
    overlap: float | None = None,
    refine: Annotated[bool, Parameter(negative="")] = False,
    runtime: str = "onnx",
    batch: int = 1,
    threads: int = 1,
    gpus: float = 0,
    workers: int | None = None,
    part: int | None = None,
    format_: Annotated[list[str] | None, Parameter(name="--format", negative="")] = None,
    columns: str | None = None,
) -> int:
    """Segment every photo of an input into a Parquet data set; started again, do what is missing.

    Parameters
    ----------
    input_
        Folder, glob, WebDataset shards (.tar) or Parquet tables, here or on S3, GCS, ...
    output
        Folder for the data set, here or there.
    address
        Of a Ray cluster; left out, Ray starts on this machine.
    model
        Name of a model, or a file (.onnx, .pt, .safetensors).
    imgsz
        Longest side of the network's input in pixels.
    conf
        Least score of a mask, 0 to 1.
    iou
        Overlap of two boxes above which the lesser mask goes, 0 to 1.
    max_det
        Masks a photo at most.
    tile
        Side in pixels of tiles that are segmented beside the whole photo.
    overlap
        Share of a tile that the next one shows too.
    refine
        Draw every mask anew with the second network.
    runtime
        onnx, openvino, or torch for a checkpoint.
    batch
        Photos that pass the network together: 1 on a CPU, 8 and more on a GPU.
    threads
        Threads of each worker's network.
    gpus
        GPUs of each worker, 0.5 for two workers on one.
    workers
        Networks at work; as many as the cluster has room for where left out.
    part
        Photos of a part of the output.
    format_
        webdataset or coco, beside Parquet; may be repeated.
    columns
        KEY,BYTES: the columns of tables, where their types do not tell.
    """
    require("pyarrow", "cluster")
    require("ray", "cluster")
    from fastsam.cluster.job import segment as run

    given = {"imgsz": imgsz, "conf": conf, "iou": iou, "max_det": max_det, "tile": tile, "overlap": overlap}
    given |= {"refine": True} if refine else {}
    two = None if columns is None else tuple(columns.split(","))
    if two is not None and len(two) != 2:
        raise UsageError(f"--columns {columns} is not KEY,BYTES")
    formats = tuple(dict.fromkeys(name for name in format_ or () if name != "parquet"))
    steps = run(
        input_, output, address=address, model=model, runtime=runtime, batch=batch, threads=threads, gpus=gpus,
        workers=workers, photos=part, formats=formats, columns=None if two is None else (two[0], two[1]),
        settings={name: value for name, value in given.items() if value is not None},
    )  # fmt: skip
    last = show(steps)
    say(f"{output}: {last.done} photos in {last.parts} parts, {last.failed} failed")
    if last.failed:
        complain(f"why they failed is in {output.rstrip('/')}/_failures")
    return 1 if last.failed else 0


def read(
    output: str,
    key: str,
    /,
    *,
    to: Annotated[Path, Parameter(name=("--output", "-o"))] = Path("output"),
    format_: Annotated[list[str] | None, Parameter(name="--format", negative="")] = None,
    tolerance: float | None = None,
    polygons: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Turn a row of a data set back into a picture or a file.

    Parameters
    ----------
    output
        Folder of the data set.
    key
        Of the photo: where it lies in the input.
    to
        Folder for what is written.
    format_
        overlay (where left out), npz and the other formats of `fastsam segment`; may be repeated.
    tolerance
        Pixels by which outlines may be simplified, as in `fastsam segment`.
    polygons
        In coco, polygons instead of RLE.
    """
    require("pyarrow", "cluster")
    from fastsam.cluster.reading import read as read_row

    formats = list(dict.fromkeys(format_ or ["overlay"]))
    for name in formats:
        if name not in FORMATS:
            raise UsageError(f"unknown format {name!r}: choose from {', '.join(FORMATS)}")
    options = Options(tolerance, polygons)
    check(formats, options)
    segments = read_row(output, key, with_photo=any(name in PICTURES for name in formats))
    photo = PurePosixPath(key)
    for name in formats:
        file = to / (photo.stem + (FORMATS[name] or ".json"))
        if name == "cutouts":
            make_folder(file)
        for inner, made in content(name, photo.name, segments, options=options):
            write(file / inner if inner else file, made)
        say(file)
    return 0


def show(steps: "Iterable[Progress]") -> "Progress":
    """A progress line, on a terminal always the same one; returns where it ended."""
    watched, said, last = sys.stderr.isatty(), 0.0, None
    for last in steps:
        if watched or time.monotonic() - said > EVERY:
            end = "\r" if watched else "\n"
            print(f"{line(last)}\033[K" if watched else line(last), end=end, file=sys.stderr, flush=True)
            said = time.monotonic()
    if watched:
        print("\033[K", end="", file=sys.stderr, flush=True)
    assert last is not None  # where a job stands before it begins comes first
    return last


def line(step: "Progress") -> str:
    """Where a job stands: photos, rate, what remains, failures."""
    seen = step.done + step.failed
    if step.total is None:
        far = f"{seen} photos, part {step.parts} of {step.parts_total}"
        left = (step.parts_total - step.parts) * step.seconds_a_part
    else:
        far = f"{seen} of {step.total} photos"
        left = (step.total - seen) / step.rate if step.rate else 0.0
    if step.parts == step.parts_total:
        return f"{far}  {step.failed} failed"
    rest = f"{clock(left)} left" if step.rate else "starting"
    held = f"  workers wait for a processor {1 - step.share:.0%} of the time" if step.share < BUSY else ""
    return f"{far}  {step.rate:.1f} a second  {rest}  {step.failed} failed{held}"
