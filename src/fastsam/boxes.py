"""Arithmetic of boxes.

Enters: arrays (..., 4) of boxes x1, y1, x2, y2, of any number type. Leaves: lengths, areas, overlaps. Two arrays of
boxes broadcast: (N, 4) with one box (4,) gives (N,), and `a[:, None]` with `b[None]` gives (N, M).
"""

from typing import Any

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[Any]
Float64 = npt.NDArray[np.float64]


def lengths(boxes: Numbers) -> Numbers:
    """(..., 2) width and height."""
    return np.asarray(boxes[..., 2:] - boxes[..., :2])


def area(boxes: Numbers) -> Numbers:
    """(...) width times height."""
    return np.asarray(lengths(boxes).prod(-1))


def centre(boxes: Numbers) -> Numbers:
    """(..., 2) x and y of the middle."""
    return np.asarray((boxes[..., :2] + boxes[..., 2:]) / 2)


def shared_area(a: Numbers, b: Numbers) -> Numbers:
    """(...) area that boxes share; 0 if they do not meet."""
    w = np.minimum(a[..., 2], b[..., 2]) - np.maximum(a[..., 0], b[..., 0])
    h = np.minimum(a[..., 3], b[..., 3]) - np.maximum(a[..., 1], b[..., 1])
    return np.asarray(np.maximum(w, 0) * np.maximum(h, 0))


def iou(a: Numbers, b: Numbers) -> Float64:
    """(...) float64 intersection over union; 0 for two boxes without area.

    Examples
    --------
    >>> iou(np.array([[0, 0, 2, 2], [4, 0, 6, 2]]), np.array([1, 0, 3, 2])).round(2).tolist()
    [0.33, 0.0]
    """
    a, b = a.astype(np.float64), b.astype(np.float64)
    shared = shared_area(a, b)
    return np.asarray(shared / np.maximum(area(a) + area(b) - shared, 1e-9))


def most_shared(boxes: Numbers, areas: Numbers, box: Numbers, pixels: Any) -> Numbers:
    """(N,) most pixels that masks can share with one: no more than their bounds share, or than the smaller mask has.

    boxes: (N, 4) bounds of the masks; areas: (N,) their pixels; box, pixels: the same of the one mask
    """
    return np.asarray(np.minimum(shared_area(boxes, box), np.minimum(areas, pixels)))


def from_centres(centres: Numbers, sizes: Numbers) -> Numbers:
    """Boxes (N, 4) from their centres (N, 2) and their widths and heights (N, 2)."""
    return np.concatenate((centres - sizes / 2, centres + sizes / 2), -1)


def to_centres(boxes: Numbers) -> Numbers:
    """Boxes (N, 4) as centre x, centre y, width, height, as YOLO's labels have them."""
    return np.concatenate((centre(boxes), lengths(boxes)), -1)


def xywh(box: Any) -> list[float]:
    """One box x1, y1, x2, y2 as x1, y1, width, height, as COCO has it."""
    x1, y1, x2, y2 = box
    return [float(x1), float(y1), float(x2 - x1), float(y2 - y1)]
