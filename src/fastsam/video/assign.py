"""The best pairs: which row goes with which column so that the sum is largest. Exact; no library needed for it.

Enters: an array of gains. Leaves: pairs.
"""

import numpy as np
import numpy.typing as npt

Int = npt.NDArray[np.int64]


def pairs(gains: npt.NDArray[np.floating]) -> tuple[Int, Int]:
    """Rows and columns (P,) of the pairs with the largest sum of `gains` (N, M), in order of the rows.

    Each row and each column is in one pair at most. A gain of 0 or less is no pair.

    The shortest augmenting path per row (Jonker and Volgenant 1987), a column's step in one operation on arrays.
    Rows and columns without a gain above 0 are left out before.
    """
    values: npt.NDArray[np.float64] = np.maximum(np.asarray(gains, np.float64), 0)
    rows, columns = (np.flatnonzero((values > 0).any(axis)) for axis in (1, 0))
    if not len(rows):
        return rows, columns
    costs = -values[np.ix_(rows, columns)]
    turned = costs.shape[0] > costs.shape[1]
    found = complete(costs.T if turned else costs)
    a, b = (found, np.arange(len(found))) if turned else (np.arange(len(found)), found)
    a, b = rows[a], columns[b]
    real = values[a, b] > 0
    order = np.argsort(a[real], kind="stable")
    return a[real][order], b[real][order]


def complete(costs: npt.NDArray[np.float64]) -> Int:
    """The column (N,) of each row with the least sum of `costs` (N, M), N <= M."""
    n, m = costs.shape
    u, v = np.zeros(n), np.zeros(m)  # the dual: costs - u - v is never below 0, and 0 on the pairs
    owner = np.full(m, -1)
    for row in range(n):
        least, before = np.full(m, np.inf), np.full(m, -1)
        done = np.zeros(m, bool)
        current, reached, last = row, 0.0, -1
        while current >= 0:  # to the nearest column without an owner
            through = reached + costs[current] - u[current] - v
            better = ~done & (through < least)
            least[better], before[better] = through[better], last
            open_ = np.where(done, np.inf, least)
            last = int(open_.argmin())
            reached = float(open_[last])
            done[last] = True
            current = int(owner[last])
        owned = done.copy()
        owned[last] = False
        u[row] += reached
        u[owner[owned]] += reached - least[owned]
        v[done] -= reached - least[done]
        while last >= 0:  # turn the path over
            earlier = int(before[last])
            owner[last] = row if earlier < 0 else owner[earlier]
            last = earlier
    taken = np.flatnonzero(owner >= 0)
    found = np.empty(n, np.int64)
    found[owner[taken]] = taken
    return found
