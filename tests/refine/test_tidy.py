"""One thing is one piece: what goes, what is filled, and what stays."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastsam.refine.tidy import FAINT, SPECK, filled, tidied


def picture(*rows: str) -> np.ndarray:
    """Logits from letters: # 3, . -3."""
    return np.array([[3.0 if c == "#" else -3.0 for c in row] for row in rows], np.float32)


def two_pieces() -> np.ndarray:
    """20 x 20 cells, one piece of 60 and one of 30."""
    logits = np.full((20, 20), -2.0, np.float32)
    logits[2:12, 2:8] = 2
    logits[14:19, 12:18] = 1
    return logits


def test_specks_go_and_pinholes_are_filled() -> None:
    logits = np.full((40, 40), -3.0, np.float32)
    logits[5:35, 5:35] = 3
    logits[20, 20] = -1
    logits[37, 38] = 0.2
    out = tidied(logits)
    assert out[20, 20] == 1
    assert out[37, 38] == -FAINT
    changed = out != logits
    assert np.argwhere(changed).tolist() == [[20, 20], [37, 38]]
    assert logits[20, 20] == -1  # what came in is left alone


def test_what_changes_is_no_surer_than_it_must_be() -> None:
    logits = np.full((40, 40), -3.0, np.float32)
    logits[5:35, 5:35] = 3
    logits[20, 20] = -0.01
    logits[0, 0] = 8
    out = tidied(logits)
    assert out[20, 20] == pytest.approx(FAINT)
    assert out[0, 0] == -8


def test_parts_that_are_large_enough_stay() -> None:
    np.testing.assert_array_equal(tidied(two_pieces()), two_pieces())
    out = tidied(two_pieces(), least=31)
    assert (out[2:12, 2:8] > 0).all()
    assert (out > 0).sum() == 60
    assert (tidied(two_pieces(), least=30) > 0).sum() == 90


def test_of_pieces_that_are_all_small_the_largest_stays() -> None:
    out = tidied(two_pieces(), least=1000)
    assert (out > 0).sum() == 60


def test_a_click_keeps_the_piece_it_lies_on_alone() -> None:
    assert (tidied(two_pieces(), [(13.5, 15.5)]) > 0).sum() == 30
    assert (tidied(two_pieces(), [(3.0, 3.0)]) > 0).sum() == 60
    both = tidied(two_pieces(), [(13.5, 15.5), (3.0, 3.0)])
    np.testing.assert_array_equal(both, two_pieces())


def test_clicks_on_nothing_or_beyond_the_grid_keep_the_largest_piece() -> None:
    for place in ((10.0, 1.0), (-50.0, -50.0), (1e6, 0.0)):
        assert (tidied(two_pieces(), [place]) > 0).sum() == 60


def test_a_click_on_a_small_piece_keeps_it() -> None:
    logits = np.full((40, 40), -3.0, np.float32)
    logits[5:35, 5:35] = 3
    logits[38, 38] = 2
    assert (tidied(logits, [(38.2, 38.9)]) > 0).sum() == 1


def test_pieces_touch_at_corners_and_holes_do_not() -> None:
    corner = picture("##..", "##..", "..##", "..##")
    np.testing.assert_array_equal(tidied(corner, [(0, 0)]), corner)  # one piece
    ring = picture("####", "#..#", "####", "....")
    assert (filled(ring, 3) > 0).sum() == 12
    assert (filled(ring, 2) > 0).sum() == 10


def test_what_touches_the_border_is_no_hole() -> None:
    bay = picture("####", "#..#", "#..#", "#..#")
    np.testing.assert_array_equal(filled(bay, 100), bay)
    for row, column in ((0, 1), (1, 0), (3, 2), (2, 3)):
        open_ = picture("####", "####", "####", "####")
        open_[row, column] = -3
        np.testing.assert_array_equal(filled(open_, 100), open_)


def test_a_mask_of_no_pixel_and_one_of_all_stay() -> None:
    for value in (-4.0, 0.0, 4.0):
        logits = np.full((8, 8), value, np.float32)
        np.testing.assert_array_equal(tidied(logits, [(2, 2)], least=5), logits)


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 24), st.sampled_from([0.05, 0.4, 0.6, 0.95]), st.floats(0, 40), st.integers(0, 10**6))
def test_every_piece_that_is_left_is_large_and_nothing_new_appears(
    side: int, share: float, least: float, seed: int
) -> None:
    """Pieces found by walking from cell to cell."""
    rng = np.random.default_rng(seed)
    logits = np.where(rng.random((side, side)) < share, 1, -1).astype(np.float32) * rng.uniform(0.1, 5, (side, side))
    logits = logits.astype(np.float32)
    out = tidied(logits, least=least)
    limit = max(least, SPECK * (logits > 0).sum())
    if not (logits > 0).any():
        np.testing.assert_array_equal(out, logits)
        return
    before = pieces(logits > 0, diagonal=True)
    islands = [piece for piece in before if len(piece) >= limit] or [max(before, key=len)]
    kept = {cell for piece in islands for cell in piece}
    lost = {cell for piece in before for cell in piece} - kept
    after = {(int(r), int(c)) for r, c in np.argwhere(out > 0)}
    if len({len(piece) for piece in before}) == len(before) or len(islands) > 1:
        assert kept <= after  # unless two were the largest
    holes = pieces(out <= 0, diagonal=False)
    rim = {0, side - 1}
    assert all(len(hole) >= limit or any(r in rim or c in rim for r, c in hole) for hole in holes)
    assert all(out[cell] > 0 or abs(out[cell]) >= min(FAINT, abs(logits[cell])) for cell in lost)
    assert np.isfinite(out).all()


def pieces(on: np.ndarray, diagonal: bool) -> list[list[tuple[int, int]]]:
    """Cells of each connected piece."""
    left = {(int(r), int(c)) for r, c in np.argwhere(on)}
    steps = [(r, c) for r in (-1, 0, 1) for c in (-1, 0, 1) if (r or c) and (diagonal or not (r and c))]
    found = []
    while left:
        piece, todo = [], [left.pop()]
        while todo:
            r, c = todo.pop()
            piece.append((r, c))
            for dr, dc in steps:
                if (r + dr, c + dc) in left:
                    left.remove((r + dr, c + dc))
                    todo.append((r + dr, c + dc))
        found.append(piece)
    return found


def test_a_hole_that_holds_a_background_click_stays() -> None:
    grid = np.full((40, 40), 4.0, np.float32)
    grid[10:12, 10:12] = grid[30:32, 30:32] = -4.0
    out = tidied(grid, [(20, 20)], background=[(10.5, 10.5)])
    assert (out[10:12, 10:12] < 0).all()
    assert (out[30:32, 30:32] > 0).all()
