"""Masks as plain arrays, for a file, and back."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from fastsam.image.letterbox import Letterbox
from fastsam.masks.given import Given
from fastsam.masks.lazy import Masks
from fastsam.masks.prototyped import Prototyped

Arrays = dict[str, npt.NDArray[Any]]


def to_arrays(masks: Masks) -> Arrays:
    """Everything about masks, by name."""
    source = masks.source
    if isinstance(source, Given):
        arrays = {name: np.asarray(getattr(source, name)) for name in ("size", "table", "starts")}
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
    letterbox = Letterbox(
        **{name: tuple(arrays[f"letterbox_{name}"].tolist()) for name in Letterbox.__dataclass_fields__}
    )
    source = Prototyped(arrays["coefficients"], arrays["prototypes"], letterbox, arrays["windows"])
    return Masks(arrays["boxes"], source)
