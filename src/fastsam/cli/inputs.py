"""What the words on a command line mean: photos, prompts, masks from elsewhere."""

import glob
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.errors import UsageError
from fastsam.image import video
from fastsam.image.read import SUFFIXES, UnreadableImageError, read_image
from fastsam.masks.rle import RLE
from fastsam.masks.rle import decode as decode_rle
from fastsam.prompts import Box, Point, Prompt

KEYS = {"points", "labels", "box", "mask", "text", "exclude"}


@dataclass(frozen=True)
class Photo:
    """A photo to segment.

    file: where it is; name: its name in a list of all (its own, or enough of its path to be unique)
    stem: name of its outputs without suffix, unique among all; frame: its number in a video, None for a photo
    """

    file: Path
    name: str
    stem: str
    frame: int | None = None

    def __str__(self) -> str:
        return str(self.file) if self.frame is None else f"{self.file}, frame {self.frame}"


def find_photos(words: list[str]) -> list[Photo]:
    """The photos of files, folders (their images and videos, not deeper) and globs, in order, each once.

    Raises UsageError for a folder or glob without photos.
    """
    files = list(dict.fromkeys(f for word in words for f in _files(word)))
    names, stems = Counter(f.name for f in files), Counter(f.stem for f in files)
    photos, used = [], {f.stem for f in files if stems[f.stem] == 1}
    for file in files:
        name = file.name if names[file.name] == 1 else file.as_posix()
        stem = file.stem if stems[file.stem] == 1 else _unused(file.stem, used)
        used.add(stem)
        if video.is_video(file):
            frames = range(video.count(file))
            photos += [Photo(file, f"{name}#{k}", f"{stem}-{k:06d}", k) for k in frames]
        else:
            photos.append(Photo(file, name, stem))
    return photos


def opened(photos: Sequence[Photo]) -> Iterator[tuple[Photo, Path | npt.NDArray[np.uint8] | UsageError]]:
    """Each photo and what is to be read: its file, or a frame, or why there is none.

    Frames come one after the other; where a video ends before it said, the next one is an error and the rest left out.
    """
    frames: Iterator[npt.NDArray[np.uint8]] = iter(())
    ended: Path | None = None
    for photo in photos:
        if photo.frame is None:
            yield photo, photo.file
            continue
        if photo.frame == 0:
            frames, ended = video.frames(photo.file), None
        if ended == photo.file:
            continue
        try:
            pixels = next(frames, None)
        except UnreadableImageError as error:
            yield photo, error
            ended = photo.file
            continue
        if pixels is None:
            yield (
                photo,
                UnreadableImageError(f"{photo.file}: the video ends after {photo.frame} frames, too soon"),
            )
            ended = photo.file
        else:
            yield photo, pixels


def _files(word: str) -> list[Path]:
    if not word:
        raise UsageError("a photo's name is empty: name a file, a folder or a glob")
    path = Path(word)
    if path.is_dir():
        found = sorted(f for f in path.iterdir() if f.suffix.lower() in SUFFIXES | video.SUFFIXES and f.is_file())
        if not found:
            raise UsageError(f"folder {word} holds no photos")
        return found
    if path.exists() or not glob.has_magic(word):
        return [path]  # a missing file is reported when it is read, after the others are done
    found = sorted(Path(f) for f in glob.glob(word, recursive=True) if Path(f).is_file())
    if not found:
        raise UsageError(f"no file matches {word}")
    return found


def _unused(stem: str, used: set[str]) -> str:
    if stem not in used:
        return stem
    number = 2
    while f"{stem}-{number}" in used:
        number += 1
    return f"{stem}-{number}"


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
    except (OSError, ValueError) as error:
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
        path = photo.file.resolve().as_posix()
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
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
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
