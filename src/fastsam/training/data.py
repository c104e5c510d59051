"""COCO-style sets into memory: pixels, packed masks, and what each photo's silence means.

Enters: folders with `images/` and `instances.json`. Leaves: `AnnotatedPhoto`s, for `augment`.
"""

import json
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.masks import rle
from fastsam.masks.rle import RLE

UInt8 = npt.NDArray[np.uint8]


class Record(TypedDict, total=False):
    """A photo in instances.json. license: number of an entry in the file's `licenses`"""

    id: int
    file_name: str
    complete: bool
    licence: str
    license: int


class Annotation(TypedDict, total=False):
    """A region in instances.json. segmentation: polygons, which are refused, or an RLE"""

    id: int
    image_id: int
    segmentation: RLE | list[list[float]]
    score: float
    iscrowd: int


class Info(TypedDict, total=False):
    """What instances.json says of the whole set."""

    complete: bool
    licence: str


class Licence(TypedDict):
    """A licence that photos name by its number."""

    id: int
    name: str


class Coco(TypedDict, total=False):
    """instances.json, as far as it is read."""

    info: Info
    images: list[Record]
    annotations: list[Annotation]
    licenses: list[Licence]


@dataclass(frozen=True)
class Region:
    """One annotated region: `bits` (packed along rows) of its `shape` (h, w) crop at `offset` (x, y), in photo pixels.

    fill: share of the crop that the mask covers
    weight: 1 if a person drew it, its score if a machine did
    ignored: neither object nor background, as a crowd is
    """

    offset: tuple[int, int]
    shape: tuple[int, int]
    bits: UInt8
    fill: float
    weight: float
    ignored: bool

    def crop(self) -> UInt8:
        """The mask (h, w) as 0 or 255."""
        return np.unpackbits(self.bits, axis=1, count=self.shape[1]) * np.uint8(255)


@dataclass(frozen=True)
class AnnotatedPhoto:
    """`pixels` (H, W, 3) uint8 RGB with its regions. `complete`: every region of the photo is annotated."""

    name: str
    pixels: UInt8
    regions: tuple[Region, ...]
    complete: bool


def load_sets(
    folders: Iterable[Path],
    holdout: frozenset[str] = frozenset(),
    min_score: float = 0.0,
    licences: Sequence[str] = (),
) -> list[AnnotatedPhoto]:
    """All photos of the sets that have a region, without those whose `set/file` stands in `holdout`.

    Annotations with a `score` below `min_score` become ignored regions.
    licences: what a photo's licence may begin with; any if empty (see `licence_of`)
    Raises FileNotFoundError if a set has no instances.json, ValueError if no photo is left.
    """
    photos: list[AnnotatedPhoto] = []
    for folder in folders:
        photos += load_set(folder, holdout, min_score, licences)
    if not photos:
        raise ValueError("no photo is left to train on: name other sets, or more licences")
    return photos


def load_set(
    folder: Path,
    holdout: frozenset[str] = frozenset(),
    min_score: float = 0.0,
    licences: Sequence[str] = (),
) -> list[AnnotatedPhoto]:
    """The photos of one set; see `load_sets`."""
    index = folder / "instances.json"
    if not index.is_file():
        raise FileNotFoundError(f"{folder} is not a COCO-style set: it has no instances.json")
    coco: Coco = json.loads(index.read_text())
    if not {"images", "annotations"} <= coco.keys():
        raise ValueError(f"{index} is not a COCO file: it lacks images or annotations")
    complete = bool(coco.get("info", {}).get("complete", False))
    by_image: dict[int, list[Annotation]] = {}
    for annotation in coco["annotations"]:
        by_image.setdefault(annotation["image_id"], []).append(annotation)
    records = [r for r in allowed(coco, folder.name, holdout, licences) if r["id"] in by_image]

    def read(record: Record) -> AnnotatedPhoto:
        file = folder / "images" / record["file_name"]
        pixels = cv2.imread(str(file), cv2.IMREAD_COLOR)
        if pixels is None:
            raise ValueError(f"{file} cannot be read as an image")
        try:
            regions = [region(a, pixels.shape[:2], min_score) for a in by_image[record["id"]]]
        except ValueError as error:
            raise ValueError(f"{file}: {error}") from None
        return AnnotatedPhoto(
            name=f"{folder.name}/{record['file_name']}",
            pixels=cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB),
            regions=tuple(r for r in regions if r is not None),
            complete=bool(record.get("complete", complete)),
        )

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(read, records))


def allowed(coco: Coco, name: str, holdout: frozenset[str], licences: Sequence[str]) -> list[Record]:
    """The photos of the set `name` that a run may use; see `load_sets`."""
    records = [r for r in coco["images"] if f"{name}/{r['file_name']}" not in holdout]
    return [r for r in records if not licences or licence_of(r, coco).startswith(tuple(licences))]


def licence_of(record: Record, coco: Coco) -> str:
    """A photo's licence: its own `licence`, the one of COCO that its `license` numbers, or its set's."""
    if "licence" in record:
        return str(record["licence"])
    own = next((entry["name"] for entry in coco.get("licenses", []) if entry["id"] == record.get("license")), None)
    return str(coco.get("info", {}).get("licence", "") if own is None else own)


def region(annotation: Annotation, size: tuple[int, int], min_score: float = 0.0) -> Region | None:
    """The region of a COCO annotation on a photo of `size` (H, W); None if its mask is empty.

    Raises ValueError for polygons, a broken RLE, or one of another size.
    """
    mask = annotation_mask(annotation)
    if mask.shape != size:
        raise ValueError(f"annotation {annotation.get('id')} has a mask of {mask.shape}, but the photo is {size}")
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if len(rows) == 0:
        return None
    y0, y1, x0, x1 = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    score = float(annotation.get("score", 1.0))
    return Region(
        offset=(x0, y0),
        shape=(y1 - y0, x1 - x0),
        bits=np.packbits(mask[y0:y1, x0:x1], axis=1),
        fill=float(mask[y0:y1, x0:x1].mean()),
        weight=score,
        ignored=bool(annotation.get("iscrowd", 0)) or score < min_score,
    )


def annotation_mask(annotation: Annotation) -> npt.NDArray[np.bool_]:
    """The bool mask of an annotation with an RLE `segmentation`.

    Raises ValueError for polygons, which carry no photo size.
    """
    segmentation = annotation["segmentation"]
    if not isinstance(segmentation, dict):
        raise ValueError(f"annotation {annotation.get('id')} has polygons: convert the set's masks to RLE first")
    return rle.decode(segmentation)


def read_holdout(file: Path | None) -> frozenset[str]:
    """The lines `set/file` of a held-out list; empty for None."""
    return frozenset(file.read_text().splitlines()) if file else frozenset()


@dataclass(frozen=True)
class Cutout:
    """An object to paste: `pixels` (h, w, 4) uint8 RGBA."""

    pixels: UInt8


def load_cutouts(folders: Sequence[Path]) -> list[Cutout]:
    """Every RGBA image below the folders. Raises FileNotFoundError for a folder without any."""
    cutouts = []
    for folder in folders:
        files = sorted(folder.rglob("*.webp"))
        if not files:
            raise FileNotFoundError(f"{folder} holds no cut-outs: it has no .webp files")
        for file in files:
            pixels = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
            if pixels is not None and pixels.ndim == 3 and pixels.shape[2] == 4:
                cutouts.append(Cutout(cv2.cvtColor(pixels, cv2.COLOR_BGRA2RGBA)))
    return cutouts
