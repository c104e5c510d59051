"""Chooses the windows on the photo in which a prompt is drawn, each with its prompt maps.

Enters: a photo's masks, prompts, and the picks of stage 2. Leaves: `View`s.

A box is seen with the mask that stage 2 chose for it. Unless the box of that mask fits well, it is also seen alone,
because a wrong mask misleads; the predicted IoU then decides. A click is seen with the mask that stage 2 ranks first,
and alone at two scales, because it can mean a part, an object or a group. A mask is seen as it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fastsam.masks.runs import Crop, bounds
from fastsam.prompts import Box, Pick, Prompt
from fastsam.prompts.geometry import on_photo
from fastsam.refine import maps as m
from fastsam.refine.crop import Window, about, see

Float32 = npt.NDArray[np.float32]
CONTEXT = 1.4  # side of a window, relative to the longer side of the box it shows
LOOSE = 1.6  # the same for several clicks, because the thing may reach beyond them
SCALES = (0.5, 0.125)  # sides of windows around a click alone, relative to the photo's longer side
FIRST = (96,)  # sizes of crops for a click's first looks
FITS = 0.8  # minimum IoU of a box and its mask's box for the box not to be seen alone
ALONE = 0.3  # prior of a click without a rough mask, comparable with stage 2's rank of a mask


@dataclass(frozen=True)
class View:
    """One look at a prompt.

    window: the part of the photo; maps: (4, S / 2, S / 2) float32 prompt maps
    origin: index of the segment that gives the rough mask, or None; prior: how likely this view is, 0..1
    """

    window: Window
    maps: Float32
    origin: int | None = None
    prior: float = 1.0


def views(prompt: Prompt, pick: Pick, size: tuple[int, int]) -> list[View]:
    """The views of a prompt on a photo of `size` (height, width), for which stage 2 chose `pick`."""
    if prompt.mask is not None:
        rough = mask_crop(prompt.mask)
        window = about(reach(rough.bounds if prompt.box is None else prompt.box, prompt.points), CONTEXT)
        return [View(window, said(prompt, window, shares_in(rough, window)))]
    if prompt.box is not None:
        window = about(reach(on_photo(prompt.box, size), prompt.points), CONTEXT)
        found = []
        for best in pick.candidates[:1]:
            maps = said(prompt, window, shares_in(best.runs.crop(), window))
            found.append(View(window, maps, origin=best.index))
        if not found or pick.how != "mask" or pick.score < FITS:
            found.append(View(window, said(prompt, window)))
        return found
    return [*from_rough(prompt, pick), *alone(prompt, size)]


def from_rough(prompt: Prompt, pick: Pick) -> list[View]:
    """The view of a prompt with points and the mask that stage 2 ranks first; [] if there is no such mask."""
    found = []
    for candidate in pick.candidates[:1]:
        crop = candidate.runs.crop()
        window = about(reach(crop.bounds, prompt.points), CONTEXT, FIRST)
        maps = said(prompt, window, shares_in(crop, window))
        found.append(View(window, maps, origin=candidate.index, prior=candidate.score))
    return found


def alone(prompt: Prompt, size: tuple[int, int]) -> list[View]:
    """Views of a prompt with points alone, one per scale at which the foreground points fit."""
    inner = prompt.foreground
    spread = reach((*inner[0], *inner[0]), inner)
    longest = max(spread[2] - spread[0], spread[3] - spread[1]) * LOOSE
    x, y = (spread[0] + spread[2]) / 2, (spread[1] + spread[3]) / 2
    found = []
    for scale in SCALES:
        half = max(max(size) * scale, longest if scale == max(SCALES) else 0.0) / 2
        if 2 * half >= longest:
            window = about(inside((x - half, y - half, x + half, y + half), size), 1.0, FIRST)
            found.append(View(window, said(prompt, window), prior=ALONE))
    return found


def said(prompt: Prompt, window: Window, rough: Float32 | None = None) -> Float32:
    """The maps of a prompt in a window. rough: shares (S / 2, S / 2) of a rough mask, if there is one"""
    maps = m.empty(window.size)
    if rough is not None:
        m.put_mask(maps, rough)
    if prompt.box is not None:
        m.put_box(maps, window.box(prompt.box))
    for (x, y), label in zip(prompt.points, prompt.labels or (), strict=True):
        m.put_click(maps, *window.point(x, y), bool(label))
    return maps


def shares_in(rough: Crop, window: Window) -> Float32:
    """Share (S / 2, S / 2) of each cell of a window that a mask covers."""
    x, y = rough.offset
    moved = Window(window.x0 - x + 1, window.y0 - y + 1, window.side, window.size)
    pixels = np.zeros((rough.pixels.shape[0] + 2, rough.pixels.shape[1] + 2), np.uint8)
    np.multiply(rough.pixels, np.uint8(255), out=pixels[1:-1, 1:-1])
    return m.shares_of(see(pixels, moved))


def mask_crop(mask: npt.NDArray[np.bool_]) -> Crop:
    """A mask (H, W) within its bounds."""
    x0, y0, x1, y1 = bounds(mask)
    return Crop((x0, y0), mask[y0:y1, x0:x1])


def reach(box: Box | tuple[float, ...], points: Sequence[tuple[float, ...]]) -> Box:
    """The smallest box around a box and points."""
    x0, y0, x1, y1 = box
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    return min([x0, *xs]), min([y0, *ys]), max([x1, *xs]), max([y1, *ys])


def inside(box: Box, size: tuple[int, int]) -> Box:
    """A square moved onto a photo of `size` (height, width), as far as it fits."""
    x0, y0, side = box[0], box[1], box[2] - box[0]
    left = (size[1] - side) / 2 if side >= size[1] else min(max(x0, 0.0), size[1] - side)
    top = (size[0] - side) / 2 if side >= size[0] else min(max(y0, 0.0), size[0] - side)
    return left, top, left + side, top + side
