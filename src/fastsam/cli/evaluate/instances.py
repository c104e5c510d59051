"""`fastsam eval instances`."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from fastsam.cli import flags
from fastsam.cli.evaluate.flags import ALL_PHOTOS, BUNDLED, NO_FILES, Choosing, Reports, Second, segmenter
from fastsam.cli.evaluate.report import drawn, figure, progress
from fastsam.cli.flags import Segmenting
from fastsam.errors import UsageError, require


def instances(
    folder: Path,
    /,
    *,
    detections: Path,
    use: Segmenting = flags.AS_STORED,
    second: Second = BUNDLED,
    choosing: Choosing = ALL_PHOTOS,
    reports: Reports = NO_FILES,
    refine: bool = True,
) -> int:
    """Measure mask AP with a detector's boxes as prompts.

    Parameters
    ----------
    folder
        A set: a folder with images/ and instances.json, or a JSON file of COCO.
    detections
        COCO results of a detector on the same photos: image_id, category_id, bbox, score.
    refine
        Draw the answers with the second network; --no-refine chooses among the masks of the first.
    """
    require("faster_coco_eval", "eval")
    from fastsam.evaluation.instances import answers, precision

    sets = choosing.sets([folder])
    if len(sets) > 1:
        raise UsageError(f"{folder} has {len(sets)} sets: give one of them")
    one, owned = sets[0], read_detections(detections)
    mine = {k: rows for k, rows in owned.items() if k in set(one.ids)}
    kinds = {c["id"] for c in one.content["categories"]}
    if not any(row["category_id"] in kinds for rows in mine.values() for row in rows):
        raise UsageError(
            f"no box of {detections} belongs to a photo and a category of {folder}: give results on the same set"
        )
    refiner = second.load(refine, use.running.threads)
    segment = segmenter(use)
    found: list[dict[str, Any]] = []
    rated = []
    for photo in progress(one.photos, one.name):
        asked = mine.get(photo["id"], [])
        got = answers(segment(one.file(photo)), asked, refiner)
        found += got
        if asked:
            rated.append((len(got) / len(asked), one.file(photo), (one.file(photo), asked)))
    row = precision(one.content, found, one.ids, sum(map(len, mine.values())))
    table = Table("set", "photos", "boxes", "answered", "AP", "AP50", "AP75", "small", "medium", "large")
    figures = map(figure, (row.ap, row.ap50, row.ap75, *row.by_size.values()))
    table.add_row(one.name, str(len(one.photos)), str(row.boxes), str(row.answered), *figures)

    def picture(asked: tuple[Path, list[dict[str, Any]]]) -> np.ndarray:
        segments = segment(asked[0])
        corners = [(x, y, x + w, y + h) for x, y, w, h in (row["bbox"] for row in asked[1])]
        return drawn(segments, segments.select(boxes=corners, refine=refiner or False))

    reports.write([table], {one.name: row}, rated, picture)
    return 0


def read_detections(file: Path) -> dict[int, list[dict[str, Any]]]:
    """A detector's COCO results, by photo id. Raises UsageError for any other file."""
    owned: dict[int, list[dict[str, Any]]] = defaultdict(list)
    try:
        for row in json.loads(file.read_text()):
            x, y, w, h = (float(v) for v in row["bbox"])
            photo, score = int(row["image_id"]), float(row["score"])
            kept = {"image_id": photo, "category_id": row["category_id"], "bbox": [x, y, w, h], "score": score}
            owned[photo].append(kept)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{file} is not a file of COCO results with boxes ({type(error).__name__}: {error})") from None
    return owned
