"""Files on any file system that PyArrow or fsspec supports: a folder, S3, GCS and others.

Enters: a path or an address such as s3://bucket/folder. Leaves: a `Place`, its files, their bytes. Credentials come
from the usual environment variables.
"""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import pyarrow as pa
from pyarrow import fs

from fastsam.errors import UsageError
from fastsam.files import whole as whole_here
from fastsam.untrusted.shown import reason

TEMPORARY = "_tmp"  # subfolder of each folder, for files that are being written
MAGIC = re.compile(r"[*?\[]")
SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]+://")


@dataclass(frozen=True)
class Place:
    """A folder or a file of a file system. It can be sent to another process."""

    files: fs.FileSystem
    path: str

    def __truediv__(self, name: str) -> "Place":
        return Place(self.files, f"{self.path.rstrip('/')}/{name}")

    @property
    def is_local(self) -> bool:
        """Whether it is on a local or mounted disk."""
        return isinstance(self.files, fs.LocalFileSystem)

    @property
    def is_file(self) -> bool:
        """Whether it is an existing file."""
        return bool(self.files.get_file_info(self.path).is_file)

    @property
    def is_objects(self) -> bool:
        """Whether it is in an object store, where folders do not exist."""
        return self.files.type_name in ("s3", "gcs", "abfs")


def place_of(address: str) -> Place:
    """The place at an address. Raises UsageError for a file system that is unknown or not installed."""
    if re.match(r"[^/]+//[^/]*@", address):
        raise UsageError("an address must not contain a name and password: set them in the environment")
    if not SCHEME.match(address):
        return Place(fs.LocalFileSystem(), absolute(address))
    try:
        files, path = fs.FileSystem.from_uri(address)
    except pa.ArrowInvalid:
        files, path = by_fsspec(address)
    except OSError as error:
        raise UsageError(f"{address} cannot be reached: {one_line(error)}") from None
    return Place(files, path.rstrip("/"))


def absolute(address: str) -> str:
    """An absolute path, or an address as it is."""
    return address if SCHEME.match(address) else Path(os.path.abspath(address)).as_posix()


def by_fsspec(address: str) -> tuple[fs.FileSystem, str]:
    """The same for file systems that PyArrow does not support by itself."""
    try:
        from fsspec.core import url_to_fs

        found, path = url_to_fs(address)
    except (ImportError, ValueError) as error:
        raise UsageError(f"{address} is on an unknown file system: {one_line(error)}") from None
    return fs.PyFileSystem(fs.FSSpecHandler(found)), path


def listed(place: Place) -> Iterator[list[str]]:
    """Names of all files in a place and its subfolders, relative to it, folder by folder, in order.

    For a file it is the name of the file. Folders that begin with `.` or `_`, and files that begin with `.`, are left
    out. Raises UsageError if the place does not exist.
    """
    base = place.path.rstrip("/")
    try:
        about = place.files.get_file_info(base)
        if about.is_file:
            yield [about.base_name]
            return
        folders, seen = [base], set()
        while folders:
            folder = folders.pop()
            itself = str(Path(folder).resolve()) if place.is_local else folder
            if itself in seen:  # a link back to a parent folder
                continue
            seen.add(itself)
            found = place.files.get_file_info(fs.FileSelector(folder))
            found = sorted((f for f in found if not f.base_name.startswith(".")), key=lambda f: f.base_name)
            folders += [
                f.path for f in reversed(found) if f.type == fs.FileType.Directory and not f.base_name.startswith("_")
            ]
            yield [f.path[len(base) + 1 :] for f in found if f.is_file]
    except UnicodeDecodeError as error:
        raise UsageError(f"{folder} has a file whose name is not UTF-8 ({one_line(error)}): rename it") from None
    except OSError as error:
        raise UsageError(f"{place.path} cannot be listed: {one_line(error)}") from None


def split_glob(address: str) -> tuple[str, re.Pattern[str] | None]:
    """The folder above the first wildcard, and the pattern for names below it; None without a wildcard."""
    if not MAGIC.search(address):
        return address, None
    parts = address.split("/")
    first = next(k for k, part in enumerate(parts) if MAGIC.search(part))
    base = "/".join(parts[:first]) or ("/" if address.startswith("/") else ".")
    try:
        return base, pattern("/".join(parts[first:]))
    except re.error as error:
        raise UsageError(f"{address} is not a valid pattern ({error})") from None


def pattern(glob: str) -> re.Pattern[str]:
    """Compiles a pattern: `*` and `?` match within a name, `[...]` one of its letters, `**/` folders, `**` anything."""
    made = ""
    for piece in re.findall(r"\*\*/|\*+|\?|\[[^\]]*\]|[^*?\[]+|\[", glob):
        known = {"**/": "(?:.*/)?", "**": ".*", "?": "[^/]"}.get(piece)
        if known is None and piece.startswith("*"):
            known = "[^/]*"
        if known is None and piece.startswith("[") and piece.endswith("]"):
            known = "[" + piece[1:-1].replace("!", "^", 1) + "]" if piece[1:2] == "!" else piece
        made += re.escape(piece) if known is None else known
    return re.compile(made)


def folder_and_file(place: Place) -> tuple[Place, str]:
    """The folder and the name of a file."""
    path = PurePosixPath(place.path)
    return Place(place.files, path.parent.as_posix()), path.name


def read_bytes(place: Place) -> bytes:
    """A file's content. Raises OSError."""
    with place.files.open_input_file(place.path) as stream:
        return bytes(stream.read())


@contextmanager
def whole(place: Place) -> Iterator[Path]:
    """Yields a file on this machine to write to, and copies it to the place unless the block raises.

    It appears there whole or not at all, and replaces an existing file.
    """
    if place.is_local:
        with whole_here(Path(place.path)) as part:
            yield part
        return
    with TemporaryDirectory(prefix="fastsam-") as folder:
        part = Path(folder) / "part"
        yield part
        parent, name = folder_and_file(place)
        beside = parent / TEMPORARY / f"{uuid4().hex[:12]}-{name}"
        make_folder(parent)
        make_folder(parent / TEMPORARY)
        try:
            with part.open("rb") as source, place.files.open_output_stream(beside.path) as sink:
                shutil.copyfileobj(source, sink, 1 << 20)
        except BaseException:  # closing the stream has made a file of the first part
            delete(beside)
            raise
        if not place.is_objects:
            delete(place)  # on file systems where renaming does not replace
        place.files.move(beside.path, place.path)


def make_folder(place: Place) -> None:
    """Creates a folder; does nothing in an object store, where folders do not exist."""
    if not place.is_objects:
        place.files.create_dir(place.path, recursive=True)


def delete(place: Place) -> None:
    """Removes a file if it exists."""
    if place.is_file:
        place.files.delete_file(place.path)


def one_line(error: Any) -> str:
    """An error as one short line."""
    return reason(error, 300)
