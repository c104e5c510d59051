"""One worker of a job: a network, loaded once, and chunk after chunk through it.

Enters: chunks. Leaves: parts in the output, and how many photos they hold. Run by Ray, in a process of its own.
"""

import os
import secrets
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.cluster import photos
from fastsam.cluster.chunks import Chunk, Columns
from fastsam.cluster.parts import Facts, Part, Row, counts, is_there
from fastsam.cluster.photos import Found
from fastsam.cluster.storage import Place, one_line, read_bytes
from fastsam.cluster.tries import Try, begin
from fastsam.image.header import most_pixels
from fastsam.image.read import decode
from fastsam.machine import scheduled
from fastsam.model import FastSAM
from fastsam.segments import Segments
from fastsam.streams import ordered

PAUSES = (1.0, 5.0)  # seconds before a part is tried again
Opened = tuple[str, bytes, "npt.NDArray[np.uint8] | str"]


@dataclass(frozen=True)
class Task:
    """What a worker needs to know of its job.

    use: how the network is loaded; settings: of every call; batch: photos that pass it together
    decoders: threads that decode ahead of it; columns: of tables (see `photos.read`)
    """

    input: Place
    output: Place
    facts: Facts
    weights: Place
    use: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    batch: int = 1
    decoders: int = 1
    formats: tuple[str, ...] = ()
    columns: Columns | None = None


class Worker:
    """Segments chunks. Two may be under way: while one waits for its photos or is written, the other computes."""

    def __init__(self, task: Task) -> None:
        os.environ["OPENCV_IO_MAX_IMAGE_PIXELS"] = str(most_pixels())
        cv2.setNumThreads(task.use["threads"])  # OpenCV would take all cores for every worker
        self.task = task
        with TemporaryDirectory(prefix="fastsam-") as folder:
            file = Path(folder) / PurePosixPath(task.weights.path).name
            file.write_bytes(read_bytes(task.weights))
            self.network = FastSAM(file, **task.use)
        self.turn, self.id = threading.Lock(), secrets.randbits(63)

    def __call__(self, row: dict[str, Any]) -> dict[str, int]:
        """One chunk, unless its part is there: Ray asks again for what a dead worker did or did not do."""
        chunk = Chunk(**row)
        for seconds in (*PAUSES, None):
            try:
                if not is_there(self.task.output, chunk.name):
                    self.make(chunk, final=seconds is None)
                break
            except OSError:  # of a disk or a network: it may pass
                if seconds is None:
                    raise
                time.sleep(seconds)
        done, failed = counts(self.task.output, [chunk.name])
        ran, waited = scheduled()
        return {"done": done, "failed": failed, "worker": self.id, "ran": ran, "waited": waited}

    def make(self, chunk: Chunk, final: bool) -> None:
        """The chunk's part. Raises OSError for what cannot be read or written, where it is not the final attempt."""
        task = self.task
        with TemporaryDirectory(prefix="fastsam-") as folder:
            part = Part(Path(folder), task.facts, task.formats)
            attempt = begin(task.output, chunk.name)
            for found in self.one_by_one(chunk, attempt, final) if attempt.careful else self.found(chunk, final):
                part.add(found)
            part.put(task.output, chunk.name)
            attempt.end()

    def found(self, chunk: Chunk, final: bool) -> Iterator[Row]:
        """Everything in every photo of the chunk, in order."""
        task = self.task
        opened = ordered(open_, photos.read(task.input, chunk, task.columns, final), task.decoders)
        first = list(islice(opened, 1))  # read before it is this chunk's turn
        with self.turn:
            rest = chain(first, opened)
            while group := list(islice(rest, task.batch)):
                yield from self.segment(group)

    def one_by_one(self, chunk: Chunk, attempt: Try, final: bool) -> Iterator[Row]:
        """The same where something in the chunk ends processes: slower, and without what did."""
        with self.turn:
            for key, content in photos.read(self.task.input, chunk, self.task.columns, final):
                if key in attempt.guilty:
                    yield Row(key, b"", "the process that opened it died, twice")
                    continue
                attempt.take(key)
                yield from self.segment([open_((key, content))])
            attempt.take(None)

    def segment(self, group: list[Opened]) -> Iterator[Row]:
        """Everything in some photos, which pass the network together; one that cannot does not stop the others."""
        good = [pixels for _, _, pixels in group if not isinstance(pixels, str)]
        many: list[Segments] = []
        if len(good) > 1:
            try:
                many = self.network.batch(good, at_once=self.task.batch, **self.task.settings)
            except Exception:  # of one of them: each by itself then
                many = []
        answers = iter(many)
        for key, content, pixels in group:
            found: Segments | str
            if isinstance(pixels, str):
                found = pixels
            elif many:
                found = next(answers)
            else:
                try:
                    found = self.network(pixels, **self.task.settings)
                except Exception as error:
                    found = one_line(error)
            yield Row(key, content, found)


def open_(found: Found) -> Opened:
    """A photo's pixels, or why there are none."""
    key, content = found
    if isinstance(content, Exception):
        return key, b"", one_line(content)
    try:
        return key, content, decode(content) if content else "the file is empty"
    except Exception as error:
        return key, content, one_line(error)
