"""`fastsam eval prompts`."""

from collections import defaultdict
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from cyclopts import Parameter
from rich.table import Table

from fastsam.cli.evaluate.network import Flags, Network
from fastsam.cli.evaluate.report import best_and_worst, progress, show, write_json
from fastsam.errors import UsageError, require


def prompts(
    folders: Annotated[list[Path], Parameter(consume_multiple=True)],
    /,
    *,
    network: Flags = Network(),  # noqa: B008  # frozen
    conf: float | None = None,
    max_det: int | None = None,
    clicks: int = 3,
    seed: int = 0,
    images: Path | None = None,
    only: Path | None = None,
    pictures: Path | None = None,
    json_file: Annotated[Path | None, Parameter(name="--json")] = None,
) -> int:
    """How well a click into an object's middle, some random clicks, and its box get the object.

    Parameters
    ----------
    folders
        Sets: folders with images/ and instances.json, folders of such folders, or JSON files of COCO or LVIS.
    conf
        Score threshold; the weights' own by default.
    max_det
        Segments a photo at most; the weights' own by default.
    clicks
        Random clicks on each object, together one prompt.
    seed
        Seed of the random clicks.
    images
        Folder of the photos, where they do not lie in the sets.
    only
        File of set/file lines: photos to use, all by default.
    pictures
        Folder for pictures of the photos whose boxes are answered best and worst.
    json_file
        File to write the figures to.
    """
    if clicks < 1:
        raise UsageError(f"--clicks {clicks} makes no prompt: 1 or more")
    require("faster_coco_eval", "eval")
    from fastsam.evaluation.prompts import AT, ask, box, summary
    from fastsam.evaluation.sets import Set, read_sets
    from fastsam.formats.overlay import draw
    from fastsam.masks.annotations import decode
    from fastsam.segments import Segments

    segment = network.load(conf, max_det)
    table = Table("set", "prompt", "objects", "mIoU", *(f"at {at / 100:g}" for at in AT))
    rows, rated = {}, []

    def objects(one: Set, photo: dict[str, Any], segments: Segments) -> list[Any]:
        masks = (decode(a["segmentation"], segments.size) for a in one.annotations(photo))
        return [mask for mask in masks if mask.any()]

    for one in read_sets(folders, images, only):
        rng = np.random.default_rng(seed)
        ious: dict[str, list[float]] = defaultdict(list)
        for photo in progress(one.photos, one.name, len(one.photos)):
            segments = segment(one.file(photo))
            got = ask(segments, objects(one, photo, segments), clicks, rng)
            for kind, values in got.items():
                ious[kind] += values
            if got["box"]:
                rated.append((float(np.mean(got["box"])), (one, photo)))
        rows[one.name] = {kind: summary(values) for kind, values in ious.items()}
        for kind, row in rows[one.name].items():
            figures = [f"{v:.1f}" for v in (row.miou, *row.at.values())]
            table.add_row(one.name, kind, str(row.objects), *figures)
    show(table)
    write_json(json_file, rows)

    def picture(item: tuple[Set, dict[str, Any]]) -> Any:
        segments = segment(item[0].file(item[1]))
        assert segments.photo is not None  # it was just segmented
        picks = segments.select(boxes=[box(mask) for mask in objects(*item, segments)])
        return draw(segments.photo, segments, picks)

    best_and_worst(pictures, rated, lambda item: item[1]["file_name"], picture)
    return 0
