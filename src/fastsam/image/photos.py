"""Finds the photos that files, folders, patterns and videos mean, and the frames of the videos.

Enters: names from a command line. Leaves: `Photo`s, each with a unique name and stem; then the file or frame to read.
"""

import glob
import os
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fastsam.errors import PhotoWarning, UnreadableImageError, UsageError
from fastsam.image import video
from fastsam.image.kinds import file_kind


@dataclass(frozen=True)
class Photo:
    """A photo to segment.

    file: its path; name: its file name, with as much of the path as makes it unique
    stem: unique name for its outputs, without suffix; frame: its number in a video, None for a photo
    """

    file: Path
    name: str
    stem: str
    frame: int | None = None

    def __str__(self) -> str:
        return str(self.file) if self.frame is None else f"{self.file}, frame {self.frame}"


def find_photos(words: Sequence[str]) -> list[Photo]:
    """The photos that files, folders and patterns mean, in order, each once. Subfolders are not searched.

    In a folder, the content of a file decides whether it is a photo or a video. Other files, hidden files and raw files
    of cameras are skipped; a PhotoWarning counts them.

    Raises UsageError for a folder or pattern without photos, and for an invalid name.
    """
    files = dict(found for word in words for found in _found(word))
    names, stems = Counter(f.name for f in files), Counter(f.stem for f in files)
    photos, used = [], {f.stem for f in files if stems[f.stem] == 1}
    for file, kind in files.items():
        name = file.name if names[file.name] == 1 else file.as_posix()
        stem = file.stem if stems[file.stem] == 1 else _unused(file.stem, used)
        used.add(stem)
        if kind == "video" or (kind is None and video.is_video(file)):
            frames = range(video.count(file))
            photos += [Photo(file, f"{name}#{k}", f"{stem}-{k:06d}", k) for k in frames]
        else:
            photos.append(Photo(file, name, stem))
    return photos


def find_files(word: str) -> list[Path]:
    """The photos and videos of a folder, or the files of a pattern, sorted; or the one file. See `find_photos`."""
    return [file for file, _ in _found(word)]


def _found(word: str) -> list[tuple[Path, str | None]]:
    """The same files, each with `photo` or `video` if its content was read, as in a folder, else None."""
    if not word:
        raise UsageError("the name of a photo is empty: give a file, a folder or a pattern")
    if "\0" in word:
        raise UsageError(f"{word!r} is not a valid file name")
    path = Path(word)
    if path.is_dir():
        return _of_folder(path)
    if os.path.lexists(path) or not glob.has_magic(word):
        return [(path, None)]  # a missing file is reported when it is read, so that the other photos are done
    found = sorted(Path(f) for f in glob.glob(word, recursive=True) if Path(f).is_file())
    if not found:
        raise UsageError(f"no file matches {word}")
    return [(file, None) for file in found]


def opened(photos: Sequence[Photo]) -> Iterator[tuple[Photo, Path | npt.NDArray[np.uint8] | UsageError]]:
    """Each photo with what to read: its file, or its frame, or the error that prevents it.

    If a video ends before its stated number of frames, its next frame is an error and the rest are left out.
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
                UnreadableImageError(f"{photo.file}: the video ends early, after {photo.frame} frames"),
            )
            ended = photo.file
        else:
            yield photo, pixels


def _of_folder(folder: Path) -> list[tuple[Path, str | None]]:
    try:
        files = sorted(file for file in folder.iterdir() if not file.is_dir())
    except OSError as error:
        raise UsageError(f"folder {folder} cannot be read ({error.strerror})") from None
    found: list[tuple[Path, str | None]] = [(f, kind) for f in files if (kind := file_kind(f)) is not None]
    left = Counter(_what(file) for file in files) - Counter(_what(file) for file, _ in found)
    said = ", ".join(f"{count} {what}" for what, count in left.most_common(5)) + ", ..." * (len(left) > 5)
    if not found:
        raise UsageError(f"folder {folder} has no photos" + f": only {said}" * bool(left))
    if left:
        count = left.total()
        warnings.warn(
            f"folder {folder}: {count} file{'s' * (count != 1)} left out ({said}): only photos and videos are read",
            PhotoWarning,
            stacklevel=2,
        )
    return found


def _what(file: Path) -> str:
    """How the warning names the kind of a skipped file."""
    if file.name.startswith("."):
        return "hidden"
    return file.suffix.lower() or "without suffix"


def _unused(stem: str, used: set[str]) -> str:
    if stem not in used:
        return stem
    number = 2
    while f"{stem}-{number}" in used:
        number += 1
    return f"{stem}-{number}"
