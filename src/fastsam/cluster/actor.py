"""One worker of a job: loads the network once and segments chunk after chunk, in a process of Ray.

Enters: chunks. Leaves: parts in the output, and the numbers of photos in them.
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
from fastsam.cluster.photos import Fetched
from fastsam.cluster.storage import Place, one_line, read_bytes
from fastsam.cluster.tries import Try, begin
from fastsam.image.header import most_pixels
from fastsam.image.read import decode
from fastsam.machine import scheduled
from fastsam.model import FastSAM
from fastsam.segments import Segments
from fastsam.streams import ordered

PAUSES = (1.0, 5.0)  # seconds before each retry of a part
Opened = tuple[str, bytes, "npt.NDArray[np.uint8] | str"]


@dataclass(frozen=True)
class Task:
    """What a worker must know about its job.

    use: how to load the network; settings: of every call; batch: photos per run of the network
    decoders: threads that decode photos in advance; columns: of tables (see `photos.read`)
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
    """Segments chunks, up to two at a time: while one waits for its photos or is written, the other computes."""

    def __init__(self, task: Task) -> None:
        os.environ["OPENCV_IO_MAX_IMAGE_PIXELS"] = str(most_pixels())
        cv2.setNumThreads(task.use["threads"])  # by default OpenCV would use all cores in every worker
        self.task = task
        with TemporaryDirectory(prefix="fastsam-") as folder:
            file = Path(folder) / PurePosixPath(task.weights.path).name
            file.write_bytes(read_bytes(task.weights))
            self.network = FastSAM(file, **task.use)
        self.turn, self.id = threading.Lock(), secrets.randbits(63)

    def __call__(self, row: dict[str, Any]) -> dict[str, int]:
        """Makes the part of one chunk, unless it exists: after a worker dies, Ray repeats all of its chunks."""
        chunk = Chunk(**row)
        for seconds in (*PAUSES, None):
            try:
                if not is_there(self.task.output, chunk.name):
                    self.make(chunk, final=seconds is None)
                break
            except OSError:  # of a disk or a network, possibly temporary
                if seconds is None:
                    raise
                time.sleep(seconds)
        done, failed = counts(self.task.output, [chunk.name])
        ran, waited = scheduled()
        return {"done": done, "failed": failed, "worker": self.id, "ran": ran, "waited": waited}

    def make(self, chunk: Chunk, final: bool) -> None:
        """Writes the chunk's part. Raises OSError if something cannot be read or written, unless `final`."""
        task = self.task
        with TemporaryDirectory(prefix="fastsam-") as folder:
            part = Part(Path(folder), task.facts, task.formats)
            attempt = begin(task.output, chunk.name)
            for found in self.one_by_one(chunk, attempt, final) if attempt.careful else self.found(chunk, final):
                part.add(found)
            part.put(task.output, chunk.name)
            attempt.end()

    def found(self, chunk: Chunk, final: bool) -> Iterator[Row]:
        """The segments of every photo of the chunk, in order."""
        task = self.task
        opened = ordered(open_, photos.read(task.input, chunk, task.columns, final), task.decoders)
        first = list(islice(opened, 1))  # start reading before this chunk may compute
        with self.turn:
            rest = chain(first, opened)
            while group := list(islice(rest, task.batch)):
                yield from self.segment(group)

    def one_by_one(self, chunk: Chunk, attempt: Try, final: bool) -> Iterator[Row]:
        """The same for a chunk with a photo that kills processes: slower, and without that photo."""
        with self.turn:
            for key, content in photos.read(self.task.input, chunk, self.task.columns, final):
                if key in attempt.guilty:
                    yield Row(key, b"", "the process that opened it died twice")
                    continue
                attempt.take(key)
                yield from self.segment([open_((key, content))])
            attempt.take(None)

    def segment(self, group: list[Opened]) -> Iterator[Row]:
        """The segments of a few photos in one run of the network. If one photo fails, the others go on."""
        good = [pixels for _, _, pixels in group if not isinstance(pixels, str)]
        many: list[Segments] = []
        if len(good) > 1:
            try:
                many = self.network.batch(good, at_once=self.task.batch, **self.task.settings)
            except Exception:  # one of them fails: process each by itself
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


def open_(found: Fetched) -> Opened:
    """The pixels of a photo, or the reason why it cannot be read."""
    key, content = found
    if isinstance(content, Exception):
        return key, b"", one_line(content)
    try:
        return key, content, decode(content) if content else "the file is empty"
    except Exception as error:
        return key, content, one_line(error)
