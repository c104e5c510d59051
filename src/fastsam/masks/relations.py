"""How masks lie to each other, and how sure each is of itself.

Enters: masks. Leaves: shares, parents, stabilities.
"""

import numpy as np
import numpy.typing as npt

from fastsam.masks.lazy import Masks

Float = npt.NDArray[np.float32]
SAMPLE = 256  # pixels of a mask that are looked up in the others
WITHIN = 0.9  # share of a mask within another from which on it is a part of it


def containment(masks: Masks) -> Float:
    """(N, N) share of mask i that lies within mask j, from at most 256 of its pixels, spread evenly; 0 for i = j."""
    shares = np.zeros((len(masks), len(masks)), np.float32)
    for i, runs in enumerate(masks.all_runs()):
        points = runs.points(SAMPLE)
        if len(points) == 0:
            continue
        shares[i] = (masks.logits_at(points) > 0).mean(1)
        shares[i, i] = 0
    return shares


def parents(masks: Masks) -> npt.NDArray[np.int64]:
    """(N,) the smallest larger mask of which each is a part, -1 for none: 0.9 of it must lie within."""
    areas, shares = masks.areas, containment(masks)
    found = np.full(len(masks), -1, np.int64)
    for i in range(len(masks)):
        holds = np.flatnonzero((shares[i] >= WITHIN) & (areas > areas[i]))
        if len(holds):
            found[i] = holds[areas[holds].argmin()]
    return found


def stability(masks: Masks, offset: float = 1.0) -> Float:
    """(N,) IoU of each mask cut at logits `offset` above 0 with the one cut as far below (Kirillov et al. 2023)."""
    narrow, wide = (np.array([runs.area for runs in masks.all_runs(above)]) for above in (offset, -offset))
    return np.asarray(narrow / np.maximum(wide, 1), np.float32)
