"""Reads annotated sets: COCO or LVIS instances, and their photos.

Enters: folders and JSON files. Leaves: `Set`s.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fastsam.errors import UsageError
from fastsam.masks import rle
from fastsam.masks.annotations import decode
from fastsam.masks.runs import bounds

Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Set:
    """One set. images: folder of its photos; photos: records of those to use; content: of its JSON file."""

    name: str
    images: Path
    photos: list[dict[str, Any]]
    content: dict[str, Any]

    @property
    def ids(self) -> list[int]:
        """Ids of the photos to use."""
        return [photo["id"] for photo in self.photos]

    def file(self, photo: dict[str, Any]) -> Path:
        """Path of a photo: its name, or for LVIS its split and name, in the folder of photos."""
        own = self.images / str(photo["file_name"])
        split = "/".join(str(photo.get("coco_url", "")).rsplit("/", 2)[1:])
        return self.images / split if split and not own.is_file() and (self.images / split).is_file() else own

    def annotations(self, photo: dict[str, Any]) -> list[dict[str, Any]]:
        """The annotations of a photo, without crowds."""
        return self._owned[photo["id"]]

    def masks(self, photo: dict[str, Any], size: tuple[int, int]) -> list[Bool]:
        """The masks (H, W) of a photo's annotations. Raises UsageError if one does not fit a photo of `size`."""
        found = []
        for annotation in self.annotations(photo):
            try:
                mask = decode(annotation["segmentation"], size)
                if mask.shape != size:
                    raise ValueError(f"the mask has {mask.shape} pixels but the photo has {size}")
            except (ValueError, KeyError, TypeError) as error:
                where = f"{self.name}/{photo['file_name']}, annotation {annotation['id']}"
                raise UsageError(f"{where}: {error}") from None
            found.append(mask)
        return found

    def truth(self, photo: dict[str, Any], size: tuple[int, int]) -> list[rle.RLE]:
        """The same masks as compressed RLE."""
        return [rle.encode(mask) for mask in self.masks(photo, size)]

    @cached_property
    def _owned(self) -> dict[int, list[dict[str, Any]]]:
        owned: dict[int, list[dict[str, Any]]] = defaultdict(list)
        for annotation in self.content["annotations"]:
            if not annotation["iscrowd"]:
                owned[annotation["image_id"]].append(annotation)
        return owned


def read_sets(paths: Sequence[Path], images: Path | None = None, only: Path | None = None) -> list[Set]:
    """The sets at `paths`: folders with images/ and instances.json, folders of such folders, or JSON files.

    images: folder of the photos, if it is not in the set; only: text file with a set/file line per photo to use

    Raises UsageError if a path is not a set, if no photo is left, or if a photo is missing.
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
            one = Set(name, images or index.parent / "images", photos, content)
            missing = next((file for file in map(one.file, photos) if not file.is_file()), None)
            if missing:
                raise UsageError(f"photo {missing} of {index} not found: give the folder of the photos with --images")
            found.append(one)
    if not found:
        raise UsageError(f"no photo of {', '.join(map(str, paths))} is named in {only}" if only else "no photos given")
    return found


def find(path: Path) -> list[Path]:
    """The JSON files of the sets at a path. Raises UsageError if there are none."""
    if path.is_file():
        return [path]
    if (path / "instances.json").is_file():
        return [path / "instances.json"]
    inner = sorted(path.glob("*/instances.json"))
    if not inner:
        raise UsageError(f"{path} is not a COCO-style set: neither it nor a folder in it has an instances.json")
    return inner


def read_index(index: Path) -> dict[str, Any]:
    """The content of a COCO or LVIS file. Optional fields are filled in, and annotations are numbered from 1.

    Raises UsageError for any other file.
    """
    try:
        content: dict[str, Any] = json.loads(index.read_text())
        sizes: dict[int, tuple[int, int]] = {}
        for photo in content["images"]:
            photo["id"] = int(photo["id"])
            if "file_name" not in photo:
                photo["file_name"] = photo["coco_url"].rsplit("/", 1)[-1]
            sizes[photo["id"]] = photo.get("height", 0), photo.get("width", 0)
        for number, annotation in enumerate(content["annotations"], 1):
            annotation["id"] = number
            annotation["image_id"] = int(annotation["image_id"])
            complete(annotation, sizes[annotation["image_id"]])
        content.setdefault("categories", [{"id": k} for k in {a["category_id"] for a in content["annotations"]}])
        for category in content["categories"]:
            category["name"] = str(category.get("name", category["id"]))
    except OSError as error:
        raise UsageError(f"{index} cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{index} is not a COCO instances file ({type(error).__name__}: {error})") from None
    return content


def complete(annotation: dict[str, Any], size: tuple[int, int]) -> None:
    """Fills in the optional fields of an annotation of a photo of `size`: crowd, category, area and box."""
    annotation.setdefault("iscrowd", 0)
    annotation.setdefault("category_id", 1)
    if "area" in annotation and "bbox" in annotation:
        annotation["segmentation"]  # required
        return
    mask = decode(annotation["segmentation"], size)
    x0, y0, x1, y1 = bounds(mask)
    annotation.setdefault("area", int(mask.sum()))
    annotation.setdefault("bbox", [x0, y0, x1 - x0, y1 - y0])


def _name(index: Path) -> str:
    return index.parent.name if index.name == "instances.json" else index.stem
