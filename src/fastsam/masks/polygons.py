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
