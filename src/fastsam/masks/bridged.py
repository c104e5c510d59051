"""One ring through all outlines and holes of a mask, for formats that hold one ring.

Enters: outlines. Leaves: rings, joined by cuts of no width. A hole is cut from its leftmost corner straight to the
left, to the first edge that is there, so that no cut crosses anything. Parts are joined where they are near.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fastsam.masks.polygons import Int, Polygon, Ring

AT_ONCE = 1 << 20  # edges that are compared with holes


def joined(parts: Sequence[Polygon]) -> Ring:
    """One ring (K, 2) through all parts and holes of a mask."""
    first, *others = (bridged(part) for part in parts)
    inserted: dict[int, list[Ring]] = {}
    for ring in others:
        start = nearest(ring, first[nearest(first, ring[0])])
        leave = nearest(first, ring[start])
        inserted.setdefault(leave, []).append(detour(np.roll(ring, -start, 0), first[leave]))
    pieces = [piece for k in range(len(first)) for piece in (first[k : k + 1], *inserted.get(k, ()))]
    return np.concatenate(pieces)


def bridged(part: Polygon) -> Ring:
    """One ring (K, 2) through the outline and, the other way about, the holes of a part."""
    if not part.holes:
        return part.outline
    way = enclosed(part.outline) > 0
    turned = [hole[::-1] if (enclosed(hole) > 0) == way else hole for hole in part.holes]
    holes = [np.roll(hole, -leftmost(hole), 0) for hole in turned]
    rings = [part.outline, *sorted(holes, key=lambda hole: tuple(hole[0].tolist()))]
    starts = np.concatenate(rings)
    firsts = np.cumsum([0, *(len(ring) for ring in rings)])
    edges, places = cuts(starts, np.concatenate([np.roll(ring, -1, 0) for ring in rings]), firsts[1:-1])
    owners = np.searchsorted(firsts, edges, side="right") - 1
    along = np.square(places - starts[edges]).sum(1)
    left: list[list[int]] = [[] for _ in rings]
    for k in np.lexsort((along, edges)).tolist():
        left[owners[k]].append(k)
    for owner in range(len(rings) - 1, -1, -1):  # what leaves a ring has its own detours already
        pieces, last, first = [], 0, int(firsts[owner])
        for k in left[owner]:
            end = int(edges[k]) - first + 1
            pieces += [rings[owner][last:end], places[k : k + 1], detour(rings[k + 1], places[k])]
            last = end
        rings[owner] = np.concatenate((*pieces, rings[owner][last:]))
    return rings[0]


def cuts(starts: Ring, ends: Ring, holes: Int) -> tuple[Int, Ring]:
    """For each hole the edge that lies next to the left of its first corner, and where (H, 2); else the nearest corner.

    starts, ends: (K, 2) of all edges, those of the outline first; holes: (H,) numbers of the holes' first edges. Only
    the edges before these count.
    """
    edges, places = np.zeros(len(holes), np.int64), starts[holes]
    some = max(1, AT_ONCE // len(starts))
    slope = (ends[:, 0] - starts[:, 0]) / np.where(ends[:, 1] == starts[:, 1], np.inf, ends[:, 1] - starts[:, 1])
    low, high = np.minimum(starts[:, 1], ends[:, 1]), np.maximum(starts[:, 1], ends[:, 1])
    high = np.where(low == high, -np.inf, high)
    for first in range(0, len(holes), some):
        own = holes[first : first + some, None]
        x, y = starts[own].T[:, 0, :, None]
        beside = (low <= y) & (y <= high) & (np.arange(len(starts)) < own)
        across = starts[:, 0] + (y - starts[:, 1]) * slope
        across = np.where(beside & (across <= x), across, -np.inf)
        edges[first : first + some] = across.argmax(1)
        places[first : first + some, 0] = across.max(1)
    for k in np.flatnonzero(np.isneginf(places[:, 0])):
        edges[k] = nearest(starts[: holes[k]], starts[holes[k]])
        places[k] = starts[edges[k]]
    return edges, places


def detour(ring: Ring, place: Ring) -> Ring:
    """From a place once around a ring and back."""
    return np.concatenate((ring, ring[:1], place[None]))


def enclosed(ring: npt.NDArray[np.floating[Any]]) -> float:
    """The area that a ring encloses, negative if it goes the other way."""
    (x, y), (next_x, next_y) = ring.T.astype(np.float64), np.roll(ring, -1, 0).T
    return float((x * next_y - next_x * y).sum() / 2)


def leftmost(ring: Ring) -> int:
    """The index of a ring's leftmost corner, the upper one of several."""
    return int(np.lexsort((ring[:, 1], ring[:, 0]))[0])


def nearest(ring: Ring, place: Ring) -> int:
    """The index of the corner of a ring that is nearest to a place."""
    return int(np.square(ring - place).sum(1).argmin())
