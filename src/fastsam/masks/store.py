"""Turns masks into plain arrays for a file, and back."""

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
KINDS = {  # name of each array: its dtype and number of axes, as `untrusted/npz` expects them
    "boxes": "f4 2",
    "size": "i8 1", "table": "i8 2", "starts": "i8 1",
    "squares": "f8 2", "cells": "i8 1", "values": "f4 1",
    "coefficients": "f4 2", "prototypes": "f4 3", "windows": "f4 2",
    "letterbox_photo": "i8 1", "letterbox_input": "i8 1", "letterbox_scale": "f8 1", "letterbox_pad": "i8 1",
    "letterbox_content": "i8 1",
}  # fmt: skip
LARGEST_PHOTO = 1 << 30  # pixels
LARGEST_GRID = 4096  # cells per side
LARGEST_INPUT = 1 << 15  # pixels per side
FURTHEST = 4.0  # maximum reach of grids, windows and boxes, in units of the photo's longer side
SMALL_PHOTO_REACH = 64.0  # photo pixels added to this reach, for small photos
FINEST = 1 / 1024  # minimum side of a cell in photo pixels


def to_arrays(masks: Masks) -> Arrays:
    """All data of the masks, by name."""
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
    """Masks from finite arrays of `KINDS`. Raises KeyError if one is missing, ValueError for impossible masks."""
    if "table" in arrays:
        source: Given | Drawn | Prototyped = given(arrays)
    elif "squares" in arrays:
        source = drawn(arrays)
    else:
        source = prototyped(arrays)
    boxes = arrays["boxes"]
    check_reach("boxes", boxes, source.size)
    return Masks(boxes, source)


def pair(arrays: Mapping[str, npt.NDArray[Any]], name: str) -> tuple[Any, Any]:
    """The two numbers of an array. Raises ValueError for more or fewer."""
    first, second = arrays[name].tolist()
    return first, second


def photo(arrays: Mapping[str, npt.NDArray[Any]], name: str) -> tuple[int, int]:
    """Height and width of a photo. Raises ValueError if they are impossible."""
    height, width = pair(arrays, name)
    if min(height, width) < 1 or height * width > LARGEST_PHOTO:
        raise ValueError(f"a photo cannot have {width} x {height} pixels")
    return height, width


def check_reach(name: str, places: npt.NDArray[Any], size: tuple[int, int]) -> None:
    """Raises ValueError for coordinates far away from their photo."""
    if np.abs(places).max(initial=0) > FURTHEST * max(size) + SMALL_PHOTO_REACH:
        raise ValueError(f"{name} lie too far from a photo of {size[1]} x {size[0]} pixels")


def given(arrays: Mapping[str, npt.NDArray[Any]]) -> Given:
    """Masks as runs. Raises ValueError unless each mask's runs are in order, separate, and on the photo."""
    size, table, starts = photo(arrays, "size"), arrays["table"], arrays["starts"]
    if starts.min(initial=0) < 0 or starts.max(initial=0) > len(table) or table.shape[1] != 3:
        raise ValueError(f"starts and a table {table.shape} do not fit")
    if table.min(initial=0) < 0 or table.max(initial=0) > max(size):
        raise ValueError(f"runs must lie on the photo of {size[1]} x {size[0]} pixels")
    masks = Given(size, table.astype(np.int32), starts)
    owners = np.repeat(np.arange(len(masks)), np.diff(starts))
    columns, tops, bottoms = table.T
    place = columns * size[0]
    apart = (place + tops)[1:] > (place + bottoms)[:-1]
    other = (owners[1:] != owners[:-1]) | (columns[1:] > columns[:-1])
    if not (apart | other).all():
        raise ValueError("the runs of a mask are not in order")
    return masks


def drawn(arrays: Mapping[str, npt.NDArray[Any]]) -> Drawn:
    """Masks on grids. Raises ValueError for grids that are far from the photo, or too fine."""
    size, cells, squares = photo(arrays, "size"), arrays["cells"], arrays["squares"]
    if cells.min(initial=1) < 1 or cells.max(initial=0) > LARGEST_GRID:
        raise ValueError(
            f"grids must have 1 to {LARGEST_GRID} cells along a side, not {cells.min()} to {cells.max()} cells"
        )
    check_reach("grids", squares, size)
    masks = Drawn(size, squares, cells, arrays["values"])
    if (squares[:, 2] < cells * FINEST).any():
        raise ValueError(f"cells of grids must be at least {FINEST:g} photo pixels wide")
    return masks


def prototyped(arrays: Mapping[str, npt.NDArray[Any]]) -> Prototyped:
    """Masks as a network gives them. Raises ValueError for masks that a network cannot give."""
    fields = {name: pair(arrays, f"letterbox_{name}") for name in Letterbox.__dataclass_fields__}
    box = Letterbox(**{**fields, "photo": photo(arrays, "letterbox_photo")})
    source = Prototyped(arrays["coefficients"], arrays["prototypes"], box, arrays["windows"])
    check_letterbox(box, source.prototypes.shape[1:])
    check_reach("windows", source.windows, box.photo)
    return source


def check_letterbox(box: Letterbox, cells: tuple[int, ...]) -> None:
    """Raises ValueError for a letterbox that contradicts itself or prototypes of `cells` (rows, columns)."""
    rows, columns = cells
    if min(*box.input, *box.content, rows, columns) < 1 or min(box.pad) < 0 or max(box.input) > LARGEST_INPUT:
        raise ValueError(f"{box} is impossible")
    cell = box.input[0] // rows
    if (rows * cell, columns * cell) != box.input or cell < 1:
        raise ValueError(f"prototypes of {rows} x {columns} cells do not fit an input of {box.input} pixels")
    for (across, down), side, scale in zip(((0, 1), (1, 0)), box.content, box.scale, strict=True):
        if box.pad[across] + side > box.input[down] or not abs(side - scale * box.photo[down]) <= 1 or scale <= 0:
            raise ValueError(f"{box} contradicts itself")
