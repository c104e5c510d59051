"""COCO instances: one JSON for all photos."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from fastsam.boxes import xywh
from fastsam.formats.items import Item, items
from fastsam.masks.bridged import bridged, enclosed
from fastsam.masks.polygons import polygons as outlines
from fastsam.masks.rle import encode_runs
from fastsam.masks.simplified import simplified
from fastsam.prompts import Pick
from fastsam.segments import Segments

TOLERANCE = 0.0  # pixels by which polygons may be simplified by default: they are exact
Entry = tuple[str, tuple[int, int], tuple[str, ...], list[dict[str, Any]]]  # see `Instances.add`


class Instances:
    """Collects photos for a COCO file."""

    def __init__(self) -> None:
        self.images: list[dict[str, Any]] = []
        self.annotations: list[dict[str, Any]] = []
        self.names: tuple[str, ...] = ("object",)

    def add(self, file_name: str, size: tuple[int, int], names: tuple[str, ...], rows: list[dict[str, Any]]) -> None:
        """Adds a photo of `size` (height, width) with the `rows` of its masks (see `rows_of`) and their `names`."""
        image = len(self.images) + 1
        self.images.append({"id": image, "file_name": file_name, "width": size[1], "height": size[0]})
        self.names = names
        for row in rows:
            self.annotations.append({"id": len(self.annotations) + 1, "image_id": image, **row})

    @property
    def text(self) -> str:
        """The file's content."""
        kinds = [{"id": k + 1, "name": name} for k, name in enumerate(self.names)]
        return json.dumps({"images": self.images, "annotations": self.annotations, "categories": kinds})


def text(entries: Iterable[Entry]) -> str:
    """The content of a COCO file with these photos."""
    file = Instances()
    for entry in entries:
        file.add(*entry)
    return file.text


def rows_of(
    segments: Segments,
    picks: Sequence[Pick] | None = None,
    polygons: bool = False,
    tolerance: float = TOLERANCE,
) -> list[dict[str, Any]]:
    """One annotation per mask; with picks, one per match, with the number of its `prompt`.

    polygons: write polygons (see `as_polygons`) instead of RLE; a mask without pixels then has no annotation
    """
    rows = [
        (item, {**row, **({} if item.prompt is None else {"prompt": item.prompt})})
        for item, row in describe(list(items(segments, picks)), segments.size)
    ]
    if not polygons:
        return [row for _, row in rows]
    return [{**row, **as_polygons(item, tolerance)} for item, row in rows if item.runs.area]


def as_polygons(item: Item, tolerance: float) -> dict[str, Any]:
    """A mask's `segmentation` as one polygon per part, with the `area` and the `bbox` of what they enclose.

    They run along the borders of pixels. COCO has no holes: each hole is joined to its outline by a cut of zero width,
    there and back, so that the ring runs around it the other way and encloses the mask's own area.
    """
    crop = item.crop
    parts = simplified(outlines(crop.pixels, crop.offset), tolerance)
    rings = [bridged(part).astype(np.float64).round(2) for part in parts]
    corners = np.concatenate(rings)
    (x0, y0), (x1, y1) = corners.min(0), corners.max(0)
    return {
        "segmentation": [ring.reshape(-1).tolist() for ring in rings],
        "area": round(sum(abs(enclosed(ring)) for ring in rings), 2),
        "bbox": xywh((x0, y0, x1, y1)),
    }


def describe(found: Sequence[Item], size: tuple[int, int]) -> list[tuple[Item, dict[str, Any]]]:
    """Each mask with its COCO fields: category, RLE, area, its own xywh box, score; `quality` if it was drawn."""
    packed = encode_runs([item.runs for item in found], size)
    return [
        (
            item,
            {
                "category_id": item.category + 1,
                "segmentation": rle,
                "area": item.runs.area,
                "bbox": xywh(item.runs.bounds),
                "iscrowd": 0,
                "score": round(item.score, 5),
                **({} if item.quality is None else {"quality": round(item.quality, 5)}),
            },
        )
        for item, rle in zip(found, packed, strict=True)
    ]
