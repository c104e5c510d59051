"""A folder of photos with their annotations: a file of labelme beside each, or one COCO file of all. Nothing outside of
the folder is read or written.

Every save writes a new file whole, down to the disk, and then takes the old one's place: whatever ends the program or
the machine leaves the old state or the new one. `version` is the checksum of what is kept of a photo; who saves says
which one he has seen, so that nobody overwrites what he has not.
"""

import hashlib
import json
import os
import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from fastsam.errors import UnreadableImageError, UsageError
from fastsam.files import write
from fastsam.image.header import read_header
from fastsam.image.kinds import SUFFIXES
from fastsam.image.read import read_image
from fastsam.serve.bodies import one_line
from fastsam.serve.problems import Problem
from fastsam.serve.projects import instances
from fastsam.serve.projects import labels as files
from fastsam.serve.projects.imports import objects_of
from fastsam.serve.projects.labels import Labels, Object
from fastsam.serve.projects.photos import Photos

CLASSES = "classes.txt"
MOST = 64 << 20  # bytes of a file of annotations
HEAD = 2048  # bytes in which our files say of which photo they are, and whether it is done
Foreign = dict[str, list[tuple[Any, str]]]  # segmentations and names by photo
PART = re.compile(r"\.[0-9a-f]{16}\.(json|txt)")  # what a save that was cut short leaves


@dataclass(eq=False)
class Folder(Photos):
    """A project.

    pixels: of a photo; coco: whether one COCO file keeps all, instead of labelme's files
    lock: one save at a time; known: COCO's files, by time; whole: the one that keeps all, by time and size
    counted: objects a class of labelme's files, by time
    """

    pixels: int
    coco: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)
    known: dict[Path, tuple[int, Foreign]] = field(default_factory=dict)
    whole: tuple[tuple[int, int], dict[str, Any]] | None = None
    counted: dict[Path, tuple[int, dict[str, int]]] = field(default_factory=dict)

    def labels_path(self, photo: Path) -> Path:
        """The file of a photo's annotations: a.json for a.jpg; a.png.json if a.json is, or may be, another photo's."""
        long, short = photo.with_name(photo.name + ".json"), photo.with_suffix(".json")
        twins = stems(photo.parent, photo.parent.stat().st_mtime_ns)[photo.stem] > 1
        if long.exists() or (twins and json.dumps(photo.name).encode() not in head_of(short)):
            return long
        return short

    def states(self) -> list[tuple[str, str]]:
        """All photos, each with its state: new, work or done."""
        others, kept = self.others(), instances.states_of(self.content()) if self.coco else {}
        found = []
        for photo in self.photos():
            done, names = kept.get(self.known_as(photo, kept), (False, None))
            state = self.state(photo, others) if names is None else "done" if done else "work" if names else "new"
            found.append((photo, state))
        return found

    def state(self, photo: str, others: Foreign) -> str:
        """The state of a photo, by the first bytes of its file. others: what COCO's files of the folder hold"""
        file = self.labels_path(self.root / photo)
        if not file.exists():
            return "work" if self.known_as(photo, others) in others else "new"
        return "done" if re.search(rb'"done": ?true', head_of(file)) else "work"

    def read(self, photo: str) -> Labels:
        """What is kept of a photo. Raises problems for a photo (404) and annotations (422) that are not to be read."""
        file = self.path_of(photo)
        if self.coco and (found := self.of_whole(photo, file)) is not None:
            return found
        where = self.labels_path(file)
        raw = self.bytes_of(where)
        if raw is None:
            width, height = self.size(file)
            return checked(where, None, width, height, False, self.foreign(photo, (height, width)))
        content = parsed(where, raw)
        said: tuple[Any, Any] = content.get("imageWidth"), content.get("imageHeight")
        known = all(files.is_side(side) for side in said)
        width, height = said if known else self.size(file)
        if width * height > self.pixels:
            raise Problem(422, f"{where.name} says {width} x {height} pixels: more than {self.pixels}")
        try:
            objects = files.read(content, (height, width))
        except UsageError as error:
            raise Problem(422, f"{where.name}: {error}") from None
        flags = content.get("flags")
        done = isinstance(flags, dict) and flags.get("done") is True
        version = None if self.coco else version_of(raw)
        return checked(where, version, width, height, done, objects)

    def of_whole(self, photo: str, file: Path) -> Labels | None:
        """What the COCO file has of a photo; None if it has nothing. Raises a problem (422) for what is none."""
        content = self.content()
        photo = self.known_as(photo, instances.images_of(content))
        image = instances.image_of(content, photo)
        if image is None:
            return None
        size = (image.get("height"), image.get("width"))
        known = all(files.is_side(side) for side in size)
        try:
            found = instances.labels_of(content, photo, (0, 0) if known else self.size(file)[::-1])
        except ValidationError as error:
            raise Problem(422, f"{instances.FILE}: {one_line(error)}") from None
        except UsageError as error:
            raise Problem(422, f"{instances.FILE}: {error}") from None
        if found is not None and found.width * found.height > self.pixels:
            raise Problem(422, f"{instances.FILE} says {found.width} x {found.height} pixels: more than {self.pixels}")
        return found

    def content(self) -> dict[str, Any]:
        """The COCO file, empty if there is none; read once, until it changes. Raises a problem (422) for another."""
        file = self.root / instances.FILE
        if not os.path.lexists(file):
            return {}
        facts = file.stat()
        stamp = (facts.st_mtime_ns, facts.st_size)
        if self.whole is None or self.whole[0] != stamp:
            self.whole = (stamp, parsed(file, self.bytes_of(file) or b""))
        return self.whole[1]

    def save_whole(self, content: dict[str, Any]) -> None:
        """Writes the COCO file. Raises problems: 507 as `write` does, 422 if it becomes too large."""
        raw = json.dumps(content).encode()
        if len(raw) > MOST:
            raise Problem(422, f"{instances.FILE} would have more than {MOST >> 20} MB: keep labelme's files instead")
        self.write(self.root / instances.FILE, raw)
        self.whole = None

    def save(self, photo: str, labels: Labels) -> str:
        """Keeps what is new; returns its version.

        Raises problems: 409 if the file is no longer of `labels.version`, 413 for too many pixels, 507 for a full disk.
        """
        files.demand_fit(labels, self.pixels)
        file = self.path_of(photo)
        if self.coco:
            return self.save_in_whole(photo, labels)
        where = self.labels_path(file)
        with self.alone():
            raw = self.bytes_of(where)
            if (None if raw is None else version_of(raw)) != labels.version:
                raise Problem(409, f"{where.name} was saved by somebody else meanwhile")
            content = files.written(labels, file.name, {} if raw is None else parsed(where, raw))
            self.write(where, content)
        return version_of(content)

    def save_in_whole(self, photo: str, labels: Labels) -> str:
        """Keeps what is new in the COCO file, as `save` does."""
        with self.alone():
            content = self.content()
            photo = self.known_as(photo, instances.images_of(content))
            if instances.version_of(content, photo) != labels.version:
                raise Problem(409, f"{photo} was saved by somebody else meanwhile")
            try:
                made = instances.with_labels(content, photo, labels)
            except UsageError as error:
                raise Problem(422, f"{instances.FILE}: {error}") from None
            self.save_whole(made)
        return instances.version_of(made, photo) or ""

    def write(self, file: Path, content: bytes) -> None:
        """Writes a file down to the disk. Raises a problem (507) if that fails; the old one is then untouched."""
        try:
            write(file, content, durable=True)
        except (OSError, UsageError) as error:
            said = getattr(error, "strerror", None) or str(error)
            raise Problem(507, f"{file.name} could not be written ({said}): what was there is untouched") from None

    def classes(self) -> list[str]:
        """Names of the project's classes, a line each in classes.txt."""
        raw = self.bytes_of(self.root / CLASSES)
        lines = [] if raw is None else raw.decode(errors="replace").splitlines()
        lines += instances.kinds_of(self.content()).values() if self.coco else []
        return list(dict.fromkeys(line.strip()[:200] for line in lines if line.strip()))

    def save_classes(self, names: list[str]) -> None:
        """Keeps their names, and those that somebody else has added meanwhile."""
        with self.alone():
            plain = [" ".join(name.split()) for name in names]
            every = list(dict.fromkeys(name for name in (*plain, *self.classes()) if name))
            self.write(self.root / CLASSES, "".join(name + "\n" for name in every).encode())

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else saves in this folder meanwhile, no other process of this machine either."""
        with self.lock:
            try:
                import fcntl
            except ImportError:  # Windows: one process
                yield
                return
            handle = os.open(self.root, os.O_RDONLY)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                yield
            finally:
                os.close(handle)

    def sweep(self) -> None:
        """Deletes what saves that were cut short have left."""
        with self.alone():
            for folder, _, names in os.walk(self.root):
                for name in names:
                    if PART.fullmatch(name):
                        (Path(folder) / name).unlink(missing_ok=True)

    def bytes_of(self, file: Path) -> bytes | None:
        """A file's content, None if there is none. Raises problems for one outside of the folder, or too large."""
        if not os.path.lexists(file):
            return None
        if not self.is_inside(file):
            raise Problem(422, f"{file.name} is no file of this folder: move it away")
        if file.stat().st_size > MOST:
            raise Problem(422, f"{file.name} has more than {MOST >> 20} MB: move it away or make it smaller")
        return file.read_bytes()

    def size(self, photo: Path) -> tuple[int, int]:
        """A photo's width and height, as it is shown."""
        try:
            found = read_header(photo.read_bytes())
            if found.width * found.height > self.pixels:
                raise Problem(413, f"{photo.name} has more than {self.pixels} pixels")
            height, width = read_image(photo).shape[:2]
        except UnreadableImageError as error:
            raise Problem(422, f"{photo.name}: {error}") from None
        return width, height

    def others(self) -> Foreign:
        """What COCO's files in the folder hold. Each is read once, until it changes."""
        found: Foreign = {}
        for file in sorted(self.root.glob("*.json")):
            if not self.is_inside(file) or (facts := file.stat()).st_size > MOST:
                continue
            if self.known.get(file, (0, {}))[0] != facts.st_mtime_ns:
                raw = file.read_bytes()
                rows = files.rows_by_photo(parsed(file, raw)) if b'"annotations"' in raw else {}
                self.known[file] = (facts.st_mtime_ns, rows)
            for photo, more in self.known[file][1].items():
                found.setdefault(photo, []).extend(more)
        return found

    def foreign(self, photo: str, size: tuple[int, int]) -> list[Object]:
        """The objects that a COCO file of the folder has of a photo. Raises a problem (422) for what is no mask."""
        others = self.others()
        rows = others.get(self.known_as(photo, others), [])
        try:
            return objects_of(rows, size, photo)
        except UsageError as error:
            raise Problem(422, str(error)) from None


def is_coco(root: Path) -> bool:
    """Whether a folder was labelled into one COCO file before."""
    return instances.is_kept(head_of(root / instances.FILE))


@lru_cache(64)
def stems(folder: Path, stamp: int) -> Counter[str]:
    """How many photos of a folder have each name but for the suffix. stamp: when the folder was changed last"""
    return Counter(Path(name).stem for name in os.listdir(folder) if Path(name).suffix.lower() in SUFFIXES)


def head_of(file: Path) -> bytes:
    """The first bytes of a file, none if it cannot be read."""
    try:
        with file.open("rb") as stream:
            return stream.read(HEAD)
    except OSError:
        return b""


def parsed(file: Path, raw: bytes) -> dict[str, Any]:
    """JSON of a file. Raises a problem (422)."""
    try:
        content = json.loads(raw)
    except (ValueError, RecursionError):
        raise Problem(422, f"{file.name} is no JSON: mend it or move it away") from None
    if not isinstance(content, dict):
        raise Problem(422, f"{file.name} holds no annotations: move it away")
    return content


def checked(file: Path, version: str | None, width: int, height: int, done: bool, objects: list[Object]) -> Labels:
    """`Labels` of a file. Raises a problem (422) for more than may be."""
    try:
        return Labels(version=version, width=width, height=height, done=done, objects=objects)
    except ValidationError as error:
        raise Problem(422, f"{file.name}: {one_line(error)}") from None


def version_of(raw: bytes) -> str:
    """The checksum that tells one state of a file from another."""
    return hashlib.sha256(raw).hexdigest()[:32]
