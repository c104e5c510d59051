"""Reads the photos of a chunk in advance: their keys and bytes.

Enters: a `Chunk`. Leaves: (key, bytes), or (key, error).
"""

import gzip
import re
import tarfile
import time
import zlib
from collections.abc import Iterator
from itertools import repeat
from typing import Any, TypeAlias

import pyarrow.parquet as pq

from fastsam.cluster.chunks import Chunk, Columns, columns_of, kind_of, of_table
from fastsam.cluster.storage import Place, one_line
from fastsam.errors import UsageError
from fastsam.streams import ordered

READERS = 8  # number of photos read at the same time
LARGEST_FILE = 1 << 30  # maximum bytes of a photo's file
ROWS, BUFFER = 16, 1 << 20  # rows of a table read at a time, and bytes of the buffer
PAUSES = (0.5, 2.0)  # seconds before each retry of a file
DAMAGED = (ValueError, EOFError, gzip.BadGzipFile, zlib.error)  # other OSErrors can be temporary: the part is retried

Fetched: TypeAlias = "tuple[str, bytes | Exception]"


def read(place: Place, chunk: Chunk, columns: Columns | None = None, final: bool = True) -> Iterator[Fetched]:
    """Every photo of the chunk, in order; a photo that cannot be read comes with its error.

    columns: names of a table's columns of keys and bytes, None to find them by their types
    final: True makes a shard or table that cannot be read to its end a failure; False raises OSError
    """
    if chunk.kind == "files":
        return ordered(lambda name: fetch(place, name), chunk.paths, READERS)
    path = chunk.joined
    rows = of_tar(place, path) if chunk.kind == "tar" else of_rows(place, path, chunk.group, columns)
    return ahead(to_the_end(rows, path, final))


def to_the_end(rows: Iterator[Fetched], path: str, final: bool) -> Iterator[Fetched]:
    """The same rows; if the rest cannot be read and `final` is True, a failure at the end."""
    try:
        yield from rows
    except OSError as error:
        if not final:
            raise
        yield path, UsageError(f"it cannot be read to its end, so the rest is lost: {one_line(error)}")


def ahead(items: Iterator[Fetched]) -> Iterator[Fetched]:
    """The same items, read by another thread, a few in advance."""
    for found in ordered(lambda _: next(items, None), repeat(None), 1):
        if found is None:
            return
        yield found


def fetch(place: Place, name: str) -> Fetched:
    """The bytes of one file. Errors that can be temporary are retried."""
    for seconds in (*PAUSES, None):
        try:
            with place.files.open_input_file((place / name).path) as stream:
                if stream.size() > LARGEST_FILE:
                    return name, UsageError(too_large(stream.size()))
                return name, bytes(stream.read())
        except (FileNotFoundError, PermissionError, IsADirectoryError) as error:
            return name, error
        except OSError as error:
            if seconds is None:
                return name, error
            time.sleep(seconds)
    raise AssertionError("the last pause is None")


def of_tar(place: Place, shard: str) -> Iterator[Fetched]:
    """The photos of a shard, with keys of the shard's name and theirs. If it is damaged, its own name has the error."""
    try:
        with (
            place.files.open_input_stream((place / shard).path, compression=None) as stream,
            tarfile.open(fileobj=stream, mode="r|*") as archive,
        ):
            for member in archive:
                if not member.isfile() or kind_of(member.name) != "files":
                    continue
                key = f"{shard}/{member.name}"
                if member.size > LARGEST_FILE:
                    yield (
                        key,
                        too_large(member.size),
                    )
                    continue
                content: Any = archive.extractfile(member)
                yield key, content.read()
    except (*DAMAGED, tarfile.TarError) as error:
        yield shard, UsageError(f"the shard is damaged, so the rest is lost: {one_line(error)}")


def of_rows(place: Place, table: str, group: int, columns: Columns | None) -> Iterator[Fetched]:
    """The photos of a row group."""
    try:
        with place.files.open_input_file((place / table).path) as stream:
            file = pq.ParquetFile(stream, buffer_size=BUFFER, pre_buffer=False)
            keys, images = columns_of(file.schema_arrow, table, columns)
            start = sum(file.metadata.row_group(k).num_rows for k in range(group))
            wanted = [images, *([keys] if keys else [])]
            for batch in file.iter_batches(ROWS, row_groups=[group], columns=wanted):
                for row in batch.to_pylist():
                    key, content = row_of(row, keys, images)
                    yield f"{table}#{start}" if key is None else f"{table}/{key}", content
                    start += 1
    except (*DAMAGED, KeyError, IndexError) as error:
        yield f"{table}#group{group}", UsageError(f"the table is damaged, so the rest is lost: {one_line(error)}")


def row_of(row: dict[str, Any], keys: str | None, images: str) -> tuple[str | None, bytes | Exception]:
    """A row's key, if it has one, and its photo: bytes, or a struct of `bytes` and `path`, as other tools write it."""
    image = row[images]
    key = row.get(keys) if keys else None
    if isinstance(image, dict):
        key = image.get("path") if key is None else key
        image = image.get("bytes")
    content = image if isinstance(image, bytes) else UsageError("this row has no bytes")
    return None if key is None else str(key), content


def one(place: Place, key: str, columns: Columns | None = None) -> bytes:
    """The bytes of the photo with a key. Raises UsageError if the folder does not have it."""
    inside = re.match(r"(.*?\.(?:tar|tar\.gz|tgz|parquet))[/#]", key, re.IGNORECASE)
    if inside is None:
        name, content = fetch(place, key)
        if isinstance(content, bytes):
            return content
        raise UsageError(f"{key} is no longer in {place.path}")
    path = inside[1]
    for chunk in of_table(place, path, columns) if kind_of(path) == "parquet" else [Chunk("tar", path)]:
        for name, content in read(place, chunk, columns):
            if name == key and isinstance(content, bytes):
                return content
    raise UsageError(f"{key} is no longer in {place.path}")


def too_large(size: int) -> UsageError:
    """The error for a photo's file of so many bytes."""
    return UsageError(f"{size} bytes are too many for a photo: the maximum is {LARGEST_FILE}")
