"""Videos that are kept for a while: on disk, bounded, under ids that nobody guesses.

Enters: a video's bytes and what was followed in it. Leaves: the same, by id.
"""

import secrets
import tempfile
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastsam.serve.limits import Limits
from fastsam.serve.problems import Problem

MOST = 16  # number of videos that are kept
MASKS = 64 << 20  # bytes of the masks that were followed in one video
Objects = list[dict[str, Any] | None]  # of a frame: each object's row, None where it is lost


@dataclass(frozen=True)
class Facts:
    """A video. width, height: pixels of its frames; frames: their number; rate: per second"""

    width: int
    height: int
    frames: int
    rate: float


@dataclass(eq=False)
class Video:
    """A kept video. since: seconds; followed: what was followed, by the frame's number

    bytes: of those masks; busy: whether it is being followed
    """

    id: str
    name: str
    file: Path
    facts: Facts
    since: float
    followed: dict[int, Objects] = field(default_factory=dict)
    bytes: int = 0
    busy: bool = False

    def note(self, number: int, objects: Objects) -> None:
        """Keeps what was followed in a frame. Raises a problem (413) if that is too much."""
        old = self.followed.get(number, [])
        self.bytes += size_of(objects) - size_of(old)
        if self.bytes > MASKS:
            raise Problem(413, f"the masks take more than {MASKS} bytes: follow fewer objects, or a shorter video")
        self.followed[number] = objects

    def clear(self, first: int) -> None:
        """Forgets what was followed from a frame on."""
        for number in [n for n in self.followed if n >= first]:
            self.bytes -= size_of(self.followed.pop(number))


def size_of(objects: Objects) -> int:
    """Bytes of a frame's masks, nearly."""
    return sum(len(row["segmentation"]["counts"]) + 200 for row in objects if row)


class Videos:
    """The videos, those used longest ago first. clock: in seconds"""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits, self.clock = limits, clock
        self.videos: OrderedDict[str, Video] = OrderedDict()
        self.folder: tempfile.TemporaryDirectory[str] | None = None

    def write(self, data: bytes) -> Path:
        """A new file of the store. Raises a problem (507) if the disk is full."""
        self.folder = self.folder or tempfile.TemporaryDirectory(prefix="fastsam-videos-")
        file = Path(self.folder.name) / secrets.token_urlsafe(16)
        try:
            file.write_bytes(data)
        except OSError:
            file.unlink(missing_ok=True)
            raise Problem(507, "the disk is full: delete other files on the server") from None
        return file

    def keep(self, name: str, file: Path, facts: Facts) -> Video:
        """Keeps a file of the store as a video; the ones used longest ago make room."""
        video = Video(secrets.token_urlsafe(16), name, file, facts, self.clock())
        self.videos[video.id] = video
        while len(self.videos) > MOST or (len(self.videos) > 1 and self.size() > self.limits.memory):
            self.drop(next(iter(self.videos)))
        return video

    def size(self) -> int:
        """Bytes on disk."""
        return sum(video.file.stat().st_size for video in self.videos.values())

    def get(self, id_: str) -> Video:
        """A kept video. Raises a problem (404)."""
        self.expire()
        if id_ not in self.videos:
            raise Problem(404, f"video {id_[:60]!r} is not kept (any more): send it again")
        video = self.videos[id_]
        video.since = self.clock()
        self.videos.move_to_end(id_)
        return video

    def drop(self, id_: str) -> None:
        """Deletes a video at once. Raises a problem (404)."""
        if id_ not in self.videos:
            raise Problem(404, f"video {id_[:60]!r} is not kept (any more)")
        self.videos.pop(id_).file.unlink(missing_ok=True)

    def expire(self) -> None:
        """Deletes what nobody has used for too long."""
        old = [v.id for v in self.videos.values() if self.clock() - v.since > self.limits.age]
        for id_ in old:
            self.drop(id_)

    def close(self) -> None:
        """Deletes all."""
        self.videos.clear()
        if self.folder is not None:
            self.folder.cleanup()
            self.folder = None
