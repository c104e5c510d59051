"""Reads what the arguments of a command line name: prompts, and masks from elsewhere. Photos: `image/photos.py`."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.errors import UsageError
from fastsam.image.photos import Photo
from fastsam.image.read import read_image
from fastsam.masks.rle import RLE
from fastsam.masks.rle import decode as decode_rle
from fastsam.prompts import Box, Point, Prompt, asked

KEYS = {"points", "labels", "box", "mask", "text", "exclude"}


def read_prompts(
    points: Sequence[str] = (),
    boxes: Sequence[str] = (),
    masks: Sequence[Path] = (),
    texts: Sequence[str] = (),
    exclude: Sequence[str] = (),
    file: Path | None = None,
) -> list[Prompt]:
    """The prompts of a command line, in the order of `prompts.asked`; those of the file come first.

    points: X,Y[,LABEL]; boxes: X1,Y1,X2,Y2; masks: pictures (see `read_mask`); exclude: words that no text may match
    file: JSON, an object or a list of objects with `points`, `labels`, `box`, `mask`, `text`, `exclude` as in `Prompt`
    """
    general = [] if file is None else read_prompt_file(file)
    clicks = [read_point(word) for word in points]
    places, labels = [place for place, _ in clicks], [label for _, label in clicks]
    corners, pictures = [read_box(word) for word in boxes], [read_mask(mask) for mask in masks]
    return asked(general, places, labels, corners, pictures, texts, exclude)


def read_mask(file: Path) -> npt.NDArray[np.bool_]:
    """A picture's pixels that are neither black nor transparent, bool (H, W). Raises UsageError."""
    read_image(file)  # its error says what is wrong with a file
    raw: Any = cv2.imdecode(np.fromfile(file, np.uint8), cv2.IMREAD_UNCHANGED)
    layers = raw.reshape(*raw.shape[:2], -1)
    opaque = layers[..., 3] > 0 if layers.shape[2] == 4 else True
    mask = np.asarray((layers[..., :3] > 0).any(2) & opaque)
    if not mask.any():
        raise UsageError(f"{file} marks no pixel: paint the object in any colour except black")
    return mask


def read_prompt_file(file: Path) -> list[Prompt]:
    """The prompts of a JSON file. The path of a `mask` is relative to the file's folder. Raises UsageError."""
    content = read_json(file, "JSON")
    rows = content if isinstance(content, list) else [content]
    if not rows:
        raise UsageError(f"{file} has no prompts: give a list of objects with {', '.join(sorted(KEYS))}")
    prompts = []
    for number, row in enumerate(rows):
        try:
            prompts.append(read_prompt(row, file.parent))
        except (UsageError, ValueError, KeyError, TypeError) as error:
            raise UsageError(f"{file}, prompt {number}: {error}") from None
    return prompts


def read_prompt(row: Any, folder: Path) -> Prompt:
    """A prompt from JSON. folder: where paths of masks begin. Raises UsageError or TypeError for invalid values."""
    if not isinstance(row, dict):
        raise UsageError(f"{row!r} must be an object with {', '.join(sorted(KEYS))}")
    if unknown := sorted(set(row) - KEYS):
        raise UsageError(f"unknown key {unknown[0]!r}: choose from {', '.join(sorted(KEYS))}")
    mask = row.get("mask")
    if mask is not None:
        mask = unpacked(mask) if isinstance(mask, dict) else read_mask(folder / str(mask))
    return Prompt(**{**row, "mask": mask})


def unpacked(packed: dict[str, Any]) -> npt.NDArray[np.bool_]:
    """The pixels of an RLE. Raises UsageError."""
    try:
        return decode_rle(cast(RLE, packed))
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"mask {str(packed)[:60]} must be RLE with size and counts, or a path") from error


@dataclass(frozen=True)
class Annotations:
    """A COCO file. images: (file name, id); rows: the annotations by image id; categories: as the file has them"""

    file: Path
    images: tuple[tuple[str, int], ...]
    rows: dict[int, list[dict[str, Any]]]
    categories: list[dict[str, Any]]

    def of(self, photo: Photo) -> list[dict[str, Any]]:
        """The annotations of a photo: those of the image whose file name ends the photo's path, or is its own name.

        Raises UsageError if the file has no such image, or several.
        """
        path = Path(os.path.realpath(photo.file)).as_posix()
        fitting = [number for name, number in self.images if path.endswith("/" + name.lstrip("./"))]
        same = [number for name, number in self.images if Path(name).name == photo.file.name]
        chosen = fitting or same
        if len(chosen) != 1:
            many = "no photo" if not chosen else f"{len(chosen)} photos"
            raise UsageError(f"{self.file} has {many} {photo.file.name}: name the file as the annotations do")
        return self.rows.get(chosen[0], [])


def read_annotations(file: Path) -> Annotations:
    """Reads a COCO file. Raises UsageError."""
    content = read_json(file, "COCO")
    try:
        images = tuple((str(image["file_name"]), int(image["id"])) for image in content["images"])
        rows: dict[int, list[dict[str, Any]]] = {}
        for row in content["annotations"]:
            rows.setdefault(int(row["image_id"]), []).append(row)
        categories = [c for c in content.get("categories", []) if "id" in c and "name" in c]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise unreadable(file, "COCO", error) from None
    return Annotations(file, images, rows, categories)


def read_json(file: Path, kind: str) -> Any:
    """The content of a JSON file. kind: what the error calls it. Raises UsageError."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise unreadable(file, kind, error) from None


def unreadable(file: Path, kind: str, error: Exception) -> UsageError:
    """The error for a file that is not of that kind."""
    return UsageError(f"{file} is not readable as {kind}: {error}")


def read_point(word: str) -> tuple[Point, int]:
    """A point and its label. Raises UsageError."""
    numbers = read_numbers(word)
    if len(numbers) == 2:
        return (numbers[0], numbers[1]), 1
    if len(numbers) == 3 and numbers[2] in (0, 1):
        return (numbers[0], numbers[1]), int(numbers[2])
    raise UsageError(f"--point must be X,Y or X,Y,LABEL with label 1 (foreground) or 0 (background), not {word}")


def read_box(word: str) -> Box:
    """A box. Raises UsageError."""
    numbers = read_numbers(word)
    if len(numbers) != 4:
        raise UsageError(f"--box must be X1,Y1,X2,Y2, not {word}")
    return numbers[0], numbers[1], numbers[2], numbers[3]


def read_numbers(word: str) -> list[float]:
    """Numbers with commas between them; an empty list if any is not a number."""
    try:
        return [float(part) for part in word.split(",")]
    except ValueError:
        return []
