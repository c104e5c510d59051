"""What a call of Ultralytics writes beside its answer: pictures, labels, crops, in a folder of its own per call.

Enters: the keywords that ask for it. Leaves: a function that writes one `Results` and returns it.
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

    The folder is `project/name`, by default `runs/segment/predict`; with a number if it is there, unless `exist_ok`.
    """
    if asked.get("show") or any(asked.get(word) for word in ("save", "save_txt", "save_crop")):
        return Writer(asked)
    return lambda result: result


class Writer:
    """Writes `Results` one after the other; frames of one video get numbers, the same for picture and labels."""

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
        """Where the next result of that name is written, by keyword: under one stem, all of whose files are free."""
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
    """Whether OpenCV writes pictures under such a name."""
    return Path(name).suffix.lower() in (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")


def numbered(folder: Path) -> Path:
    """The first of predict2, predict3 and so on that is not there yet."""
    number = 2
    while folder.with_name(f"{folder.name}{number}").exists():
        number += 1
    return folder.with_name(f"{folder.name}{number}")
