"""Outlines of a mask."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Ring = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Polygon:
    """`outline` (K, 2) and `holes`, float32 x, y in photo pixels, through the centres of the border pixels."""

    outline: Ring
    holes: tuple[Ring, ...]


def polygons(crop: npt.NDArray[np.bool_], offset: tuple[int, int]) -> list[Polygon]:
    """The outlines of a bool mask (h, w) that lies at `offset` (x, y)."""
    if crop.size == 0:
        return []
    contours, tree = cv2.findContours(crop.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    shift = np.array(offset, np.float32) + 0.5
    rings = [c.reshape(-1, 2).astype(np.float32) + shift for c in contours]
    outer = [i for i in range(len(rings)) if tree[0, i, 3] < 0]
    holes: dict[int, list[Ring]] = {i: [] for i in outer}
    for i, ring in enumerate(rings):
        if tree[0, i, 3] >= 0:
            holes[int(tree[0, i, 3])].append(ring)
    return [Polygon(rings[i], tuple(holes[i])) for i in outer]


def with_area(polygon: Polygon) -> Polygon:
    """The same, but a single pixel or a line of pixels becomes the rectangle that it covers."""
    if len(polygon.outline) >= 3:
        return Polygon(polygon.outline, tuple(hole for hole in polygon.holes if len(hole) >= 3))
    (x0, y0), (x1, y1) = polygon.outline.min(0) - 0.5, polygon.outline.max(0) + 0.5
    return Polygon(np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], np.float32), ())


def joined(parts: list[Polygon]) -> Ring:
    """One ring (K, 2) through all outlines and holes, joined by cuts of no width between their nearest corners."""
    first, *others = (ring for part in parts for ring in (part.outline, *part.holes))
    for ring in others:
        distances = np.square(first[:, None] - ring[None]).sum(2)
        i, j = np.unravel_index(int(distances.argmin()), distances.shape)
        first = np.concatenate((first[: i + 1], ring[j:], ring[: j + 1], first[i:]))
    return first
