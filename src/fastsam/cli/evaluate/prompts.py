"""`fastsam eval prompts`."""

from collections import defaultdict
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from rich.table import Table

from fastsam.cli import flags
from fastsam.cli.evaluate.flags import ALL_PHOTOS, BUNDLED, NO_FILES, Choosing, Folders, Reports, Second, segmenter
from fastsam.cli.evaluate.report import drawn, figure, progress
from fastsam.cli.flags import Segmenting
from fastsam.errors import UsageError, require

if TYPE_CHECKING:
    from fastsam.evaluation.prompts import Calibration


def prompts(
    folders: Folders,
    /,
    *,
    use: Segmenting = flags.AS_STORED,
    second: Second = BUNDLED,
    choosing: Choosing = ALL_PHOTOS,
    reports: Reports = NO_FILES,
    clicks: int = 3,
    seed: Annotated[int, flags.SEED] = 0,
    refine: bool = True,
) -> int:
    """Measure how well a click into an object's middle, a few random clicks, and its box get the object.

    Plain answers are chosen among the first network's masks, refined ones are drawn by the second network. Both answer
    the same prompts.

    Parameters
    ----------
    clicks
        Number of random clicks per object, together one prompt.
    refine
        Also measure the second network; --no-refine measures only plain answers.
    """
    if clicks < 1:
        raise UsageError(f"--clicks must be at least 1, not {clicks}")
    refiner = second.load(refine, use.running.threads)
    require("faster_coco_eval", "eval")
    from fastsam.evaluation.prompts import AT, Answered, ask, box, calibration, figures, prompts_of

    sets = choosing.sets(folders)
    segment = segmenter(use)
    ways = {"plain": None, "refined": refiner} if refiner else {"plain": None}
    columns = [f"{name} {way}" for name in ("mIoU", *(f"at {at / 100:g}" for at in AT)) for way in ways]
    table = Table("set", "prompt", "objects", *columns)
    rows: dict[str, Any] = {}
    rated = []
    for one in sets:
        rng = np.random.default_rng(seed)
        answers: dict[str, dict[str, list[Answered]]] = {way: defaultdict(list) for way in ways}
        for photo in progress(one.photos, one.name):
            segments = segment(one.file(photo))
            masks = [mask for mask in one.masks(photo, segments.size) if mask.any()]
            asked = prompts_of(masks, clicks, rng)
            for way, drawer in ways.items():
                got = ask(segments, asked, masks, drawer)
                for kind, values in got.items():
                    answers[way][kind] += values
            if masks:  # figures of the last way: refined answers, if there are any
                boxes = one.file(photo), [box(mask) for mask in masks]
                rated.append((float(np.mean([a.iou for a in got["box"]])), one.file(photo), boxes))
        found = rows[one.name] = {way: figures(own) for way, own in answers.items()}
        for kind, row in found["plain"].items():
            both = [found[way][kind] for way in ways]
            shares = [r.miou for r in both] + [r.at[at] for at in AT for r in both]
            table.add_row(one.name, kind, str(row.objects), *map(figure, shares))
        if refiner:
            rows[one.name]["calibration"] = {kind: calibration(own) for kind, own in answers["refined"].items()}
    tables = [table]
    if refiner:
        tables.append(reliability({name: row["calibration"] for name, row in rows.items()}))

    def picture(asked: tuple[object, list[tuple[float, float, float, float]]]) -> np.ndarray:
        segments = segment(asked[0])
        return drawn(segments, segments.select(boxes=asked[1], refine=refiner or False))

    reports.write(tables, rows, rated, picture)
    return 0


def reliability(sets: "dict[str, dict[str, Calibration]]") -> Table:
    """Predicted and reached IoU of refined answers, by bins of predicted IoU."""
    title = "refined answers by predicted IoU"
    table = Table("set", "prompt", "predicted IoU", "answers", "mean predicted", "mean reached", "error", title=title)
    for name, found in sets.items():
        for kind, row in found.items():
            for b in (*row.bins, row.all):
                if b.count:
                    means = figure(b.predicted, 2), figure(b.reached, 2), figure(row.error, 3) * (b is row.all)
                    table.add_row(name, kind, f"{b.low:.1f} to {b.high:.1f}", str(b.count), *means)
    return table
