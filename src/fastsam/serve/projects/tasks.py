"""Reads Label Studio's tasks: what a person annotated, else what was predicted.

Enters: the JSON of an export. Leaves: objects by the photo's name. Brushes, polygons and rectangles become objects.
"""

import math
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np

from fastsam.errors import UsageError
from fastsam.masks import annotations
from fastsam.serve.projects import labels as files
from fastsam.serve.projects.labels import Bool, Object
from fastsam.serve.studio import TAGS, unbrush

SHAPES = tuple(TAGS.values())


def read(tasks: list[Any], pixels: int) -> Iterator[tuple[str, tuple[int, int], list[Object]]]:
    """Name, size (height, width) and objects of each task that has any. Raises UsageError for what is none."""
    for number, task in enumerate(tasks):
        try:
            results = results_of(task)
            if not results:
                continue
            height, width = (int(results[0][f"original_{side}"]) for side in ("height", "width"))
            if not 0 < height <= files.SIDE or not 0 < width <= files.SIDE or height * width > pixels:
                raise UsageError(f"task {number} has a photo of {width} x {height} pixels: {pixels} are allowed")
            others = {one.get("id"): one for one in all_results(task) if one.get("type") == "labels"}
            objects = []
            for one in results:
                mask = mask_of(one["value"], (height, width))
                if mask.any():
                    objects.append(files.object_of(mask, name_of(one, others)))
            yield photo_of(task), (height, width), objects
        except UsageError:
            raise
        except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
            raise UsageError(f"task {number} cannot be read as one of Label Studio: {str(error)[:80]}") from None


def all_results(task: dict[str, Any]) -> list[dict[str, Any]]:
    """The results of the last annotation that was not cancelled, else those of the first prediction."""
    drawn = [one for one in files.listed(task, "annotations") if not one.get("was_cancelled")]
    chosen = drawn[-1:] or files.listed(task, "predictions")[:1]
    return [one for each in chosen for one in files.listed(each, "result")]


def results_of(task: dict[str, Any]) -> list[dict[str, Any]]:
    """Those that enclose something."""
    return [one for one in all_results(task) if one.get("type") in SHAPES]


def name_of(result: dict[str, Any], others: dict[Any, dict[str, Any]]) -> str:
    """The first label of a result, or of the labels that stand beside it."""
    labels = result["value"].get(result["type"])
    if not labels or not isinstance(labels, list):
        labels = others.get(result.get("id"), {}).get("value", {}).get("labels")
    return str(labels[0])[:200] if labels else "object"


def mask_of(value: dict[str, Any], size: tuple[int, int]) -> Bool:
    """The pixels of a result."""
    height, width = size
    if "rle" in value:
        return np.asarray(unbrush(value["rle"], size), bool)
    scale = np.array((width / 100, height / 100))
    if "points" in value:
        corners = np.asarray(value["points"], np.float64) * scale
    else:
        x, y, w, h = (float(value[key]) for key in ("x", "y", "width", "height"))
        turn = math.radians(float(value.get("rotation", 0)))  # clockwise about the upper left corner
        box = np.array([(0, 0), (w, 0), (w, h), (0, h)]) * scale
        corners = box @ [(math.cos(turn), math.sin(turn)), (-math.sin(turn), math.cos(turn))] + np.array((x, y)) * scale
    return annotations.fill(corners.reshape(-1).tolist(), size)


def photo_of(task: dict[str, Any]) -> str:
    """The photo's name: the end of its address, or the path that a local file's address asks for."""
    address = next((value for value in task["data"].values() if isinstance(value, str)), None)
    if address is None:
        raise ValueError("it names no photo")
    parts = urlsplit(address)
    local = parse_qs(parts.query).get("d")
    return unquote(local[0] if local else parts.path) or "photo"
