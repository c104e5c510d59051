"""`fastsam eval text`."""

from pathlib import Path

import numpy as np
from rich.table import Table

from fastsam.cli.evaluate.flags import AS_STORED, NO_FILES, FileFlags, NetworkFlags, Sets
from fastsam.cli.evaluate.report import best_and_worst, drawn, figure, progress, show, write_json
from fastsam.errors import require


def text(
    folders: Sets,
    /,
    *,
    network: NetworkFlags = AS_STORED,
    files: FileFlags = NO_FILES,
    encoder: str | None = None,
) -> int:
    """Measure how well the names of a photo's categories, as text prompts, find the boxes of their objects.

    Parameters
    ----------
    folders
        Sets: folders with images/ and instances.json, folders of such folders, or JSON files of COCO or LVIS.
    encoder
        How words are compared with masks: offline, clip, or a folder with the two networks of CLIP.
    """
    require("faster_coco_eval", "eval")
    from fastsam.evaluation.sets import read_sets
    from fastsam.evaluation.text import ask, named, summary

    sets = read_sets(folders, files.images, files.only)
    segment = network.load()
    table = Table("set", "photos", "words asked", "best answer correct", "its mean IoU", "precision", "recall")
    rows, rated = {}, []
    for one in sets:
        asked = []
        for photo in progress(one.photos, one.name):
            objects = named(one, photo)
            got = ask(segment(one.file(photo)), objects, encoder)
            asked += got
            if got:
                rated.append((float(np.mean([a.iou for a in got])), one.file(photo), (one.file(photo), list(objects))))
        row = rows[one.name] = summary(asked)
        figures = [figure(v, unit="%") for v in (row.best, row.iou, row.precision, row.recall)]
        table.add_row(one.name, str(len(one.photos)), str(row.asked), *figures)
    show(table)
    write_json(files.json_file, rows)

    def picture(asked: tuple[Path, list[str]]) -> np.ndarray:
        segments = segment(asked[0])
        return drawn(segments, segments.select(texts=asked[1], encoder=encoder))

    best_and_worst(files.pictures, rated, picture)
    return 0
