"""What the words on a command line mean: photos, points, boxes."""

import glob
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from fastsam.errors import UsageError
from fastsam.prompts import Box, Point, Prompt

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".jp2", ".ppm", ".pgm", ".avif"}


@dataclass(frozen=True)
class Photo:
    """A photo to segment.

    file: where it is; name: its name in a list of all (its own, or enough of its path to be unique)
    stem: name of its outputs without suffix, unique among all
    """

    file: Path
    name: str
    stem: str


def find_photos(words: list[str]) -> list[Photo]:
    """The photos of files, folders (their images, not deeper) and globs, in order, each once.

    Raises UsageError for a folder or glob without photos.
    """
    files = list(dict.fromkeys(f for word in words for f in _files(word)))
    names, stems = Counter(f.name for f in files), Counter(f.stem for f in files)
    photos, used = [], {f.stem for f in files if stems[f.stem] == 1}
    for file in files:
        name = file.name if names[file.name] == 1 else file.as_posix()
        stem = file.stem if stems[file.stem] == 1 else _unused(file.stem, used)
        used.add(stem)
        photos.append(Photo(file, name, stem))
    return photos


def _files(word: str) -> list[Path]:
    if not word:
        raise UsageError("a photo's name is empty: name a file, a folder or a glob")
    path = Path(word)
    if path.is_dir():
        found = sorted(f for f in path.iterdir() if f.suffix.lower() in SUFFIXES and f.is_file())
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


def read_prompts(points: list[str], boxes: list[str]) -> list[Prompt] | None:
    """The prompts of --point X,Y[,LABEL] (all together one) and --box X1,Y1,X2,Y2 (one each); None without any."""
    prompts = []
    if points:
        parsed = [_point(p) for p in points]
        prompts.append(Prompt(points=[p for p, _ in parsed], labels=[label for _, label in parsed]))
    prompts += [Prompt(box=_box(b)) for b in boxes]
    return prompts or None


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
