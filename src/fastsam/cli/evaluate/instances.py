"""`fastsam eval instances`."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.table import Table

from fastsam.cli.evaluate.network import Flags, Network
from fastsam.cli.evaluate.report import best_and_worst, progress, show, write_json
from fastsam.errors import UsageError, require


def instances(
    folder: Path,
    /,
    *,
    detections: Path,
    network: Flags = Network(),  # noqa: B008  # frozen
    conf: float | None = None,
    max_det: int | None = None,
    images: Path | None = None,
    only: Path | None = None,
    pictures: Path | None = None,
    json_file: Annotated[Path | None, Parameter(name="--json")] = None,
) -> int:
    """Mask AP with a detector's boxes as prompts.

    Parameters
    ----------
    folder
        A set: a folder with images/ and instances.json, or a JSON file of COCO or LVIS.
    detections
        COCO results of a detector on the same photos: image_id, category_id, bbox, score.
    conf
        Score threshold of the segments; the weights' own by default.
    max_det
        Segments a photo at most; the weights' own by default.
    images
        Folder of the photos, where they do not lie in the set.
    only
        File of set/file lines: photos to use, all by default.
    pictures
        Folder for pictures of the photos with the largest and the smallest share of boxes that got a mask.
    json_file
        File to write the figures to.
    """
    require("faster_coco_eval", "eval")
    from fastsam.evaluation.instances import answers, precision
    from fastsam.evaluation.sets import Set, read_sets
    from fastsam.formats.overlay import draw

    owned = read_detections(detections)
    segment = network.load(conf, max_det)
    table = Table("set", "photos", "boxes", "answered", "AP", "AP50", "AP75", "small", "medium", "large")
    rows, rated = {}, []
    for one in read_sets([folder], images, only):
        found: list[dict[str, Any]] = []
        for photo in progress(one.photos, one.name, len(one.photos)):
            mine = owned[photo["id"]]
            got = answers(segment(one.file(photo)), mine)
            found += got
            if mine:
                rated.append((len(got) / len(mine), (one, photo)))
        boxes = sum(len(owned[p["id"]]) for p in one.photos)
        row = rows[one.name] = precision(one.content, found, [p["id"] for p in one.photos], boxes)
        figures = [f"{v:.1f}" for v in (row.ap, row.ap50, row.ap75, *row.by_size.values())]
        table.add_row(one.name, str(len(one.photos)), str(boxes), str(row.answered), *figures)
    show(table)
    write_json(json_file, rows)

    def picture(item: tuple[Set, dict[str, Any]]) -> Any:
        segments = segment(item[0].file(item[1]))
        assert segments.photo is not None  # it was just segmented
        corners = [(x, y, x + w, y + h) for x, y, w, h in (d["bbox"] for d in owned[item[1]["id"]])]
        return draw(segments.photo, segments, segments.select(boxes=corners))

    best_and_worst(pictures, rated, lambda item: item[1]["file_name"], picture)
    return 0


def read_detections(file: Path) -> dict[int, list[dict[str, Any]]]:
    """A detector's COCO results, photo by photo. Raises UsageError for what is none."""
    owned: dict[int, list[dict[str, Any]]] = defaultdict(list)
    try:
        for row in json.loads(file.read_text()):
            x, y, w, h = (float(v) for v in row["bbox"])
            kept = {"image_id": row["image_id"], "category_id": row["category_id"], "score": float(row["score"])}
            owned[row["image_id"]].append({**kept, "bbox": [x, y, w, h]})
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{file} holds no COCO results with boxes ({type(error).__name__}: {error})") from None
    return owned
