"""`fastsam eval text`."""

from pathlib import Path
from typing import Annotated

import numpy as np
from rich.table import Table

from fastsam.cli import flags
from fastsam.cli.evaluate.flags import ALL_PHOTOS, NO_FILES, Choosing, Folders, Reports, segmenter
from fastsam.cli.evaluate.report import drawn, figure, progress
from fastsam.cli.flags import Segmenting
from fastsam.errors import require


def text(
    folders: Folders,
    /,
    *,
    use: Segmenting = flags.AS_STORED,
    choosing: Choosing = ALL_PHOTOS,
    reports: Reports = NO_FILES,
    encoder: Annotated[str | None, flags.ENCODER] = None,
) -> int:
    """Measure how well the names of a photo's categories, as text prompts, find the boxes of their objects."""
    require("faster_coco_eval", "eval")
    from fastsam.evaluation.text import ask, named, summary

    sets = choosing.sets(folders)
    segment = segmenter(use)
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

    def picture(asked: tuple[Path, list[str]]) -> np.ndarray:
        segments = segment(asked[0])
        return drawn(segments, segments.select(texts=asked[1], encoder=encoder))

    reports.write([table], rows, rated, picture)
    return 0
