"""Outlines for the programs that take them: labelme, YOLO, and GeoJSON in pixels.

Enters: `Segments`, picks. Leaves: the text of one file a photo. Called by `content`.

labelme, and those who read YOLO's labels, fill an outline and draw it as well: theirs runs through the centres of the
border's pixels, so that with a tolerance of 0 they get the mask's own pixels back. GeoJSON's runs along the pixels'
borders. tolerance: pixels by which a corner that is left out lies from its outline at most.
"""

import json
from collections.abc import Sequence
from typing import Any

from fastsam.formats import TOLERANCE
from fastsam.formats.items import Item, categories, items
from fastsam.masks.bridged import joined
from fastsam.masks.contours import contours
from fastsam.masks.polygons import Polygon, Ring, polygons
from fastsam.masks.simplified import simplified
from fastsam.prompts import Pick
from fastsam.segments import Segments

LABELME = "5.5.0"  # whose fields are written


def labelme(
    photo: str, segments: Segments, picks: Sequence[Pick] | None = None, tolerance: float = TOLERANCE["labelme"]
) -> str:
    """labelme's JSON: a polygon for every part of a mask, parts of one mask in one group.

    photo: where labelme finds the picture, from the file's folder on. Holes are joined to their outline by a cut.
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


def yolo(segments: Segments, picks: Sequence[Pick] | None = None, tolerance: float = TOLERANCE["yolo"]) -> str:
    """YOLO's segmentation labels: a line a mask, its class and its outline in shares of the photo's width and height.

    Parts and holes of a mask are joined by cuts, since a line holds one outline.
    """
    height, width = segments.size
    lines = []
    for item in items(segments, picks):
        if parts := drawn(item, tolerance):
            shares = joined(parts) / (width, height)
            lines.append(f"{item.category} " + " ".join(f"{v:.6f}" for v in shares.reshape(-1)))
    return "".join(line + "\n" for line in lines)


def classes(names: Sequence[str]) -> str:
    """What YOLO's labels mean: a name a line; line breaks and runs of spaces in a name become one space."""
    return "".join(" ".join(name.split()) + "\n" for name in names)


def geojson(segments: Segments, picks: Sequence[Pick] | None = None, tolerance: float = TOLERANCE["polygons"]) -> str:
    """A GeoJSON FeatureCollection in photo pixels, y downwards: a valid MultiPolygon a mask, holes kept."""
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
    """What labelme shows of a mask beside its label."""
    return f"score {item.score:.4f}" + ("" if item.quality is None else f", quality {item.quality:.4f}")


def drawn(item: Item, tolerance: float) -> list[Polygon]:
    """The item's outlines for programs that fill and draw them."""
    crop = item.crop
    return contours(crop.pixels, crop.offset, tolerance)


def closed(ring: Ring) -> list[list[float]]:
    """A ring as GeoJSON wants it: the first corner again at its end."""
    return [*ring.tolist(), ring[0].tolist()]
