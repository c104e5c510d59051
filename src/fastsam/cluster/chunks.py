"""Divides an input into the chunks that make one part of the output each.

The division depends on the input alone, so that a job that starts again can skip finished parts.

Enters: the address of an input. Leaves: `Chunk`s.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import pyarrow as pa
import pyarrow.parquet as pq

from fastsam.cluster.storage import Place, folder_and_file, listed, place_of, split_glob
from fastsam.errors import UsageError
from fastsam.image.kinds import SUFFIXES

Columns = tuple[str | None, str]  # names of the column of keys and of the column of bytes
NUL = "\0"  # cannot occur in a path
LEAST_PHOTOS, MOST_PHOTOS = 16, 256  # minimum and maximum number of photos per part
PARTS = 64  # number of parts per job, if that keeps each between these two


@dataclass(frozen=True)
class Chunk:
    """Photos that one worker segments into one part.

    kind: `files`, single photos; `tar`, a WebDataset shard; `parquet`, a row group
    joined: paths of the photos, or of the one shard or table, relative to the input's folder, joined by NUL: ten
    million paths take only a few hundred megabytes
    group: number of the row group; count: number of photos, None if it is unknown before the shard is read
    """

    kind: str
    joined: str
    group: int = 0
    count: int | None = None

    @property
    def paths(self) -> list[str]:
        """The paths as a list."""
        return self.joined.split(NUL)

    @property
    def name(self) -> str:
        """The name of its part, which depends on its content."""
        return hashlib.sha256(f"{self.kind}{NUL}{self.group}{NUL}{self.joined}".encode()).hexdigest()[:20]

    def without(self, keys: set[str]) -> "Chunk | None":
        """The chunk without the photos that other parts have; None if nothing is left. Shards stay whole."""
        if self.kind != "files" or not keys:
            return self
        left = [path for path in self.paths if path not in keys]
        return of_paths(left) if left else None


def of_paths(paths: Sequence[str]) -> Chunk:
    """A chunk of single photos."""
    return Chunk("files", NUL.join(paths), count=len(paths))


def find(address: str, photos: int | None = None, columns: Columns | None = None) -> tuple[Place, list[Chunk]]:
    """The folder of an input and its chunks, in order of name.

    address: a folder, a photo, a shard, a table or a pattern, on any file system; photos: number per part
    columns: of tables (see `columns_of`)

    Raises UsageError if there is nothing to segment, or if it is unclear which columns of a table to read.
    """
    base, wanted = split_glob(address)
    place = folder_of(address)
    files: list[pa.Array] = []  # Arrow strings take a fifth of the memory of Python strings
    chunks: list[Chunk] = []
    for names in listed(place_of(base)):
        kept = names if wanted is None else [name for name in names if wanted.fullmatch(name)]
        files.append(pa.array([name for name in kept if kind_of(name) == "files"], pa.large_string()))
        chunks += [Chunk("tar", name) for name in kept if kind_of(name) == "tar"]
        for name in kept:
            if kind_of(name) == "parquet" and not PurePosixPath(name).name.startswith("_"):
                chunks += of_table(place, name, columns)
    chunks = of_files(pa.chunked_array(files, pa.large_string()), photos) + chunks
    if not chunks:
        raise UsageError(f"{address} has no photos, .tar shards or .parquet tables")
    return place, chunks


def folder_of(address: str) -> Place:
    """The folder that the keys of an input are relative to."""
    place = place_of(split_glob(address)[0])
    return folder_and_file(place)[0] if place.is_file else place


def takes(address: str, output: Place) -> bool:
    """Whether the input would include the files written to the output."""
    base, wanted = split_glob(address)
    place = place_of(base)
    if place.is_file or not f"{output.path}/".startswith(f"{place.path.rstrip('/')}/"):
        return False
    inside = f"{output.path}/part.parquet"[len(place.path.rstrip("/")) + 1 :]
    return wanted is None or wanted.fullmatch(inside) is not None


def kind_of(name: str) -> str | None:
    """The kind of a file, by its suffix; None for files that are ignored."""
    lower = name.lower()
    if lower.endswith((".tar", ".tar.gz", ".tgz")):
        return "tar"
    suffix = PurePosixPath(lower).suffix
    return "parquet" if suffix == ".parquet" else "files" if suffix in SUFFIXES else None


def of_files(names: pa.ChunkedArray, photos: int | None) -> list[Chunk]:
    """Chunks of single photos. photos: number per part, None to choose it by the total"""
    size = photos or min(MOST_PHOTOS, max(LEAST_PHOTOS, -(-len(names) // PARTS)))
    return [of_paths(names.slice(k, size).to_pylist()) for k in range(0, len(names), size)]


def of_table(place: Place, name: str, columns: Columns | None) -> list[Chunk]:
    """One chunk per row group of a table; a damaged table is one chunk, which fails on reading. Raises UsageError."""
    try:
        with place.files.open_input_file((place / name).path) as stream:
            table = pq.ParquetFile(stream)
            about, schema = table.metadata, table.schema_arrow
    except (OSError, ValueError):
        return [Chunk("parquet", name)]
    columns_of(schema, name, columns)
    return [Chunk("parquet", name, k, about.row_group(k).num_rows) for k in range(about.num_row_groups)]


def columns_of(schema: pa.Schema, table: str, columns: Columns | None = None) -> Columns:
    """The column of keys (a string column named key, id, name, path or similar, if there is one) and that of bytes.

    Raises UsageError if not exactly one column has bytes, or if a named column does not exist.
    """
    if columns is not None:
        for name in columns:
            if name is not None and name not in schema.names:
                raise UsageError(f"{table} has no column {name!r}: its columns are {', '.join(schema.names)}")
        return columns
    binary = [f.name for f in schema if holds_bytes(f.type)]
    if len(binary) != 1:
        raise UsageError(f"{table} has {len(binary)} columns of bytes, not one: choose with --columns KEY,BYTES")
    known = ("key", "__key__", "id", "image_id", "file_name", "filename", "name", "path", "url")
    return next((name for name in known if name in schema.names), None), binary[0]


def holds_bytes(kind: pa.DataType) -> bool:
    """Whether a column has the bytes of files."""
    if pa.types.is_struct(kind):
        return bool(kind.get_field_index("bytes") >= 0)
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))
