"""Points and boxes of layers, as prompts for slices.

Enters: places in pixels of the image, as napari counts them: (..., y, x), with the centre of the first pixel at 0.
Leaves: a `Mark` per object.

Each point is an object, or all points of a slice are one. Each box is an object; points in it say more about it and are
no objects of their own. Points of the second kind say where an object is not: they count for the boxes that hold them,
and for all objects of their slice that have no box.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fastsam.errors import UsageError
from fastsam.plugins.napari.pictures import Slices
from fastsam.prompts import Box, Point, Prompt

Float64 = npt.NDArray[np.float64]
Placed = tuple[int, Any]  # number of a slice, what is there


@dataclass(frozen=True)
class Mark:
    """What a person marked as one object. number: its label, from 1; slice: number of the slice; prompt: its places"""

    number: int
    slice: int
    prompt: Prompt


def slice_of(place: Float64, slices: Slices, what: str) -> int:
    """The number of the slice at (..., y, x). Raises UsageError if there is none."""
    lead = place[:-2]
    numbers = [round(float(v)) if np.isfinite(v) else -1 for v in lead]
    if any(not 0 <= k < n for k, n in zip(numbers, slices.lead, strict=True)):
        where = ", ".join(f"{v:g}" for v in lead)
        raise UsageError(f"a {what} lies on slice {where}, but the stack has {' x '.join(map(str, slices.lead))}")
    return int(np.ravel_multi_index(numbers, slices.lead)) if slices.lead else 0


def read_points(places: Sequence[Float64], slices: Slices) -> list[Placed]:
    """Points (x, y), each with the number of its slice."""
    return [(slice_of(p, slices, "point"), (float(p[-1]) + 0.5, float(p[-2]) + 0.5)) for p in places]


def read_boxes(outlines: Sequence[Float64], slices: Slices) -> list[Placed]:
    """The boxes (x1, y1, x2, y2) around outlines (N, ndim), each with the number of its slice."""
    found = []
    for outline in outlines:
        numbers = {slice_of(corner, slices, "box") for corner in outline}
        if len(numbers) != 1:
            raise UsageError("a box reaches across slices: draw it within one")
        (y1, x1), (y2, x2) = outline[:, -2:].min(0) + 0.5, outline[:, -2:].max(0) + 0.5
        found.append((numbers.pop(), (float(x1), float(y1), float(x2), float(y2))))
    return found


def marks(
    slices: Slices, points: Sequence[Placed], refused: Sequence[Placed], boxes: Sequence[Placed], one: bool = False
) -> list[Mark]:
    """The objects that are meant, boxes first. one: all points of a slice outside of boxes are one object

    Raises UsageError if nothing is marked, or a mark lies outside of the image.
    """
    prompts: list[tuple[int, Prompt]] = []
    free = list(points)
    for number, box in boxes:
        own = [p for k, p in points if k == number and holds(box, p)]
        against = [p for k, p in refused if k == number and holds(box, p)]
        free = [(k, p) for k, p in free if k != number or not holds(box, p)]
        prompts.append((number, prompt_of(own, against, box)))
    groups: list[tuple[int, list[Point]]] = [(k, [p]) for k, p in free]
    if one:
        groups = [(k, [p for other, p in free if other == k]) for k in dict.fromkeys(k for k, _ in free)]
    prompts += [(k, prompt_of(some, [p for other, p in refused if other == k])) for k, some in groups]
    if not prompts:
        raise UsageError("nothing is marked: add points or boxes, and choose their layers")
    for _, prompt in prompts:
        prompt.check((slices.shape[-2], slices.shape[-1]))
    return [Mark(i, k, prompt) for i, (k, prompt) in enumerate(prompts, 1)]


def prompt_of(points: list[Point], refused: list[Point], box: Box | None = None) -> Prompt:
    """One object's prompt."""
    return Prompt([*points, *refused], [1] * len(points) + [0] * len(refused), box)


def holds(box: Box, point: Point) -> bool:
    """Whether a point lies in a box."""
    return box[0] <= point[0] <= box[2] and box[1] <= point[1] <= box[3]
