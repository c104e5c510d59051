"""`fastsam eval clicks`."""

from typing import Annotated, Any

import numpy as np
from cyclopts import Parameter
from rich.table import Table

from fastsam.cli import flags
from fastsam.cli.evaluate.flags import ALL_PHOTOS, BUNDLED, NO_FILES, Choosing, Folders, Reports, Second, segmenter
from fastsam.cli.evaluate.report import drawn, figure, progress
from fastsam.cli.flags import Segmenting
from fastsam.errors import UsageError, require
from fastsam.masks import rle
from fastsam.prompts import Candidate, Pick, Prompt
from fastsam.segments import Segments


def clicks(
    folders: Folders,
    /,
    *,
    use: Segmenting = flags.AS_STORED,
    second: Second = BUNDLED,
    choosing: Choosing = ALL_PHOTOS,
    reports: Reports = NO_FILES,
    threshold: Annotated[list[float] | None, Parameter(consume_multiple=True)] = None,
    objects: int | None = None,
    refine: bool = True,
) -> int:
    """Count the clicks per object of a robot that clicks where the answer is most wrong: NoC@85 and NoC@90.

    Parameters
    ----------
    threshold
        IoU to reach; 0.85 and 0.9 by default.
    objects
        Maximum number of objects per photo.
    refine
        Also measure the second network; --no-refine measures only the choice among masks of the first.
    """
    require("faster_coco_eval", "eval")
    from fastsam.evaluation.clicks import AFTER, AT, Clicked, answered_by, click_on, summary

    at = sorted(set(threshold or AT))
    if not all(0 < t <= 1 for t in at):
        raise UsageError(f"--threshold must be an IoU above 0 and up to 1, not {at[0] if at[0] <= 0 else at[-1]:g}")
    if objects is not None and objects < 1:
        raise UsageError(f"--objects must be at least 1, not {objects}")
    refiner = second.load(refine, use.running.threads)
    sets = choosing.sets(folders)
    segment = segmenter(use)
    ways = {"plain": None, "refined": refiner} if refiner else {"plain": None}
    counts = [f"{name}@{100 * t:g}" for t in at for name in ("NoC", "failed")]
    table = Table("set", "answers", "objects", *counts, *(f"mIoU after {k}" for k in AFTER))
    rows: dict[str, Any] = {}
    rated = []
    for one in sets:
        ious: dict[str, list[list[float]]] = {way: [] for way in ways}
        for photo in progress(one.photos, one.name):
            segments = segment(one.file(photo))
            masks = [mask for mask in one.masks(photo, segments.size) if mask.any()][:objects]
            done: list[Clicked] = []
            for way, drawer in ways.items():
                done = [click_on(mask, answered_by(segments, drawer), until=at[-1]) for mask in masks]
                ious[way] += [object_.ious for object_ in done]
            if done:  # of the last way: refined answers, if there are any
                answers = [(d.points, d.labels, None if d.answer is None else rle.encode(d.answer)) for d in done]
                rated.append((float(np.mean([d.ious[-1] for d in done])), one.file(photo), (one.file(photo), answers)))
        rows[one.name] = {way: summary(own, at) for way, own in ious.items()}
        for way, row in rows[one.name].items():
            cells = [c for k in row.noc for c in (figure(row.noc[k], 2), figure(row.failed[k], unit="%"))]
            table.add_row(one.name, way, str(row.objects), *cells, *map(figure, row.miou.values()))
    reports.write([table], rows, rated, picture)
    return 0


def picture(clicked: tuple[Any, list[tuple[Any, Any, rle.RLE | None]]]) -> np.ndarray:
    """The last answers on a photo, with their clicks. clicked: its file; per object points, labels and answer"""
    file, answers = clicked
    segments = Segments.from_masks(file, [mask for *_, mask in answers if mask is not None])
    numbers = iter(range(len(segments)))
    picks = []
    for points, labels, mask in answers:
        found = () if mask is None else (Candidate(segments.masks, (next(numbers),), 1.0),)
        picks.append(Pick(Prompt(points=points, labels=labels), found))
    return drawn(segments, picks)
