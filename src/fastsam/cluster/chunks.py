"""Which photos make one part of the output: fixed by the input alone, so that a job that starts again finds its place.

Enters: an input's address. Leaves: `Chunk`s. Called by `job`.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import PurePosixPath

import pyarrow.parquet as pq

from fastsam.cluster.storage import Place, folder_and_file, listed, one_line, place_of, split_glob
from fastsam.errors import UsageError
from fastsam.image.read import SUFFIXES

LEAST, MOST = 16, 256  # photos of a part
PARTS = 64  # of a job, where that leaves each between those two


@dataclass(frozen=True)
class Chunk:
    """Photos that are segmented by one worker, one after the other, into one part.

    kind: `files`, photos of their own; `tar`, a WebDataset shard; `parquet`, a row group
    paths: of photos, or of the one shard or table, from the input's folder on; group: number of the row group
    count: photos, None where that is not known before the shard is read
    """

    kind: str
    paths: tuple[str, ...]
    group: int = 0
    count: int | None = None

    @property
    def name(self) -> str:
        """Of its part, by what it holds."""
        about = json.dumps([self.kind, self.paths, self.group])
        return hashlib.sha256(about.encode()).hexdigest()[:20]

    @property
    def text(self) -> str:
        """As one line."""
        return json.dumps(asdict(self))

    @staticmethod
    def of(text: str) -> "Chunk":
        """A chunk from its line."""
        fields = json.loads(text)
        return Chunk(**{**fields, "paths": tuple(fields["paths"])})

    def without(self, keys: set[str]) -> "Chunk | None":
        """The chunk less the photos that are done elsewhere, None where nothing is left. Shards stay whole."""
        if self.kind != "files" or not keys:
            return self
        left = tuple(path for path in self.paths if path not in keys)
        return replace(self, paths=left, count=len(left)) if left else None


def find(address: str, photos: int | None = None) -> tuple[Place, list[Chunk]]:
    """An input's folder and its chunks, in order of name.

    address: a folder, a photo, a shard, a table or a glob of them, on any file system; photos: of a part

    Raises UsageError where there is nothing to segment.
    """
    base, wanted = split_glob(address)
    names, place = listed(place_of(base)), folder_of(address)
    if wanted is not None:
        names = [(name, size) for name, size in names if wanted.fullmatch(name)]
    by_kind: dict[str, list[str]] = {"files": [], "tar": [], "parquet": []}
    for name, _ in names:
        kind = kind_of(name)
        if kind is not None:
            by_kind[kind].append(name)
    if not any(by_kind.values()):
        raise UsageError(f"{address} holds no photos, no .tar shards and no .parquet tables")
    chunks = of_files(by_kind["files"], photos)
    chunks += [Chunk("tar", (name,)) for name in by_kind["tar"]]
    for name in by_kind["parquet"]:
        chunks += of_table(place, name)
    return place, chunks


def folder_of(address: str) -> Place:
    """The folder from which the keys of an input count."""
    place = place_of(split_glob(address)[0])
    return folder_and_file(place)[0] if place.files.get_file_info(place.path).is_file else place


def kind_of(name: str) -> str | None:
    """What a file is, by its suffix; None for what is left alone."""
    lower = name.lower()
    if lower.endswith((".tar", ".tar.gz", ".tgz")):
        return "tar"
    suffix = PurePosixPath(lower).suffix
    return "parquet" if suffix == ".parquet" else "files" if suffix in SUFFIXES else None


def of_files(names: Sequence[str], photos: int | None) -> list[Chunk]:
    """Photos of their own, so many a part: where left out, by their number."""
    size = photos or min(MOST, max(LEAST, -(-len(names) // PARTS)))
    return [
        Chunk("files", tuple(names[k : k + size]), count=len(names[k : k + size])) for k in range(0, len(names), size)
    ]


def of_table(place: Place, name: str) -> list[Chunk]:
    """The row groups of a table. Raises UsageError for a file that is none."""
    try:
        with place.files.open_input_file((place / name).path) as stream:
            about = pq.read_metadata(stream)
    except (OSError, ValueError) as error:
        raise UsageError(f"{name} is no Parquet file: {one_line(error)}") from None
    groups = range(about.num_row_groups)
    return [Chunk("parquet", (name,), k, about.row_group(k).num_rows) for k in groups]
