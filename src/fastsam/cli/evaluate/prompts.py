"""`fastsam eval prompts`."""

from collections import defaultdict

import numpy as np
from rich.table import Table

from fastsam.cli.evaluate.flags import AS_STORED, NO_FILES, FileFlags, NetworkFlags, Sets
from fastsam.cli.evaluate.report import best_and_worst, drawn, figure, progress, show, write_json
from fastsam.errors import UsageError, require


def prompts(
    folders: Sets,
    /,
    *,
    network: NetworkFlags = AS_STORED,
    files: FileFlags = NO_FILES,
    clicks: int = 3,
    seed: int = 0,
) -> int:
    """How well a click into an object's middle, some random clicks, and its box get the object.

    Parameters
    ----------
    folders
        Sets: folders with images/ and instances.json, folders of such folders, or JSON files of COCO or LVIS.
    clicks
        Random clicks on each object, together one prompt.
    seed
        Seed of the random clicks.
    """
    if clicks < 1:
        raise UsageError(f"--clicks {clicks} makes no prompt: 1 or more")
    require("faster_coco_eval", "eval")
    from fastsam.evaluation.prompts import AT, ask, box, summary
    from fastsam.evaluation.sets import read_sets

    sets = read_sets(folders, files.images, files.only)
    segment = network.load()
    table = Table("set", "prompt", "objects", "mIoU", *(f"at {at / 100:g}" for at in AT))
    rows, rated = {}, []
    for one in sets:
        rng = np.random.default_rng(seed)
        ious: dict[str, list[float]] = defaultdict(list)
        for photo in progress(one.photos, one.name):
            segments = segment(one.file(photo))
            masks = [mask for mask in one.masks(photo, segments.size) if mask.any()]
            got = ask(segments, masks, clicks, rng)
            for kind, values in got.items():
                ious[kind] += values
            if masks:
                asked = one.file(photo), [box(mask) for mask in masks]
                rated.append((float(np.mean(got["box"])), one.file(photo), asked))
        rows[one.name] = {kind: summary(values) for kind, values in ious.items()}
        for kind, row in rows[one.name].items():
            table.add_row(one.name, kind, str(row.objects), *map(figure, (row.miou, *row.at.values())))
    show(table)
    write_json(files.json_file, rows)

    def picture(asked: tuple[object, list[tuple[float, float, float, float]]]) -> np.ndarray:
        segments = segment(asked[0])
        return drawn(segments, segments.select(boxes=asked[1]))

    best_and_worst(files.pictures, rated, picture)
    return 0
