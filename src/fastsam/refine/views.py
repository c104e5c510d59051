"""What to look at to answer a prompt: windows on the photo, each with what was said of the thing in it.

Enters: a photo's masks, prompts and what stage 2 chose for each. Leaves: `View`s, for `draw`.

A box is seen twice: alone, and with the mask that stage 2 chose for it, because a wrong mask misleads and a right one
helps. A click is seen with each mask that stage 2 ranks first, and alone at several scales, because it may mean a part,
an object or a group. A mask is seen as it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from fastsam.masks.runs import Crop
from fastsam.prompts import Box, Pick, Prompt
from fastsam.refine import maps as m
from fastsam.refine.crop import Window, about, see

Float = npt.NDArray[np.float32]
CONTEXT = 1.35  # a window's side over the longer side of what it is about
LOOSE = 1.6  # the same for several clicks, of which nobody knows how far the thing reaches
SCALES = (1.0, 0.5, 0.2)  # sides of windows about a click alone, over the photo's longer side
ROUGH = 2  # masks of stage 2 that are tried for a click


@dataclass(frozen=True)
class View:
    """One look at what one prompt means.

    prompt: its number; window: where; maps: (4, S / 2, S / 2); clicks: foreground points in photo pixels
    several: whether the network's three further masks answer as well
    origin: the segment whose mask is the rough one, None if there is none
    """

    prompt: int
    window: Window
    maps: Float
    clicks: tuple[tuple[float, float], ...] = ()
    several: bool = False
    origin: int | None = None


def views(number: int, prompt: Prompt, pick: Pick, size: tuple[int, int]) -> list[View]:
    """The views of prompt `number` on a photo of `size` (height, width), for which stage 2 chose `pick`."""
    if prompt.mask is not None:
        rough = mask_crop(prompt.mask)
        box = reach(rough.bounds if prompt.box is None else prompt.box, prompt.points)
        return [view(number, prompt, about(box, CONTEXT), rough)]
    if prompt.box is not None:
        window = about(reach(clipped(prompt.box, size), prompt.points), CONTEXT)
        found = [view(number, prompt, window)]
        if pick:
            best = pick.candidates[0]
            found.append(view(number, prompt, window, best.runs.crop(), best.index))
        return found
    return of_clicks(number, prompt, pick, size)


def of_clicks(number: int, prompt: Prompt, pick: Pick, size: tuple[int, int]) -> list[View]:
    """The views of a prompt of points alone."""
    found = []
    for candidate in pick.candidates[:ROUGH]:
        crop = candidate.runs.crop()
        window = about(reach(crop.bounds, prompt.points), CONTEXT)
        found.append(view(number, prompt, window, crop, candidate.index))
    inner = [p for p, label in zip(prompt.points, prompt.labels or (), strict=True) if label]
    spread = reach((*inner[0], *inner[0]), inner)
    longest = max(spread[2] - spread[0], spread[3] - spread[1])
    single = len(prompt.points) == 1
    for scale in SCALES:
        side = max(size) * scale
        if side >= longest * LOOSE or scale == max(SCALES):
            middle = (spread[0] + spread[2]) / 2, (spread[1] + spread[3]) / 2
            square = (middle[0] - side / 2, middle[1] - side / 2, middle[0] + side / 2, middle[1] + side / 2)
            found.append(replace(view(number, prompt, about(inside(square, size), 1.0)), several=single))
    return found


def view(number: int, prompt: Prompt, window: Window, rough: Crop | None = None, origin: int | None = None) -> View:
    """A look at a prompt through a window, with a rough mask if there is one."""
    maps = m.empty(window.size)
    if rough is not None:
        m.put_mask(maps, shares_in(rough, window))
    if prompt.box is not None:
        m.put_box(maps, window.box(prompt.box))
    for (x, y), label in zip(prompt.points, prompt.labels or (), strict=True):
        m.put_click(maps, *window.point(x, y), bool(label))
    inner = tuple(p for p, label in zip(prompt.points, prompt.labels or (), strict=True) if label)
    return View(number, window, maps, inner, origin=origin)


def shares_in(rough: Crop, window: Window) -> Float:
    """Shares (S / 2, S / 2) of a window's cells that a mask covers."""
    x, y = rough.offset
    moved = Window(window.x0 - x + 1, window.y0 - y + 1, window.side, window.size)
    pixels = np.pad(rough.pixels, 1).astype(np.uint8) * np.uint8(255)
    return m.shares_of(see(pixels, moved))


def mask_crop(mask: npt.NDArray[np.bool_]) -> Crop:
    """A mask (H, W) within its bounds."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    y0, y1, x0, x1 = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    return Crop((x0, y0), mask[y0:y1, x0:x1])


def reach(box: Box | tuple[float, ...], points: Sequence[tuple[float, ...]]) -> Box:
    """The box of a box and of points."""
    x0, y0, x1, y1 = box
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    return min([x0, *xs]), min([y0, *ys]), max([x1, *xs]), max([y1, *ys])


def clipped(box: Box, size: tuple[int, int]) -> Box:
    """What of a box lies on a photo of `size` (height, width)."""
    return max(box[0], 0.0), max(box[1], 0.0), min(box[2], float(size[1])), min(box[3], float(size[0]))


def inside(box: Box, size: tuple[int, int]) -> Box:
    """A square moved onto a photo of `size` (height, width), as far as it fits."""
    x0, y0, side = box[0], box[1], box[2] - box[0]
    left = (size[1] - side) / 2 if side >= size[1] else min(max(x0, 0.0), size[1] - side)
    top = (size[0] - side) / 2 if side >= size[0] else min(max(y0, 0.0), size[0] - side)
    return left, top, left + side, top + side
