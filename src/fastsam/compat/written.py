"""Writes the files of a call of Ultralytics: pictures, labels and crops, in a new folder per call.

Enters: the keywords that ask for files. Leaves: a function that writes one `Results` and returns it.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from fastsam.compat import records
from fastsam.compat.results import Results

HOME, NAME = "runs/segment", "predict"


def writer(asked: dict[str, Any]) -> Callable[[Results], Results]:
    """A function that writes what `save`, `save_txt`, `save_crop` and `show` ask for.

    The folder is `project/name`, by default `runs/segment/predict`. If it exists, it gets a number, unless `exist_ok`.
    """
    if asked.get("show") or any(asked.get(word) for word in ("save", "save_txt", "save_crop")):
        return Writer(asked)
    return lambda result: result


class Writer:
    """Writes `Results` one after the other. Frames of a video get numbers, the same for picture and labels."""

    def __init__(self, asked: dict[str, Any]) -> None:
        self.asked = asked
        self.saves = any(asked.get(word) for word in ("save", "save_txt", "save_crop"))
        wanted = Path(asked.get("project") or HOME) / (asked.get("name") or NAME)
        self.folder = wanted if asked.get("exist_ok") or not wanted.exists() else numbered(wanted)
        shown = {"show_labels": "labels", "show_conf": "conf", "show_boxes": "boxes", "line_width": "line_width"}
        self.picture = {own: asked[word] for word, own in shown.items() if word in asked}
        self.stems: dict[str, Iterator[str]] = {}
        self.crops: dict[Path, Iterator[str]] = {}

    def __call__(self, result: Results) -> Results:
        name = Path(result.path).name
        if self.asked.get("show"):
            result.show(**self.picture)
        if not self.saves:
            return result
        files = self.files_of(name)
        if "save" in files:
            result.save(files["save"], **self.picture)
        if "save_txt" in files:
            result.save_txt(files["save_txt"], bool(self.asked.get("save_conf")))
        if self.asked.get("save_crop"):
            records.save_crop(result, self.folder / "crops", Path(name).stem, self.crops)
        return replace(result, save_dir=str(self.folder))

    def files_of(self, name: str) -> dict[str, Path]:
        """The files of the next result with a name, by keyword: with one stem for which no file exists yet."""
        own = Path(name).stem
        places = {
            "save": (self.folder, Path(name).suffix if is_picture(name) else ".jpg"),
            "save_txt": (self.folder / "labels", ".txt"),
        }
        wanted = {word: place for word, place in places.items() if self.asked.get(word)}
        for stem in self.stems.setdefault(own, records.stems(own)):
            files = {word: folder / f"{stem}{suffix}" for word, (folder, suffix) in wanted.items()}
            if not any(file.exists() for file in files.values()):
                break
        return files


def is_picture(name: str) -> bool:
    """Whether OpenCV can write a picture with this suffix."""
    return Path(name).suffix.lower() in (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")


def numbered(folder: Path) -> Path:
    """The first of predict2, predict3 and so on that does not exist yet."""
    number = 2
    while folder.with_name(f"{folder.name}{number}").exists():
        number += 1
    return folder.with_name(f"{folder.name}{number}")
