"""`fastsam eval`: figures on annotated sets."""

import dataclasses
import json
import sys
from collections import Counter
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeVar

from cyclopts import Parameter
from rich.console import Console
from rich.progress import track
from rich.table import Table

from fastsam.errors import UsageError, require
from fastsam.files import whole

T = TypeVar("T")


def recall(
    folders: Annotated[list[Path], Parameter(consume_multiple=True)],
    /,
    *,
    model: str | None = None,
    imgsz: int | None = None,
    conf: float = 0.001,
    iou: float | None = None,
    max_det: int = 1000,
    tile: int | None = None,
    threads: int | None = None,
    only: Path | None = None,
    json_file: Annotated[Path | None, Parameter(name="--json")] = None,
) -> int:
    """Class-agnostic average recall of masks and boxes on COCO-style folders.

    Parameters
    ----------
    folders
        Folders with images/ and instances.json.
    model
        Name or file of the weights.
    imgsz
        Input size in pixels; the weights' own by default.
    conf
        Score threshold; low, so that recall at 1000 segments means something.
    iou
        Overlap threshold; the weights' own by default.
    max_det
        Segments a photo at most.
    tile
        Side in pixels of tiles that are segmented beside the whole photo; none by default.
    threads
        Threads of the network.
    only
        File of set/file lines: photos to use, all by default.
    json_file
        File to write the figures to.
    """
    require("faster_coco_eval", "eval")
    from fastsam.evaluation.recall import AT, SIZES, predictions
    from fastsam.evaluation.recall import recall as measure
    from fastsam.model import FastSAM

    network = FastSAM(model, threads=threads)
    lines = set(only.read_text().splitlines()) if only else None
    names = Counter(folder.name for folder in folders)
    rows = {}
    for folder in folders:
        name = folder.name if names[folder.name] == 1 else str(folder)
        wanted = images_of(folder, read_index(folder), lines)
        if not wanted:
            continue

        segment = partial(network, imgsz=imgsz, conf=conf, iou=iou, max_det=max_det, tile=tile)
        found = predictions(segment, folder, wanted)
        results = [r for photo in progress(found, name, len(wanted)) for r in photo]
        rows[name] = measure(folder, results, [i["id"] for i in wanted])
    columns = [*(f"mask AR@{k}" for k in AT), *(f"box AR@{k}" for k in AT), *(f"{size} masks" for size in SIZES)]
    table = Table("set", "photos", "segments a photo", *columns)
    for name, row in rows.items():
        figures = [*row.masks.values(), *row.boxes.values(), *row.by_size.values()]
        table.add_row(name, str(row.photos), f"{row.per_photo:.0f}", *[f"{v:.1f}" for v in figures])
    report(table, rows, json_file)
    return 0


def words(
    folders: Annotated[list[Path], Parameter(consume_multiple=True)],
    /,
    *,
    encoder: str | None = None,
    only: Path | None = None,
    json_file: Annotated[Path | None, Parameter(name="--json")] = None,
) -> int:
    """Share of true masks that get the right one of their set's own words.

    Parameters
    ----------
    folders
        Folders with images/ and instances.json.
    encoder
        What reads words: offline, clip, or a folder of CLIP's towers.
    only
        File of set/file lines: photos to use, all by default.
    json_file
        File to write the figures to.
    """
    from fastsam.evaluation.words import name_all, summary, vocabulary

    lines = set(only.read_text().splitlines()) if only else None
    table = Table("set", "words", "things", "right", "right without persons", "stuff", "right by area")
    rows = {}
    for folder in folders:
        content = read_index(folder)
        wanted, size = images_of(folder, content, lines), len(vocabulary(content))
        named = progress(name_all(folder, content, wanted, encoder), folder.name, len(wanted))
        row = rows[str(folder)] = summary([n for photo in named for n in photo], size)
        shares = [f"{100 * v:.1f}%" for v in (row.things, row.things_without_persons, row.stuff_area)]
        table.add_row(folder.name, str(size), str(row.masks[0]), *shares[:2], str(row.masks[1]), shares[2])
    report(table, rows, json_file)
    return 0


def read_index(folder: Path) -> dict[str, Any]:
    """A set's instances.json. Raises UsageError where there is none."""
    index = folder / "instances.json"
    if not index.is_file():
        raise UsageError(f"{folder} is no COCO-style set: it has no instances.json")
    content: dict[str, Any] = json.loads(index.read_text())
    return content


def images_of(folder: Path, content: dict[str, Any], lines: set[str] | None) -> list[dict[str, Any]]:
    """The records of a set's photos, of which `set/file` is in `lines`."""
    return [i for i in content.get("images", []) if lines is None or f"{folder.name}/{i['file_name']}" in lines]


def progress(photos: Iterable[T], name: str, total: int) -> Iterable[T]:
    """The same, with a bar on standard error while they are gone through."""
    return track(photos, name, total, console=Console(stderr=True), transient=True)


def report(table: Table, rows: dict[str, Any], json_file: Path | None) -> None:
    """Prints the table, and writes the rows, dataclasses by a set's name, where a file is given."""
    Console(file=sys.stdout, width=200 if not sys.stdout.isatty() else None).print(table)
    if json_file:
        with whole(json_file) as part:
            part.write_text(json.dumps({k: dataclasses.asdict(v) for k, v in rows.items()}, indent=2) + "\n")
