"""One mask per object among masks of one name.

Enters: masks that a word names, and how well each does. Leaves: which of them stay.

The rule. The best mask stays, then the next best that shares less than half of its pixels, or of the other's, with each
that stays: so parts of an object go, and what is around it. A mask that two or more others divide among them, which lie
within it, apart from one another, and cover more than half of it, is a group of objects: it ranks half as high as it
would. A mask that ranks below three tenths of the best is not named: the name is rarely right. (On 43 held-out photos
of the training sets, for 13 words: one mask per object leaves 417 masks, of which 25% are objects of their own, with an
IoU of one half, and which find 41% of the objects; of the 141 above three tenths 60% are, and they find 33%.)
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt

from fastsam.boxes import shared_area
from fastsam.masks.lazy import Masks
from fastsam.masks.runs import Runs, overlap_of

Share = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
SAME_OBJECT_SHARE = 0.5  # minimum shared share of the smaller of two masks for both to show one object
LEAST_MEMBER_SHARE = 0.8  # minimum share of a mask within another for it to be a member of that group
MEMBER_AREAS = (0.1, 0.8)  # minimum and maximum area of a member, relative to its group's
GROUP_FACTOR = 0.5  # factor on a group's rank
LEAST_RANK = 0.3  # minimum rank, relative to the best


def distinct(masks: Masks, ranks: Share) -> Int:
    """Indices, in order, of the masks (N) with `ranks` (N,) that stay."""
    if len(masks) < 2:
        return np.arange(len(masks))
    runs = list(masks.all_runs())
    areas = np.array([one.area for one in runs], np.int64)
    shared = shares(runs, areas, masks.size[0])
    ranks = np.where(groups(shared, areas), GROUP_FACTOR, 1) * ranks
    least = LEAST_RANK * ranks.max()
    kept: list[int] = []
    for i in np.argsort(-ranks, kind="stable").tolist():
        if ranks[i] >= least and (shared[i, kept] < SAME_OBJECT_SHARE).all():
            kept.append(i)
    return np.array(sorted(kept), np.int64)


def shares(runs: Sequence[Runs], areas: Int, height: int) -> Share:
    """(N, N) pixels that two masks share, over the smaller one's; 0 on the diagonal and below `SAME_OBJECT_SHARE`.

    areas: (N,) of the masks; height: of the photo
    """
    bounds = np.array([r.bounds for r in runs], np.int64)
    smaller = np.maximum(np.minimum(areas[:, None], areas[None]), 1)
    likely = shared_area(bounds[:, None], bounds[None]) >= SAME_OBJECT_SHARE * smaller
    found = np.zeros((len(runs), len(runs)))
    for i, j in combinations(range(len(runs)), 2):
        if likely[i, j]:
            share = overlap_of(runs[i], runs[j], height) / smaller[i, j]
            found[i, j] = found[j, i] = share if share >= SAME_OBJECT_SHARE else 0
    return found


def groups(shared: Share, areas: Int) -> npt.NDArray[np.bool_]:
    """(N,) whether a mask is divided among others, by what they share (N, N) and their areas (N,)."""
    found = np.zeros(len(areas), bool)
    for i, area in enumerate(areas):
        least, most = (limit * area for limit in MEMBER_AREAS)
        inside = np.flatnonzero((shared[i] >= LEAST_MEMBER_SHARE) & (areas >= least) & (areas < most))
        members: list[int] = []
        for j in inside[np.argsort(-areas[inside], kind="stable")].tolist():
            if (shared[j, members] == 0).all():
                members.append(j)
        found[i] = len(members) > 1 and areas[members].sum() > area / 2
    return found
