"""The picture shows every mask, small ones on large ones, at the photo's own size."""

from collections.abc import Callable

import numpy as np

from fastsam import Segments
from fastsam.formats.overlay import draw
from fastsam.masks.tinted import borders, palette

BOXES = [(10.0, 10.0, 110.0, 90.0), (30.0, 30.0, 60.0, 60.0)]


def test_small_masks_lie_on_large_ones_whatever_their_order(make_segments: Callable[..., Segments]) -> None:
    photo = np.zeros((100, 200, 3), np.uint8)
    for boxes in (BOXES, BOXES[::-1]):
        picture = draw(photo, make_segments((100, 200), boxes, [0.9, 0.8], imgsz=256))
        assert picture.shape == photo.shape
        assert picture.dtype == np.uint8
        assert picture[45, 45].tolist() != picture[80, 100].tolist()
        assert picture[80, 100].any()
        assert not picture[95, 150].any()


def test_a_photo_without_masks_stays_as_it_is(make_segments: Callable[..., Segments]) -> None:
    photo = np.random.default_rng(0).integers(0, 256, (40, 30, 3), np.uint8)
    np.testing.assert_array_equal(draw(photo, make_segments((40, 30), [], [])), photo)


def test_with_prompts_only_the_picks_are_drawn(make_segments: Callable[..., Segments]) -> None:
    photo = np.zeros((100, 200, 3), np.uint8)
    segments = make_segments((100, 200), BOXES, [0.9, 0.8], imgsz=256)
    picture = draw(photo, segments, segments.select(points=[(45, 45), (100, 80)], labels=[1, 0]))
    assert picture[35, 35].any()
    assert not picture[70, 80].any()
    assert picture[80, 100].any()  # the background point's mark


def test_colours_differ_between_neighbours() -> None:
    colours = palette(300).astype(int)
    assert np.abs(np.diff(colours[1:], axis=0)).max(1).min() > 20
    assert len(np.unique(colours, axis=0)) > 280


def test_borders_part_labels() -> None:
    labels = np.array([[1, 1, 1, 2], [1, 1, 1, 2], [1, 1, 1, 0]])
    assert borders(labels).tolist() == [
        [False, False, True, True],
        [False, False, True, True],
        [False, False, True, False],
    ]


def test_outlines_lie_on_the_masks(make_segments: Callable[..., Segments]) -> None:
    for size in ((100, 200), (1200, 2400)):
        scale = size[0] / 100
        boxes = [tuple(scale * v for v in box) for box in BOXES]
        segments = make_segments(size, boxes, [0.9, 0.8], imgsz=256)
        picture = draw(np.zeros((*size, 3), np.uint8), segments)
        np.testing.assert_array_equal(picture.any(2), segments.label_map() > 0)


def test_a_small_pick_lies_on_a_large_one_whatever_their_order(make_segments: Callable[..., Segments]) -> None:
    segments = make_segments((100, 200), BOXES, [0.9, 0.8], imgsz=256)
    for boxes in (BOXES, BOXES[::-1]):
        picture = draw(np.zeros((100, 200, 3), np.uint8), segments, segments.select(boxes=boxes))
        assert picture[45, 45].tolist() != picture[80, 100].tolist()


def test_a_huge_box_is_drawn_where_it_meets_the_photo(make_segments: Callable[..., Segments]) -> None:
    segments = make_segments((100, 200), BOXES, [0.9, 0.8], imgsz=256)
    draw(np.zeros((100, 200, 3), np.uint8), segments, segments.select(boxes=[(-1e12, 0, 1e12, 50)]))
