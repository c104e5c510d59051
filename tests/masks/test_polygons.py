"""Outlines are valid, near to the masks, and one ring where that is asked for."""

import time
from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from shapely import geometry

from fastsam.masks.annotations import decode
from fastsam.masks.bridged import bridged, joined
from fastsam.masks.contours import contours
from fastsam.masks.polygons import Polygon, polygons
from fastsam.masks.simplified import simplified

masks = st.builds(
    lambda height, width, share, blur, seed: noise(height, width, share, blur, seed),
    st.integers(1, 40),
    st.integers(1, 40),
    st.sampled_from([0.1, 0.5, 0.7, 0.95]),
    st.sampled_from([0.0, 1.0, 2.0]),
    st.integers(0, 10**6),
)


def noise(height: int, width: int, share: float, blur: float, seed: int) -> np.ndarray:
    """Specks, or with a blur blots, of a share of all pixels."""
    values = np.random.default_rng(seed).random((height, width))
    if blur:
        values = cv2.GaussianBlur(values, (0, 0), blur)
        return values < np.quantile(values, share)
    return values < share


def rings(parts: list[Polygon]) -> Iterator[np.ndarray]:
    for part in parts:
        yield part.outline
        yield from part.holes


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / (a | b).sum())


def filled(parts: list[Polygon], shape: tuple[int, int]) -> np.ndarray:
    return decode([bridged(part).reshape(-1).tolist() for part in parts], shape)


def painted(parts: list[Polygon], shape: tuple[int, int]) -> np.ndarray:
    """As labelme and the readers of YOLO's labels do it: filled and drawn, each part for itself."""
    found = np.zeros(shape, np.uint8)
    for part in parts:
        cv2.fillPoly(found, [np.floor(ring).astype(np.int32) for ring in rings([part])], 1)
        cv2.polylines(found, [np.floor(ring).astype(np.int32) for ring in rings([part])], True, 1)
    return found > 0


@settings(max_examples=80, deadline=None)
@given(masks)
def test_outlines_of_any_mask_are_valid_and_exact(mask: np.ndarray) -> None:
    found = polygons(mask, (3, 5))
    parts = [geometry.Polygon(p.outline, p.holes) for p in found]
    assert all(part.is_valid for part in parts)
    assert sum(part.area for part in parts) == mask.sum()
    whole = np.zeros((mask.shape[0] + 5, mask.shape[1] + 3), bool)
    whole[5:, 3:] = mask
    if found:
        np.testing.assert_array_equal(decode([joined(found).reshape(-1).tolist()], whole.shape), whole)
        np.testing.assert_array_equal(filled(found, whole.shape), whole)


@settings(max_examples=150, deadline=None)
@given(masks, st.sampled_from([0.3, 1.0, 2.0, 8.0, 1000.0]))
def test_simplified_outlines_of_any_mask_are_valid_and_near(mask: np.ndarray, tolerance: float) -> None:
    exact = polygons(mask, (3, 5))
    found = simplified(exact, tolerance)
    assert geometry.MultiPolygon([(p.outline, p.holes) for p in found]).is_valid
    assert [len(p.holes) for p in found] == [len(p.holes) for p in exact]
    for before, after in zip(rings(exact), rings(found), strict=True):
        assert 3 <= len(after) <= len(before)
        corners = set(map(tuple, before.tolist()))
        assert all(tuple(corner) in corners for corner in after.tolist())
        distance = geometry.LinearRing(before).hausdorff_distance(geometry.LinearRing(after))
        assert distance <= tolerance + 1e-6


@settings(max_examples=80, deadline=None)
@given(masks)
def test_outlines_through_centres_are_drawn_as_the_mask(mask: np.ndarray) -> None:
    found = contours(mask, (0, 0))
    np.testing.assert_array_equal(painted(found, mask.shape), mask)
    assert all(len(ring) >= 3 for ring in rings(found))


@settings(max_examples=80, deadline=None)
@given(masks, st.sampled_from([0.3, 1.0, 2.0, 1000.0]))
def test_outlines_through_centres_never_collapse(mask: np.ndarray, tolerance: float) -> None:
    found = contours(mask, (7, 9), tolerance)
    assert bool(found) == mask.any()
    for ring in rings(found):
        assert len(ring) >= 3
        assert ring.dtype == np.float32
        assert (ring >= (7, 9)).all()
        assert (ring <= (7 + mask.shape[1], 9 + mask.shape[0])).all()


def shapes() -> dict[str, np.ndarray]:
    found = {name: np.zeros((200, 300), np.uint8) for name in ("disk", "ring", "tilted", "thin", "border")}
    cv2.circle(found["disk"], (150, 100), 60, 1, -1)
    cv2.circle(found["ring"], (150, 100), 80, 1, -1)
    cv2.circle(found["ring"], (170, 90), 40, 0, -1)
    cv2.fillPoly(found["tilted"], [cv2.boxPoints(((150, 100), (180, 70), 27)).astype(np.int32)], 1)
    cv2.polylines(found["thin"], [np.array([[10, 10], [150, 60], [290, 190], [20, 120]])], False, 1, 3)
    cv2.ellipse(found["border"], (0, 200), (200, 150), 0, 0, 360, 1, -1)
    return {name: mask > 0 for name, mask in found.items()}


@pytest.mark.parametrize("name", ["disk", "ring", "tilted", "thin", "border"])
def test_one_pixel_of_tolerance_takes_most_corners_and_few_pixels(name: str) -> None:
    mask = shapes()[name]
    exact = polygons(mask, (0, 0))
    found, drawn = simplified(exact, 1), contours(mask, (0, 0), 1)
    many = sum(map(len, rings(exact)))
    assert sum(map(len, rings(found))) < many / 5
    assert sum(map(len, rings(drawn))) < many / 5
    least = 0.85 if name == "thin" else 0.96
    assert iou(filled(found, mask.shape), mask) > least
    assert iou(painted(drawn, mask.shape), mask) > least


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 9), (9, 1), (2, 2), (3, 2)])
def test_what_is_tiny_stays_as_it_is(width: int, height: int) -> None:
    mask = np.ones((height, width), bool)
    (part,) = simplified(polygons(mask, (4, 4)), 5)
    assert sorted(part.outline.tolist()) == sorted([[4.0, 4], [4 + width, 4], [4, 4 + height], [4 + width, 4 + height]])
    (drawn,) = contours(mask, (0, 0), 5)
    assert cv2.contourArea(drawn.outline) > 0
    np.testing.assert_array_equal(painted([drawn], mask.shape), mask)


def test_rings_do_not_jump_over_one_another() -> None:
    """A tooth with a hole in it, less high than the tolerance, and a speck in a notch."""
    mask = np.zeros((60, 400), bool)
    mask[20:50] = True
    mask[12:20, 100:110] = True
    mask[14:16, 103:106] = False
    mask[20:28, 300:310] = False
    mask[22:24, 303:306] = True
    found = simplified(polygons(mask, (0, 0)), 12)
    whole = geometry.MultiPolygon([(p.outline, p.holes) for p in found])
    assert whole.is_valid
    assert sorted(len(p.holes) for p in found) == [0, 1]


def test_corners_where_a_mask_touches_itself_stay() -> None:
    mask = np.kron(np.indices((6, 6)).sum(0) % 2 == 0, np.ones((9, 9))) > 0
    found = simplified(polygons(mask, (0, 0)), 3)
    assert len(found) == 18
    assert geometry.MultiPolygon([(p.outline, p.holes) for p in found]).is_valid
    assert sum(geometry.Polygon(p.outline).area for p in found) == mask.sum()


def test_without_a_tolerance_nothing_changes() -> None:
    exact = polygons(shapes()["ring"], (0, 0))
    assert simplified(exact, 0) == exact
    assert simplified([], 1) == []
    assert contours(np.zeros((5, 6), bool), (0, 0), 1) == []


@settings(max_examples=80, deadline=None)
@given(masks, st.sampled_from([0.0, 1.0, 3.0]))
def test_a_ring_with_its_holes_cut_in_encloses_the_same_area_and_crosses_nothing(
    mask: np.ndarray, tolerance: float
) -> None:
    for part in simplified(polygons(mask, (0, 0)), tolerance):
        ring = bridged(part)
        whole = geometry.Polygon(part.outline, part.holes)
        following = np.roll(ring, -1, 0)
        area = abs((ring[:, 0] * following[:, 1] - following[:, 0] * ring[:, 1]).sum() / 2)
        assert area == pytest.approx(whole.area, rel=1e-4)
        assert whole.buffer(1e-3).covers(geometry.LineString(np.concatenate((ring, ring[:1]))))


@example(seed=0)
@given(st.integers(0, 1000))
@settings(max_examples=10, deadline=None)
def test_parts_are_joined_where_they_are_near(seed: int) -> None:
    mask = np.zeros((60, 60), bool)
    y = 10 + seed % 30
    mask[5:55, 2:20] = True
    mask[y : y + 8, 30:58] = True
    ring = joined(polygons(mask, (0, 0)))
    np.testing.assert_array_equal(decode([ring.reshape(-1).tolist()], mask.shape), mask)
    assert len(ring) == 4 + 4 + 2


def test_outlines_of_a_busy_mask_take_time_in_proportion() -> None:
    """Of processor time in one run; four times the pixels have four times the outlines, and the square has sixteen."""
    busy = [cv2.GaussianBlur(np.random.default_rng(0).random((n, n)), (0, 0), 2) > 0.5 for n in (300, 600)]

    def seconds(mask: np.ndarray) -> float:
        start = time.process_time()
        joined(simplified(polygons(mask, (0, 0)), 1))
        return time.process_time() - start

    small, large = (min(seconds(mask) for _ in range(3)) for mask in busy)
    assert large < 10 * small
