"""`fastsam eval coverage`."""

from typing import Annotated

from rich.table import Table

from fastsam.cli import flags
from fastsam.cli.evaluate.flags import ALL_PHOTOS, BUNDLED, NO_FILES, Choosing, Folders, Reports, Second, segmenter
from fastsam.cli.evaluate.report import drawn, figure, progress
from fastsam.cli.flags import Segmenting
from fastsam.errors import require
from fastsam.masks.levels import Level


def coverage(
    folders: Folders,
    /,
    *,
    use: Segmenting = flags.AS_STORED,
    second: Second = BUNDLED,
    choosing: Choosing = ALL_PHOTOS,
    reports: Reports = NO_FILES,
    refine: Annotated[bool, flags.REFINE] = False,
    level: Level = "things",
) -> int:
    """Measure what everything mode misses in completely annotated photos.

    Parameters
    ----------
    level
        Which masks are measured: parts (every mask), things (what a person would point at), or regions (the photo
        divided into things).
    """
    require("faster_coco_eval", "eval")
    from fastsam.evaluation.coverage import AT, measure, summary

    sets = choosing.sets(folders)
    segment = segmenter(use, second.load(refine, use.running.threads))
    shares_of = (*(f"area found at {at / 100:g}" for at in AT), "pixels covered")
    cuts_of = ("seams per megapixel", "seams of true masks", "pieces per region")
    table = Table("set", "photos", "masks per photo", *shares_of, *cuts_of)
    rows, rated = {}, []
    for one in sets:
        measured = []
        for photo in progress(one.photos, one.name):
            segments = segment(one.file(photo)).filter(level=level)
            assert segments.photo is not None  # a model keeps it
            row = measure(segments.to_rle(), one.truth(photo, segments.size), segments.photo)
            measured.append(row)
            if row.annotated:
                rated.append((row.found[0] / row.annotated, one.file(photo), one.file(photo)))
        total = rows[one.name] = summary(measured)
        shares = [figure(v, unit="%") for v in (*total.area_found.values(), total.pixels)]
        pieces = f"{total.pieces:.2f} (of {total.whole:.0f}%)"
        cuts = [f"{total.seams:.0f}", f"{total.true_seams:.0f}", pieces]
        table.add_row(one.name, str(total.photos), f"{total.masks:.0f}", *shares, *cuts)
    reports.write([table], rows, rated, lambda file: drawn(segment(file).filter(level=level)))
    return 0
