"""What was said of a thing, cell by cell."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastsam.refine import maps as m

SIZE = 32  # of a crop: 16 x 16 cells
CENTRES = (np.arange(16) + 0.5) * 2
REACH = m.RADIUS * 2


def test_nothing_said_is_0_everywhere() -> None:
    maps = m.empty(SIZE)
    assert (maps.shape, maps.dtype) == ((4, 16, 16), np.float32)
    assert not maps.any()


@settings(max_examples=100, deadline=None)
@given(*[st.floats(-20, 60)] * 2, st.booleans())
def test_a_click_marks_the_cells_about_it_on_the_map_of_its_label(x: float, y: float, positive: bool) -> None:
    maps = m.empty(SIZE)
    m.put_click(maps, x, y, positive)
    own, other = (m.POSITIVE, m.NEGATIVE) if positive else (m.NEGATIVE, m.POSITIVE)
    for row in range(16):
        for column in range(16):
            away = np.hypot(CENTRES[column] - x, CENTRES[row] - y)
            if abs(away - REACH) > 1e-9:
                assert maps[own, row, column] == (away < REACH)
    assert not maps[[m.MASK, m.BOX, other]].any()


def test_clicks_add_up() -> None:
    maps = m.empty(SIZE)
    m.put_click(maps, 5, 5, True)
    first = maps.copy()
    m.put_click(maps, 25, 25, True)
    m.put_click(maps, 5, 25, False)
    assert (maps[m.POSITIVE] >= first[m.POSITIVE]).all()
    assert maps[m.POSITIVE].sum() == 2 * first[m.POSITIVE].sum()
    assert maps[m.POSITIVE, 2, 2] == maps[m.POSITIVE, 12, 12] == maps[m.NEGATIVE, 12, 2] == 1


@settings(max_examples=100, deadline=None)
@given(*[st.floats(-20, 60)] * 2, *[st.floats(0, 50)] * 2)
def test_a_box_holds_the_cells_whose_centres_it_does_and_at_least_one(x: float, y: float, w: float, h: float) -> None:
    maps = m.empty(SIZE)
    m.put_box(maps, (x, y, x + w, y + h))
    inside = maps[m.BOX] == 1
    assert set(np.unique(maps[m.BOX])) <= {-1, 1}
    assert inside.any()
    assert not maps[[m.MASK, m.POSITIVE, m.NEGATIVE]].any()
    expected = ((x <= CENTRES) & (x + w > CENTRES))[None] & ((y <= CENTRES) & (y + h > CENTRES))[:, None]
    doubtful = min(abs(v - c) for v in (x, y, x + w, y + h) for c in CENTRES) < 1e-9
    if expected.any() and not doubtful:
        np.testing.assert_array_equal(inside, expected)


def test_a_box_of_no_width_is_the_cell_it_lies_in() -> None:
    maps = m.empty(SIZE)
    m.put_box(maps, (10.5, 20.5, 11.0, 21.0))
    assert np.argwhere(maps[m.BOX] == 1).tolist() == [[10, 5]]
    m.put_box(maps, (2, 2, 6, 6))
    assert (maps[m.BOX] == 1).sum() == 4  # the latest box alone


def test_a_mask_is_said_from_surely_not_to_surely() -> None:
    maps, shares = m.empty(SIZE), np.zeros((16, 16), np.float32)
    shares[3, 4], shares[5, 6] = 1, 0.5
    m.put_mask(maps, shares)
    assert (maps[m.MASK, 3, 4], maps[m.MASK, 5, 6], maps[m.MASK, 0, 0]) == (1, 0, -1)
    assert not maps[1:].any()


def test_shares_are_how_much_of_each_cell_is_covered() -> None:
    mask = np.zeros((SIZE, SIZE), np.uint8)
    mask[4:9, 10:13] = 255
    shares = m.shares_of(mask)
    expected = mask.reshape(16, 2, 16, 2).mean((1, 3)) / 255
    np.testing.assert_allclose(shares, expected, atol=0.01)
    assert shares.dtype == np.float32
    assert shares[2, 5] == pytest.approx(1)
    assert shares[2, 6] == pytest.approx(0.5, abs=0.01)
