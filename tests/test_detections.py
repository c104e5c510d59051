"""Thresholding and suppression, against the loop one would write first."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fastsam import UsageError
from fastsam.detections import detections, suppress, suppress_softly


def slow_suppress(boxes: np.ndarray, classes: np.ndarray, iou: float, most: int) -> list[int]:
    kept: list[int] = []
    for i in range(len(boxes)):
        if len(kept) < most and all(classes[i] != classes[j] or overlap(boxes[i], boxes[j]) <= iou for j in kept):
            kept.append(i)
    return kept


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    w = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    h = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - w * h
    return w * h / union


@given(st.integers(0, 40), st.sampled_from([0.0, 0.3, 0.7, 0.95]), st.integers(1, 50), st.integers(0, 10**6))
@example(40, 0.7, 15, 16140)  # an IoU of 0.7 exactly
def test_suppression_equals_the_slow_reference(n: int, iou: float, most: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    corner = rng.integers(0, 20, (n, 2))
    boxes = np.concatenate((corner, corner + rng.integers(1, 20, (n, 2))), 1).astype(np.float32)
    classes = rng.integers(0, 3, n)
    assert suppress(boxes, classes, iou, most).tolist() == slow_suppress(boxes.astype(float), classes, iou, most)


def slow_softly(boxes, classes, scores, iou: float, most: int, soft: float) -> list[tuple[float, int]]:
    """All that plain suppression keeps, each score lowered by what it overlaps, and then the best."""
    kept = slow_suppress(boxes, classes, iou, len(boxes))
    lowered = []
    for n, i in enumerate(kept):
        nearest = max((overlap(boxes[i], boxes[j]) for j in kept[:n] if classes[j] == classes[i]), default=0.0)
        lowered.append((-scores[i] * np.exp(-(nearest**2) / soft), n, i))
    return [(-score, i) for score, _, i in sorted(lowered)[:most]]


@given(
    st.integers(0, 40), st.sampled_from([0.3, 0.7, 0.95]), st.integers(1, 50), st.floats(0.1, 2), st.integers(0, 10**6)
)
def test_soft_suppression_equals_the_slow_reference(n: int, iou: float, most: int, soft: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    corner = rng.integers(0, 20, (n, 2))
    boxes = np.concatenate((corner, corner + rng.integers(1, 20, (n, 2))), 1).astype(np.float32)
    classes = rng.integers(0, 2, n)
    scores = np.sort(rng.random(n))[::-1].astype(np.float32)
    indices, lowered = suppress_softly(boxes, classes, scores, iou, most, soft)
    want = slow_softly(boxes.astype(float), classes, scores.astype(float), iou, most, soft)
    np.testing.assert_allclose(lowered, [score for score, _ in want], rtol=1e-5)
    assert indices.tolist() == [i for _, i in want]


def raw(rows: list[tuple[float, ...]], classes: int) -> np.ndarray:
    """Raw output of rows cx, cy, w, h, scores..., with the row's number as every coefficient."""
    columns = [(*row, *[float(k)] * 32) for k, row in enumerate(rows)]
    return np.array(columns, np.float32).reshape(-1, 4 + classes + 32).T


def test_candidates_come_best_first_above_the_threshold() -> None:
    found = detections(raw([(50, 50, 20, 10, 0.3), (200, 50, 20, 10, 0.9), (50, 200, 8, 8, 0.1)], 1), 32, 0.2, 0.7, 10)
    np.testing.assert_allclose(found.scores, [0.9, 0.3])
    np.testing.assert_allclose(found.boxes, [[190, 45, 210, 55], [40, 45, 60, 55]])
    assert found.coefficients[:, 0].tolist() == [1, 0]


def test_classes_do_not_suppress_each_other() -> None:
    rows = [(50, 50, 20, 20, 0.9, 0.1), (50, 50, 20, 20, 0.2, 0.8), (50, 50, 20, 20, 0.7, 0.1)]
    found = detections(raw(rows, 2), 32, 0.25, 0.5, 10)
    assert found.classes.tolist() == [0, 1]


def test_soft_suppression_puts_another_thing_before_the_same_again() -> None:
    rows = [(50, 50, 20, 20, 0.9), (52, 50, 20, 20, 0.8), (150, 50, 20, 20, 0.6), (53, 50, 20, 20, 0.21)]
    hard = detections(raw(rows, 1), 32, 0.2, 0.95, 10)
    soft = detections(raw(rows, 1), 32, 0.2, 0.95, 10, soft=0.5)
    assert hard.coefficients[:, 0].tolist() == [0, 1, 2, 3]
    assert soft.coefficients[:, 0].tolist() == [0, 2, 1]  # the last one's score fell below the threshold
    np.testing.assert_allclose(soft.scores, [0.9, 0.6, 0.8 * np.exp(-((18 / 22) ** 2) / 0.5)], rtol=1e-6)


def test_nothing_found_is_an_empty_result() -> None:
    found = detections(raw([(50, 50, 20, 20, 0.1)], 1), 32, 0.5, 0.7, 10)
    assert found.boxes.shape == (0, 4)
    assert found.coefficients.shape == (0, 32)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 3e38])
@pytest.mark.parametrize("row", [0, 2, 4, 5, 37])
def test_a_row_that_is_not_finite_is_dropped_before_it_suppresses_others(bad: float, row: int) -> None:
    rows = [(50 + 60 * k, 50, 20, 20, 0.3 + k / 10, 0.1) for k in range(5)]
    expected = detections(raw(rows, 2), 32, 0.2, 0.5, 10)
    worse = raw([(100, 100, 400, 400, 0.95, 0.9), *rows], 2)
    worse[row, 0] = bad
    if row != 5:
        worse[4, 0] = max(worse[4, 0], 0.95)  # NaN stays
    found = detections(worse, 32, 0.2, 0.5, 10)
    lost = len(expected.scores) - len(set(expected.scores.tolist()) & set(found.scores.tolist()))
    assert lost == 0
    assert np.isfinite(found.boxes).all()
    assert np.isfinite(found.coefficients).all()


def test_a_huge_box_moves_no_other_classes() -> None:
    """Classes are told apart by comparing them, not by moving boxes, which huge numbers would make all the same."""
    rows = [(50, 50, 1e30, 1e30, 0.9, 0.1), *((50 + 60 * k, 50, 20, 20, 0.1, 0.8 - k / 10) for k in range(4))]
    found = detections(raw(rows, 2), 32, 0.2, 0.5, 10)
    assert found.classes.tolist() == [0, 1, 1, 1, 1]


def test_a_network_without_a_finite_number_is_named() -> None:
    with pytest.raises(UsageError, match="scores are not finite"):
        detections(np.full((37, 20), np.nan, np.float32), 32, 0.2, 0.5, 10)
    assert len(detections(np.zeros((37, 0), np.float32), 32, 0.2, 0.5, 10).scores) == 0
