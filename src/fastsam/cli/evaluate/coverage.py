"""`fastsam eval coverage`."""

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.table import Table

from fastsam.cli.evaluate.network import Flags, Network
from fastsam.cli.evaluate.report import best_and_worst, progress, show, write_json
from fastsam.errors import require


def coverage(
    folders: Annotated[list[Path], Parameter(consume_multiple=True)],
    /,
    *,
    network: Flags = Network(),  # noqa: B008  # frozen
    conf: float | None = None,
    max_det: int | None = None,
    images: Path | None = None,
    only: Path | None = None,
    pictures: Path | None = None,
    json_file: Annotated[Path | None, Parameter(name="--json")] = None,
) -> int:
    """What everything mode leaves out of completely annotated photos, at the weights' own settings or others.

    Parameters
    ----------
    folders
        Sets: folders with images/ and instances.json, folders of such folders, or JSON files of COCO or LVIS.
    conf
        Score threshold; the weights' own by default.
    max_det
        Segments a photo at most; the weights' own by default.
    images
        Folder of the photos, where they do not lie in the sets.
    only
        File of set/file lines: photos to use, all by default.
    pictures
        Folder for pictures of the photos of which most and least is found.
    json_file
        File to write the figures to.
    """
    require("faster_coco_eval", "eval")
    from fastsam.evaluation.coverage import AT, measure, summary
    from fastsam.evaluation.overlaps import truth
    from fastsam.evaluation.sets import read_sets
    from fastsam.formats.overlay import draw

    segment = network.load(conf, max_det)
    table = Table("set", "photos", "masks a photo", *(f"area found at {at / 100:g}" for at in AT), "pixels covered")
    rows, rated = {}, []
    for one in read_sets(folders, images, only):
        measured = []
        for photo in progress(one.photos, one.name, len(one.photos)):
            segments = segment(one.file(photo))
            row = measure(segments.to_rle(), truth(one.annotations(photo), segments.size), segments.size)
            measured.append(row)
            if row.annotated:
                rated.append((row.found[0] / row.annotated, one.file(photo)))
        total = rows[one.name] = summary(measured)
        shares = [f"{v:.1f}%" for v in (*total.area_found.values(), total.pixels)]
        table.add_row(one.name, str(total.photos), f"{total.masks:.0f}", *shares)
    show(table)
    write_json(json_file, rows)

    def picture(file: Path) -> Any:
        segments = segment(file)
        assert segments.photo is not None  # it was just segmented
        return draw(segments.photo, segments)

    best_and_worst(pictures, rated, lambda file: file.name, picture)
    return 0
