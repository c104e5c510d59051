"""`fastsam eval words`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.table import Table

from fastsam.cli.evaluate.flags import Sets
from fastsam.cli.evaluate.report import figure, progress, show, write_json


def words(
    folders: Sets,
    /,
    *,
    encoder: str | None = None,
    images: Path | None = None,
    only: Path | None = None,
    json_file: Annotated[Path | None, Parameter(name="--json")] = None,
) -> int:
    """Measure the share of true masks that get the right word of their set's vocabulary.

    Parameters
    ----------
    folders
        Sets: folders with images/ and instances.json, folders of such folders, or JSON files of COCO or LVIS.
    encoder
        How words are compared with masks: offline, clip, or a folder with the two networks of CLIP.
    images
        Folder of the photos, if they are not in the sets.
    only
        Text file with a set/file line per photo to use; all photos by default.
    json_file
        File to write the figures to.
    """
    from fastsam.evaluation.sets import read_sets
    from fastsam.evaluation.words import name_all, summary, vocabulary

    table = Table("set", "words", "things", "right", "right without persons", "stuff", "right by area")
    rows = {}
    for one in read_sets(folders, images, only):
        size = len(vocabulary(one.content))
        named = [n for photo in progress(one.photos, one.name) for n in name_all(one, photo, encoder)]
        row = rows[one.name] = summary(named, size)
        shares = [figure(100 * v, unit="%") for v in (row.things, row.things_without_persons, row.stuff_area)]
        table.add_row(one.name, str(size), str(row.masks[0]), *shares[:2], str(row.masks[1]), shares[2])
    show(table)
    write_json(json_file, rows)
    return 0
