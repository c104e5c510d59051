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
FURTHEST = 1e7  # photo pixels


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
        return Masks(arrays["boxes"], drawn(arrays))
    letterbox = Letterbox(
        **{name: tuple(arrays[f"letterbox_{name}"].tolist()) for name in Letterbox.__dataclass_fields__}
    )
    source = Prototyped(arrays["coefficients"], arrays["prototypes"], letterbox, arrays["windows"])
    check(source, arrays["boxes"])
    return Masks(arrays["boxes"], source)


def drawn(arrays: Mapping[str, npt.NDArray[Any]]) -> Drawn:
    """Masks on grids. Raises KeyError, ValueError and TypeError for arrays that hold none."""
    height, width = arrays["size"].tolist()
    kinds = {"squares": np.float64, "cells": np.int64, "values": np.float32}
    for name, kind in kinds.items():
        if arrays[name].dtype != kind or not np.isfinite(arrays[name]).all():
            raise ValueError(f"{name} are no finite {np.dtype(kind).name}")
    if min(height, width) < 1 or arrays["cells"].max(initial=0) > LARGEST_GRID:
        raise ValueError("grids are none of any photo")
    if np.abs(arrays["squares"]).max(initial=0) > FURTHEST:
        raise ValueError("a grid lies far from its photo")
    return Drawn((height, width), arrays["squares"], arrays["cells"], arrays["values"])


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
