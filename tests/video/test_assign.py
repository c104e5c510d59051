"""The pairs are the best ones: compared with scipy, and by hand."""

import numpy as np
import pytest

from fastsam.video.assign import pairs


def test_the_sum_is_that_of_scipy() -> None:
    optimize = pytest.importorskip("scipy.optimize", reason="scipy is not installed")
    rng = np.random.default_rng(0)
    for _ in range(500):
        gains = rng.random(rng.integers(0, 9, 2)) * (rng.random() < rng.random(1))
        gains = np.where(rng.random(gains.shape) < rng.random(), gains, 0).round(int(rng.integers(1, 4)))
        rows, columns = pairs(gains)
        assert len(set(rows.tolist())) == len(rows) == len(set(columns.tolist()))
        best = gains[optimize.linear_sum_assignment(gains, maximize=True)].sum()
        assert gains[rows, columns].sum() == pytest.approx(best)


def test_the_best_sum_wins_over_the_best_pair() -> None:
    rows, columns = pairs(np.array([[0.9, 0.8], [0.8, 0.1]]))
    assert (rows.tolist(), columns.tolist()) == ([0, 1], [1, 0])


def test_what_gains_nothing_is_no_pair() -> None:
    rows, columns = pairs(np.array([[0.0, -1.0, 0.5], [0.0, 0.0, 0.0]]))
    assert (rows.tolist(), columns.tolist()) == ([0], [2])
    assert [len(one) for one in pairs(np.zeros((0, 4)))] == [0, 0]
