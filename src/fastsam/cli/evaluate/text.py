"""`fastsam eval text`."""

from collections import defaultdict
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from cyclopts import Parameter
from rich.table import Table

from fastsam.cli.evaluate.network import Flags, Network
from fastsam.cli.evaluate.report import best_and_worst, progress, show, write_json
from fastsam.errors import require


def text(
    folders: Annotated[list[Path], Parameter(consume_multiple=True)],
    /,
    *,
    network: Flags = Network(),  # noqa: B008  # frozen
    conf: float | None = None,
    max_det: int | None = None,
    encoder: str | None = None,
    images: Path | None = None,
    only: Path | None = None,
    pictures: Path | None = None,
    json_file: Annotated[Path | None, Parameter(name="--json")] = None,
) -> int:
    """How well the names of a photo's categories, asked as words, find the boxes of their objects.

    Parameters
    ----------
    folders
        Sets: folders with images/ and instances.json, folders of such folders, or JSON files of COCO or LVIS.
    conf
        Score threshold; the weights' own by default.
    max_det
        Segments a photo at most; the weights' own by default.
    encoder
        What reads words: offline, clip, or a folder of CLIP's towers.
    images
        Folder of the photos, where they do not lie in the sets.
    only
        File of set/file lines: photos to use, all by default.
    pictures
        Folder for pictures of the photos whose words are answered best and worst.
    json_file
        File to write the figures to.
    """
    require("faster_coco_eval", "eval")
    from fastsam.evaluation.sets import Set, read_sets
    from fastsam.evaluation.text import ask, summary
    from fastsam.evaluation.words import plain
    from fastsam.formats.overlay import draw

    segment = network.load(conf, max_det)
    table = Table("set", "photos", "words asked", "best answer right", "its mean IoU", "precision", "recall")
    rows, rated = {}, []

    def named(one: Set, photo: dict[str, Any]) -> dict[str, Any]:
        names = {c["id"]: plain(c["name"]) for c in one.content["categories"]}
        boxes: dict[str, list[list[float]]] = defaultdict(list)
        for annotation in one.annotations(photo):
            x, y, w, h = annotation["bbox"]
            if names[annotation["category_id"]]:
                boxes[names[annotation["category_id"]]].append([x, y, x + w, y + h])
        return {word: np.array(corners, np.float64) for word, corners in boxes.items()}

    for one in read_sets(folders, images, only):
        asked = []
        for photo in progress(one.photos, one.name, len(one.photos)):
            got = ask(segment(one.file(photo)), named(one, photo), encoder)
            asked += got
            if got:
                rated.append((float(np.mean([a.iou for a in got])), (one, photo)))
        row = rows[one.name] = summary(asked)
        figures = [f"{v:.1f}%" for v in (row.best, row.iou, row.precision, row.recall)]
        table.add_row(one.name, str(len(one.photos)), str(row.asked), *figures)
    show(table)
    write_json(json_file, rows)

    def picture(item: tuple[Set, dict[str, Any]]) -> Any:
        segments = segment(item[0].file(item[1]))
        assert segments.photo is not None  # it was just segmented
        return draw(segments.photo, segments, segments.select(texts=list(named(*item)), encoder=encoder))

    best_and_worst(pictures, rated, lambda item: item[1]["file_name"], picture)
    return 0
