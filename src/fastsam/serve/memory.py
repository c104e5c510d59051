"""Photos that are kept for prompts: in memory alone, bounded, under ids that nobody guesses.

Enters: what was found in a photo. Leaves: the same, by id.
"""

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fastsam.segments import Segments
from fastsam.serve.limits import Limits
from fastsam.serve.photo import File
from fastsam.serve.problems import unknown


@dataclass(frozen=True, eq=False)
class Kept:
    """A photo.

    file: as it came; segments: without pixels; rows: of each, as plain values; since: seconds
    bytes: in memory, nearly; photo: its pixels (H, W, 3), None if they had to make room
    Decode copies (`segments.take`) only: segments cache what they decode, and that would count as memory.
    """

    id: str
    name: str
    file: File
    segments: Segments
    rows: list[dict[str, Any]]
    since: float
    bytes: int
    photo: npt.NDArray[np.uint8] | None = None


def size_of(data: bytes, segments: Segments, rows: list[dict[str, Any]]) -> int:
    """Bytes of a file, masks' arrays, and rows (their strings, and some 600 bytes each beside)."""
    arrays = (v.nbytes for v in vars(segments.masks.source).values() if isinstance(v, np.ndarray))
    return len(data) + sum(arrays) + sum(len(row["segmentation"]["counts"]) + 600 for row in rows)


class Memory:
    """The photos, those used longest ago first. clock: in seconds"""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits, self.clock = limits, clock
        self.photos: OrderedDict[str, Kept] = OrderedDict()
        self.bytes = 0

    def keep(
        self,
        name: str,
        file: File,
        segments: Segments,
        rows: list[dict[str, Any]],
        photo: npt.NDArray[np.uint8] | None = None,
    ) -> Kept:
        """Keeps a photo; others go if bounds say so, their pixels first."""
        size = size_of(file.data, segments, rows)
        kept = Kept(secrets.token_urlsafe(16), name, file, segments, rows, self.clock(), size)
        self.photos[kept.id] = kept
        self.bytes += kept.bytes
        if photo is not None:
            self.hold(kept.id, photo)
        self.make_room()
        return self.photos[kept.id]

    def hold(self, id_: str, photo: npt.NDArray[np.uint8]) -> None:
        """Gives a photo its pixels; others lose theirs if bounds say so. Nothing for one that has them or is gone."""
        old = self.photos.get(id_)
        if old is not None and old.photo is None:
            self.photos[id_] = replace(old, photo=photo, bytes=old.bytes + photo.nbytes)
            self.photos.move_to_end(id_)
            self.bytes += photo.nbytes
            self.make_room()

    def make_room(self) -> None:
        """Pixels of photos go, then photos, those used longest ago first, until bounds hold; the last one stays."""
        while len(self.photos) > self.limits.photos:
            self.drop(next(iter(self.photos)))
        for id_ in list(self.photos)[:-1]:
            kept = self.photos[id_]
            if self.bytes > self.limits.memory and kept.photo is not None:
                self.photos[id_] = replace(kept, photo=None, bytes=kept.bytes - kept.photo.nbytes)
                self.bytes -= kept.photo.nbytes
        while self.bytes > self.limits.memory and len(self.photos) > 1:
            self.drop(next(iter(self.photos)))

    def get(self, id_: str) -> Kept:
        """The photo with this id. Raises a problem (404) if it is not kept."""
        self.expire()
        if id_ not in self.photos:
            raise unknown(id_)
        self.photos.move_to_end(id_)
        return self.photos[id_]

    def rename(self, id_: str, segments: Segments, rows: list[dict[str, Any]]) -> None:
        """Gives a photo's segments other names."""
        old = self.get(id_)
        self.photos[id_] = replace(old, segments=segments, rows=rows)

    def drop(self, id_: str) -> None:
        """Drops a photo. Raises a problem (404) if it is not kept."""
        kept = self.photos.pop(id_, None)
        if kept is None:
            raise unknown(id_)
        self.bytes -= kept.bytes

    def expire(self) -> None:
        """Drops the photos that are too old."""
        oldest = self.clock() - self.limits.age
        for id_ in [id_ for id_, kept in self.photos.items() if kept.since < oldest]:
            self.drop(id_)
