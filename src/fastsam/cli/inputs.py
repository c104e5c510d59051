"""What the words on a command line mean: prompts, masks from elsewhere. Photos: `image/photos.py`."""

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
from fastsam.prompts import Box, Point, Prompt

KEYS = {"points", "labels", "box", "mask", "text", "exclude"}


def read_prompts(
    points: Sequence[str] = (),
    boxes: Sequence[str] = (),
    masks: Sequence[Path] = (),
    texts: Sequence[str] = (),
    exclude: Sequence[str] = (),
    file: Path | None = None,
) -> list[Prompt] | None:
    """The prompts of a command line, None without any: those of the file, then the points together, then one each.

    points: X,Y[,LABEL]; boxes: X1,Y1,X2,Y2; masks: pictures that are not black within; exclude: from every text
    file: JSON, an object or a list of objects with `points`, `labels`, `box`, `mask`, `text`, `exclude` as in `Prompt`
    """
    prompts = [] if file is None else read_prompt_file(file)
    if points:
        parsed = [_point(p) for p in points]
        prompts.append(Prompt(points=[p for p, _ in parsed], labels=[label for _, label in parsed]))
    prompts += [Prompt(box=_box(b)) for b in boxes]
    prompts += [Prompt(mask=read_mask(m)) for m in masks]
    prompts += [Prompt(text=text, exclude=exclude) for text in texts]
    if exclude and not texts:
        raise UsageError(f"--exclude {exclude[0]} needs a --text from whose answer it takes")
    return prompts or None


def read_mask(file: Path) -> npt.NDArray[np.bool_]:
    """A picture's pixels that are neither black nor transparent, bool (H, W). Raises UsageError."""
    read_image(file)  # says in a line what is wrong with a file
    raw: Any = cv2.imdecode(np.fromfile(file, np.uint8), cv2.IMREAD_UNCHANGED)
    layers = raw.reshape(*raw.shape[:2], -1)
    opaque = layers[..., 3] > 0 if layers.shape[2] == 4 else True
    mask = np.asarray((layers[..., :3] > 0).any(2) & opaque)
    if not mask.any():
        raise UsageError(f"{file}: no pixel is marked: paint what is meant in any colour but black")
    return mask


def read_prompt_file(file: Path) -> list[Prompt]:
    """The prompts of a JSON file; the name of a `mask` counts from the file's folder. Raises UsageError."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{file} is no readable JSON: {error}") from None
    rows = content if isinstance(content, list) else [content]
    if not rows:
        raise UsageError(f"{file} holds no prompt: give a list of objects with {', '.join(sorted(KEYS))}")
    prompts = []
    for number, row in enumerate(rows):
        try:
            if not isinstance(row, dict):
                raise UsageError(f"{row!r} is no object")
            if unknown := sorted(set(row) - KEYS):
                raise UsageError(f"there is no {unknown[0]!r}: choose from {', '.join(sorted(KEYS))}")
            mask = row.pop("mask", None)
            if mask is not None:
                mask = _unpacked(mask) if isinstance(mask, dict) else read_mask(file.parent / str(mask))
            prompts.append(Prompt(**row, mask=mask))
        except (UsageError, ValueError, KeyError, TypeError) as error:
            raise UsageError(f"{file}, prompt {number}: {error}") from None
    return prompts


def _unpacked(packed: dict[str, Any]) -> npt.NDArray[np.bool_]:
    try:
        return decode_rle(cast(RLE, packed))
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"mask {str(packed)[:60]} is no RLE with size and counts") from error


@dataclass(frozen=True)
class Annotations:
    """A COCO file. images: (file name, id); rows: the annotations by image id; categories: as the file has them"""

    file: Path
    images: tuple[tuple[str, int], ...]
    rows: dict[int, list[dict[str, Any]]]
    categories: list[dict[str, Any]]

    def of(self, photo: Photo) -> list[dict[str, Any]]:
        """The annotations of a photo: of the image whose file name is the photo's own or the end of its path.

        Raises UsageError where there is none, or more than one.
        """
        path = Path(os.path.realpath(photo.file)).as_posix()
        fitting = [number for name, number in self.images if path.endswith("/" + name.lstrip("./"))]
        same = [number for name, number in self.images if Path(name).name == photo.file.name]
        chosen = fitting or same
        if len(chosen) != 1:
            many = "no photo" if not chosen else f"{len(chosen)} photos"
            raise UsageError(f"{self.file} has {many} {photo.file.name}: name files as they are in it")
        return self.rows.get(chosen[0], [])


def read_annotations(file: Path) -> Annotations:
    """A COCO file, read once. Raises UsageError."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        images = tuple((str(image["file_name"]), int(image["id"])) for image in content["images"])
        rows: dict[int, list[dict[str, Any]]] = {}
        for row in content["annotations"]:
            rows.setdefault(int(row["image_id"]), []).append(row)
        categories = [c for c in content.get("categories", []) if "id" in c and "name" in c]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UsageError(f"{file} is no readable COCO file: {error}") from None
    return Annotations(file, images, rows, categories)


def _point(word: str) -> tuple[Point, int]:
    numbers = _numbers(word)
    if len(numbers) == 2:
        return (numbers[0], numbers[1]), 1
    if len(numbers) == 3 and numbers[2] in (0, 1):
        return (numbers[0], numbers[1]), int(numbers[2])
    raise UsageError(f"--point {word} is not X,Y or X,Y,LABEL with label 1 (foreground) or 0 (background)")


def _box(word: str) -> Box:
    numbers = _numbers(word)
    if len(numbers) != 4:
        raise UsageError(f"--box {word} is not X1,Y1,X2,Y2")
    return numbers[0], numbers[1], numbers[2], numbers[3]


def _numbers(word: str) -> list[float]:
    try:
        return [float(part) for part in word.split(",")]
    except ValueError:
        return []
