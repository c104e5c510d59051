"""Of all that was drawn for a click, what ranks first: one thing is changed at a time."""

from typing import Any

import numpy as np
import pytest

from fastsam import Prompt
from fastsam.refine import maps as m
from fastsam.refine.crop import Window
from fastsam.refine.network import Refiner
from fastsam.refine.rank import BROKEN, Drawing, judged, qualities, ranks
from fastsam.refine.views import View

SIZE = (100, 200)
CLICK = Prompt(points=[(50, 50)])
PLAIN = Refiner(None)


def square(
    x: float = 50, y: float = 50, half: int = 10, quality: float = 0.8, prior: float = 1.0, at: float = 0.0
) -> Drawing:
    """A square of 2 * half pixels about x, y, on a window of the whole photo, `at` pixels further left."""
    window = Window(-at, -50, 200, 192)
    cells = np.full((96, 96), -4.0, np.float32)
    left, top = ((v * window.scale / m.CELL) for v in (x + at, y + 50))
    reach = half * window.scale / m.CELL
    cells[round(top - reach) : round(top + reach), round(left - reach) : round(left + reach)] = 4
    return Drawing(View(window, m.empty(192), prior=prior), cells, quality)


def first(*drawings: Drawing, prompt: Prompt = CLICK) -> int:
    return int(ranks(drawings, prompt, SIZE).argmax())


def test_a_drawing_tells_where_it_lies() -> None:
    drawing = square(60, 40, 12)
    assert drawing.box is not None
    np.testing.assert_allclose(drawing.box, (48, 28, 72, 52), atol=2.1)
    assert drawing.area == pytest.approx(24 * 24, rel=0.2)
    assert drawing.square == (0, -50, 200)
    empty = Drawing(drawing.view, -np.ones((96, 96), np.float32), 0.9)
    assert (empty.box, empty.area) == (None, 0)


def test_the_surer_the_more_central_the_better_spoken_for_and_the_smaller_rank_first() -> None:
    assert first(square(quality=0.6), square(quality=0.8)) == 1
    assert first(square(57, 57), square()) == 1
    assert first(square(prior=0.2), square(prior=0.9)) == 1
    assert first(square(half=40), square(half=12)) == 1


def test_what_other_windows_find_too_ranks_before_what_they_do_not() -> None:
    """Two of three windows see the same square, the third another one of the same size."""
    drawings = [square(54, 50), square(48, 50, at=2.0), square(48, 50, at=4.0)]
    rated = ranks(drawings, CLICK, SIZE)
    alone = ranks(drawings[:1], CLICK, SIZE)[0] / ranks(drawings[1:2], CLICK, SIZE)[0]
    assert rated[0] / rated[1] < alone
    assert rated.argmax() in (1, 2)


def test_a_drawing_without_pixels_has_no_rank() -> None:
    empty = Drawing(square().view, -np.ones((96, 96), np.float32), 1.0)
    rated = ranks([square(), empty], CLICK, SIZE)
    assert rated[1] == 0
    assert rated[0] > 0
    assert not ranks([empty], CLICK, SIZE).any()
    assert not ranks([empty], Prompt(box=(0, 0, 9, 9)), SIZE).any()
    assert qualities(rated, CLICK, PLAIN)[1] == 0


@pytest.mark.parametrize("prompt", [Prompt(box=(40, 40, 60, 60)), Prompt(mask=np.ones(SIZE))], ids=["box", "mask"])
def test_what_a_box_or_a_mask_means_ranks_by_quality_alone(prompt: Prompt) -> None:
    drawings = [square(57, 57, quality=0.9), square(quality=0.8, prior=1.0), square(half=40, quality=0.85, prior=0.1)]
    np.testing.assert_allclose(ranks(drawings, prompt, SIZE), [0.9, 0.8, 0.85])


def test_each_point_that_is_not_obeyed_halves() -> None:
    drawing = square(quality=0.8)
    cases: list[tuple[Any, Any, int]] = [
        ([(50, 50)], [1], 0), ([(80, 50)], [1], 1), ([(50, 50), (52, 52)], [1, 0], 1),
        ([(50, 50), (80, 50)], [1, 0], 0), ([(80, 50), (50, 50)], [1, 0], 2), ([(199.9, 99.9)], [1], 1),
    ]  # fmt: skip
    for points, labels, broken in cases:
        assert judged(drawing, Prompt(points=points, labels=labels)) == pytest.approx(0.8 * BROKEN**broken)
    beyond = Drawing(View(Window(0, 0, 40, 96), m.empty(96)), np.full((48, 48), 4.0, np.float32), 0.8)
    assert judged(beyond, Prompt(points=[(150, 90)])) == pytest.approx(0.8 * BROKEN)  # it says nothing of that place
    assert judged(beyond, Prompt(points=[(5, 5), (150, 90)], labels=[1, 0])) == pytest.approx(0.8)


def test_qualities_follow_the_lines_that_come_with_the_weights() -> None:
    rated = np.array([0.0, 0.1, 0.5, 0.9, 1.0])
    box = Prompt(box=(0, 0, 9, 9))
    np.testing.assert_allclose(qualities(rated, box, PLAIN), rated, atol=1e-5)  # as predicted if nothing is known
    modest = qualities(rated, box, Refiner(None, told=(-1.0, 1.0)))
    assert (modest[1:] < qualities(rated, box, PLAIN)[1:]).all()
    click = qualities(rated, CLICK, PLAIN)
    for found in (modest, click):
        assert found[0] == 0
        assert (np.diff(found) > 0).all()
        assert ((found >= 0) & (found <= 1)).all()
    np.testing.assert_allclose(qualities(np.array([0.25]), CLICK, Refiner(None, meant=(0.0, 1.0))), [0.2])


def test_nothing_drawn_is_no_trouble() -> None:
    assert ranks([], CLICK, SIZE).shape == (0,)
    assert qualities(np.zeros(0), CLICK, PLAIN).shape == (0,)
