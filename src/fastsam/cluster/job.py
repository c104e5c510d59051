"""A job: segments the photos of an input that its output does not have yet, on this machine or a cluster.

Enters: two addresses and settings. Leaves: the output, and progress.
"""

import hashlib
import json
import os
import time
from collections import deque
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from fastsam import __version__
from fastsam.cluster import chunks as inputs
from fastsam.cluster import engine
from fastsam.cluster.actor import Task
from fastsam.cluster.chunks import Chunk, Columns
from fastsam.cluster.parts import BESIDE, FAILURES, Facts, count, counts, keys_of, names_done, tidy
from fastsam.cluster.storage import Place, absolute, place_of, read_bytes, whole
from fastsam.errors import UsageError
from fastsam.model import FastSAM
from fastsam.weights import catalogue

JOB, MODEL = "_job.json", "_model"
RECENT = 32  # number of parts over which the speed is averaged
DECODERS = 4  # decoding threads per GPU; on a CPU one is enough


@dataclass(frozen=True)
class Progress:
    """Progress of a job.

    done, failed: numbers of photos; total: photos of the input, None before shards are counted; parts, parts_total: of
    the output; rate: recent photos per second; seconds_a_part: recent seconds per part, over all workers; share: of a
    processor that workers got when they could have used one, 0..1
    """

    done: int
    failed: int
    total: int | None
    parts: int
    parts_total: int
    rate: float = 0.0
    seconds_a_part: float = 0.0
    share: float = 1.0


def segment(
    input_: str,
    output: str,
    *,
    address: str | None = None,
    model: str | os.PathLike[str] | None = None,
    settings: dict[str, Any] | None = None,
    runtime: str = "onnx",
    batch: int = 1,
    threads: int = 1,
    gpus: float = 0,
    workers: int | None = None,
    photos: int | None = None,
    formats: tuple[str, ...] = (),
    columns: Columns | None = None,
) -> Iterator[Progress]:
    """Segments every photo of an input into a Parquet data set, and yields progress. Finished parts are skipped.

    input_: a folder, a pattern, WebDataset shards or Parquet tables, on any file system; output: a folder, likewise
    address: of a Ray cluster, None to start Ray on this machine; settings: imgsz, conf, iou, max_det, tile, overlap,
    refine
    batch: photos per run of the network; threads: CPU threads per worker; gpus: per worker
    workers: their number, None for as many as the cluster has room for; photos: number per part
    formats: `webdataset` and `coco`, written besides Parquet; columns: names of a table's columns of keys and bytes

    Raises UsageError for invalid arguments, and if the output belongs to another job.
    """
    for format_ in formats:
        if format_ not in BESIDE:
            raise UsageError(f"unknown format {format_!r}: choose from parquet, {', '.join(BESIDE)}")
    for name, value in {"batch": batch, "threads": threads, "workers": workers, "photos": photos}.items():
        if value is not None and value < 1:
            raise UsageError(f"{name} must be at least 1, not {value}")
    source, chunks = inputs.find(input_, photos, columns)
    target = place_of(output)
    if source.files == target.files and inputs.takes(input_, target):
        raise UsageError(f"the output {output} must not be inside the input {input_}: choose another folder")
    use: dict[str, Any] = {"threads": threads, "runtime": runtime, "device": "cuda" if gpus else "cpu"}
    given = settings or {}
    with nullcontext(catalogue.locate(model)) if runtime == "torch" else catalogue.opened(model) as weights:
        network = FastSAM(weights, threads=1, runtime=runtime)  # only for its settings: this machine may have no GPU
        content = weights.read_bytes()
    view = {name: value for name, value in given.items() if name in ("tile", "overlap", "refine")}
    resolved = network.resolve(**{name: value for name, value in given.items() if name not in view})
    own = {**resolved.stored(), **view}
    facts = Facts(json.dumps(own), hashlib.sha256(content).hexdigest())
    about = {"input": absolute(input_), "model": facts.model, "settings": own, "formats": sorted(formats)}
    claim(target, {**about, "columns": columns})
    kept = target / MODEL / weights.name
    with whole(kept) as file:  # from where workers on other machines load it
        file.write_bytes(content)
    task = Task(source, target, facts, kept, use, given, batch, DECODERS if gpus else 1, formats, columns)
    return run(task, chunks, address, workers, gpus)


def claim(output: Place, about: dict[str, Any]) -> None:
    """Records in the output what it contains. Raises UsageError if it contains something else."""
    note = output / JOB
    if note.is_file:
        try:
            known = json.loads(read_bytes(note))
        except ValueError:
            raise UsageError(f"{note.path} is damaged: choose another output") from None
        for name, value in about.items():
            value = json.loads(json.dumps(value))  # as it was stored: without tuples
            if known.get(name) != value:
                then, now = differing(known.get(name), value)
                raise UsageError(
                    f"{output.path} was made with {name} {then}, not {now}: choose another output, or the same {name}"
                )
        return
    if names_done(output):
        raise UsageError(f"{output.path} has other tables: choose an empty folder")
    with whole(note) as file:
        file.write_text(json.dumps({**about, "version": __version__}, indent=1))


def differing(then: Any, now: Any) -> tuple[str, str]:
    """Two values as text for a message; of two settings dictionaries only the entries that differ."""
    if isinstance(then, dict) and isinstance(now, dict):
        names = [name for name in {**then, **now} if then.get(name) != now.get(name)]
        then, now = ({name: one[name] for name in names if name in one} for one in (then, now))
    return json.dumps(then)[:200], json.dumps(now)[:200]


def missing(output: Place, chunks: list[Chunk]) -> tuple[list[Chunk], list[Chunk]]:
    """The finished chunks, and the chunks to do, without photos that finished parts have.

    Parts are named by their chunks, so that they are only opened if the input has changed.
    """
    there = names_done(output)
    done = [chunk for chunk in chunks if chunk.name in there]
    others = there - {chunk.name for chunk in done}
    keys = keys_of(output, others) if others else set()
    left = (chunk.without(keys) for chunk in chunks if chunk.name not in there)
    return done, [chunk for chunk in left if chunk is not None]


def before(output: Place, chunks: list[Chunk]) -> tuple[int, int]:
    """Numbers of found and failed photos in finished parts. Only parts of unknown size are opened."""
    sized = {chunk.name: chunk.count for chunk in chunks if chunk.count is not None}
    done, failed = counts(output, names_done(output) - set(sized))
    known = count(output / FAILURES, set(sized)) if sized else 0
    return done + sum(sized.values()) - known, failed + known


def run(task: Task, chunks: list[Chunk], address: str | None, workers: int | None, gpus: float) -> Iterator[Progress]:
    """Segments the missing chunks with Ray Data, and yields progress after each."""
    there, todo = missing(task.output, chunks)
    done, failed = before(task.output, there)
    known = [chunk.count for chunk in chunks]
    total = None if None in known else sum(count or 0 for count in known)
    parts = len(there)
    yield Progress(done, failed, total, parts, len(there) + len(todo))
    speed = Speed()
    for answer in engine.run(address, task, todo, workers, gpus) if todo else ():
        done, failed, parts = done + answer["done"], failed + answer["failed"], parts + 1
        rate, seconds = speed.after(answer["done"] + answer["failed"])
        share = speed.share(answer["worker"], answer["ran"], answer["waited"])
        yield Progress(done, failed, total, parts, len(there) + len(todo), rate, seconds, share)
    tidy(task.output)


class Speed:
    """Photos per second and seconds per part, over the last `RECENT` parts, so that the start does not count later."""

    def __init__(self) -> None:
        self.ends: deque[tuple[float, int]] = deque([(time.monotonic(), 0)], RECENT)
        self.times: dict[int, tuple[int, int]] = {}

    def after(self, photos: int) -> tuple[float, float]:
        """The two rates after a part of `photos` photos is finished."""
        self.ends.append((time.monotonic(), photos))
        seconds = max(self.ends[-1][0] - self.ends[0][0], 1e-9)
        return sum(n for _, n in list(self.ends)[1:]) / seconds, seconds / (len(self.ends) - 1)

    def share(self, worker: int, ran: int, waited: int) -> float:
        """What share of a processor workers got, by what each last said of the time that it ran and waited for one."""
        self.times[worker] = (ran, waited)
        ran, waited = (sum(values) for values in zip(*self.times.values(), strict=True))
        return ran / (ran + waited) if ran else 1.0
