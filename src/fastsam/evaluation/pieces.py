"""Counts into how many masks an annotated region was cut.

Enters: masks found and one annotated region. Leaves: a number of masks, or None.
"""

import numpy as np
import numpy.typing as npt

Float = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

COVERED = 0.9  # share of the region that the pieces cover
INSIDE = 0.8  # share of a mask that lies in the region if it is a piece of it


def pieces(found: Bool, region: Bool) -> int | None:
    """How many masks cover a region to 90%, taken greedily: the one that adds most comes next.

    None if the masks inside the region do not cover so much of it. A mask is a piece if 80% of it lie in the region.

    found: (N, P) masks and region: (P,) of the same P pixels
    """
    inside = found[:, region].sum(1)
    rows = found[(inside > 0) & (inside >= INSIDE * found.sum(1))][:, region]
    missing = np.ones(int(region.sum()), bool)
    for taken in range(1, len(rows) + 1):
        gains = (rows & missing).sum(1)
        best = int(gains.argmax())
        if not gains[best]:
            return None
        missing &= ~rows[best]
        if (~missing).mean() >= COVERED:
            return taken
    return None
