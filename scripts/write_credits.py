"""Lists what a network was trained on: every photo, cut-out and background, with its licence and where it comes from.

    python scripts/write_credits.py configs/open.toml > src/fastsam/weights/bundled/fastsam-open-credits.csv

A source names the repository, package or set, and the author where the material at hand tells. Photos of COCO have
their number there: COCO's own annotation files lead from it to the photo's page at Flickr, with its author.
"""

import argparse
import csv
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fastsam.training.collection import holdout_of
from fastsam.training.config import Config, Run, read_config
from fastsam.training.data import allowed, licence_of
from fastsam.training.fields import make
from fastsam.training.refine.config import RefineConfig

Row = tuple[str, str, str]  # file, licence, source


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config", type=Path)
    parser.add_argument("--refine", action="store_true", help="the config is one of the second network")
    given = parser.parse_args()
    kind: type[Run] = RefineConfig if given.refine else Config
    rows = sorted(set(material(make(kind, read_config(given.config, kind)))))
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(("file", "licence", "source"))
    out.writerows(rows)
    print(f"{len(rows)} files", file=sys.stderr)


def material(config: Run) -> Iterator[Row]:
    """Everything that a run may see."""
    holdout = holdout_of(config)
    for folder in map(Path, config.data):
        yield from photos(folder, holdout, config.licences)
    for folder in map(Path, config.cutouts):
        yield from indexed(folder.parent, f"{folder.name}/")
    for folder in map(Path, getattr(config, "backgrounds", ())):
        yield from indexed(folder)


def photos(folder: Path, holdout: frozenset[str], licences: tuple[str, ...]) -> Iterator[Row]:
    """The photos of a set; of rendered ones what they were made of."""
    coco = json.loads((folder / "instances.json").read_text())
    records = allowed(coco, folder.name, holdout, licences)
    if any("made_of" in record for record in records):
        yield from made_of({name for record in records for name in record["made_of"]})
    else:
        for record in records:
            yield f"{folder.name}/{record['file_name']}", licence_of(record, coco), source(record, coco)


def source(record: Any, coco: Any) -> str:
    """Where a photo of a set comes from."""
    if "coco_split" in record:
        return f"COCO 2017, {record['coco_split']}/{Path(record['file_name']).stem}.jpg, from Flickr"
    return str(record.get("source") or coco["info"]["source"])


def made_of(names: set[str]) -> Iterator[Row]:
    """The parts of rendered scenes, by their names there."""
    data = Path(os.environ["FASTSAM_DATA"]) / "data"
    for head in sorted({name.split("/", 1)[0] for name in names}):
        indexes = head in ("cutouts", "backgrounds")
        rows = indexed(data / head) if indexes else photos(data / "train" / head, frozenset(), ())
        yield from (row for row in rows if row[0] in names)


def indexed(folder: Path, start: str = "") -> Iterator[Row]:
    """The files of a folder with an index whose names begin with `start`; none that is copyleft."""
    for entry in json.loads((folder / "index.json").read_text()):
        if entry["file"].startswith(start) and "copyleft" not in entry["file"]:
            yield f"{folder.name}/{entry['file']}", entry["licence"], entry["source"]


if __name__ == "__main__":
    main()
