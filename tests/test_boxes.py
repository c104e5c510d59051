"""Arithmetic of boxes, against shapely and against counted pixels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import box as rectangle

from fastsam import boxes

CORNERS = st.lists(st.floats(0, 100), min_size=4, max_size=4)


def ordered(v: list[float]) -> np.ndarray:
    """A box from any four numbers, one unit long at least."""
    return np.array([min(v[0], v[2]), min(v[1], v[3]), max(v[0], v[2]) + 1, max(v[1], v[3]) + 1])


@given(CORNERS, CORNERS)
def test_areas_and_overlaps_are_those_of_shapely(a: list[float], b: list[float]) -> None:
    one, two = ordered(a), ordered(b)
    first, second = rectangle(*one), rectangle(*two)
    assert boxes.area(one) == pytest.approx(first.area)
    assert boxes.shared_area(one, two) == pytest.approx(first.intersection(second).area)
    assert boxes.iou(one, two) == pytest.approx(first.intersection(second).area / first.union(second).area)
    assert boxes.iou(one, two) == boxes.iou(two, one)


def test_arrays_of_boxes_broadcast() -> None:
    a, b = np.array([[0, 0, 10, 10], [5, 0, 15, 10]]), np.array([[0, 0, 10, 10], [20, 20, 30, 30], [5, 5, 15, 15]])
    table = boxes.iou(a[:, None], b[None])
    assert table.shape == (2, 3)
    assert table.tolist() == [[float(boxes.iou(one, two)) for two in b] for one in a]
    np.testing.assert_allclose(boxes.iou(a, b[0]), [1, 1 / 3])


def test_two_boxes_without_area_overlap_by_nothing() -> None:
    assert boxes.iou(np.zeros(4), np.zeros(4)) == 0


@given(st.integers(0, 10**6))
def test_masks_never_share_more_pixels_than_their_bounds_and_areas_allow(seed: int) -> None:
    rng = np.random.default_rng(seed)
    masks = rng.random((3, 8, 9)) < rng.random((3, 1, 1))
    masks[:, 4, 4] = True
    found = [(x.min(), y.min(), x.max() + 1, y.max() + 1) for y, x in map(np.nonzero, masks)]
    bounds, areas = np.array(found), masks.sum((1, 2))
    most = boxes.most_shared(bounds, areas, bounds[0], areas[0])
    assert (most >= (masks & masks[0]).sum((1, 2))).all()
    assert most[0] == areas[0]


def test_a_box_is_the_same_by_its_corners_by_its_centre_and_by_coco() -> None:
    some = np.array([[10.0, 20.0, 40.0, 30.0], [0.0, 0.0, 1.0, 1.0]])
    assert boxes.to_centres(some)[0].tolist() == [25, 25, 30, 10]
    assert boxes.from_centres(boxes.centre(some), boxes.lengths(some)).tolist() == some.tolist()
    assert boxes.xywh(some[0]) == [10, 20, 30, 10]
