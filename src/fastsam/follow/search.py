"""Looks for a thing that was lost.

Enters: a lost `Thing`, a frame, and now and then all that stage 1 finds there. Leaves: the `Thing`, found or not.

The rule. Each part of the frame is compared with what the thing, and all that was around it, looked like. The place
where it was last, the places that resemble it most, and every few frames the masks of stage 1 that do, are drawn by
the second network; the one that resembles it most is the thing, if it does so clearly.
"""

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.follow.eye import CELL, Eye
from fastsam.follow.memory import Memory, evidence, remember
from fastsam.follow.sight import Seen
from fastsam.follow.thing import CONTEXT, SIZE, Thing, drawn, kept
from fastsam.refine.crop import Window, about
from fastsam.refine.views import mask_crop, shares_in
from fastsam.segments import Segments

Float = npt.NDArray[np.float32]
UInt8 = npt.NDArray[np.uint8]
LONGEST = 448  # maximum side in pixels of the frame that is searched
PLACES = 2  # number of places that are drawn
LIKELY = 0.5  # evidence from which on a cell may show the thing
FOUND, USUAL = 2.2, 0.5  # least contrast for it to be the thing again: this, or a share of the usual one if less
WELL = 0.5  # minimum predicted IoU of such a mask
EVERY = 5  # stage 1 looks at every n-th frame in which the thing is lost
POINTS = 64  # pixels of a mask of stage 1 that are compared
FEWEST, LARGEST = 0.1, 6.0  # areas that a place may have, relative to the usual one
Find = Callable[[UInt8], Segments]


def search(thing: Thing, frame: UInt8, eye: Eye, find: Find, scene: Memory) -> Thing:
    """A lost thing in a frame (H, W, 3), found again or still lost.

    find: stage 1; scene: what the rest of the frame looked like where the user picked the thing
    """
    small, (fx, fy) = reduced(frame, thing.seen.window)
    values = evidence(eye.look(small), [*thing.memories, scene])
    roughs = [thing.seen, *blobs(values, (fx, fy), thing.area)]
    if thing.lost % EVERY == 1:
        roughs = [*alike(find(frame), values, (fx, fy), thing.area), *roughs]
    tries = [drawn(thing, frame, rough, eye) for rough in roughs]
    least = min(FOUND, USUAL * thing.usual)
    good = [one for one in tries if one.likeness >= least and one.quality >= WELL and sized(one)]
    if not good:
        return replace(thing, lost=thing.lost + 1)
    return kept(thing, max(good, key=lambda one: one.likeness * one.quality))


def sized(found: Thing) -> bool:
    """Whether a drawing has a size that the thing can have."""
    return found.seen.box is not None and FEWEST * found.area <= found.seen.area <= LARGEST * found.area


def scene_of(frame: UInt8, seen: Seen, eye: Eye) -> Memory:
    """What a frame looks like besides a thing."""
    small, (fx, fy) = reduced(frame, seen.window)
    features = eye.look(small)
    h, w = features.shape[:2]
    side = max(w / fx, h / fy) * CELL  # in photo pixels
    whole = seen.through(Window(0.0, 0.0, side, SIZE), 512)
    shares = cv2.resize(whole[: round(512 * h * CELL / fy / side), : round(512 * w * CELL / fx / side)], (w, h))
    flat = features.reshape(-1, features.shape[-1])
    return Memory(flat[:0], remember(features, np.asarray(cv2.dilate(shares, np.ones((3, 3))), np.float32)).around)


def reduced(frame: UInt8, window: Window) -> tuple[UInt8, tuple[float, float]]:
    """The frame, as large as a window shows it but at most `LONGEST`, and its pixels per photo pixel (x, y)."""
    h, w = frame.shape[:2]
    scale = min(SIZE / window.side, LONGEST / max(h, w))
    size = [max(32, round(side * scale / 32) * 32) for side in (w, h)]
    small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    return np.asarray(small, np.uint8), (size[0] / w, size[1] / h)


def blobs(values: Float, scale: tuple[float, float], area: float) -> list[Seen]:
    """The places (connected cells) with the most evidence (h, w), of an area that the thing can have."""
    smooth = cv2.GaussianBlur(values, (3, 3), 0)
    count, labels = cv2.connectedComponents((smooth > LIKELY).astype(np.uint8))
    cell = CELL * CELL / (scale[0] * scale[1])
    rated = []
    for k in range(1, count):
        on = labels == k
        if FEWEST * area <= np.count_nonzero(on) * cell <= LARGEST * area:
            rated.append((float(smooth[on].sum()), k))
    return [placed(labels == k, scale) for _, k in sorted(rated, reverse=True)[:PLACES]]


def placed(on: npt.NDArray[np.bool_], scale: tuple[float, float]) -> Seen:
    """A mask of cells (h, w) as what is seen in the photo."""
    step = CELL / scale[0], CELL / scale[1]
    mask = cv2.resize(on.astype(np.uint8), None, fx=step[0], fy=step[1], interpolation=cv2.INTER_NEAREST) > 0
    return seen_of(mask)


def seen_of(mask: npt.NDArray[np.bool_]) -> Seen:
    """A mask (H, W) as what is seen in the photo."""
    crop = mask_crop(mask)
    window = about(crop.bounds, CONTEXT, (SIZE,))
    return Seen(window, shares_in(crop, window))


def alike(found: Segments, values: Float, scale: tuple[float, float], area: float) -> list[Seen]:
    """The masks of stage 1 that have the most evidence (h, w) under them."""
    rated: list[tuple[float, int]] = []
    h, w = values.shape
    for i in np.flatnonzero((found.masks.areas >= FEWEST * area) & (found.masks.areas <= LARGEST * area)):
        cells = (found.masks.runs(int(i)).points(POINTS) * scale / CELL).astype(int)
        rated.append((float(values[np.minimum(cells[:, 1], h - 1), np.minimum(cells[:, 0], w - 1)].mean()), int(i)))
    best = sorted(rated, reverse=True)[:PLACES]
    return [seen_of(found.masks[i]) for value, i in best if value > LIKELY]
