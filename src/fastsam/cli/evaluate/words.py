"""`fastsam eval words`."""

from pathlib import Path
from typing import Annotated

from rich.table import Table

from fastsam.cli import flags
from fastsam.cli.evaluate.flags import ALL_PHOTOS, Choosing, Folders
from fastsam.cli.evaluate.report import figure, progress
from fastsam.cli.figures import show, write_json


def words(
    folders: Folders,
    /,
    *,
    choosing: Choosing = ALL_PHOTOS,
    encoder: Annotated[str | None, flags.ENCODER] = None,
    json_file: Annotated[Path | None, flags.JSON_FILE] = None,
) -> int:
    """Measure the share of true masks that get the right word of their set's vocabulary."""
    from fastsam.evaluation.words import name_all, summary, vocabulary

    table = Table("set", "words", "things", "right", "right without persons", "stuff", "right by area")
    rows = {}
    for one in choosing.sets(folders):
        size = len(vocabulary(one.content))
        named = [n for photo in progress(one.photos, one.name) for n in name_all(one, photo, encoder)]
        row = rows[one.name] = summary(named, size)
        shares = [figure(100 * v, unit="%") for v in (row.things, row.things_without_persons, row.stuff_area)]
        table.add_row(one.name, str(size), str(row.masks[0]), *shares[:2], str(row.masks[1]), shares[2])
    show(table)
    write_json(json_file, rows)
    return 0
