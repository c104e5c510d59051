"""COCO instances: one JSON for all photos."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fastsam.files import whole
from fastsam.formats.items import Item, categories, items
from fastsam.masks.rle import encode_runs
from fastsam.prompts import Pick
from fastsam.segments import Segments


class Instances:
    """A COCO file in the making: photos are added one by one, then written whole."""

    def __init__(self) -> None:
        self.images: list[dict[str, Any]] = []
        self.annotations: list[dict[str, Any]] = []
        self.names: tuple[str, ...] = ("object",)

    def add(self, file_name: str, segments: Segments, picks: Sequence[Pick] | None = None) -> None:
        """Adds a photo with all its masks; with picks one annotation for each match, with its `prompt` number."""
        height, width = segments.size
        image = len(self.images) + 1
        self.images.append({"id": image, "file_name": file_name, "width": width, "height": height})
        self.names = categories(segments.names, [pick.prompt for pick in picks or ()])
        for item in items(segments, picks):
            extra = {} if item.prompt is None else {"prompt": item.prompt}
            number = len(self.annotations) + 1
            self.annotations.append({"id": number, "image_id": image, **describe(item, segments.size), **extra})

    def write(self, file: Path) -> None:
        """Writes the file."""
        kinds = [{"id": k + 1, "name": name} for k, name in enumerate(self.names)]
        content = {"images": self.images, "annotations": self.annotations, "categories": kinds}
        with whole(file) as part:
            part.write_text(json.dumps(content))


def describe(item: Item, size: tuple[int, int]) -> dict[str, Any]:
    """The COCO fields of a mask: category, RLE, area, the mask's own xywh box, score."""
    return {
        "category_id": item.category + 1,
        "segmentation": encode_runs(item.runs, size),
        "area": item.runs.area,
        "bbox": xywh(item.runs.bounds),
        "iscrowd": 0,
        "score": round(item.score, 5),
    }


def xywh(bounds: tuple[int, int, int, int]) -> list[float]:
    """x, y, width, height of a mask's bounds xyxy, as COCO's own tools derive them from the RLE."""
    x0, y0, x1, y1 = bounds
    return [float(x0), float(y0), float(x1 - x0), float(y1 - y0)]
