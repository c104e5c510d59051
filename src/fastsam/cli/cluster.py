"""`fastsam cluster`: millions of photos, on this machine or a Ray cluster."""

import sys
import time
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from fastsam.cli import flags
from fastsam.cli.flags import Detecting, Tiles
from fastsam.cli.say import clock, complain, say
from fastsam.errors import UsageError, require
from fastsam.formats.content import Options, Subject, check, chosen, once, write

if TYPE_CHECKING:
    from fastsam.cluster.job import Progress

EVERY = 10.0  # seconds between two lines of progress if the output is not a terminal
BUSY = 0.7  # share of a processor below which the progress line says that other programs are in the way


def segment(
    input_: str,
    output: str,
    /,
    *,
    address: str | None = None,
    model: Annotated[str | None, flags.MODEL] = None,
    detecting: Annotated[Detecting, Parameter(group=flags.STORED)] = flags.DETECTING,
    tiles: Annotated[Tiles, Parameter(group=flags.STORED)] = flags.TILES,
    refine: Annotated[bool, flags.REFINE, Parameter(negative="")] = False,
    runtime: Annotated[str, flags.RUNTIME] = "onnx",
    batch: int = 1,
    threads: Annotated[int, flags.THREADS] = 1,
    gpus: float = 0,
    workers: int | None = None,
    part: int | None = None,
    format_: Annotated[list[str] | None, Parameter(name="--format", negative="")] = None,
    columns: str | None = None,
) -> int:
    """Segment every photo of an input into a Parquet data set. Run it again to continue an interrupted job.

    Parameters
    ----------
    input_
        Folder, pattern, WebDataset shards (.tar) or Parquet tables, on this machine or on S3, GCS, ...
    output
        Folder for the data set, on this machine or on S3, GCS, ...
    address
        Address of a Ray cluster; by default Ray starts on this machine.
    batch
        Photos per run of the network: 1 on a CPU, 8 or more on a GPU.
    gpus
        GPUs per worker; 0.5 lets two workers share one.
    workers
        Number of workers; as many as the cluster has room for by default.
    part
        Photos per part of the output.
    format_
        webdataset or coco, in addition to Parquet; may be repeated.
    columns
        KEY,BYTES: the columns of tables to read, if their types are ambiguous.
    """
    require("pyarrow", "cluster")
    require("ray", "cluster")
    from fastsam.cluster.job import segment as run

    tiles.checked()
    given = {**vars(detecting), **vars(tiles), "refine": refine or None}
    two = None if columns is None else tuple(columns.split(","))
    if two is not None and len(two) != 2:
        raise UsageError(f"--columns must be KEY,BYTES, not {columns}")
    formats = tuple(dict.fromkeys(name for name in format_ or () if name != "parquet"))
    steps = run(
        input_, output, address=address, model=model, runtime=runtime, batch=batch, threads=threads, gpus=gpus,
        workers=workers, photos=part, formats=formats, columns=None if two is None else (two[0], two[1]),
        settings={name: value for name, value in given.items() if value is not None},
    )  # fmt: skip
    last = show(steps)
    say(f"{output}: {last.done} photos in {last.parts} parts, {last.failed} failed")
    if last.failed:
        complain(f"the reasons are in {output.rstrip('/')}/_failures")
    return 1 if last.failed else 0


def read(
    output: str,
    key: str,
    /,
    *,
    to: Annotated[Path, Parameter(name=("--output", "-o"))] = Path("output"),
    names: Annotated[list[str] | None, flags.FORMAT] = None,
    tolerance: Annotated[float | None, flags.TOLERANCE] = None,
    polygons: Annotated[bool, flags.POLYGONS] = False,
) -> int:
    """Turn a row of a data set back into a picture or a file.

    Parameters
    ----------
    output
        Folder of the data set.
    key
        Key of the photo: its path in the input.
    to
        Folder to write to.
    """
    require("pyarrow", "cluster")
    from fastsam.cluster.reading import read as read_row

    formats, options = chosen(names or ["overlay"]), Options(tolerance, polygons)
    check([format_.name for format_ in formats], options)
    photo = PurePosixPath(key)
    files = [to / (photo.stem + format_.suffix) for format_ in formats]
    once(files)
    segments = read_row(output, key, with_photo=any(format_.uses_photo for format_ in formats))
    for format_, file in zip(formats, files, strict=True):
        write(format_, file, Subject(photo.name, segments, options=options))
        say(file)
    return 0


def show(steps: "Iterable[Progress]") -> "Progress":
    """Shows progress lines (a single changing one on a terminal), and returns the last progress."""
    watched, said, last = sys.stderr.isatty(), 0.0, None
    for last in steps:
        if watched or time.monotonic() - said > EVERY:
            end = "\r" if watched else "\n"
            print(f"{line(last)}\033[K" if watched else line(last), end=end, file=sys.stderr, flush=True)
            said = time.monotonic()
    if watched:
        print("\033[K", end="", file=sys.stderr, flush=True)
    assert last is not None  # a job first yields its progress before it begins
    return last


def line(step: "Progress") -> str:
    """The progress of a job as a line: photos, rate, remaining time, failures."""
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
    return f"{far}  {step.rate:.1f} per second  {rest}  {step.failed} failed{held}"
