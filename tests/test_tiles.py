"""Tiles: every pixel is seen, masks are joined across seams, pieces of larger objects go, small objects are found."""

from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastsam import FastSAM, Segments, UsageError
from fastsam.masks.runs import of_pixels, overlap_of
from fastsam.tiles import TileMask, Tiling, segment, united, windows


@given(st.integers(1, 900), st.integers(1, 900), st.integers(32, 400), st.sampled_from([0.1, 0.25, 0.5]))
def test_tiles_cover_the_photo_and_share_what_they_are_to_share(h: int, w: int, tile: int, overlap: float) -> None:
    seen = np.zeros((h, w), int)
    boxes = list(windows((h, w), tile, overlap))
    for x0, y0, x1, y1 in boxes:
        assert 0 <= x0 < x1 <= w
        assert 0 <= y0 < y1 <= h
        assert max(x1 - x0, y1 - y0) <= tile
        seen[y0:y1, x0:x1] += 1
    assert (seen > 0).all()
    lefts = sorted({box[0] for box in boxes})
    assert all(a + tile - b >= round(tile * overlap) - 1 for a, b in pairwise(lefts))


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 10**6))
def test_unions_and_intersections_of_runs_are_those_of_pixels(h: int, w: int, seed: int) -> None:
    masks = np.random.default_rng(seed).random((3, h, w)) < 0.6
    runs = [of_pixels(mask) for mask in masks]
    assert overlap_of(runs[0], runs[1], h) == (masks[0] & masks[1]).sum()
    found = [TileMask(r, r.bounds, 0.1 * k, k, 0) for k, r in enumerate(runs) if r.area]
    if found:
        one = united(found, h)
        drawn = np.zeros((h, w), bool)
        one.runs.crop().paint(drawn, True)
        np.testing.assert_array_equal(drawn, masks.any(0))
        assert one.runs.area == masks.any(0).sum()


def by_colour(pixels: np.ndarray) -> Segments:
    """A perfect network, every colour but black in as many parts as it has; of a large photo specks are lost."""
    masks = []
    for colour in np.unique(pixels.reshape(-1, 3), axis=0):
        if colour.any():
            n, parts = cv2.connectedComponents((pixels == colour).all(2).astype(np.uint8))
            masks += [parts == k for k in range(1, n)]
    if max(pixels.shape) > 200:  # what a network that shrinks the photo does not see
        masks = [m for m in masks if m.sum() > 1000]
    return Segments.from_masks(pixels, np.array(masks).reshape(-1, *pixels.shape[:2]))


@pytest.fixture
def drawing() -> np.ndarray:
    """A bar and a frame across all tiles, a disc on a seam, specks of sixteen pixels."""
    pixels = np.zeros((300, 400, 3), np.uint8)
    pixels[140:170] = (250, 0, 0)
    cv2.circle(pixels, (200, 60), 35, (0, 250, 0), -1)
    for x in range(20, 400, 40):
        pixels[230:234, x : x + 4] = (0, 0, 250)
    return pixels


def test_objects_across_seams_are_whole_and_specks_are_found(drawing: np.ndarray) -> None:
    segments = segment(by_colour, drawing, Tiling(128, 0.25), 0.7, None)
    labels = {tuple(drawing[mask][0]): mask.sum() for mask in segments.masks if mask.sum() > 100}
    assert labels == {(250, 0, 0): 30 * 400, (0, 250, 0): (drawing[..., 1] > 0).sum()}
    assert (segments.masks.areas == 16).sum() == 10
    assert len(segments) == 12
    assert all(len(np.unique(drawing[mask], axis=0)) == 1 for mask in segments.masks)
    assert "join" in segments.seconds


def test_the_least_sure_go_where_only_some_may_stay(drawing: np.ndarray) -> None:
    assert len(segment(by_colour, drawing, Tiling(128, 0.25), 0.7, 5)) == 5


def test_a_photo_no_larger_than_a_tile_is_segmented_as_without(model: FastSAM) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (96, 128, 3), np.uint8)
    plain, tiled = model(pixels, conf=0.01), model(pixels, conf=0.01, tile=128)
    np.testing.assert_array_equal(plain.boxes, tiled.boxes)


def test_tiles_of_a_real_photo_take_prompts_and_are_written(model: FastSAM, examples) -> None:
    segments = model(examples / "coffee.png", tile=256)
    assert len(segments) > len(model(examples / "coffee.png"))
    (pick,) = segments.select(points=[(300, 200)], refine=False)
    assert pick.mask is not None
    assert segments.label_map().shape == (400, 600)
    assert segments.to_rle()[0]["size"] == [400, 600]
    assert (np.diff(segments.scores) <= 0).all()


@pytest.mark.parametrize(
    ("tile", "overlap", "message"),
    [
        (8, 0.25, "tile must be .* at least 32, not 8"),
        (64, 0.9, "overlap .* not 0.9"),
        (64, 0, "overlap must be above 0"),
    ],
)
def test_tiles_that_make_no_sense_are_named(model: FastSAM, tile: int, overlap: float, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        model(np.zeros((128, 128, 3), np.uint8), tile=tile, overlap=overlap)
