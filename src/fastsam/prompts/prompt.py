"""`Prompt`: describes one object.

Enters: points, a box, a mask, words, as given. Leaves: checked, immutable values.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np
import numpy.typing as npt

from fastsam.errors import UsageError
from fastsam.masks.annotations import as_bool
from fastsam.values import is_list, show

Point = tuple[float, float]
Box = tuple[float, float, float, float]


@dataclass(frozen=True, eq=False, repr=False)
class Prompt:
    """Describes one object. The answer must fit every part: points, box, mask and text.

    Parameters
    ----------
    points : sequence of (x, y)
        Points in photo pixels.
    labels : sequence of int, optional
        One per point: 1 for foreground, 0 for background. Default: all 1.
    box : (x1, y1, x2, y2), optional
        Box in photo pixels.
    mask : array (H, W), optional
        Rough mask of the photo's size: bool, integers above 0, or floats of at least 0.5.
    text : str, optional
        Words for the object.
    exclude : sequence of str
        Words for things that must not match. They need a text.

    Raises
    ------
    UsageError
        If the prompt has no foreground point, box, mask or text, if there is not one label per point, if the box has no
        area, or if the mask has no pixels.

    Examples
    --------
    >>> Prompt(points=[(365, 285), (300, 100)], labels=[1, 0])
    Prompt(points=((365.0, 285.0), (300.0, 100.0)), labels=(1, 0))
    >>> Prompt(text="the red cup", exclude=["spoon"]).name
    "'the red cup'"
    """

    points: Sequence[Point] = ()
    labels: Sequence[int] | None = None
    box: Box | None = None
    mask: npt.NDArray[Any] | None = None
    text: str | None = None
    exclude: Sequence[str] = ()

    def __post_init__(self) -> None:
        points, labels = checked_points(self.points, self.labels)
        box = None if self.box is None else checked_box(self.box)
        mask = None if self.mask is None else checked_mask(self.mask)
        exclude = checked_texts(self.exclude, "exclude")
        if self.text is not None:
            checked_texts([self.text], "text")
        elif exclude:
            raise UsageError(f"exclude={list(exclude)} needs a text: give text= as well")
        elif box is None and mask is None and 1 not in labels:
            raise UsageError("a prompt needs a foreground point, a box, a mask or a text")
        for name, value in (("points", points), ("labels", labels), ("box", box), ("mask", mask), ("exclude", exclude)):
            object.__setattr__(self, name, value)

    def check(self, size: tuple[int, int]) -> None:
        """Checks that the prompt fits a photo.

        Parameters
        ----------
        size : (int, int)
            (height, width) of the photo in pixels.

        Raises
        ------
        UsageError
            If a point or the whole box lies outside the photo, or the mask has another size.

        Examples
        --------
        >>> Prompt(points=[(365, 285)]).check((400, 600))
        >>> Prompt(points=[(700, 285)]).check((400, 600))
        Traceback (most recent call last):
        fastsam.errors.UsageError: point 700,285 lies outside the photo of 600 x 400 pixels
        """
        height, width = size
        for x, y in self.points:
            if not (0 <= x < width and 0 <= y < height):
                raise UsageError(f"point {_show((x, y))} lies outside the photo of {width} x {height} pixels")
        if self.box is not None:
            x1, y1, x2, y2 = self.box
            if x1 >= width or y1 >= height or x2 <= 0 or y2 <= 0:
                raise UsageError(f"box {_show(self.box)} lies outside the photo of {width} x {height} pixels")
        if self.mask is not None and self.mask.shape != size:
            raise UsageError(
                f"the mask is {self.mask.shape[1]} x {self.mask.shape[0]} pixels but the photo is "
                f"{width} x {height}: give a mask of the same size"
            )

    def __repr__(self) -> str:
        parts = {
            "points": self.points,
            "labels": self.labels,
            "box": self.box,
            "text": self.text,
            "exclude": self.exclude,
        }
        said = [f"{name}={show(value)}" for name, value in parts.items() if value]
        if self.mask is not None:
            said.append(f"mask={self.mask.shape[1]} x {self.mask.shape[0]} pixels")
        return f"Prompt({', '.join(said)})"

    @property
    def foreground(self) -> tuple[Point, ...]:
        """The points with label 1."""
        return tuple((x, y) for (x, y), label in zip(self.points, self.labels or (), strict=True) if label)

    @property
    def name(self) -> str:
        """A name to show: the text, or the kinds of its parts."""
        if self.text is not None:
            return repr(self.text)
        many = f"{len(self.points)} point{'s' * (len(self.points) != 1)}" if self.points else ""
        return " and ".join(
            part for part in (many, "box" * (self.box is not None), "mask" * (self.mask is not None)) if part
        )


def checked_points(points: Any, labels: Any) -> tuple[tuple[tuple[float, ...], ...], tuple[int, ...]]:
    """Points and their labels as tuples. Raises UsageError."""
    if not is_list(points) or not (labels is None or is_list(labels)):
        raise UsageError(f"points {show(points)} and labels {show(labels)} must be lists: [(x, y), ...] and [1, ...]")
    found = tuple(_numbers(p, 2, "point") for p in points)
    marks = (1,) * len(found) if labels is None else tuple(labels)
    if len(marks) != len(found):
        raise UsageError(f"{len(marks)} labels given for {len(found)} points: give one label per point")
    if any(np.ndim(v) or isinstance(v, (str, bytes)) or v not in (0, 1) for v in marks):
        raise UsageError(f"labels must be 1 (foreground) or 0 (background), not {show(marks)}")
    return found, tuple(int(v) for v in marks)


def checked_box(values: Any) -> tuple[float, ...]:
    """A box as a tuple. Raises UsageError."""
    box = _numbers(values, 4, "box")
    if not (box[0] < box[2] and box[1] < box[3]):
        raise UsageError(f"box {_show(box)} has no area: give x1,y1,x2,y2 with x1 < x2 and y1 < y2")
    return box


def checked_mask(values: Any) -> npt.NDArray[np.bool_]:
    """A mask as bool (H, W). Raises UsageError."""
    try:
        mask = as_bool(values)
    except (TypeError, ValueError):
        raise UsageError(f"a mask must be an array (H, W), not a {type(values).__name__}") from None
    if mask.ndim != 2:
        raise UsageError(f"a mask must have shape (H, W), not {mask.shape}: give several masks as a list")
    if not mask.any():
        raise UsageError("the mask is empty: mark the object with True, or with numbers above 0")
    mask.flags.writeable = False
    return mask


def checked_texts(texts: Any, what: str) -> tuple[str, ...]:
    """Texts as a tuple. Raises UsageError if an entry is not a string, or is empty."""
    if not is_list(texts):
        raise UsageError(f"{what} must be a list of texts, not {show(texts)}")
    found = tuple(texts)
    for text in found:
        if not isinstance(text, str) or not text.strip():
            raise UsageError(f"{what} must be words, such as 'the yellow dog', not {show(text)}")
    return found


def _numbers(values: Any, n: int, what: str) -> tuple[float, ...]:
    try:
        numbers = tuple(float(v) for v in values)
    except (TypeError, ValueError):
        numbers = ()
    if len(numbers) != n or not all(isfinite(v) for v in numbers):
        raise UsageError(
            f"a {what} must be {n} finite numbers, not {show(values)}: "
            f"give a list of {what}{'es' * (n == 4)}{'s' * (n == 2)}"
        )
    return numbers


def _show(numbers: Sequence[float]) -> str:
    return ",".join(f"{v:g}" for v in numbers)
