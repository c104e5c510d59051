"""Reads annotations that other programs wrote: COCO instances of many photos, labelme's file of one.

Enters: bytes. Leaves: `Labels` by the photo's name.
"""

import json
from typing import Any

from pydantic import ValidationError

from fastsam.errors import UsageError
from fastsam.masks import annotations
from fastsam.serve.bodies import one_line
from fastsam.serve.projects import labels as files
from fastsam.serve.projects.labels import Labels, Object


def read_any(raw: bytes, pixels: int) -> list[tuple[str, Labels]]:
    """Photos and what they have. pixels: most of a photo. Raises UsageError for anything else."""
    try:
        content = json.loads(raw)
    except (ValueError, RecursionError):
        raise UsageError("the file is not JSON: choose a COCO or labelme file") from None
    if isinstance(content, dict) and "shapes" in content:
        size = size_of(content, "imageHeight", "imageWidth", pixels)
        return [(str(content.get("imagePath") or "photo"), made(size, files.read(content, size)))]
    if isinstance(content, dict) and "annotations" in content:
        return coco(content, pixels)
    raise UsageError("the file has neither shapes, as labelme's have, nor annotations, as COCO's have")


def coco(content: dict[str, Any], pixels: int) -> list[tuple[str, Labels]]:
    """The photos of a COCO file."""
    rows = files.rows_by_photo(content)
    found = []
    for image in files.listed(content, "images"):
        size = size_of(image, "height", "width", pixels)
        name = str(image.get("file_name") or "photo")
        found.append((name, made(size, objects_of(rows.get(name, []), size, name))))
    return found


def objects_of(rows: list[tuple[Any, str]], size: tuple[int, int], photo: str) -> list[Object]:
    """Objects of COCO's segmentations and their names. Raises UsageError for what is no mask of that photo."""
    try:
        masks = [(annotations.decode(mask, size), name) for mask, name in rows]
        return [files.object_of(mask, name, None, (0, 0), size) for mask, name in masks if mask.shape == size]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UsageError(f"the COCO annotations of {photo} cannot be read: {str(error)[:100]}") from None


def size_of(content: Any, height: str, width: str, pixels: int) -> tuple[int, int]:
    """Height and width that a file says. Raises UsageError for none, and for more than may be."""
    high, wide = (content.get(height), content.get(width)) if isinstance(content, dict) else (None, None)
    if not (files.is_side(high) and files.is_side(wide)):
        raise UsageError(f"a photo's {height} and {width} must be numbers of pixels, not {str((high, wide))[:60]}")
    if high * wide > pixels:
        raise UsageError(f"a photo of {wide} x {high} pixels has more than {pixels}")
    return high, wide


def made(size: tuple[int, int], objects: list[Object]) -> Labels:
    """`Labels` of a photo. Raises UsageError for more than may be."""
    try:
        return Labels(width=size[1], height=size[0], objects=objects)
    except ValidationError as error:
        raise UsageError(one_line(error)) from None
