"""The boundary benchmark gives what the data set's own program gives, and matches pixels as well as can be."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("scipy", reason="the eval extra is not installed")
pytest.importorskip("skimage", reason="the eval extra is not installed")

from scipy.io import savemat
from scipy.optimize import linear_sum_assignment

from fastsam.errors import UsageError
from fastsam.evaluation.boundaries import (
    Score,
    average_precision,
    best,
    count,
    grid,
    match,
    read_drawn,
    recall_at_half,
    summary,
)


def slow_match(found: np.ndarray, drawn: np.ndarray) -> int:
    """The most pairs there can be, from the full table of distances."""
    other = np.argwhere(drawn)
    if not len(found) or not len(other):
        return 0
    distance = np.hypot(*(found[:, None] - other[None]).transpose(2, 0, 1))
    cost = np.where(distance <= 0.0075 * np.hypot(*drawn.shape), distance, 1e6)
    rows, columns = linear_sum_assignment(cost)
    return int((cost[rows, columns] < 1e6).sum())


@given(st.integers(0, 2**32 - 1), st.floats(0.01, 0.2), st.floats(0.01, 0.2))
@settings(max_examples=30, deadline=None)
def test_as_many_pixels_are_matched_as_can_be(seed: int, share: float, other: float) -> None:
    rng = np.random.default_rng(seed)
    predicted, drawn = rng.random((40, 400)) < share / 4, rng.random((40, 400)) < other / 4
    matched = match(np.argwhere(predicted), drawn)
    assert int(matched.sum()) == slow_match(np.argwhere(predicted), drawn)


def test_a_line_matches_itself_and_one_nearby_but_not_one_afar() -> None:
    drawn = np.zeros((200, 300), bool)  # matches reach 2.7 pixels
    drawn[:, 100] = True
    for shift, matched in ((0, 200), (2, 200), (3, 0)):
        predicted = np.roll(drawn, shift, 1)
        assert match(np.argwhere(predicted), drawn).sum() == matched


def test_a_drawn_pixel_has_one_partner_only() -> None:
    drawn = np.zeros((200, 300), bool)
    drawn[50, 100] = True
    assert match(np.array([[50, 99], [50, 101], [51, 100]]), drawn).sum() == 1


def test_counts_are_of_all_annotators_and_precision_of_any() -> None:
    first, second = np.zeros((2, 200, 300), bool)
    first[:, 100] = second[:, 200] = True
    strength = np.zeros((200, 300))
    strength[:, 100], strength[:, 50] = 0.8, 0.3
    table = count(strength, [first, second], grid(3))  # 0.25, 0.5, 0.75
    assert table.tolist() == [[200, 400, 200, 400], [200, 400, 200, 200], [200, 400, 200, 200]]


def test_thick_edges_are_thinned_to_one_pixel() -> None:
    drawn = np.zeros((200, 300), bool)
    drawn[:, 100] = True
    strength = np.zeros((200, 300))
    strength[:, 99:102] = 1.0
    hits, _, matched, found = count(strength, [drawn], grid(1))[0]
    assert found <= 200
    assert matched == hits == found


def test_the_figures_follow_from_the_curve() -> None:
    thresholds = grid(3)
    recall, precision = np.array([0.9, 0.6, 0.2]), np.array([0.4, 0.8, 1.0])
    top = best(recall, precision, thresholds)
    assert top.f >= 2 * 0.6 * 0.8 / 1.4
    assert top.threshold == pytest.approx(0.5, abs=0.1)
    assert recall_at_half(recall, precision) == pytest.approx(0.825, abs=0.01)  # a quarter of the way from 0.9 to 0.6
    assert average_precision(recall, precision) == pytest.approx(0.2 * 0 + 0.4 * 0.9 + 0.3 * 0.6, abs=0.02)
    assert average_precision(np.zeros(3), np.zeros(3)) == 0


def test_ods_is_at_one_threshold_and_ois_at_each_photos_own() -> None:
    good_low, good_high = [[10, 10, 10, 10], [1, 10, 1, 1]], [[10, 10, 10, 100], [10, 10, 10, 10]]
    figures = summary(["a", "b"], [np.array(good_low), np.array(good_high)], grid(2))
    assert figures.ois == 1
    assert figures.ods < 1
    assert [row["image"] for row in figures.images] == ["a", "b"]
    assert [row["f"] for row in figures.images] == [1, 1]
    assert figures.thresholds[0] == Score(1 / 3, 1, 20 / 110, pytest.approx(2 * (20 / 110) / (1 + 20 / 110)))


def test_an_empty_map_is_worth_nothing() -> None:
    drawn = np.ones((20, 30), bool)
    figures = summary(["a"], [count(np.zeros((20, 30)), [drawn], grid(5))], grid(5))
    assert (figures.ods, figures.ois, figures.ap, figures.r50) == (0, 0, 0, 0)


def test_what_annotators_drew_is_read_from_both_kinds_of_file(tmp_path: Path) -> None:
    drawn = np.random.default_rng(0).random((2, 7, 13)) < 0.3
    cells = np.empty((1, 2), object)
    for k in range(2):
        cells[0, k] = {"Boundaries": drawn[k].astype(np.uint8), "Segmentation": np.ones((7, 13), np.uint16)}
    savemat(tmp_path / "a.mat", {"groundTruth": cells})
    np.savez(tmp_path / "a.npz", boundaries=np.packbits(drawn, axis=-1), shape=np.array(drawn.shape))
    for name in ("a.mat", "a.npz"):
        assert np.array_equal(read_drawn(tmp_path / name), drawn)
    for name in ("b.mat", "b.npz"):
        (tmp_path / name).write_bytes(b"noise")
        with pytest.raises(UsageError, match=name):
            read_drawn(tmp_path / name)


@pytest.mark.parametrize("name", ["100007", "100039"])
def test_the_data_sets_own_program_gives_the_same_figures(shared: Path, name: str) -> None:
    bench = shared / "bsds-bench"
    rows = {row["image"]: row for row in json.loads((bench / "expected.json").read_text())["images"]}
    pixels = cv2.imread(str(bench / "predictions" / f"{name}.png"), cv2.IMREAD_UNCHANGED)
    table = count(pixels / 255, read_drawn(bench / "boundaries" / f"{name}.npz"), np.array([rows[name]["threshold"]]))
    hits, drawn, matched, found = table[0]
    assert hits / drawn == pytest.approx(rows[name]["recall"], abs=0.002)
    assert matched / found == pytest.approx(rows[name]["precision"], abs=0.002)


@pytest.mark.slow
def test_the_best_f_over_thresholds_is_the_data_sets_own_too(shared: Path) -> None:
    """Not the threshold, recall and precision there: where two thresholds are equally good, either may be best."""
    bench = shared / "bsds-bench"
    for row in json.loads((bench / "expected.json").read_text())["images"][40:200:40]:
        pixels = cv2.imread(str(bench / "predictions" / f"{row['image']}.png"), cv2.IMREAD_UNCHANGED)
        drawn = read_drawn(bench / "boundaries" / f"{row['image']}.npz")
        thresholds = np.union1d(grid(99)[2::8], [row["threshold"]])
        (own,) = summary([row["image"]], [count(pixels / 255, drawn, thresholds)], thresholds).images
        assert own["f"] == pytest.approx(row["f"], abs=0.003)
