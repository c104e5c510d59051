"""The output: a Parquet data set whose parts are whole or absent, and a list of failed photos.

Enters: rows of a chunk. Leaves: files.
"""

import hashlib
import io
import json
import shutil
import tarfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from pyarrow import fs

from fastsam.cluster.storage import Place, delete, whole
from fastsam.formats import answers, coco
from fastsam.image.kinds import HEAD, SUFFIXES, kind_of
from fastsam.masks.rle import area
from fastsam.segments import Segments

FAILURES = "_failures"
TOGETHER = 32  # number of rows converted to columns at a time
BESIDE = {"webdataset": ("_webdataset", ".tar"), "coco": ("_coco", ".json")}  # `_`: not part of the data set
ROW = pa.schema(
    [
        pa.field("key", pa.string(), nullable=False),
        pa.field("width", pa.int32(), nullable=False),
        pa.field("height", pa.int32(), nullable=False),
        pa.field("boxes", pa.list_(pa.list_(pa.float32(), 4))),
        pa.field("scores", pa.list_(pa.float32())),
        pa.field("classes", pa.list_(pa.int32())),
        pa.field("areas", pa.list_(pa.int64())),
        pa.field("rle", pa.list_(pa.string())),
        pa.field("settings", pa.dictionary(pa.int32(), pa.string())),
        pa.field("model", pa.dictionary(pa.int32(), pa.string())),
    ]
)
FAILURE = pa.schema([pa.field("key", pa.string(), nullable=False), pa.field("reason", pa.string(), nullable=False)])


@dataclass(frozen=True)
class Facts:
    """Facts that are the same in every row of a job. settings: as JSON; model: SHA-256 of its file"""

    settings: str
    model: str


@dataclass(frozen=True, eq=False)
class Row:
    """One photo of a part: its key, the bytes of its file if a format needs them, and its segments or an error text."""

    key: str
    content: bytes
    found: Segments | str


class Part:
    """A part under construction: rows are added one by one to files on this machine, which then go to the output.

    formats: `webdataset` and `coco`, written besides Parquet
    """

    def __init__(self, folder: Path, facts: Facts, formats: Sequence[str] = ()) -> None:
        self.folder, self.facts = folder, facts
        self.table = pq.ParquetWriter(folder / "rows.parquet", ROW, compression="zstd")
        self.waiting: list[dict[str, Any]] = []
        self.failures: list[dict[str, str]] = []
        self.used: set[str] = set()
        self.shard = None
        if "webdataset" in formats:
            self.shard = tarfile.open(folder / "shard.tar", "w")  # noqa: SIM115  # closed by `put`
        self.instances = coco.Instances() if "coco" in formats else None

    def add(self, row: Row) -> None:
        """Adds one photo."""
        if isinstance(row.found, str):
            self.failures.append({"key": row.key, "reason": row.found})
            return
        self.waiting.append(columns_of(row.key, row.found) | asdict(self.facts))
        if len(self.waiting) == TOGETHER:
            self.flush()
        if self.instances is not None:
            self.instances.add(row.key, row.found.size, row.found.names, coco.rows_of(row.found))
        if self.shard is not None:
            height, width = row.found.size
            about = {"key": row.key, "width": width, "height": height, "segments": answers.segments_of(row.found)}
            stem, suffix = sample_name(row.key, row.content, self.used)
            for name, data in ((stem + suffix, row.content), (stem + ".json", json.dumps(about).encode())):
                member = tarfile.TarInfo(name)
                member.size = len(data)
                self.shard.addfile(member, io.BytesIO(data))

    def flush(self) -> None:
        """Writes the rows collected so far."""
        self.table.write_table(pa.Table.from_pylist(self.waiting, ROW))
        self.waiting.clear()

    def put(self, output: Place, name: str) -> None:
        """Moves all files to the output, the rows last, because they mark the part as finished.

        If another worker has written the same part in the meantime, that one stays.
        """
        self.flush()
        self.table.close()
        if is_there(output, name):
            return
        if self.shard is not None:
            self.shard.close()
            send(self.folder / "shard.tar", beside(output, "webdataset", name))
        if self.instances is not None:
            with whole(beside(output, "coco", name)) as file:
                file.write_text(self.instances.text)
        if self.failures:
            with whole(output / FAILURES / f"{name}.parquet") as file:
                pq.write_table(pa.Table.from_pylist(self.failures, FAILURE), file)
        else:  # an earlier attempt at the same part can have left one
            delete(output / FAILURES / f"{name}.parquet")
        send(self.folder / "rows.parquet", output / f"{name}.parquet")


def columns_of(key: str, segments: Segments) -> dict[str, Any]:
    """The columns of one photo."""
    packed = segments.to_rle()
    return {
        "key": key,
        "width": segments.size[1],
        "height": segments.size[0],
        "boxes": segments.boxes.tolist(),
        "scores": segments.scores.tolist(),
        "classes": segments.classes.tolist(),
        "areas": [area(rle) for rle in packed],
        "rle": [rle["counts"] for rle in packed],
    }


def sample_name(key: str, content: bytes, used: set[str]) -> tuple[str, str]:
    """Name of a WebDataset sample, without dots and unique in its shard, and the suffix of its photo."""
    path = PurePosixPath(key)
    known = path.suffix.lower() in SUFFIXES
    stem = (path.with_suffix("") if known else path).as_posix().replace(".", "_")
    if stem in used:
        stem += "-" + hashlib.sha256(key.encode()).hexdigest()[:12]
    used.add(stem)
    kind = kind_of(content[:HEAD])
    usual = {"jpeg": ".jpg", "tiff": ".tif", "video": ".tif", None: ".tif"}
    return stem, path.suffix if known else usual.get(kind, f".{kind}")


def beside(output: Place, format_: str, name: str) -> Place:
    """The place of a part's file in a format."""
    folder, suffix = BESIDE[format_]
    return output / folder / (name + suffix)


def send(file: Path, to: Place) -> None:
    """Copies a file from this machine to the output."""
    with whole(to) as part:
        shutil.move(file, part)


def names_done(output: Place) -> set[str]:
    """The names of the finished parts."""
    found = output.files.get_file_info(fs.FileSelector(output.path, allow_not_found=True))
    return {f.base_name.removesuffix(".parquet") for f in found if f.base_name.endswith(".parquet")}


def keys_of(output: Place, names: Iterable[str]) -> set[str]:
    """The keys of all photos in the named parts, found or failed."""
    keys: set[str] = set()
    for name in names:
        for place in (output / f"{name}.parquet", output / FAILURES / f"{name}.parquet"):
            if place.is_file:
                keys.update(pq.read_table(place.path, columns=["key"], filesystem=output.files)["key"].to_pylist())
    return keys


def counts(output: Place, names: Iterable[str]) -> tuple[int, int]:
    """Numbers of found and failed photos in the named parts, counted from their tables."""
    chosen = set(names)
    if not chosen:
        return 0, 0
    return count(output, chosen), count(output / FAILURES, chosen)


def count(folder: Place, names: set[str]) -> int:
    """Rows of a folder's tables of those names, as far as there are such."""
    if len(names) == 1:
        files = [(folder / f"{name}.parquet").path for name in names]
        files = [f.path for f in folder.files.get_file_info(files) if f.is_file]
    else:
        found = folder.files.get_file_info(fs.FileSelector(folder.path, allow_not_found=True))
        files = [f.path for f in found if f.base_name.removesuffix(".parquet") in names]
    return int(ds.dataset(files, filesystem=folder.files, format="parquet").count_rows()) if files else 0


def is_there(output: Place, name: str) -> bool:
    """Whether a part is finished."""
    return (output / f"{name}.parquet").is_file


def tidy(output: Place) -> None:
    """Removes files without a finished part, left by a process that died before it wrote the rows."""
    there = names_done(output)
    for folder in (FAILURES, *(name for name, _ in BESIDE.values())):
        for found in output.files.get_file_info(fs.FileSelector((output / folder).path, allow_not_found=True)):
            if found.is_file and found.base_name.rsplit(".", 1)[0] not in there:
                output.files.delete_file(found.path)
