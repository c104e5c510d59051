"""COCO instances: one JSON for all photos."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastsam.boxes import xywh
from fastsam.formats import TOLERANCE
from fastsam.formats.items import Item, items
from fastsam.masks.bridged import bridged, enclosed
from fastsam.masks.polygons import polygons as outlines
from fastsam.masks.rle import encode_runs
from fastsam.masks.simplified import simplified
from fastsam.prompts import Pick
from fastsam.segments import Segments


class Instances:
    """A COCO file in the making: photos are added one by one, then written whole."""

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
        """What the file holds."""
        kinds = [{"id": k + 1, "name": name} for k, name in enumerate(self.names)]
        return json.dumps({"images": self.images, "annotations": self.annotations, "categories": kinds})


def rows_of(
    segments: Segments,
    picks: Sequence[Pick] | None = None,
    polygons: bool = False,
    tolerance: float = TOLERANCE["coco"],
) -> list[dict[str, Any]]:
    """An annotation for each mask; with picks one for each match, with its `prompt` number.

    polygons: whether masks are polygons, see `as_polygons`, instead of RLE; a mask without a pixel has no annotation
    """
    rows = [
        (item, {**row, **({} if item.prompt is None else {"prompt": item.prompt})})
        for item, row in describe(list(items(segments, picks)), segments.size)
    ]
    if not polygons:
        return [row for _, row in rows]
    return [{**row, **as_polygons(item, tolerance)} for item, row in rows if item.runs.area]


def as_polygons(item: Item, tolerance: float) -> dict[str, Any]:
    """A mask's `segmentation` as a polygon for each of its parts, with the `area` and the `bbox` of what they enclose.

    They run along the pixels' borders. COCO has no holes: each is joined to its outline by a cut of no width, there
    and back, so that the ring goes about it the other way and encloses the mask's own area.
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
    """Each mask with its COCO fields: category, RLE, area, its own xywh box, score; `quality` too if it was drawn."""
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
