"""Masks as plain arrays, for a file, and back."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from fastsam.image.letterbox import Letterbox
from fastsam.masks.drawn import Drawn
from fastsam.masks.given import Given
from fastsam.masks.lazy import Masks
from fastsam.masks.prototyped import Prototyped

Arrays = dict[str, npt.NDArray[Any]]
LARGEST_GRID = 4096  # cells along a side
FURTHEST = 4.0  # a grid's reach, over the photo's longer side
NEAR = 64.0  # photo pixels that a grid may reach whatever the photo's size


def to_arrays(masks: Masks) -> Arrays:
    """Everything about masks, by name."""
    source = masks.source
    if isinstance(source, Given):
        arrays = {name: np.asarray(getattr(source, name)) for name in ("size", "table", "starts")}
        return {"boxes": masks.boxes, **arrays}
    if isinstance(source, Drawn):
        arrays = {name: np.asarray(getattr(source, name)) for name in ("size", "squares", "cells", "values")}
        return {"boxes": masks.boxes, **arrays}
    box = {f"letterbox_{name}": np.array(value) for name, value in asdict(source.letterbox).items()}
    arrays = {name: getattr(source, name) for name in ("coefficients", "prototypes", "windows")}
    return {"boxes": masks.boxes, **arrays, **box}


def from_arrays(arrays: Mapping[str, npt.NDArray[Any]]) -> Masks:
    """Masks from what `to_arrays` gave. Raises KeyError, ValueError and TypeError for anything else."""
    if "table" in arrays:
        height, width = arrays["size"].tolist()
        given = Given((height, width), arrays["table"], arrays["starts"])
        return Masks(arrays["boxes"], given)
    if "squares" in arrays:
        return Masks(floats(arrays, "boxes", 2), drawn(arrays))
    letterbox = Letterbox(
        **{name: tuple(arrays[f"letterbox_{name}"].tolist()) for name in Letterbox.__dataclass_fields__}
    )
    source = Prototyped(arrays["coefficients"], arrays["prototypes"], letterbox, arrays["windows"])
    check(source, arrays["boxes"])
    return Masks(arrays["boxes"], source)


def drawn(arrays: Mapping[str, npt.NDArray[Any]]) -> Drawn:
    """Masks on grids. Raises KeyError, ValueError and TypeError for arrays that hold none."""
    size, cells = arrays["size"], arrays["cells"]
    if size.dtype.kind != "i" or cells.dtype != np.int64 or cells.ndim != 1:
        raise ValueError("size and cells are no whole numbers")
    height, width = size.tolist()
    if min(height, width) < 1 or cells.max(initial=0) > LARGEST_GRID:
        raise ValueError("grids are none of any photo")
    squares = floats(arrays, "squares", 2, np.float64)
    if np.abs(squares).max(initial=0) > FURTHEST * max(height, width) + NEAR:
        raise ValueError("a grid lies far from its photo")
    return Drawn((height, width), squares, cells, floats(arrays, "values", 1))


def floats(
    arrays: Mapping[str, npt.NDArray[Any]], name: str, axes: int, kind: type[np.floating[Any]] = np.float32
) -> npt.NDArray[Any]:
    """An array of so many axes. Raises ValueError if its numbers are of another kind, or infinite."""
    array = arrays[name]
    if array.dtype != kind or array.ndim != axes or not np.isfinite(array).all():
        raise ValueError(f"{name} are no finite {np.dtype(kind).name}")
    return array


def check(source: Prototyped, boxes: npt.NDArray[Any]) -> None:
    """Raises ValueError for masks that no network can have made of any photo: numbers that point nowhere."""
    box, (_, rows, columns) = source.letterbox, source.prototypes.shape
    for name, array in {
        "boxes": boxes,
        **{k: getattr(source, k) for k in ("coefficients", "prototypes", "windows")},
    }.items():
        if array.dtype != np.float32 or not np.isfinite(array).all():
            raise ValueError(f"{name} are no finite float32")
    sides = np.array([*box.photo, *box.input, *box.content])
    if sides.dtype.kind not in "iu" or (sides < 1).any() or min(box.pad) < 0 or rows < 1 or columns < 1:
        raise ValueError(f"{box} is none of any photo")
    cell = box.input[0] // rows
    if (rows * cell, columns * cell) != box.input or cell < 1:
        raise ValueError(f"prototypes of {rows} x {columns} cells are none of an input of {box.input}")
    for (across, down), side, scale in zip(((0, 1), (1, 0)), box.content, box.scale, strict=True):
        if box.pad[across] + side > box.input[down] or abs(side - scale * box.photo[down]) > 1:
            raise ValueError(f"{box} does not hold together")
