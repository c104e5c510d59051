"""`Prompt`: what one answer is wanted for.

Enters: what a user gives. Leaves: checked, immutable values. Read by `geometry` and `answer`.
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
    """What one answer is wanted for; whatever is given must hold together.

    points: x, y in photo pixels; labels: 1 foreground, 0 background, one a point (all foreground where left out)
    box: x1, y1, x2, y2 in photo pixels
    mask: (H, W) of the photo, bool or numbers that are above 0 within
    text: words for a thing; exclude: words for what it is not

    Raises UsageError for a prompt that says nothing of what is meant, labels that do not fit, a box without area, a
    mask without pixels.

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
            raise UsageError(f"exclude {list(exclude)} needs a text from whose answer it takes")
        elif box is None and mask is None and 1 not in labels:
            raise UsageError("a prompt needs a foreground point, a box, a mask or a text to say what is meant")
        for name, value in (("points", points), ("labels", labels), ("box", box), ("mask", mask), ("exclude", exclude)):
            object.__setattr__(self, name, value)

    def check(self, size: tuple[int, int]) -> None:
        """Raises UsageError where the prompt does not lie on a photo of `size` (height, width).

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
                f"a mask of {self.mask.shape[1]} x {self.mask.shape[0]} pixels is none of the photo of "
                f"{width} x {height}: give one of the photo's size"
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
        """The points of label 1."""
        return tuple((x, y) for (x, y), label in zip(self.points, self.labels or (), strict=True) if label)

    @property
    def name(self) -> str:
        """What a person calls it: the text, or what it is made of."""
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
        raise UsageError(f"{len(found)} points have {len(marks)} labels: give one label a point")
    if any(np.ndim(v) or isinstance(v, (str, bytes)) or v not in (0, 1) for v in marks):
        raise UsageError(f"labels {show(marks)} are not all 0 (background) or 1 (foreground)")
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
        raise UsageError(f"a {type(values).__name__} is no mask: give an array (H, W)") from None
    if mask.ndim != 2:
        raise UsageError(f"a mask of shape {mask.shape} is none: give (H, W), and several as a list")
    if not mask.any():
        raise UsageError("a mask without a pixel means nothing: mark what is meant with values above 0")
    mask.flags.writeable = False
    return mask


def checked_texts(texts: Any, what: str) -> tuple[str, ...]:
    """Texts as a tuple. Raises UsageError for what is no text, or an empty one."""
    if not is_list(texts):
        raise UsageError(f"{what} {show(texts)} must be a list of texts")
    found = tuple(texts)
    for text in found:
        if not isinstance(text, str) or not text.strip():
            raise UsageError(f"{what} {show(text)} is no text: say what is meant, as in 'the yellow dog'")
    return found


def _numbers(values: Any, n: int, what: str) -> tuple[float, ...]:
    try:
        numbers = tuple(float(v) for v in values)
    except (TypeError, ValueError):
        numbers = ()
    if len(numbers) != n or not all(isfinite(v) for v in numbers):
        raise UsageError(
            f"{what} {show(values)} is not {n} finite numbers: give a list of {what}{'es' * (n == 4)}{'s' * (n == 2)}"
        )
    return numbers


def _show(numbers: Sequence[float]) -> str:
    return ",".join(f"{v:g}" for v in numbers)
