"""Outlines of a mask through the centres of its border's pixels, by OpenCV.

For programs that fill an outline and draw it as well: from exact ones they get the mask's own pixels back.
"""

import cv2
import numpy as np

from fastsam.masks.polygons import Bool, Polygon, Ring
from fastsam.masks.simplified import allowed

INSET = 0.25  # of what is drawn about a stretch of pixels that has no area


def contours(crop: Bool, offset: tuple[int, int], tolerance: float = 0.0) -> list[Polygon]:
    """The outlines of a bool mask (h, w) that lies at `offset` (x, y): one for each 8-connected part, with its holes.

    tolerance: maximum distance in pixels of a dropped corner from its outline; less for small or thin parts
    """
    found, tree = cv2.findContours(np.ascontiguousarray(crop).view(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    rings = [fewer(np.asarray(ring).reshape(-1, 2), tolerance) + (np.array(offset, np.float32) + 0.5) for ring in found]
    holes: dict[int, list[Ring]] = {}
    parents = [] if tree is None else np.asarray(tree).reshape(-1, 4)[:, 3].tolist()
    for ring, parent in zip(rings, parents, strict=True):
        holes.setdefault(parent, []).append(ring)
    return [Polygon(rings[k], tuple(holes.get(k, ()))) for k, parent in enumerate(parents) if parent < 0]


def fewer(ring: Ring, tolerance: float) -> Ring:
    """A ring of pixels (K, 2), float32, simplified: always three corners or more."""
    if tolerance and len(ring) > 3:
        length = cv2.arcLength(ring, True)
        area = cv2.contourArea(ring) + length / 2 + 1  # of the pixels that it encloses and runs through
        found = cv2.approxPolyDP(ring, allowed(area, length, tolerance), True).reshape(-1, 2)
        ring = found if len(found) > 2 else ring
    return ring.astype(np.float32) if len(ring) > 2 else box_about(ring.astype(np.float32))


def box_about(ends: Ring) -> Ring:
    """Four corners about one or two pixels' centres, so near to them that nothing else is drawn."""
    along = ends[-1] - ends[0]
    along = along / np.hypot(*along) * INSET if along.any() else np.array([INSET, 0], np.float32)
    across = np.array([-along[1], along[0]])
    corners = [ends[0] - along - across, ends[-1] + along - across, ends[-1] + along + across, ends[0] - along + across]
    return np.array(corners, np.float32)
