"""`fastsam eval recall`."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from cyclopts import Parameter
from rich.table import Table

from fastsam.cli.evaluate.network import Flags, Network
from fastsam.cli.evaluate.report import best_and_worst, progress, show, write_json
from fastsam.errors import require


def recall(
    folders: Annotated[list[Path], Parameter(consume_multiple=True)],
    /,
    *,
    network: Flags = Network(),  # noqa: B008  # frozen
    conf: float = 0.001,
    max_det: int = 1000,
    images: Path | None = None,
    only: Path | None = None,
    pictures: Path | None = None,
    json_file: Annotated[Path | None, Parameter(name="--json")] = None,
) -> int:
    """Class-agnostic average recall of masks and boxes, and why the other objects are not found.

    Parameters
    ----------
    folders
        Sets: folders with images/ and instances.json, folders of such folders, or JSON files of COCO or LVIS.
    conf
        Score threshold; low, so that recall at 1000 segments means something.
    max_det
        Segments a photo at most.
    images
        Folder of the photos, where they do not lie in the sets.
    only
        File of set/file lines: photos to use, all by default.
    pictures
        Folder for pictures of the photos whose objects are found best and worst.
    json_file
        File to write the figures to.
    """
    require("faster_coco_eval", "eval")
    from fastsam.evaluation import overlaps
    from fastsam.evaluation.recall import AT, SIZES, results
    from fastsam.evaluation.recall import recall as measure
    from fastsam.evaluation.sets import read_sets
    from fastsam.formats.overlay import draw

    segment = network.load(conf, max_det)
    columns = [*(f"mask AR@{k}" for k in AT), *(f"box AR@{k}" for k in AT), *(f"{size} masks" for size in SIZES)]
    table = Table("set", "photos", "segments a photo", *columns, "AUC")
    why = Table("set", "size", "objects", *overlaps.FATES, title="of 100 objects, at IoU 0.5 and the first 100 masks")
    rows: dict[str, Any] = {}
    rated = []
    for one in read_sets(folders, images, only):
        found: list[dict[str, Any]] = []
        fates: dict[str, Counter[str]] = defaultdict(Counter)
        for photo in progress(one.photos, one.name, len(one.photos)):
            segments = segment(one.file(photo))
            mine = results(segments, photo["id"])
            found += mine
            wanted = one.annotations(photo)
            masks = overlaps.overlaps(overlaps.truth(wanted, segments.size), [r["segmentation"] for r in mine])
            corners = np.array([a["bbox"] for a in wanted], np.float64).reshape(-1, 4)
            corners[:, 2:] += corners[:, :2]
            fate = overlaps.fates(masks, overlaps.box_overlaps(corners, segments.boxes.astype(np.float64)))
            for annotation, word in zip(wanted, fate, strict=True):
                fates[size_of(annotation["area"], SIZES)][word] += 1
            if wanted:
                rated.append((float(masks.max(1, initial=0).mean()), one.file(photo)))
        row = measure(one.content, found, [p["id"] for p in one.photos])
        rows[one.name] = {**asdict(row), "fates": fates}
        figures = [*row.masks.values(), *row.boxes.values(), *row.by_size.values(), row.auc[0]]
        table.add_row(one.name, str(row.photos), f"{row.per_photo:.0f}", *[f"{v:.1f}" for v in figures])
        for size in SIZES:
            total = fates[size].total()
            shares = [f"{100 * fates[size][word] / total:.0f}" if total else "" for word in overlaps.FATES]
            why.add_row(one.name, size, str(total), *shares)
    show(table)
    show(why)
    write_json(json_file, rows)
    shown = network.load(None, None)

    def picture(file: Path) -> Any:
        segments = shown(file)
        assert segments.photo is not None  # it was just segmented
        return draw(segments.photo, segments)

    best_and_worst(pictures, rated, lambda file: file.name, picture)
    return 0


def size_of(area: float, sizes: Mapping[str, tuple[float, float]]) -> str:
    """The name of an area's size."""
    return next(name for name, (_, most) in sizes.items() if area < most)
