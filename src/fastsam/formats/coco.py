"""COCO instances: one JSON for all photos."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fastsam.files import whole
from fastsam.masks.lazy import Crop
from fastsam.masks.rle import encode_crop
from fastsam.prompts import Pick
from fastsam.segments import Segments


class Instances:
    """A COCO file in the making: photos are added one by one, then written whole."""

    def __init__(self) -> None:
        self.images: list[dict[str, Any]] = []
        self.annotations: list[dict[str, Any]] = []
        self.names: tuple[str, ...] = ("object",)

    def add(self, file_name: str, segments: Segments, picks: Sequence[Pick] | None = None) -> None:
        """Adds a photo with all its masks, or one annotation for each of `picks` that was answered."""
        height, width = segments.size
        image = len(self.images) + 1
        self.images.append({"id": image, "file_name": file_name, "width": width, "height": height})
        self.names = segments.names
        if picks is None:
            for i in range(len(segments)):
                self._add(image, segments, i, float(segments.scores[i]), {})
            return
        for number, pick in enumerate(picks):
            if pick.index is not None:
                self._add(image, segments, pick.index, pick.score, {"prompt": number})

    def _add(self, image: int, segments: Segments, i: int, score: float, extra: dict[str, int]) -> None:
        annotation = {"id": len(self.annotations) + 1, "image_id": image, **describe(segments, i, score), **extra}
        self.annotations.append(annotation)

    def write(self, file: Path) -> None:
        """Writes the file."""
        categories = [{"id": k + 1, "name": name} for k, name in enumerate(self.names)]
        content = {"images": self.images, "annotations": self.annotations, "categories": categories}
        with whole(file) as part:
            part.write_text(json.dumps(content))


def describe(segments: Segments, i: int, score: float) -> dict[str, Any]:
    """The COCO fields of mask i: category, RLE, area, the mask's own xywh box, score."""
    crop = segments.masks.crop(i)
    return {
        "category_id": int(segments.classes[i]) + 1,
        "segmentation": encode_crop(crop.pixels, crop.offset, segments.size),
        "area": int(np.count_nonzero(crop.pixels)),
        "bbox": bounds(crop),
        "iscrowd": 0,
        "score": round(score, 5),
    }


def bounds(crop: Crop) -> list[float]:
    """x, y, width, height of a mask's pixels, as COCO's own tools derive them from the RLE."""
    rows, columns = np.flatnonzero(crop.pixels.any(1)), np.flatnonzero(crop.pixels.any(0))
    if len(rows) == 0:
        return [0.0, 0.0, 0.0, 0.0]
    x, y = crop.offset
    width, height = columns[-1] - columns[0] + 1, rows[-1] - rows[0] + 1
    return [float(x + columns[0]), float(y + rows[0]), float(width), float(height)]
