"""Annotated sets: COCO or LVIS instances, and where their photos lie.

Enters: folders and JSON files. Leaves: `Set`s. Called by `cli/evaluate` and `cli/export`.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from fastsam.errors import UsageError


@dataclass(frozen=True)
class Set:
    """One set. images: folder of its photos; photos: records of those to use; content: of its JSON file."""

    name: str
    images: Path
    photos: list[dict[str, Any]]
    content: dict[str, Any]

    def file(self, photo: dict[str, Any]) -> Path:
        """Where a photo lies."""
        return self.images / str(photo["file_name"])

    def annotations(self, photo: dict[str, Any]) -> list[dict[str, Any]]:
        """A photo's annotations without crowds."""
        return self._owned[photo["id"]]

    @cached_property
    def _owned(self) -> dict[int, list[dict[str, Any]]]:
        owned: dict[int, list[dict[str, Any]]] = defaultdict(list)
        for annotation in self.content["annotations"]:
            if not annotation.get("iscrowd"):
                owned[annotation["image_id"]].append(annotation)
        return owned


def read_sets(paths: Sequence[Path], images: Path | None = None, only: Path | None = None) -> list[Set]:
    """The sets at `paths`: folders with images/ and instances.json, folders of such folders, or JSON files.

    images: folder of the photos, where the set has them elsewhere; only: file of set/file lines, photos to use

    Raises UsageError for what is no set, and where no photo is left.
    """
    indices = [index for path in paths for index in find(path)]
    names = Counter(_name(index) for index in indices)
    lines = set(only.read_text().splitlines()) if only else None
    found = []
    for index in indices:
        content = read_index(index)
        photos = [p for p in content["images"] if lines is None or f"{_name(index)}/{p['file_name']}" in lines]
        name = _name(index) if names[_name(index)] == 1 else str(index.parent)
        if photos:
            found.append(Set(name, images or index.parent / "images", photos, content))
    if not found:
        raise UsageError(f"no photo of {', '.join(map(str, paths))} is named in {only}" if only else "no photos given")
    return found


def find(path: Path) -> list[Path]:
    """The JSON files of the sets at a path. Raises UsageError where there is none."""
    if path.is_file():
        return [path]
    if (path / "instances.json").is_file():
        return [path / "instances.json"]
    inner = sorted(path.glob("*/instances.json"))
    if not inner:
        raise UsageError(f"{path} is no COCO-style set: it has no instances.json, nor has a folder in it")
    return inner


def read_index(index: Path) -> dict[str, Any]:
    """The content of a COCO or LVIS file; what LVIS leaves out is filled in. Raises UsageError for any other file."""
    try:
        content: dict[str, Any] = json.loads(index.read_text())
        for photo in content["images"]:
            if "file_name" not in photo:
                photo["file_name"] = photo["coco_url"].rsplit("/", 1)[-1]
        for annotation in content["annotations"]:
            annotation.setdefault("iscrowd", 0)
            annotation["image_id"], annotation["segmentation"]  # must be there
    except OSError as error:
        raise UsageError(f"{index} cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{index} is no file of COCO instances ({type(error).__name__}: {error})") from None
    return content


def _name(index: Path) -> str:
    return index.parent.name if index.name == "instances.json" else index.stem
