"""The files of `fastsam segment`: which ones, and writing them.

Enters: photos, formats, a folder. Leaves: files.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from fastsam.errors import UsageError
from fastsam.files import write as write_file
from fastsam.formats.content import Format, Subject, once, write
from fastsam.image.photos import Photo

Files = dict[str, Path]  # of one photo, by the name of the format


def plan(todo: Sequence[Photo], formats: Sequence[Format], output: Path, others: Sequence[Path]) -> dict[Photo, Files]:
    """The files of every photo. others: files that are read besides the photos

    Raises UsageError if a file would replace an input or another one, or if a format cannot hold a photo.
    """
    for format_ in formats:
        if format_.needs_file and (frames := [photo for photo in todo if photo.frame is not None]):
            raise UsageError(
                f"{format_.name} cannot point to frames of a video such as {frames[0].file}: save them as photos first"
            )
    own = [format_ for format_ in formats if format_.own]
    outputs = {photo: {f.name: output / (photo.stem + f.suffix) for f in own} for photo in todo}
    written = [file for files in outputs.values() for file in files.values()]
    written += [output / f.together.name for f in formats if f.together]
    inputs = {os.path.realpath(file) for file in (*(photo.file for photo in todo), *others)}
    for file in written:
        if os.path.realpath(file) in inputs:
            raise UsageError(f"{file} is an input and would be overwritten: choose another folder with -o")
    once(written)
    return outputs


def save(formats: Sequence[Format], files: Files, subject: Subject, whole: Subject) -> list[str]:
    """Writes a photo's own files; returns remarks about them. whole: with every mask, for formats that hold all"""
    remarks = []
    for format_ in formats:
        written = whole if format_.everything else subject
        if format_.name in files:
            write(format_, files[format_.name], written)
        if format_.remark:
            remarks.append(format_.remark(written))
    return remarks


def save_together(formats: Sequence[Format], output: Path, entries: dict[str, list[object]]) -> list[Path]:
    """Writes the files about all photos; returns them. entries: what photos add, by format"""
    written = []
    for format_ in formats:
        if format_.together and entries.get(format_.name):
            written.append(output / format_.together.name)
            write_file(written[-1], format_.together.text(entries[format_.name]))
    return written


def path_from(photo: Path, folder: Path) -> str:
    """The path of a photo from a folder on; its absolute path if there is no such path."""
    try:
        return Path(os.path.relpath(os.path.realpath(photo), os.path.realpath(folder))).as_posix()
    except ValueError:  # another drive
        return os.path.realpath(photo)
