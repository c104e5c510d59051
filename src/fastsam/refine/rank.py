"""Decides which drawing a click means.

Enters: the drawings of one prompt. Leaves: a rank per drawing.

A box or a mask says what is meant, so its drawings rank by the IoU that the network predicts. A click can mean a part,
an object or a group, and is drawn through several windows. The rank of such a drawing is a product of powers of:

- the predicted IoU;
- how central the click is (a normal curve over the mask's width and height);
- the prior of the view: stage 2's rank of its rough mask, or `ALONE` for a click without one;
- how well the drawings of the other windows agree;
- how small the drawing is compared with the photo.

A rough mask of which stage 2 is sure counts more, and a drawing that its window cuts off counts less. A drawing that
does not contain what was clicked counts half. Powers and factors were fitted to held-out photos.

The quality of a drawing is its expected IoU. It follows from the predicted IoU, or from a click's rank, by a logistic
curve that was fitted to held-out photos (Platt 1999) and is stored with the weights.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fastsam.boxes import iou, lengths
from fastsam.masks.lazy import probability
from fastsam.prompts import Box, Prompt
from fastsam.prompts.geometry import central
from fastsam.refine import maps as m
from fastsam.refine.crop import Window
from fastsam.refine.network import Refiner
from fastsam.refine.views import View

Float32 = npt.NDArray[np.float32]
Rank = npt.NDArray[np.float64]
BROKEN = 0.5  # factor on the quality for a foreground point outside, or a background point inside
OFF_CENTRE = 0.68  # deviation of a click from its object's centre, in widths and heights of its box
LEAST_PRIOR = 0.03
QUALITY, PRIOR, AGREEMENT, SMALL = 1.7, 0.86, 0.3, 0.4  # powers
SURE_PRIOR = 0.4  # a rough mask with at least this prior counts `TRUST` times as much
TRUST = 1.9
CUT = 0.56  # factor per side of the window that cuts a drawing off inside the photo


@dataclass(frozen=True)
class Drawing:
    """One mask on a window: its logits (G, G), its predicted IoU 0..1, and the view that it answers."""

    view: View
    logits: Float32
    quality: float

    @property
    def square(self) -> tuple[float, float, float]:
        """Left, top and side of the window in photo pixels."""
        return self.view.window.square

    @property
    def box(self) -> Box | None:
        """Bounds of the mask, xyxy in photo pixels, exact to a cell; None if it is empty."""
        on = self.logits > 0
        columns, rows = np.flatnonzero(on.any(0)), np.flatnonzero(on.any(1))
        if not len(columns):
            return None
        left, top, side = self.square
        step = side / len(self.logits)
        return (
            left + float(columns[0]) * step,
            top + float(rows[0]) * step,
            left + float(columns[-1] + 1) * step,
            top + float(rows[-1] + 1) * step,
        )

    @property
    def area(self) -> float:
        """Approximate area of the mask in photo pixels."""
        return float(np.count_nonzero(self.logits > 0)) * (self.square[2] / len(self.logits)) ** 2

    def cuts(self, size: tuple[int, int]) -> int:
        """Number of window sides that cut the mask off inside a photo of `size` (height, width)."""
        on, (left, top, side) = self.logits > 0, self.square
        beyond = (left > 0, top > 0, left + side < size[1], top + side < size[0])
        rims = (on[:, 0], on[0], on[:, -1], on[-1])
        return sum(more and bool(rim.any()) for more, rim in zip(beyond, rims, strict=True))


def judged(drawing: Drawing, prompt: Prompt) -> float:
    """A drawing's quality, times `BROKEN` per point of the prompt that it contradicts."""
    w, n = drawing.view.window, len(drawing.logits)
    quality = drawing.quality
    for (x, y), label in zip(prompt.points, prompt.labels or (), strict=True):
        column, row = (int(v // m.CELL) for v in w.point(x, y))
        held = 0 <= column < n and 0 <= row < n and drawing.logits[row, column] > 0
        if bool(held) != bool(label):
            quality *= BROKEN
    return quality


def ranks(found: Sequence[Drawing], prompt: Prompt, size: tuple[int, int]) -> Rank:
    """(N,) ranks of a prompt's drawings on a photo of `size` (height, width); 0 for an empty drawing."""
    boxes = [d.box for d in found]
    quality = np.array([0.0 if b is None else judged(d, prompt) for d, b in zip(found, boxes, strict=True)])
    if prompt.box is not None or prompt.mask is not None or not quality.any():
        return quality
    seen = np.array([(0, 0, 1, 1) if box is None else box for box in boxes], np.float64)
    b = np.clip(seen, 0, [size[1], size[0]] * 2)  # a window, and so a drawing, can reach beyond the photo
    sides = np.maximum(lengths(b), 1e-6)
    areas = np.maximum(np.minimum([d.area for d in found], sides.prod(1)), 1.0)
    middle = np.mean(prompt.foreground, axis=0)
    held = central(b, middle, OFF_CENTRE)
    prior = np.maximum([d.view.prior for d in found], LEAST_PRIOR)
    trusted = np.where([d.view.origin is not None and d.view.prior > SURE_PRIOR for d in found], TRUST, 1.0)
    small = (size[0] * size[1] / areas) ** SMALL
    agreed = agreement(b, areas, quality, [d.view.window for d in found]) ** AGREEMENT
    cut = CUT ** np.array([d.cuts(size) for d in found])
    return np.asarray(quality**QUALITY * held * prior**PRIOR * trusted * small * agreed * cut)


def qualities(rated: Rank, prompt: Prompt, refiner: Refiner) -> Rank:
    """(N,) expected IoU of drawings with these ranks, 0..1; 0 for a rank of 0."""
    if prompt.box is None and prompt.mask is None:
        (shift, slope), logits = refiner.meant, np.log(np.maximum(rated, 1e-6))
    else:
        shares = np.clip(rated, 1e-6, 1 - 1e-6)
        (shift, slope), logits = refiner.told, np.log(shares / (1 - shares))
    return np.where(rated > 0, probability(shift + slope * logits), 0.0)


def agreement(boxes: Rank, areas: Rank, quality: Rank, windows: Sequence[Window]) -> Rank:
    """(N,) how well each drawing agrees with the best drawing of each other window, by box and area, 0.02..1."""
    alike = iou(boxes[:, None], boxes[None])
    alike *= np.minimum(areas[:, None], areas[None]) / np.maximum(areas[:, None], areas[None])
    kinds = {window: k for k, window in enumerate(dict.fromkeys(windows))}
    of = np.array([kinds[window] for window in windows])
    votes = np.where(of[:, None] != of[None], alike * quality[None], 0)
    best = np.stack([votes[:, of == k].max(1) for k in kinds.values()], 1)
    return np.asarray(0.02 + best.sum(1) / max(1, len(kinds) - 1))
