"""The picture shows every mask, small ones on large ones, at the photo's own size."""

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastsam import Prompt, Segments
from fastsam.errors import UsageError
from fastsam.formats.overlay import Look, draw
from fastsam.masks import captions
from fastsam.masks.captions import caption, covered, latin
from fastsam.masks.tinted import borders, choose, draw_labels, lines, neighbours, palette, strength

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


def test_colours_of_kinds_differ() -> None:
    colours = palette(300).astype(int)
    assert np.abs(np.diff(colours[1:], axis=0)).max(1).min() > 20
    assert len(np.unique(colours, axis=0)) > 280
    assert colours[0].tolist() == [0, 0, 0]


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 60), st.integers(0, 10**6))
def test_neighbours_never_have_nearly_the_same_colour(n: int, seed: int) -> None:
    """Voronoi cells of every size: what touches differs by an amount that everybody sees (2.3 is just noticeable)."""
    rng = np.random.default_rng(seed)
    seeds = rng.integers(0, 100, (n, 2))
    rows, columns = np.mgrid[:100, :100]
    away = (rows[None] - seeds[:, 0, None, None]) ** 2 + (columns[None] - seeds[:, 1, None, None]) ** 2
    labels = (1 + away.argmin(0)).astype(np.int32)
    colours = choose(labels, n, rng.integers(0, 256, (100, 100, 3), np.uint8))
    lab = cv2.cvtColor((colours[None] / 255).astype(np.float32), cv2.COLOR_RGB2Lab)[0]
    for one, others in neighbours(labels).items():
        for other in others:
            assert np.linalg.norm(lab[one] - lab[other]) > 15


def test_neighbours_lie_beside_or_across_a_narrow_gap() -> None:
    labels = np.zeros((10, 40), np.int32)
    labels[:, :5], labels[:, 6:20], labels[:, 20:25], labels[:, 35:] = 1, 2, 3, 4
    assert {one: sorted(others) for one, others in neighbours(labels).items()} == {1: [2], 2: [1, 3], 3: [2]}


def test_large_regions_and_ground_are_pale_and_small_things_stand_out(make_segments: Callable[..., Segments]) -> None:
    labels = np.zeros((100, 200), np.int32)
    labels[:50], labels[60:64, 20:24], labels[55:95, 50:150] = 1, 2, 3  # sky, a small thing, as large a thing as sky
    ground, small, large = strength(labels, 3)[1:]
    assert small == 1
    assert ground < 0.4
    assert ground < large < small
    chroma = np.ptp(choose(labels, 3)[1:].astype(int), axis=1)
    assert chroma[0] < chroma[1] / 2
    photo = np.full((100, 200, 3), 128, np.uint8)
    changed = np.abs(draw_labels(photo, labels, outlines=False).astype(int) - photo).max(2)
    assert changed[20, 100] < changed[62, 22]


def test_where_regions_meet_the_smaller_one_has_the_line_and_specks_have_none() -> None:
    labels = np.ones((40, 60), np.int32)
    labels[10:30, 20:40], labels[2, 2] = 2, 3
    assert np.unique(labels[lines(labels, 1)]).tolist() == [2]
    assert lines(labels, 1)[10:30, 20:40].sum() == 2 * 20 + 2 * 18


def test_outlines_alone_leave_the_photo_between_them(make_segments: Callable[..., Segments]) -> None:
    photo = np.full((100, 200, 3), 90, np.uint8)
    segments = make_segments((100, 200), BOXES, [0.9, 0.8], imgsz=256)
    picture = draw(photo, segments, look=Look(outline=True))
    changed = (picture != photo).any(2)
    assert not changed[80, 100]
    assert not changed[45, 45]
    edge = cv2.dilate(borders(segments.label_map()).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    assert 0 < changed.sum() <= (changed & edge).sum()
    np.testing.assert_array_equal(picture, replace(segments, photo=photo).picture(outline=True))


def test_boxes_are_drawn_in_their_masks_colours(make_segments: Callable[..., Segments]) -> None:
    photo = np.zeros((100, 200, 3), np.uint8)
    segments = replace(make_segments((100, 200), BOXES, [0.9, 0.8], imgsz=256), photo=photo)
    plain, boxed = segments.picture(), segments.picture(boxes=True)
    changed = (plain != boxed).any(2)
    for x0, y0, x1, y1 in BOXES:
        np.testing.assert_array_equal(
            boxed[int(y0), int(x0) : int(x1)], np.tile(boxed[int(y0), int(x0)], (int(x1 - x0), 1))
        )
        assert changed[int(y0) : int(y1), int(x0)].mean() > 0.9
    assert not changed[45, 45]
    np.testing.assert_array_equal(boxed, draw(photo, segments, look=Look(boxes=True)))


def test_names_are_written_and_what_has_one_lies_on_top(make_segments: Callable[..., Segments]) -> None:
    photo = np.full((100, 200, 3), 90, np.uint8)
    plain = replace(make_segments((100, 200), BOXES, [0.9, 0.8], imgsz=256), photo=photo)
    named = replace(plain, classes=np.array([1, 0]), names=("object", "кошка 猫"))
    picture = named.picture()
    assert picture[32, 32].tolist() == picture[20, 20].tolist()  # the named large mask hides the small one
    assert (plain.picture() != picture).any()
    written = (picture[15:85, 15:105] != picture[20, 20]).any(2)
    assert 100 < written.sum() < 3000  # its name, in the middle of it
    assert named.captions == ["кошка 猫", ""]
    (pick,) = plain.select([Prompt(points=[(45, 45)])], refine=False)
    assert plain.picked(pick).captions == [""]


def test_a_large_answer_stands_out(make_segments: Callable[..., Segments]) -> None:
    """What is picked may be the ground itself."""
    photo = np.full((100, 200, 3), 128, np.uint8)
    segments = make_segments((100, 200), [(0.0, 0.0, 200.0, 100.0), *BOXES], [0.9, 0.8, 0.7], imgsz=256)
    picture = draw(photo, segments, segments.select(masks=[segments.masks[0]]))
    assert np.abs(picture.astype(int) - photo).max(2)[95, 150] > 15


def test_names_make_room_for_one_another() -> None:
    picture, labels = np.zeros((200, 300, 3), np.uint8), np.zeros((200, 300), np.int32)
    labels[90:110, 140:150], labels[90:110, 150:160] = 1, 2
    taken: list[tuple[int, int, int, int]] = []
    for text, centre in (("one", (145, 100)), ("another", (155, 100)), ("third", (150, 100))):
        taken.append(caption(picture, text, centre, 13, np.array([200, 100, 50], np.uint8), taken))
        assert covered(taken[-1], taken[:-1]) == 0
    corner = caption(picture, "a name at the border", (299, 0), 13, np.array([200, 100, 50], np.uint8), taken)
    assert corner[1] >= 0
    assert corner[2] <= 300


def test_opencv_4_writes_names_without_accents(monkeypatch: pytest.MonkeyPatch) -> None:
    assert latin("Größe été 猫") == "Gro?e ete ?"
    monkeypatch.setattr(captions, "face", lambda: None)
    picture = np.zeros((40, 200, 3), np.uint8)
    captions.letters(picture, "été", (5, 30), 20, (255, 255, 255))
    assert picture.any()
    assert captions.extent("été", 20)[0] > 20


def test_a_picture_needs_the_photo(make_segments: Callable[..., Segments]) -> None:
    with pytest.raises(UsageError, match="photo="):
        make_segments((100, 200), BOXES, [0.9, 0.8]).picture()


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
