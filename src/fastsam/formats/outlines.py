"""Outlines for other programs: labelme, YOLO, and GeoJSON in pixels.

Enters: `Segments`, picks. Leaves: the text of one file per photo.

labelme, and programs that read YOLO's labels, both fill an outline and draw it. Their outlines run through the centres
of the border pixels, so that a tolerance of 0 gives back the mask's own pixels. GeoJSON's outlines run along the
borders of pixels. tolerance: maximum distance in pixels between the simplified outline and a corner that it drops.
"""

import json
from collections.abc import Sequence
from typing import Any

from fastsam.formats.items import Item, categories, items
from fastsam.masks.bridged import joined
from fastsam.masks.contours import contours
from fastsam.masks.polygons import Polygon, Ring, polygons
from fastsam.masks.simplified import simplified
from fastsam.prompts import Pick
from fastsam.segments import Segments

LABELME = "5.5.0"  # the version whose fields are written
TOLERANCE, EXACT = 1.0, 0.0  # default tolerance of labelme and YOLO, and of GeoJSON


def labelme(photo: str, segments: Segments, picks: Sequence[Pick] | None = None, tolerance: float = TOLERANCE) -> str:
    """labelme's JSON: one polygon per part of a mask, all parts of a mask in one group.

    photo: the picture's path from the file's folder on. Holes are joined to their outline by a cut.
    """
    names = categories(segments.names, [pick.prompt for pick in picks or ()])
    shapes = [
        {
            "label": names[item.category],
            "points": joined([part]).round(2).astype(float).tolist(),
            "group_id": number,
            "description": about(item),
            "shape_type": "polygon",
            "flags": {},
        }
        for number, item in enumerate(items(segments, picks))
        for part in drawn(item, tolerance)
    ]
    height, width = segments.size
    content: dict[str, Any] = {"version": LABELME, "flags": {}, "shapes": shapes, "imagePath": photo, "imageData": None}
    return json.dumps({**content, "imageHeight": height, "imageWidth": width})


def yolo(segments: Segments, picks: Sequence[Pick] | None = None, tolerance: float = TOLERANCE) -> str:
    """YOLO's segmentation labels: one line per mask, with its class and its outline in shares of the photo's sides.

    A line holds one outline, so parts and holes of a mask are joined by cuts.
    """
    height, width = segments.size
    lines = []
    for item in items(segments, picks):
        if parts := drawn(item, tolerance):
            shares = joined(parts) / (width, height)
            lines.append(f"{item.category} " + " ".join(f"{v:.6f}" for v in shares.reshape(-1)))
    return "".join(line + "\n" for line in lines)


def classes(names: Sequence[str]) -> str:
    """The names of YOLO's classes, one per line. Line breaks and runs of spaces in a name become one space."""
    return "".join(" ".join(name.split()) + "\n" for name in names)


def geojson(segments: Segments, picks: Sequence[Pick] | None = None, tolerance: float = EXACT) -> str:
    """A GeoJSON FeatureCollection in photo pixels, y downwards: one valid MultiPolygon per mask, with its holes."""
    names = categories(segments.names, [pick.prompt for pick in picks or ()])
    features = []
    for item in items(segments, picks):
        facts: dict[str, Any] = {"label": names[item.category], "score": round(item.score, 5), "area": item.runs.area}
        facts |= {"index": item.index} | ({} if item.prompt is None else {"prompt": item.prompt})
        facts |= {} if item.quality is None else {"quality": round(item.quality, 5)}
        crop = item.crop
        found = simplified(polygons(crop.pixels, crop.offset), tolerance)
        parts = [[closed(ring) for ring in (p.outline, *p.holes)] for p in found]
        geometry = {"type": "MultiPolygon", "coordinates": parts}
        features.append({"type": "Feature", "geometry": geometry, "properties": facts})
    return json.dumps({"type": "FeatureCollection", "features": features})


def about(item: Item) -> str:
    """What labelme shows beside the label of a mask."""
    return f"score {item.score:.4f}" + ("" if item.quality is None else f", quality {item.quality:.4f}")


def drawn(item: Item, tolerance: float) -> list[Polygon]:
    """The item's outlines for programs that fill and draw them."""
    crop = item.crop
    return contours(crop.pixels, crop.offset, tolerance)


def closed(ring: Ring) -> list[list[float]]:
    """A ring as GeoJSON writes it: the first corner is repeated at the end."""
    return [*ring.tolist(), ring[0].tolist()]
