"""What a thing and its surroundings look like: features of the second network, remembered cell by cell.

Enters: features of a crop, and where the thing is in it. Leaves: `Memory`s, and the evidence that they give of others.

A cell of a new frame resembles the thing if the nearest remembered cell of the thing is nearer than the nearest one of
the surroundings (as in VideoMatch, Hu et al. 2018, and FEELVOS, Voigtlaender et al. 2019, arXiv 1902.09513).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Float = npt.NDArray[np.float32]
COVERED, FREE = 0.5, 0.1  # shares of cells that count as the thing, and as surroundings
GAIN = 20.0  # evidence per difference of two squared distances
OPPOSITE = 1.0  # evidence that contradicts a mask
MOST = 3.0  # maximum evidence of a cell for or against the thing


@dataclass(frozen=True)
class Memory:
    """One view of a thing: features of its cells (K, C) and of the cells around it (L, C), each of length 1."""

    thing: Float
    around: Float


def remember(features: Float, shares: Float, sure: Sequence[Memory] = ()) -> Memory:
    """The memory of a view: features (n, n, C) of its cells and shares (n, n) that the thing covers.

    sure: other memories; cells of which these clearly say the opposite are left out
    """
    flat, covered = features.reshape(-1, features.shape[-1]), shares.reshape(-1)
    inside = covered > min(COVERED, 0.9 * float(covered.max()))  # a thin thing covers no cell by half
    outside = covered < FREE
    if sure:
        speaks = evidence(features, sure).reshape(-1)
        inside, outside = inside & (speaks > -OPPOSITE), outside & (speaks < OPPOSITE)
    return Memory(flat[inside], flat[outside])


def evidence(features: Float, memories: Sequence[Memory]) -> Float:
    """For and against the thing in each cell, (h, w) from -MOST to MOST, of features (h, w, C)."""
    flat = features.reshape(-1, features.shape[-1])
    near, far = (nearest(flat, [getattr(v, name) for v in memories]) for name in ("thing", "around"))
    speaks = np.clip((far - near) * GAIN, -MOST, MOST).reshape(features.shape[:2])
    return np.asarray(speaks, np.float32)


def nearest(features: Float, others: Sequence[Float]) -> Float:
    """(N,) squared distance of each of N features to the nearest of several sets; 2 if these are empty."""
    best = np.max([(features @ o.T).max(1, initial=0) for o in others], 0)
    return np.asarray(2 - 2 * best, np.float32)


def spread(values: Float, cells: int) -> Float:
    """Evidence (n, n) on a finer grid (cells, cells), smoothed."""
    smooth = cv2.GaussianBlur(values, (3, 3), 0)
    return np.asarray(cv2.resize(smooth, (cells, cells), interpolation=cv2.INTER_LINEAR), np.float32)
