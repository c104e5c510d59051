"""The photos of a chunk: their keys and bytes, read ahead of whoever takes them.

Enters: a `Chunk`. Leaves: (key, bytes), or (key, why there are none). Called by `actor` and `reading`.
"""

import tarfile
from collections.abc import Iterator
from itertools import repeat
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq

from fastsam.cluster.chunks import Chunk, kind_of, of_table
from fastsam.cluster.storage import Place, listed, one_line, read_bytes
from fastsam.errors import UsageError
from fastsam.streams import ordered

READERS = 8  # photos that are fetched at the same time
LARGEST = 1 << 30  # bytes of a photo's file
ROWS = 16  # of a table that are read together

Found: TypeAlias = "tuple[str, bytes | Exception]"


def read(place: Place, chunk: Chunk, columns: tuple[str, str] | None = None) -> Iterator[Found]:
    """Every photo of the chunk in order; one that cannot be read with its error.

    columns: the table's columns of keys and bytes, found by their types where left out
    """
    if chunk.kind == "files":
        return ordered(lambda name: fetch(place, name), chunk.paths, READERS)
    path = chunk.joined
    rows = of_tar(place, path) if chunk.kind == "tar" else of_rows(place, path, chunk.group, columns)
    return ahead(rows)


def ahead(items: Iterator[Found]) -> Iterator[Found]:
    """The same items, taken by a thread of its own, a few in advance."""
    for found in ordered(lambda _: next(items, None), repeat(None), 1):
        if found is None:
            return
        yield found


def fetch(place: Place, name: str) -> Found:
    """A file of its own."""
    try:
        return name, read_bytes(place / name)
    except OSError as error:
        return name, error


def of_tar(place: Place, shard: str) -> Iterator[Found]:
    """The photos of a shard, under the shard's name and theirs; where it is damaged, its own name for what is lost."""
    try:
        with (
            place.files.open_input_stream((place / shard).path, compression=None) as stream,
            tarfile.open(fileobj=stream, mode="r|*") as archive,
        ):
            for member in archive:
                if not member.isfile() or kind_of(member.name) != "files":
                    continue
                key = f"{shard}/{member.name}"
                if member.size > LARGEST:
                    yield key, UsageError(f"{member.size} bytes are no photo's: the most is {LARGEST}")
                    continue
                content: Any = archive.extractfile(member)
                yield key, content.read()
    except (OSError, tarfile.TarError, EOFError, ValueError) as error:
        yield shard, UsageError(f"the shard is damaged, what follows is lost: {one_line(error)}")


def of_rows(place: Place, table: str, group: int, columns: tuple[str, str] | None) -> Iterator[Found]:
    """The photos of a row group."""
    try:
        with place.files.open_input_file((place / table).path) as stream:
            file = pq.ParquetFile(stream)
            keys, images = columns or columns_of(file.schema_arrow, table)
            start = sum(file.metadata.row_group(k).num_rows for k in range(group))
            wanted = [images, *([keys] if keys else [])]
            for batch in file.iter_batches(ROWS, row_groups=[group], columns=wanted):
                for row in batch.to_pylist():
                    yield row_of(row, keys, images, f"{table}#{start}")
                    start += 1
    except (OSError, ValueError, KeyError) as error:
        yield f"{table}#group{group}", UsageError(f"the table is damaged, what follows is lost: {one_line(error)}")


def row_of(row: dict[str, Any], keys: str | None, images: str, number: str) -> Found:
    """A row's photo: bytes, or a struct of `bytes` and `path` as other libraries write them."""
    image = row[images]
    key = row.get(keys) if keys else None
    if isinstance(image, dict):
        key = image.get("path") if key is None else key
        image = image.get("bytes")
    name = number if key is None else str(key)
    return name, image if isinstance(image, bytes) else UsageError("there are no bytes in this row")


def columns_of(schema: pa.Schema, table: str) -> tuple[str | None, str]:
    """The columns of keys (a string called key, id, name, path or so, if there is one) and of bytes.

    Raises UsageError where no column holds bytes, or more than one does.
    """
    binary = [f.name for f in schema if holds_bytes(f.type)]
    if len(binary) != 1:
        raise UsageError(f"{table} has {len(binary)} columns of bytes: name two with --columns KEY,BYTES")
    known = ("key", "__key__", "id", "image_id", "file_name", "filename", "name", "path", "url")
    return next((name for name in known if name in schema.names), None), binary[0]


def holds_bytes(kind: pa.DataType) -> bool:
    """Whether a column holds files' bytes."""
    if pa.types.is_struct(kind):
        return bool(kind.get_field_index("bytes") >= 0)
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def one(place: Place, key: str, columns: tuple[str, str] | None = None) -> bytes:
    """The bytes of the photo of that key. Raises UsageError where it is not in that folder."""
    name, content = fetch(place, key)
    if isinstance(content, bytes):
        return content
    shard = next((s for s in (".tar/", ".tar.gz/", ".tgz/") if s in key), None)
    chunks: list[Chunk] = []
    if shard is not None:
        chunks = [Chunk("tar", key[: key.index(shard) + len(shard) - 1])]
    else:
        chunks = [c for names in listed(place) for n in names if kind_of(n) == "parquet" for c in of_table(place, n)]
    for chunk in chunks:
        for name, content in read(place, chunk, columns):
            if name == key and isinstance(content, bytes):
                return content
    raise UsageError(f"{key} is no longer in {place.path}")
