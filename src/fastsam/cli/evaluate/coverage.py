"""`fastsam eval coverage`."""

from rich.table import Table

from fastsam.cli.evaluate.flags import AS_STORED, BUNDLED, NO_FILES, FileFlags, NetworkFlags, SecondFlags, Sets
from fastsam.cli.evaluate.report import best_and_worst, drawn, figure, progress, show, write_json
from fastsam.errors import require


def coverage(
    folders: Sets,
    /,
    *,
    network: NetworkFlags = AS_STORED,
    second: SecondFlags = BUNDLED,
    files: FileFlags = NO_FILES,
    refine: bool = False,
) -> int:
    """Measure what everything mode misses in completely annotated photos.

    Parameters
    ----------
    folders
        Sets: folders with images/ and instances.json, folders of such folders, or JSON files of COCO or LVIS.
    refine
        Redraw every mask with the second network.
    """
    require("faster_coco_eval", "eval")
    from fastsam.evaluation.coverage import AT, measure, summary
    from fastsam.evaluation.sets import read_sets
    from fastsam.image.read import read_image

    sets = read_sets(folders, files.images, files.only)
    segment = network.load(second.load(refine, network.threads))
    shares_of = (*(f"area found at {at / 100:g}" for at in AT), "pixels covered")
    table = Table(
        "set", "photos", "masks per photo", *shares_of, "seams per megapixel", "of true masks", "pieces per region"
    )
    rows, rated = {}, []
    for one in sets:
        measured = []
        for photo in progress(one.photos, one.name):
            segments = segment(one.file(photo))
            row = measure(segments.to_rle(), one.truth(photo, segments.size), read_image(one.file(photo)))
            measured.append(row)
            if row.annotated:
                rated.append((row.found[0] / row.annotated, one.file(photo), one.file(photo)))
        total = rows[one.name] = summary(measured)
        shares = [figure(v, unit="%") for v in (*total.area_found.values(), total.pixels)]
        cuts = f"{total.pieces:.2f} (of {total.whole:.0f}%)"
        table.add_row(
            one.name,
            str(total.photos),
            f"{total.masks:.0f}",
            *shares,
            f"{total.seams:.0f}",
            f"{total.true_seams:.0f}",
            cuts,
        )
    show(table)
    write_json(files.json_file, rows)
    best_and_worst(files.pictures, rated, lambda file: drawn(segment(file)))
    return 0
