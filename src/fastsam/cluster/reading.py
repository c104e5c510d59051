"""Turns a row of an output back into `Segments`.

Enters: an output and the key of a photo. Leaves: `Segments`, with the photo if it is asked for.
"""

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds

from fastsam.cluster import photos
from fastsam.cluster.chunks import folder_of
from fastsam.cluster.job import JOB
from fastsam.cluster.parts import FAILURES
from fastsam.cluster.storage import Place, one_line, place_of, read_bytes
from fastsam.errors import UsageError
from fastsam.image.read import decode
from fastsam.masks.annotations import read as read_masks
from fastsam.masks.lazy import Masks
from fastsam.segments import Segments


def read(output: str, key: str, *, with_photo: bool = False) -> Segments:
    """The segments of the photo with a key. Words, cut-outs and pictures need `with_photo`.

    Masks are the same pixel by pixel. Their logits were not stored, so that their `stability` is 1.

    Raises UsageError if the output does not have the photo, if the photo failed, or if its file is gone.
    """
    place = place_of(output)
    about = job_of(place)
    found = rows(place, key)
    if not found:
        failed = rows(place / FAILURES, key)
        raise UsageError(f"{key} failed: {failed[0]['reason']}" if failed else f"{output} has no photo {key}")
    pixels = None
    if with_photo:
        columns = None if about["columns"] is None else (about["columns"][0], about["columns"][1])
        pixels = decode(photos.one(folder_of(about["input"]), key, columns))
    return segments_of(found[0], pixels)


def segments_of(row: dict[str, Any], photo: Any = None) -> Segments:
    """`Segments` from a row as a dictionary. Raises UsageError if the photo has another size."""
    size = (row["height"], row["width"])
    packed = [{"size": list(size), "counts": counts} for counts in row["rle"]]
    given, _, _ = read_masks(packed, size)
    masks = Masks(np.array(row["boxes"], np.float32).reshape(-1, 4), given)
    names = tuple(json.loads(row["settings"])["names"])
    if photo is not None and photo.shape[:2] != size:
        raise UsageError(f"the photo {row['key']} no longer has {size[1]} x {size[0]} pixels: segment it again")
    return Segments(masks, np.array(row["scores"], np.float32), np.array(row["classes"], np.int64), names, photo=photo)


def rows(place: Place, key: str) -> list[dict[str, Any]]:
    """The rows of a data set with a key: one, or none."""
    try:
        table = ds.dataset(place.path, filesystem=place.files, format="parquet")
        return list(table.to_table(filter=ds.field("key") == key).to_pylist())
    except FileNotFoundError:
        return []
    except (OSError, pa.ArrowInvalid) as error:
        raise UsageError(f"{place.path} cannot be read: {one_line(error)}") from None


def job_of(place: Place) -> dict[str, Any]:
    """The facts that the job recorded. Raises UsageError for a folder that is not an output."""
    try:
        return dict(json.loads(read_bytes(place / JOB)))
    except (OSError, ValueError):
        raise UsageError(f"{place.path} is not an output of fastsam cluster segment") from None
