"""Which masks contain which, and how stable each mask is.

Enters: masks. Leaves: shares, parents, stabilities.
"""

import numpy as np
import numpy.typing as npt

from fastsam.masks.lazy import Masks

Float32 = npt.NDArray[np.float32]
SAMPLE = 256  # maximum number of pixels per mask that are looked up in the other masks
LEAST_PART_SHARE = 0.9  # minimum share of a mask within another for it to be a part of that one


def containment(masks: Masks) -> Float32:
    """(N, N) share of mask i within mask j, judged by up to 256 evenly spread pixels; 0 for i = j."""
    shares = np.zeros((len(masks), len(masks)), np.float32)
    for i, runs in enumerate(masks.all_runs()):
        points = runs.points(SAMPLE)
        if len(points) == 0:
            continue
        shares[i] = (masks.logits_at(points) > 0).mean(1)
        shares[i, i] = 0
    return shares


def parents(masks: Masks) -> npt.NDArray[np.int64]:
    """(N,) index of the smallest larger mask that contains at least 0.9 of each mask; -1 if there is none."""
    areas, shares = masks.areas, containment(masks)
    found = np.full(len(masks), -1, np.int64)
    for i in range(len(masks)):
        holds = np.flatnonzero((shares[i] >= LEAST_PART_SHARE) & (areas > areas[i]))
        if len(holds):
            found[i] = holds[areas[holds].argmin()]
    return found


def stability(masks: Masks, offset: float = 1.0) -> Float32:
    """(N,) IoU of each mask cut at logit `offset` with the same mask cut at -`offset` (Kirillov et al. 2023)."""
    narrow, wide = (np.array([runs.area for runs in masks.all_runs(above)]) for above in (offset, -offset))
    return np.asarray(narrow / np.maximum(wide, 1), np.float32)
