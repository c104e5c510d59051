"""The mask that a thing had in the last frame of a video, where this frame is a `Scene`.

Enters: a `Scene`. Leaves: shares (S / 2, S / 2) of a rough mask, for `prompts`.

Between two frames a thing moves, turns, grows and bends. It was whole and is now hidden in part, or the reverse. The
last drawing had errors of its own: an edge too far out, a lost part, a piece of the neighbour.
"""

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.refine import maps as m
from fastsam.training.refine.scenes import Scene

Float = npt.NDArray[np.float32]
TRIES = 6
SHARED = 0.25  # minimum IoU of the last mask and this one: with less, nothing says which thing is meant
BENDS = 5  # side of the grid of random displacements that bend a mask


def last_mask(scene: Scene, rng: np.random.Generator) -> Float:
    """The last frame's mask of a scene's thing; the present one if none of several tries still meets it."""
    truth = m.shares_of(scene.mask)
    for _ in range(TRIES):
        start = scene.mask if scene.before is None or rng.random() < 0.5 else scene.before
        mask = warped(m.shares_of(start), rng)
        if rng.random() < 0.2:
            mask = bitten(mask, rng)
        if scene.other is not None and rng.random() < 0.15:
            mask = np.maximum(mask, bitten(m.shares_of(scene.other), rng))
        mask = softened(mask, rng)
        a, b = mask > 0.5, truth > 0.5
        if np.count_nonzero(a & b) > SHARED * np.count_nonzero(a | b):
            return mask
    return truth


def warped(mask: Float, rng: np.random.Generator) -> Float:
    """Moved, turned, scaled and bent, by shares of the mask's own size."""
    side = mask.shape[0]
    ys, xs = np.nonzero(mask > 0.5)
    if len(xs) == 0:
        return mask
    centre, size = np.array([xs.mean(), ys.mean()]), float(max(np.ptp(xs), np.ptp(ys)) + 1)
    strength = rng.uniform(0.2, 1.0) * (2.5 if rng.random() < 0.15 else 1.0)
    angle = rng.normal(0, 0.1 * strength)
    c, s = np.cos(angle), np.sin(angle)
    stretch = np.diag(np.exp(rng.normal(0, 0.08 * strength, 2)))
    linear = np.array([[c, -s], [s, c]]) @ stretch
    shift = rng.normal(0, 0.07 * strength, 2) * size
    bends = rng.normal(0, 0.05 * strength * size, (BENDS, BENDS, 2)).astype(np.float32)
    field = cv2.resize(bends, (side, side), interpolation=cv2.INTER_CUBIC)
    places = np.stack(np.meshgrid(np.arange(side), np.arange(side)), -1) - centre
    back = (places @ linear.T + centre + shift + field).astype(np.float32)
    return np.asarray(cv2.remap(mask, back[..., 0], back[..., 1], cv2.INTER_LINEAR), np.float32)


def bitten(mask: Float, rng: np.random.Generator) -> Float:
    """Without a part: something lay before it, or the last drawing lost it."""
    ys, xs = np.nonzero(mask > 0.5)
    if len(xs) == 0:
        return mask
    k = int(rng.integers(len(xs)))
    size = max(np.ptp(xs), np.ptp(ys)) + 1
    axes = (max(1, int(size * rng.uniform(0.15, 0.5))), max(1, int(size * rng.uniform(0.15, 0.5))))
    out = mask.copy()
    cv2.ellipse(out, (int(xs[k]), int(ys[k])), axes, float(rng.uniform(0, 180)), 0, 360, 0.0, -1)
    return out if out.max() > 0.5 else mask


def softened(mask: Float, rng: np.random.Generator) -> Float:
    """With the errors of an earlier drawing: its edge further in or out, blurred or hard."""
    side = mask.shape[0]
    blurred = cv2.GaussianBlur(mask, (0, 0), float(rng.uniform(0.5, side / 24)))
    level = float(np.clip(rng.normal(0.5, 0.1), 0.2, 0.8))
    steep = float(np.exp(rng.uniform(np.log(2), np.log(20))))
    drawn = np.clip((blurred - level) * steep + 0.5, 0, 1)
    if rng.random() < 0.5:
        drawn = (drawn > 0.5).astype(np.float32)
    return np.asarray(drawn, np.float32)
