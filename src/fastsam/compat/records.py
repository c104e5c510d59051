"""What Ultralytics' `Results` writes: tables of its masks, label files, crops.

Enters: `Results`. Leaves: dictionaries, JSON, CSV, a pandas table, files.
"""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastsam.errors import UsageError
from fastsam.files import make_folder
from fastsam.formats import overlay

if TYPE_CHECKING:
    from fastsam.compat.results import Results

FIELDS = ("name", "class", "confidence", "box", "segments")
GAIN, PAD = 1.02, 10  # a crop is so much larger than its box: a share, then pixels in all


def summary(results: "Results", normalize: bool, decimals: int) -> list[dict[str, Any]]:
    """One dictionary per mask, see `Results.summary`."""
    boxes = results.boxes.xyxyn if normalize else results.boxes.xyxy
    rings = results.masks.xyn if normalize else results.masks.xy
    classes = results.segments.classes.tolist()
    ids = results.segments.tracks
    return [
        {
            "name": results.segments.names[k],
            "class": k,
            "confidence": round(score, decimals),
            "box": dict(zip(("x1", "y1", "x2", "y2"), rounded(box, decimals), strict=True)),
            **({} if ids is None else {"track_id": int(ids[i])}),
            "segments": {"x": rounded(ring[:, 0], decimals), "y": rounded(ring[:, 1], decimals)},
        }
        for i, (k, score, box, ring) in enumerate(
            zip(classes, results.segments.scores.tolist(), boxes, rings, strict=True)
        )
    ]


def rounded(values: Any, decimals: int) -> list[float]:
    """Numbers as a list, rounded."""
    return [round(float(v), decimals) for v in np.asarray(values).tolist()]


def to_json(rows: Sequence[dict[str, Any]]) -> str:
    """Rows as JSON."""
    return json.dumps(rows)


def fields(rows: Sequence[dict[str, Any]]) -> list[str]:
    """The columns of a table of rows."""
    return list(rows[0]) if rows else list(FIELDS)


def to_csv(rows: Sequence[dict[str, Any]]) -> str:
    """Rows as CSV, dictionaries in them as Python writes them."""
    out = io.StringIO()
    writer = csv.DictWriter(out, fields(rows), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def to_df(rows: Sequence[dict[str, Any]]) -> Any:
    """Rows as a pandas table. Raises UsageError if pandas is not installed."""
    try:
        import pandas as pd  # type: ignore[import-untyped, unused-ignore]
    except ModuleNotFoundError:
        raise UsageError("pandas is not installed: pip install pandas, or summary() gives the rows") from None
    return pd.DataFrame(list(rows), columns=fields(rows))


def counted(results: "Results") -> str:
    """How many masks of each class, as in `2 cups, 1 table, `."""
    if not len(results):
        return "(no detections), "
    numbers = Counter(results.segments.classes.tolist())
    return "".join(f"{n} {results.segments.names[k]}{'s' * (n > 1)}, " for k, n in sorted(numbers.items()))


def save_txt(results: "Results", file: Path, save_conf: bool) -> str:
    """Adds a line per mask to a file; writes none if nothing was found. Raises UsageError."""
    lines = [
        " ".join([str(k), *(f"{v:g}" for v in ring.reshape(-1).tolist()), *([f"{score:g}"] if save_conf else [])])
        for k, score, ring in zip(
            results.segments.classes.tolist(), results.segments.scores.tolist(), results.masks.xyn, strict=True
        )
    ]
    if lines:
        make_folder(file.parent)
        try:
            with file.open("a", encoding="utf-8") as out:
                out.write("".join(line + "\n" for line in lines))
        except OSError as error:
            raise UsageError(f"{file} cannot be written ({error.strerror}): choose another file") from None
    return str(file)


def save_crop(results: "Results", folder: Path, stem: str, left: dict[Path, Iterator[str]] | None = None) -> None:
    """Writes the part of the photo about every box, under names that are free.

    left: the stems that were not tried yet, by first file, for several results of one name
    """
    height, width = results.orig_shape
    left = {} if left is None else left
    for k, (x, y, w, h) in zip(results.segments.classes.tolist(), results.boxes.xywh.numpy().tolist(), strict=True):
        half = np.array([w * GAIN + PAD, h * GAIN + PAD]) / 2
        (x0, y0), (x1, y1) = (np.array([x, y]) - half).astype(int), (np.array([x, y]) + half).astype(int)
        part = results.orig_img[max(0, y0) : min(height, y1), max(0, x0) : min(width, x1)]
        kind = folder / results.segments.names[k].replace("/", "_")
        names = (kind / f"{one}.jpg" for one in left.setdefault(kind / stem, stems(stem)))
        overlay.write(next(file for file in names if not file.exists()), part[..., ::-1])


def stems(stem: str) -> Iterator[str]:
    """The stem, then with -2, -3 and so on, without end."""
    yield stem
    for number in count(2):
        yield f"{stem}-{number}"
