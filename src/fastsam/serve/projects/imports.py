"""Reads annotations that other programs wrote: COCO, labelme, Label Studio, YOLO's labels and VOC's pictures.

Enters: bytes, or files by name. Leaves: `Labels` by the photo's name, which has no suffix where a format knows none.
"""

import io
import json
import zipfile
import zlib
from collections.abc import Callable, Sequence
from typing import Any

from pydantic import ValidationError

from fastsam.errors import UsageError
from fastsam.masks import annotations
from fastsam.serve.bodies import one_line
from fastsam.serve.projects import labels as files
from fastsam.serve.projects import tasks, voc, yolo
from fastsam.serve.projects.labels import Labels, Object
from fastsam.untrusted.budget import Budget
from fastsam.untrusted.zips import Zip

Found = list[tuple[str, Labels]]
Sizes = Callable[[str], tuple[int, int] | None]  # a photo's height and width by its name without the suffix
UNPACKED = 512 << 20  # bytes of all files of a zip
READ = (".json", ".txt", ".png", ".yaml", ".yml")
LISTS = ("classes.txt", *voc.LISTS)


def read_files(given: Sequence[tuple[str, bytes]], sizes: Sizes, pixels: int) -> tuple[Found, list[str]]:
    """Photos and what they have, of files and zips of them; and the photos whose size must be known first.

    pixels: most of a photo. Raises UsageError for files that hold no annotations.
    """
    plain = [
        one for name, content in given for one in (unpacked(name, content) if is_zip(content) else [(name, content)])
    ]
    by_name = dict(plain)
    found: Found = []
    unsized = []
    for name, content in plain:
        if name.endswith(".json"):
            found += read_any(content, pixels, name)
    found += [(name, made(size, objects)) for name, size, objects in voc.read(by_name, pixels)]
    outlines = [name for name in by_name if name.endswith(".txt") and name.rsplit("/", 1)[-1] not in LISTS]
    names = yolo.names_of(plain)
    for name in outlines:
        stem = name.removesuffix(".txt").rpartition("labels/")[2]
        size = sizes(stem)
        if size is None:
            unsized.append(stem)
        elif size[0] * size[1] > pixels:
            raise UsageError(f"{name}: its photo of {size[1]} x {size[0]} pixels has more than {pixels}")
        elif objects := yolo.read(by_name[name].decode(errors="replace"), names, size, name):
            found.append((stem, made(size, objects)))
    if not found and not unsized:
        raise UsageError("there are no annotations in it: choose a file of COCO, labelme, Label Studio, YOLO or VOC")
    return found, unsized


def is_zip(content: bytes) -> bool:
    """Whether a file's first bytes are those of a zip."""
    return content[:4] == b"PK\x03\x04"


def unpacked(name: str, content: bytes) -> list[tuple[str, bytes]]:
    """The files of a zip that may hold annotations. Raises UsageError for a damaged or too large one."""
    try:
        archive, left = Zip(io.BytesIO(content), Budget(name)), UNPACKED
        found: list[tuple[str, bytes]] = []
        for inner in archive.members:
            if inner.endswith(READ) and not inner.startswith("__MACOSX"):
                read = archive.read(inner, left, packed=True)
                left -= len(read)
                found.append((inner, read))
        return found
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, ValueError) as error:
        if isinstance(error, UsageError):
            raise
        raise UsageError(f"{name} is a damaged zip ({str(error)[:60]})") from None


def read_any(raw: bytes, pixels: int, file: str = "the file") -> Found:
    """Photos and what they have, of a JSON file. pixels: most of a photo. Raises UsageError for anything else."""
    try:
        content = json.loads(raw)
    except (ValueError, RecursionError):
        raise UsageError(f"{file} is not JSON: choose a COCO, labelme or Label Studio file") from None
    if isinstance(content, dict) and "shapes" in content:
        size = size_of(content, "imageHeight", "imageWidth", pixels)
        return [(str(content.get("imagePath") or "photo"), made(size, files.read(content, size)))]
    if isinstance(content, dict) and "annotations" in content and "data" not in content:
        return coco(content, pixels)
    if isinstance(content, list) or (isinstance(content, dict) and "data" in content):
        each = content if isinstance(content, list) else [content]
        return [(name, made(size, objects)) for name, size, objects in tasks.read(each, pixels)]
    raise UsageError(f"{file} has neither shapes, as labelme's have, nor annotations, as COCO's have, nor tasks")


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
