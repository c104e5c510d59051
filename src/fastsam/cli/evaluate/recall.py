"""`fastsam eval recall`."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

import numpy as np
from cyclopts import Group, Parameter
from rich.table import Table

from fastsam.cli import flags
from fastsam.cli.evaluate.flags import ALL_PHOTOS, BUNDLED, NO_FILES, Choosing, Folders, Reports, Second, segmenter
from fastsam.cli.evaluate.report import drawn, figure, progress
from fastsam.cli.flags import Segmenting
from fastsam.errors import require

CONF, MAX_DET = 0.001, 1000  # so low and so many that recall does not depend on them
LOW = Group(
    "Finding",
    help=f"--conf defaults to {CONF} and --max-det to {MAX_DET}. Other defaults are the settings stored with "
    "the weights.",
    sort_key=1,
)


def recall(
    folders: Folders,
    /,
    *,
    use: Annotated[Segmenting, Parameter(group=LOW)] = flags.AS_STORED,
    second: Second = BUNDLED,
    choosing: Choosing = ALL_PHOTOS,
    reports: Reports = NO_FILES,
    refine: Annotated[bool, flags.REFINE] = False,
) -> int:
    """Measure the class-agnostic average recall of masks and boxes, and why the other objects are not found."""
    require("faster_coco_eval", "eval")
    from fastsam.evaluation import overlaps
    from fastsam.evaluation.recall import AT, SIZES, results
    from fastsam.evaluation.recall import recall as measure

    sets = choosing.sets(folders)
    segment = segmenter(use, second.load(refine, use.running.threads), conf=CONF, max_det=MAX_DET)
    columns = [*(f"mask AR@{k}" for k in AT), *(f"box AR@{k}" for k in AT)]
    table = Table("set", "photos", "segments per photo", "objects", *columns, "mask AUC", "box AUC")
    why = Table("set", "size", "objects", *overlaps.FATES, title="of 100 objects, at IoU 0.5 and the first 100 masks")
    rows: dict[str, Any] = {}
    rated = []
    for one in sets:
        found: list[dict[str, Any]] = []
        fates: dict[str, Counter[str]] = defaultdict(Counter)
        for photo in progress(one.photos, one.name):
            segments = segment(one.file(photo))
            mine = results(segments, photo["id"])
            found += mine
            wanted = one.annotations(photo)
            masks = overlaps.overlaps(one.truth(photo, segments.size), [r["segmentation"] for r in mine])
            corners = np.array([a["bbox"] for a in wanted], np.float64).reshape(-1, 4)
            corners[:, 2:] += corners[:, :2]
            fate = overlaps.fates(masks, overlaps.box_overlaps(corners, segments.boxes.astype(np.float64)))
            for annotation, word in zip(wanted, fate, strict=True):
                fates[size_of(annotation["area"], SIZES)][word] += 1
            if wanted:
                rated.append((float(masks.max(1, initial=0).mean()), one.file(photo), one.file(photo)))
        row = measure(one.content, found, one.ids)
        rows[one.name] = {**asdict(row), "fates": fates}
        for size in ("all", *SIZES):
            sized = (row.masks, row.boxes) if size == "all" else (row.masks_by_size[size], row.boxes_by_size[size])
            values = [*sized[0].values(), *sized[1].values(), *(row.auc if size == "all" else ())]
            table.add_row(one.name, str(row.photos), f"{row.per_photo:.0f}", size, *map(figure, values))
        for size in SIZES:
            total = fates[size].total()
            shares = [f"{100 * fates[size][word] / total:.0f}" if total else "–" for word in overlaps.FATES]
            why.add_row(one.name, size, str(total), *shares)
    own = {name: use.settings[name] for name in ("conf", "max_det")}  # a picture of all masks shows nothing
    reports.write([table, why], rows, rated, lambda file: drawn(segment(file, **own)))
    return 0


def size_of(area: float, sizes: Mapping[str, tuple[float, float]]) -> str:
    """The name of the size class of an area in pixels."""
    return next(name for name, (_, most) in sizes.items() if area < most)
