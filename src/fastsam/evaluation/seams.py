"""Measures straight cuts: borders of masks that follow an axis, although nothing in the photo does.

Enters: masks bool (H, W) and their photo. Leaves: a length in pixels.

A seam is a stretch of a mask's border that is straight, parallel to an axis, longer than `LONG` of the photo's longer
side, inside the photo, and on no edge of it: the mean step of the photo's grey levels across the stretch is under
`FLAT`. A person's outline has none, except along things that are as grey as what lies beside them.
"""

from collections.abc import Iterable

import cv2
import numpy as np
import numpy.typing as npt

Bool = npt.NDArray[np.bool_]
UInt8 = npt.NDArray[np.uint8]
Float = npt.NDArray[np.float32]

LONG = 0.05  # share of the photo's longer side
FLAT = 6.0  # grey levels out of 255
REACH = 2  # pixels on each side of a border between which its step is measured: outlines are seldom right to the pixel


def seams(masks: Iterable[Bool], photo: UInt8) -> int:
    """Length of all seams in pixels. A stretch that several masks share counts once.

    masks: of the photo's size; photo: RGB (H, W, 3)
    """
    grey = cv2.GaussianBlur(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY).astype(np.float32), (0, 0), 1.0)
    least = LONG * max(grey.shape)
    steps = steps_down(grey), steps_down(grey.T)
    cut = tuple(np.zeros(step.shape, bool) for step in steps)
    for mask in masks:
        for one, step, seen in zip((mask, mask.T), steps, cut, strict=True):
            straight_and_flat(one[1:] != one[:-1], step, least, seen)
    return sum(int(seen.sum()) for seen in cut)


def steps_down(grey: Float) -> Float:
    """The largest step of grey levels near the border between each row and the next, (H - 1, W).

    A border's step is the difference of the two rows around it; the largest within `REACH` rows counts.
    """
    step = np.abs(np.diff(grey, axis=0))
    return np.asarray(cv2.dilate(step, np.ones((2 * REACH + 1, 1), np.uint8)), np.float32)


def straight_and_flat(border: Bool, step: Float, least: float, seen: Bool) -> None:
    """Marks in `seen` the horizontal runs of a border that are longer than `least` and lie on no edge.

    border, step, seen: (H - 1, W)
    """
    padded = np.pad(border, ((0, 0), (1, 1))).astype(np.int8)
    change = np.diff(padded, axis=1)
    rows, starts = np.nonzero(change == 1)
    _, ends = np.nonzero(change == -1)
    long = ends - starts > least
    for row, start, end in zip(rows[long], starts[long], ends[long], strict=True):
        if step[row, start:end].mean() < FLAT:
            seen[row, start:end] = True
