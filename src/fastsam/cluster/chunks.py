"""Which photos make one part of the output: fixed by the input alone, so that a job that starts again finds its place.

Enters: an input's address. Leaves: `Chunk`s. Called by `job`.
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

Columns = tuple[str | None, str]  # of keys and of bytes
NUL = "\0"  # in no path
LEAST, MOST = 16, 256  # photos of a part
PARTS = 64  # of a job, where that leaves each between those two


@dataclass(frozen=True)
class Chunk:
    """Photos that are segmented by one worker, one after the other, into one part.

    kind: `files`, photos of their own; `tar`, a WebDataset shard; `parquet`, a row group
    joined: paths of the photos, or of the one shard or table, from the input's folder on, with NUL between: ten million
    of them take a few hundred megabytes so
    group: number of the row group; count: photos, None where that is not known before the shard is read
    """

    kind: str
    joined: str
    group: int = 0
    count: int | None = None

    @property
    def paths(self) -> list[str]:
        """The paths, one by one."""
        return self.joined.split(NUL)

    @property
    def name(self) -> str:
        """Of its part, by what it holds."""
        return hashlib.sha256(f"{self.kind}{NUL}{self.group}{NUL}{self.joined}".encode()).hexdigest()[:20]

    def without(self, keys: set[str]) -> "Chunk | None":
        """The chunk less the photos that are done elsewhere, None where nothing is left. Shards stay whole."""
        if self.kind != "files" or not keys:
            return self
        left = [path for path in self.paths if path not in keys]
        return of_paths(left) if left else None


def of_paths(paths: Sequence[str]) -> Chunk:
    """A chunk of photos of their own."""
    return Chunk("files", NUL.join(paths), count=len(paths))


def find(address: str, photos: int | None = None, columns: Columns | None = None) -> tuple[Place, list[Chunk]]:
    """An input's folder and its chunks, in order of name.

    address: a folder, a photo, a shard, a table or a glob of them, on any file system; photos: of a part
    columns: of tables (see `columns_of`)

    Raises UsageError where there is nothing to segment, and where a table's columns are not plain.
    """
    base, wanted = split_glob(address)
    place = folder_of(address)
    files: list[pa.Array] = []  # as Arrow has them, names take a fifth of what they do as Python's own
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
        raise UsageError(f"{address} holds no photos, no .tar shards and no .parquet tables")
    return place, chunks


def folder_of(address: str) -> Place:
    """The folder from which the keys of an input count."""
    place = place_of(split_glob(address)[0])
    return folder_and_file(place)[0] if place.is_file else place


def takes(address: str, output: Place) -> bool:
    """Whether what is written to an output would be read as an input."""
    base, wanted = split_glob(address)
    place = place_of(base)
    if place.is_file or not f"{output.path}/".startswith(f"{place.path.rstrip('/')}/"):
        return False
    inside = f"{output.path}/part.parquet"[len(place.path.rstrip("/")) + 1 :]
    return wanted is None or wanted.fullmatch(inside) is not None


def kind_of(name: str) -> str | None:
    """What a file is, by its suffix; None for what is left alone."""
    lower = name.lower()
    if lower.endswith((".tar", ".tar.gz", ".tgz")):
        return "tar"
    suffix = PurePosixPath(lower).suffix
    return "parquet" if suffix == ".parquet" else "files" if suffix in SUFFIXES else None


def of_files(names: pa.ChunkedArray, photos: int | None) -> list[Chunk]:
    """Photos of their own, so many a part: where left out, by their number."""
    size = photos or min(MOST, max(LEAST, -(-len(names) // PARTS)))
    return [of_paths(names.slice(k, size).to_pylist()) for k in range(0, len(names), size)]


def of_table(place: Place, name: str, columns: Columns | None) -> list[Chunk]:
    """The row groups of a table; of a damaged one a chunk that says so when it is read. Raises UsageError as above."""
    try:
        with place.files.open_input_file((place / name).path) as stream:
            table = pq.ParquetFile(stream)
            about, schema = table.metadata, table.schema_arrow
    except (OSError, ValueError):
        return [Chunk("parquet", name)]
    columns_of(schema, name, columns)
    return [Chunk("parquet", name, k, about.row_group(k).num_rows) for k in range(about.num_row_groups)]


def columns_of(schema: pa.Schema, table: str, columns: Columns | None = None) -> Columns:
    """The columns of keys (a string called key, id, name, path or so, if there is one) and of bytes.

    Raises UsageError where no column holds bytes, or more than one does, and where those that are named are not there.
    """
    if columns is not None:
        for name in columns:
            if name is not None and name not in schema.names:
                raise UsageError(f"{table} has no column {name!r}: its columns are {', '.join(schema.names)}")
        return columns
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
