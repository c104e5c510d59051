"""Outlines with fewer corners: Douglas-Peucker, by OpenCV, without making rings meet that did not.

Enters: exact outlines, a tolerance. Leaves: outlines whose corners are some of the exact ones.

A chord stands for a stretch of a ring. Where two chords meet, each gets the corner back that lies farthest from it,
until none meet: in the end they are the edges of the exact outline, which do not. Corners in which the exact outline
touches itself stay, with the edges about them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.masks.polygons import Polygon, Ring

Int = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]
STRIPE_SHARE = 0.5  # of a part's area by the length of its outline, which is half the width of a stripe
AT_ONCE = 1 << 20  # pairs of chords that are compared


def simplified(parts: Sequence[Polygon], tolerance: float) -> list[Polygon]:
    """The same parts and holes of a mask, each dropped corner at most `tolerance` pixels from the new outline.

    Of what is small or thin less: at most half of its area by the length of its outline, so that no ring collapses.
    Rings neither cross nor change sides. With a tolerance of 0 the parts stay as they are.
    """
    if not tolerance or not parts:
        return list(parts)
    exact = [ring for part in parts for ring in (part.outline, *part.holes)]
    fixed = about_touching(exact)
    while True:
        kept = [chosen(ring, tolerance, own) for ring, own in zip(exact, fixed, strict=True)]
        kept = apart(exact, kept)
        found = [ring[own] for ring, own in zip(exact, kept, strict=True)]
        if same_sides(exact, found):
            break
        tolerance /= 2
    rings = iter(found)
    return [Polygon(next(rings), tuple(next(rings) for _ in part.holes)) for part in parts]


def allowed(area: float, length: float, tolerance: float) -> float:
    """The tolerance for a ring about `area` pixels: less if it is small or thin."""
    return min(tolerance, STRIPE_SHARE * area / length)


def chosen(ring: Ring, tolerance: float, fixed: Bool) -> Int:
    """Indices of the corners of a ring that stay, in order: those of Douglas and Peucker, and the `fixed` ones."""
    own = allowed(cv2.contourArea(ring), cv2.arcLength(ring, True), tolerance)
    corners = cv2.approxPolyDP(ring, own, True)[:, 0]
    order = np.lexsort(ring.T)
    keys, wanted = (points[:, 1].astype(np.int64) << 32 | points[:, 0].astype(np.int64) for points in (ring, corners))
    stays = fixed.copy()
    stays[order[np.searchsorted(keys, wanted, sorter=order)]] = True
    return within(ring, np.flatnonzero(stays), own)


def within(ring: Ring, kept: Int, tolerance: float) -> Int:
    """The indices `kept` with as many more as it takes that every dropped corner is near its chord.

    OpenCV measures from the line through a chord, not from the chord, and drops corners again in the end.
    """
    points = ring.astype(np.float64)
    while True:
        dropped = np.setdiff1d(np.arange(len(ring)), kept)
        chord = (np.searchsorted(kept, dropped) - 1) % len(kept)  # the first one comes after the last corner, too
        start, end = points[kept[chord]], points[kept[(chord + 1) % len(kept)]]
        along, away = end - start, points[dropped] - start
        share = np.clip((along * away).sum(1) / np.maximum((along**2).sum(1), 1e-9), 0, 1)
        distance = np.hypot(*(away - share[:, None] * along).T)
        far = np.flatnonzero(distance > tolerance)
        if not len(far):
            return kept
        far = far[np.argsort(-distance[far], kind="stable")]
        _, first = np.unique(chord[far], return_index=True)  # of each chord the farthest
        kept = np.union1d(kept, dropped[far[first]])


def about_touching(rings: Sequence[Ring]) -> list[Bool]:
    """Of each ring the corners that another ring has too, and those before and after them."""
    points = np.concatenate(rings)
    _, which, counts = np.unique(points, axis=0, return_inverse=True, return_counts=True)
    shared = np.split(counts[which.reshape(-1)] > 1, np.cumsum([len(ring) for ring in rings])[:-1])
    return [own | np.roll(own, 1) | np.roll(own, -1) for own in shared]


@dataclass(frozen=True)
class Chords:
    """n chords of rings.

    start, end: (n, 2) int64 x, y; ring: (n,) number of its ring; first, last: (n,) numbers of its ends' corners there
    """

    start: Int
    end: Int
    ring: Int
    first: Int
    last: Int


def chords_of(exact: Sequence[Ring], kept: Sequence[Int]) -> Chords:
    """The chords between the corners that stay."""
    start = np.concatenate([ring[own] for ring, own in zip(exact, kept, strict=True)]).astype(np.int64)
    end = np.concatenate([ring[np.roll(own, -1)] for ring, own in zip(exact, kept, strict=True)]).astype(np.int64)
    ring = np.repeat(np.arange(len(kept)), [len(own) for own in kept])
    return Chords(start, end, ring, np.concatenate(kept), np.concatenate([np.roll(own, -1) for own in kept]))


def apart(exact: Sequence[Ring], kept: Sequence[Int]) -> list[Int]:
    """Indices of corners with as many more as it takes that no two chords meet."""
    found = list(kept)
    while True:
        chords = chords_of(exact, found)
        meeting = np.flatnonzero(meet(chords))
        if not len(meeting):
            return found
        more: dict[int, list[int]] = {}
        for k in meeting.tolist():
            ring = int(chords.ring[k])
            corner = farthest(exact[ring], int(chords.first[k]), int(chords.last[k]))
            if corner is not None:
                more.setdefault(ring, []).append(corner)
        if not more:
            return found  # the exact outline
        for ring, corners in more.items():
            found[ring] = np.union1d(found[ring], np.array(corners))


def farthest(ring: Ring, first: int, last: int) -> int | None:
    """The corner between two of a ring that lies farthest from the line through them, None if there is none."""
    between = np.arange(first + 1, last if last > first else last + len(ring)) % len(ring)
    if not len(between):
        return None
    along, away = (ring[last] - ring[first]).astype(np.float64), (ring[between] - ring[first]).astype(np.float64)
    return int(between[np.abs(along[0] * away[:, 1] - along[1] * away[:, 0]).argmax()])


def meet(chords: Chords) -> Bool:
    """(n,) which chords have a point in common with another one, but for an end that both have."""
    found = np.zeros(len(chords.start), bool)
    for i, j in near(chords):
        a, b, c, d = chords.start[i], chords.end[i], chords.start[j], chords.end[j]
        crossing = (side(a, b, c) * side(a, b, d) <= 0) & (side(c, d, a) * side(c, d, b) <= 0)
        for p, q, r, s in ((a, b, c, d), (a, b, d, c), (b, a, c, d), (b, a, d, c)):
            shared = (p == r).all(1)  # then they meet elsewhere too only if one lies on the other
            upon = (side(p, q, s) == 0) & (((q - p) * (s - p)).sum(1) > 0)
            crossing &= ~shared | upon
        found[i[crossing]] = found[j[crossing]] = True
    return found


def near(chords: Chords) -> Iterator[tuple[Int, Int]]:
    """Pairs of chords whose boxes meet, some at a time."""
    low, high = np.minimum(chords.start, chords.end), np.maximum(chords.start, chords.end)
    sweeps = []
    for axis in (0, 1):  # along which fewer lie side by side
        order = np.argsort(low[:, axis], kind="stable")
        reach = np.searchsorted(low[order, axis], high[order, axis], side="right") - np.arange(len(order)) - 1
        sweeps.append((int(reach.sum()), order, reach, 1 - axis))
    _, order, reach, other = min(sweeps, key=lambda sweep: sweep[0])
    ends = np.cumsum(reach)
    first = 0
    while first < len(order):
        last = max(first + 1, int(np.searchsorted(ends, (ends[first - 1] if first else 0) + AT_ONCE, side="right")))
        some = reach[first:last]
        left = np.repeat(np.arange(first, last), some)
        right = left + 1 + np.arange(len(left)) - np.repeat(np.cumsum(some) - some, some)
        i, j = order[left], order[right]
        touch = (low[i, other] <= high[j, other]) & (low[j, other] <= high[i, other])
        yield i[touch], j[touch]
        first = last


def side(a: Int, b: Int, c: Int) -> Int:
    """(n,) -1, 0 or 1: on which side of the line from a to b (n, 2) c lies."""
    ab, ac = b - a, c - a
    return np.asarray(np.sign(ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0]))


def same_sides(exact: Sequence[Ring], found: Sequence[Ring]) -> bool:
    """Whether each ring lies within the same ones as before."""
    if len(exact) == 1:
        return True
    first = np.array([ring[0] for ring in found])
    low, high = np.array([ring.min(0) for ring in exact]), np.array([ring.max(0) for ring in exact])
    inner, outer = np.nonzero(((low <= first[:, None]) & (first[:, None] <= high)).all(2))
    for i, j in zip(inner.tolist(), outer.tolist(), strict=True):
        if i == j:
            continue
        point = tuple(first[i].tolist())
        before = cv2.pointPolygonTest(exact[j], point, False)
        if before and cv2.pointPolygonTest(found[j], point, False) != before:
            return False
    return True
