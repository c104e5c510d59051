"""The robot clicks where the field's robot clicks, and its clicks are counted as the field counts them."""

import math
from collections.abc import Callable, Sequence
from itertools import product

import cv2
import numpy as np
import pytest

pytest.importorskip("faster_coco_eval", reason="the eval extra is not installed")

from fastsam import Segments
from fastsam.evaluation.clicks import AFTER, Clicked, answered_by, click_on, depths, next_click, summary
from fastsam.refine.network import Refiner


def blob(seed: int, size: tuple[int, int] = (24, 30)) -> np.ndarray:
    """A mask of a few discs and boxes, some of them over the photo's border."""
    rng = np.random.default_rng(seed)
    mask = np.zeros(size, np.uint8)
    for _ in range(3):
        x, y, r = int(rng.integers(size[1])), int(rng.integers(size[0])), int(rng.integers(3, 8))
        cv2.circle(mask, (x, y), r, 1, -1)
        x, y = int(rng.integers(size[1])), int(rng.integers(size[0]))
        mask[y : y + r, x : x + 2 * r] = 1
    return mask > 0


def slow_depths(region: np.ndarray) -> list[list[float]]:
    """Of each pixel the distance to the nearest one outside the region, one pixel around the photo included."""
    h, w = region.shape
    outside = [
        (r, c)
        for r, c in product(range(-1, h + 1), range(-1, w + 1))
        if not (0 <= r < h and 0 <= c < w and region[r, c])
    ]
    return [[min(math.dist((r, c), o) for o in outside) if region[r, c] else 0.0 for c in range(w)] for r in range(h)]


def slow_click(wanted: np.ndarray, found: np.ndarray, taken: list[tuple[int, int]]) -> tuple[tuple[int, int], int]:
    """The rule as a person would follow it, pixel by pixel."""
    missing, surplus = slow_depths(wanted & ~found), slow_depths(found & ~wanted)
    best = {1: (0.0, (-1, -1)), 0: (0.0, (-1, -1))}
    for r, c in product(range(wanted.shape[0]), range(wanted.shape[1])):
        for label, own in ((1, missing), (0, surplus)):
            if (r, c) not in taken and own[r][c] > best[label][0] + 1e-4:
                best[label] = own[r][c], (r, c)
    label = 1 if best[1][0] > best[0][0] + 1e-4 else 0
    return best[label][1], label


@pytest.mark.parametrize("seed", range(6))
def test_each_click_is_the_one_that_a_slow_search_finds(seed: int) -> None:
    wanted, found = blob(seed), blob(seed + 100) if seed else np.zeros((24, 30), bool)
    free, taken = np.ones(wanted.shape, bool), []
    for _ in range(3):  # the answer stays as it is: the next click must be another pixel
        got = next_click(wanted, found, free)
        assert got is not None
        place, label = slow_click(wanted, found, taken)
        assert (place, label) == got
        taken.append(place)
        free[place] = False


def test_the_photos_border_counts_as_outside() -> None:
    whole = np.ones((5, 9), bool)
    assert depths(whole)[0, 0] == depths(whole)[4, 8] == 1
    assert depths(whole).max() == 3
    assert next_click(whole, ~whole, whole) == ((2, 2), 1)  # of several deepest ones the first


def test_too_much_as_deep_as_too_little_is_clicked_as_background() -> None:
    wanted, found = np.zeros((20, 40), bool), np.zeros((20, 40), bool)
    wanted[5:10, 5:10] = True
    found[5:10, 20:25] = True
    assert next_click(wanted, found, np.ones_like(wanted)) == ((7, 22), 0)
    found[5:10, 24] = False  # now less deep than what is missing
    assert next_click(wanted, found, np.ones_like(wanted)) == ((7, 7), 1)
    assert next_click(wanted, wanted, np.ones_like(wanted)) is None


def eroded(wanted: np.ndarray, times: int) -> np.ndarray:
    padded = np.pad(wanted, 1).astype(np.uint8)
    return cv2.erode(padded, np.ones((3, 3), np.uint8), iterations=times)[1:-1, 1:-1] > 0 if times else wanted


def test_clicks_go_on_until_the_highest_threshold_and_get_the_answer_before() -> None:
    wanted = np.zeros((40, 40), bool)
    wanted[5:35, 5:35] = True
    answers = [eroded(wanted, k) for k in (6, 4, 2, 1, 0)]
    seen: list[tuple[int, int, np.ndarray | None]] = []

    def answer(points: Sequence[tuple[float, float]], labels: Sequence[int], before: np.ndarray | None) -> np.ndarray:
        seen.append((len(points), len(labels), before))
        return answers[len(seen) - 1]

    done = click_on(wanted, answer, until=0.75)
    sides = (18, 22, 26, 28)
    assert done.ious == pytest.approx([s * s / 900 for s in sides[:3]])  # 0.751 is enough
    assert [(p, n) for p, n, _ in seen] == [(1, 1), (2, 2), (3, 3)]
    assert seen[0][2] is None
    assert all(before is answers[k] for k, (_, _, before) in enumerate(seen[1:]))
    assert done.labels == [1, 1, 1]
    assert done.points[0] == (19.5, 19.5)
    assert done.answer is answers[2]


def test_an_object_that_is_never_reached_takes_all_clicks_each_elsewhere() -> None:
    wanted = blob(3)
    done = click_on(wanted, lambda points, labels, before: None)
    assert done.ious == [0.0] * 20
    assert len(set(done.points)) == 20
    assert all(wanted[int(y), int(x)] for x, y in done.points)
    few = np.zeros((9, 9), bool)
    few[4, 4:6] = True
    assert len(click_on(few, lambda points, labels, before: None).ious) == 2  # nothing is left to click


def test_clicks_are_counted_as_the_field_counts_them() -> None:
    clicked = [[0.5, 0.86, 0.89, 0.91], [0.95], [0.2] * 20, [0.1] * 18 + [0.86, 0.88]]
    figures = summary(clicked)
    assert figures.noc == {"85": (2 + 1 + 20 + 19) / 4, "90": (4 + 1 + 20 + 20) / 4}
    assert figures.failed == {"85": 25, "90": 50}
    assert figures.miou[1] == pytest.approx(100 * (0.5 + 0.95 + 0.2 + 0.1) / 4)
    assert figures.miou[5] == pytest.approx(100 * (0.91 + 0.95 + 0.2 + 0.1) / 4)  # those that were done keep theirs
    assert (list(figures.miou), figures.objects) == (list(AFTER), 4)
    assert summary([[0.7, 0.8]], [0.75, 0.875]).noc == {"75": 2, "87.5": 20}
    assert math.isnan(summary([]).noc["90"])


def test_the_slow_count_of_an_answerer_that_gets_better_agrees() -> None:
    """IoU after k clicks on a square of side s that is answered with one pixel less at each side every time."""
    sides, start = (20, 40, 60), 8
    clicked: list[Clicked] = []
    for side in sides:
        wanted = np.zeros((80, 80), bool)
        wanted[10 : 10 + side, 10 : 10 + side] = True
        clicked.append(
            click_on(wanted, lambda points, labels, before, w=wanted: eroded(w, max(0, start - len(points))))
        )
    figures = summary([done.ious for done in clicked])
    for percent in (85, 90):
        counts = []
        for side in sides:
            k = 1
            while (max(0, side - 2 * max(0, start - k)) / side) ** 2 < percent / 100:
                k += 1
            counts.append(k)
        assert figures.noc[str(percent)] == pytest.approx(sum(counts) / 3)


class Told:
    """A session that draws what it is told of: the rough mask if there is one, else everything; and notes it."""

    def __init__(self) -> None:
        self.rough: list[bool] = []

    def run(self, names: list[str], feed: dict[str, np.ndarray]) -> list[np.ndarray]:
        masks = feed["maps"][:, 0]
        self.rough += masks.any((1, 2)).tolist()
        drawn = np.where(masks.any((1, 2), keepdims=True), 4 * masks, 4.0)[:, None].repeat(4, 1)
        return [drawn.astype(np.float32), np.full((len(drawn), 4), 0.9, np.float32)]


def test_the_answer_before_is_what_the_next_one_is_drawn_from() -> None:
    photo = np.zeros((60, 100, 3), np.uint8)
    empty = Segments.from_masks(photo, [])
    told = Told()
    answer = answered_by(empty, Refiner(told))
    before = np.zeros((60, 100), bool)
    before[10:40, 20:60] = True
    answer([(30.5, 20.5)], [1], None)
    assert not told.rough[0]  # there is no mask in the first view
    told.rough.clear()
    got = answer([(30.5, 20.5), (50.5, 30.5)], [1, 1], before)
    assert told.rough == [True]
    assert got is not None
    assert (got & before).sum() / (got | before).sum() > 0.9


def test_the_plain_choice_is_by_the_clicks_alone(make_segments: Callable[..., Segments]) -> None:
    segments = make_segments((64, 64), [(0, 0, 64, 64), (8, 8, 24, 24)], [0.6, 0.9])
    answer = answered_by(segments, None)
    small = answer([(16.5, 16.5)], [1], None)
    assert small is not None
    assert small.sum() < 30 * 30
    large = answer([(16.5, 16.5), (50.5, 50.5)], [1, 1], small)  # has little in common with the one before
    assert large is not None
    assert large.sum() > 50 * 50
