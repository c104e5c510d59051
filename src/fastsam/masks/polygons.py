"""Outlines of a mask along the borders of its pixels, exactly.

A corner is where four pixels meet of which one or three belong to the mask, or two that touch at that corner only: it
counts twice then. Along a row of corners, and down a column, each two in turn are the ends of an edge.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Ring = npt.NDArray[np.float32]
Int = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Polygon:
    """`outline` (K, 2) and `holes`, float32 x, y in photo pixels, along the outer borders of the pixels."""

    outline: Ring
    holes: tuple[Ring, ...]


def polygons(crop: Bool, offset: tuple[int, int]) -> list[Polygon]:
    """The outlines of a bool mask (h, w) that lies at `offset` (x, y): one for each 4-connected part."""
    if not crop.any():
        return []
    padded = np.pad(crop, 1)
    _, parts = cv2.connectedComponents(padded.astype(np.uint8), connectivity=4)
    outlines: dict[int, Ring] = {}
    holes: dict[int, list[Ring]] = {}
    for ring in trace(*corners(padded)):
        x, y = ring[np.lexsort((ring[:, 0], ring[:, 1]))[0]]  # the mask lies below its first corner, or above a hole's
        shifted = (ring + np.array(offset) - 1).astype(np.float32)
        if padded[y, x]:
            outlines[int(parts[y, x])] = shifted
        else:
            holes.setdefault(int(parts[y - 1, x]), []).append(shifted)
    return [Polygon(outline, tuple(holes.get(part, ()))) for part, outline in sorted(outlines.items())]


def corners(mask: Bool) -> tuple[Int, Int, Int]:
    """Corners (K, 2) x, y of a mask with a border of False, and their partners along the row and along the column."""
    upright = mask[:, 1:] != mask[:, :-1]  # whether the border runs above, or below, a corner
    level = mask[1:] != mask[:-1]
    odd = upright[1:] != upright[:-1]
    twice = upright[1:] & upright[:-1] & level[:, 1:]
    falling, rising = twice & mask[:-1, :-1], twice & mask[:-1, 1:]  # which two of the four touch
    # Of a corner that counts twice one belongs to the edge on the left, the other to that on the right; so for above
    # and below. The parts stay apart where the left one is the upper one of a falling pair, the lower of a rising one.
    rows, across, down = [], [], []
    for found, left, above in ((odd, 0, 0), (falling, 0, 0), (falling, 1, 1), (rising, 0, 1), (rising, 1, 0)):
        y, x = np.nonzero(found)
        rows.append(np.stack((x + 1, y + 1), 1))
        across.append(np.full(len(x), left))
        down.append(np.full(len(x), above))
    points, lefts, aboves = np.concatenate(rows), np.concatenate(across), np.concatenate(down)
    along_row = np.lexsort((lefts, points[:, 0], points[:, 1]))
    along_column = np.lexsort((aboves, points[:, 1], points[:, 0]))
    return points, partners(along_row), partners(along_column)


def partners(order: Int) -> Int:
    """(K,) the other end of each corner's edge, where each two in `order` are one."""
    found = np.empty(len(order), np.int64)
    found[order[::2]], found[order[1::2]] = order[1::2], order[::2]
    return found


def trace(points: Int, across: Int, down: Int) -> list[Int]:
    """Rings (K, 2) through corners, each point of a ring once: where one meets itself it becomes two."""
    rings: list[Int] = []
    seen = np.zeros(len(points), bool)
    row, column, places = across.tolist(), down.tolist(), list(map(tuple, points.tolist()))
    for start in range(len(points)):
        if seen[start]:
            continue
        path: list[tuple[int, int]] = []
        position: dict[tuple[int, int], int] = {}
        node, turn = start, True
        while True:
            seen[node] = True
            place = places[node]
            if place in position:
                first = position[place]
                loop, path[first:] = path[first:], []
                for gone in loop:
                    del position[gone]
                rings.append(np.array(loop, np.int64))
            position[place] = len(path)
            path.append(place)
            node = row[node] if turn else column[node]
            turn = not turn
            if node == start:
                break
        rings.append(np.array(path, np.int64))
    return rings
