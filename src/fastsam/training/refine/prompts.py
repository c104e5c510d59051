"""What a user might say of a thing: its box drawn in haste, a rough mask, clicks.

Enters: a `Scene`. Leaves: prompt maps (see `fastsam/refine/maps.py`), for `samples` and, click after click, `learner`.

Rough masks are the true one damaged in the ways in which first networks damage them: coarse, eroded, shifted, cut in
half along a straight seam, with islands, holes or a part of the neighbour, and now and then the neighbour alone.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.refine import maps as m
from fastsam.training.refine.last import last_mask
from fastsam.training.refine.scenes import Scene, inner_point

UInt8 = npt.NDArray[np.uint8]
Float32 = npt.NDArray[np.float32]
BOX, BOX_AND_MASK, BOX_AND_CLICK, MASK, CLICK = "box", "box and mask", "box and click", "mask", "click"
LAST = "last"  # the mask of a video's last frame


@dataclass(frozen=True)
class Habits:
    """How often a sample's prompt is of each kind; the rest are clicks alone.

    jitter: standard deviation of a box's sides, as a share of its own
    sloppy: share of boxes whose sides are off by three times that
    pointed: share of prompts with a rough mask that have a click too, as a click upon a found mask has
    last: how often the prompt is the mask of a video's last frame (see `last.py`)
    """

    box: float = 0.22
    box_and_mask: float = 0.28
    box_and_click: float = 0.06
    mask: float = 0.09
    jitter: float = 0.05
    sloppy: float = 0.15
    pointed: float = 0.0
    last: float = 0.0

    def kind(self, chance: float) -> str:
        """The kind of prompt at a number 0..1."""
        kinds = ((BOX, self.box), (BOX_AND_MASK, self.box_and_mask), (BOX_AND_CLICK, self.box_and_click))
        for kind, share in (*kinds, (MASK, self.mask), (LAST, self.last)):
            if chance < share:
                return kind
            chance -= share
        return CLICK


def draw(scene: Scene, kind: str, habits: Habits, rng: np.random.Generator) -> Float32:
    """The maps of a prompt of a kind."""
    size = scene.mask.shape[0]
    maps = m.empty(size)
    if kind in (BOX, BOX_AND_MASK, BOX_AND_CLICK):
        m.put_box(maps, hasty_box(scene.mask, habits, rng))
    if kind in (BOX_AND_MASK, MASK):
        m.put_mask(maps, rough(scene, rng))
    if kind == LAST:
        m.put_mask(maps, last_mask(scene, rng))
    pointed = kind in (BOX_AND_MASK, MASK) and habits.pointed > 0 and rng.random() < habits.pointed
    if pointed or kind in (CLICK, BOX_AND_CLICK):
        m.put_click(maps, *(scene.click or inner_point(scene.mask, rng)), True)
    return maps


def hasty_box(mask: UInt8, habits: Habits, rng: np.random.Generator) -> tuple[float, float, float, float]:
    """The box of a mask, each side moved."""
    on = mask > 127
    xs, ys = np.flatnonzero(on.any(0)), np.flatnonzero(on.any(1))
    box = np.array([xs[0], ys[0], xs[-1] + 1, ys[-1] + 1], np.float64)
    spread = habits.jitter * (3 if rng.random() < habits.sloppy else rng.uniform(0, 1.5))
    box += rng.normal(0, spread, 4) * np.tile(box[2:] - box[:2], 2)
    x0, y0, x1, y1 = (float(v) for v in box)
    return min(x0, x1 - 1), min(y0, y1 - 1), x1, y1


def next_click(
    found: npt.NDArray[np.bool_], truth: npt.NDArray[np.bool_], rng: np.random.Generator
) -> tuple[float, float, bool] | None:
    """The next click upon an answer, in pixels of the two masks: in the largest wrong region, away from its edge.

    None if nothing is wrong. RITM's rule (Sofiiuk et al. 2021, arXiv 2102.06583), whose point is drawn at random from
    the half of the region that lies deepest.
    """
    best: tuple[float, Float32, bool] | None = None
    for wrong, positive in ((truth & ~found, True), (found & ~truth, False)):
        depth = cv2.distanceTransform(np.pad(wrong.astype(np.uint8), 1), cv2.DIST_L2, 3)[1:-1, 1:-1]
        deepest = float(depth.max())
        if deepest > 0 and (best is None or deepest > best[0]):
            best = deepest, depth, positive
    if best is None:
        return None
    deepest, depth, positive = best
    ys, xs = np.nonzero(depth >= deepest * 0.5)
    k = int(rng.integers(len(xs)))
    return float(xs[k]) + 0.5, float(ys[k]) + 0.5, positive


def rough(scene: Scene, rng: np.random.Generator) -> Float32:
    """Shares (S / 2, S / 2) of a rough mask of a scene's thing."""
    truth = m.shares_of(scene.mask)
    other = None if scene.other is None else m.shares_of(scene.other)
    if other is not None and other.max() > 0.5 and rng.random() < 0.05:
        return coarse(other, rng)
    mask = truth
    for change in (moved, coarse, resized):
        if rng.random() < 0.4:
            mask = change(mask, rng)
    if rng.random() < 0.25:
        mask = halved(mask, rng)
    if other is not None and rng.random() < 0.25:
        mask = np.maximum(mask, halved(other, rng))
    if rng.random() < 0.35:
        mask = speckled(mask, rng)
    if rng.random() < 0.5:
        mask = (mask > 0.5).astype(np.float32)
    return mask if mask.max() > 0.5 else truth


def moved(mask: Float32, rng: np.random.Generator) -> Float32:
    """Shifted and stretched a little, as a mask of the last frame of a video is."""
    side = mask.shape[0]
    linear = np.eye(2) + rng.normal(0, 0.06, (2, 2))
    shift = rng.normal(0, 0.05, 2) * side + (np.eye(2) - linear) @ np.full(2, side / 2)
    return np.asarray(cv2.warpAffine(mask, np.hstack((linear, shift[:, None])), (side, side)), np.float32)


def coarse(mask: Float32, rng: np.random.Generator) -> Float32:
    """As if drawn on few pixels."""
    side = mask.shape[0]
    small = int(rng.integers(6, max(7, side // 2)))
    low = cv2.resize(mask, (small, small), interpolation=cv2.INTER_AREA)
    low = low + rng.normal(0, 0.12, low.shape).astype(np.float32)
    up = cv2.resize(low, (side, side), interpolation=cv2.INTER_CUBIC if rng.random() < 0.5 else cv2.INTER_LINEAR)
    return np.asarray(np.clip((up - 0.5) * rng.uniform(1, 8) + 0.5, 0, 1), np.float32)


def resized(mask: Float32, rng: np.random.Generator) -> Float32:
    """Eroded or dilated."""
    k = 2 * int(rng.integers(1, max(2, mask.shape[0] // 20))) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (k, k))
    changed = cv2.erode(mask, kernel) if rng.random() < 0.5 else cv2.dilate(mask, kernel)
    return np.asarray(changed if changed.max() > 0.5 else mask, np.float32)


def halved(mask: Float32, rng: np.random.Generator) -> Float32:
    """Cut off along a straight line, most often one along an axis."""
    ys, xs = np.nonzero(mask > 0.5)
    if len(xs) == 0:
        return mask
    angle = rng.integers(4) * np.pi / 2 if rng.random() < 0.7 else rng.uniform(0, 2 * np.pi)
    c, s = np.cos(angle), np.sin(angle)
    limit = np.quantile(xs * c + ys * s, rng.uniform(0.25, 0.9))
    rows, columns = np.mgrid[: mask.shape[0], : mask.shape[1]]
    return np.asarray(np.where(columns * c + rows * s > limit, 0, mask), np.float32)


def speckled(mask: Float32, rng: np.random.Generator) -> Float32:
    """With islands and holes."""
    out, side = mask.copy(), mask.shape[0]
    for _ in range(rng.integers(1, 5)):
        centre = (int(rng.integers(side)), int(rng.integers(side)))
        axes = tuple(int(v) for v in rng.integers(1, max(2, side // 10), 2))
        cv2.ellipse(out, centre, axes, float(rng.uniform(0, 180)), 0, 360, float(rng.integers(2)), -1)
    return out
