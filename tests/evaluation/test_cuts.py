"""How masks are cut: straight seams that nothing in the photo explains, and regions in pieces."""

import numpy as np
import pytest

from fastsam.evaluation import coverage
from fastsam.evaluation.pieces import pieces
from fastsam.evaluation.seams import seams
from tests.evaluation.test_figures import coded


@pytest.fixture
def grey() -> np.ndarray:
    """A photo of 200 x 100 pixels without any edge."""
    return np.full((100, 200, 3), 90, np.uint8)


def below(row: int) -> np.ndarray:
    mask = np.zeros((100, 200), bool)
    mask[row:] = True
    return mask


def test_a_straight_border_on_even_ground_is_a_seam_of_its_length(grey: np.ndarray) -> None:
    assert seams([below(40)], grey) == 200
    assert seams([below(40).T[:, ::-1].T], grey) == 200
    assert seams([np.arange(200)[None].repeat(100, 0) < 30], grey) == 100


def test_two_masks_that_share_a_border_have_one_seam(grey: np.ndarray) -> None:
    assert seams([below(40), ~below(40)], grey) == 200


def test_a_border_on_an_edge_of_the_photo_is_none_even_if_it_is_two_pixels_off(grey: np.ndarray) -> None:
    grey[40:] = 140
    assert seams([below(40)], grey) == seams([below(42)], grey) == seams([below(38)], grey) == 0
    assert seams([below(50)], grey) == 200


def test_short_and_slanting_borders_and_those_of_the_photo_are_none(grey: np.ndarray) -> None:
    short = np.zeros((100, 200), bool)
    short[30:40, 50:60] = True  # sides of 10 pixels, a twentieth of 200: not longer
    slanting = np.add.outer(np.arange(100), np.arange(200)) < 150
    assert seams([short, slanting, np.ones((100, 200), bool)], grey) == 0
    short[30:40, 50:61] = True
    assert seams([short], grey) == 22


def test_a_region_in_two_halves_takes_two_pieces_and_a_hole_of_a_tenth_is_allowed() -> None:
    region = np.ones(100, bool)
    halves = np.stack((np.arange(100) < 50, np.arange(100) >= 50))
    assert pieces(halves, region) == 2
    assert pieces(np.stack((*halves, np.arange(100) < 90)), region) == 1
    assert pieces(halves[:1], region) is None
    assert pieces(np.zeros((0, 100), bool), region) is None


def test_a_mask_that_goes_far_beyond_a_region_is_no_piece_of_it() -> None:
    region = np.arange(100) < 50
    assert pieces(np.ones((1, 100), bool), region) is None
    assert pieces((np.arange(100) < 60)[None], region) == 1  # 83% of it lie inside


def test_the_summary_counts_seams_per_megapixel_and_pieces_of_covered_regions(grey: np.ndarray) -> None:
    found, annotated = coded(below(40), ~below(40)), coded(np.ones((100, 200), bool), below(40), below(90))
    row = coverage.measure(found, annotated, grey)
    assert (row.seams, row.true_seams, row.pieces) == (200, 400, (2, 1, None))
    total = coverage.summary([row])
    assert total.seams == pytest.approx(200 / 0.02)
    assert (total.pieces, total.whole) == (1.5, pytest.approx(200 / 3))
