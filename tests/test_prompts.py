"""One answer a prompt, in order, or none."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fastsam import Candidate, Pick, Prompt, Segments, UsageError
from fastsam.formats.content import FORMATS, Subject

# A large box, a small one inside it, one apart.
BOXES = [(10.0, 10.0, 110.0, 90.0), (30.0, 30.0, 60.0, 60.0), (130.0, 20.0, 180.0, 70.0)]
SCORES = [0.6, 0.9, 0.5]


@pytest.fixture
def segments(make_segments: Callable[..., Segments]) -> Segments:
    return make_segments((100, 200), BOXES, SCORES, imgsz=256)


def test_labelled_points_together_are_one_prompt(segments: Segments) -> None:
    picks = segments.select(points=[(40, 40), (100, 80)])
    assert [p.index for p in picks] == [0]
    mask = picks[0].mask
    assert mask is not None
    assert mask.shape == (100, 200)
    assert mask[80, 100]
    assert not mask[20, 150]


def test_a_point_lists_every_mask_beneath_it_best_first(segments: Segments) -> None:
    (pick,) = segments.select(points=[(45, 45)])
    assert [c.index for c in pick.candidates] == [1, 0]
    assert pick.score == pick.candidates[0].score > pick.candidates[1].score > 0


def test_a_background_point_excludes_what_holds_it(segments: Segments) -> None:
    (pick,) = segments.select(points=[(45, 45), (100, 80)], labels=[1, 0])
    assert [c.index for c in pick.candidates] == [1]
    (pick,) = segments.select(points=[(150, 40), (45, 45)], labels=[1, 0])
    assert pick.index == 2


def test_boxes_are_answered_each_and_in_order(segments: Segments) -> None:
    boxes = [BOXES[2], BOXES[0], BOXES[2], (31, 29, 61, 62)]
    assert [p.index for p in segments.select(boxes=boxes)] == [2, 0, 2, 1]
    assert boxes[3] == (31, 29, 61, 62)


def test_nothing_that_fits_is_an_explicit_no_match(segments: Segments) -> None:
    (by_point, by_box) = segments.select(points=[(190, 95)], boxes=[(0, 0, 9, 9)])
    for pick in (by_point, by_box):
        assert pick.mask is None
        assert pick.index is None
        assert pick.score == 0
        assert pick.candidates == ()


def test_points_and_a_box_in_one_prompt_must_both_hold(segments: Segments) -> None:
    box = (28.0, 28.0, 62.0, 62.0)
    picks = segments.select([Prompt(points=[(45, 45)], box=box), Prompt(points=[(100, 80)], box=box)])
    assert [p.index for p in picks] == [1, None]
    (pick,) = segments.select([Prompt(points=[(45, 45)], labels=[0], box=box)])
    assert pick.index is None


def test_a_lone_prompt_is_one_prompt(segments: Segments) -> None:
    assert [p.index for p in segments.select(Prompt(box=BOXES[1]))] == [1]


def test_mixed_kinds_come_as_prompts_then_points_then_boxes(segments: Segments) -> None:
    picks = segments.select([Prompt(box=BOXES[0])], points=[(150, 40)], boxes=[BOXES[1]])
    assert [p.index for p in picks] == [0, 2, 1]


def test_a_photo_without_segments_answers_no_match(make_segments: Callable[..., Segments]) -> None:
    segments = make_segments((20, 30), [], [])
    assert len(segments) == 0
    assert [p.index for p in segments.select(points=[(3, 4)], boxes=[(1, 1, 5, 5)])] == [None, None]


def test_points_on_the_last_row_and_column_are_on_the_photo(segments: Segments) -> None:
    segments.select(points=[(199, 99)])
    segments.select(points=[(199.9, 0)])


@pytest.mark.parametrize("point", [(200, 5), (5, 100), (-1, 5), (-0.1, 5), (5, 1e9)])
def test_a_point_outside_the_photo_is_an_error_that_names_it(segments: Segments, point: tuple[float, float]) -> None:
    with pytest.raises(UsageError, match=f"point {point[0]:g},.*200 x 100"):
        segments.select(points=[point])


def test_a_box_outside_the_photo_is_an_error_that_names_it(segments: Segments) -> None:
    with pytest.raises(UsageError, match="box 300,0,400,50 lies outside"):
        segments.select(boxes=[(300, 0, 400, 50)])


@pytest.mark.parametrize("box", [(5, 5, 5, 9), (9, 5, 5, 9), (5, 9, 9, 5)])
def test_a_box_without_area_is_an_error(box: tuple[float, float, float, float]) -> None:
    with pytest.raises(UsageError, match="has no area"):
        Prompt(box=box)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "needs a foreground point, a box"),
        ({"points": [(1, 2)], "labels": [0]}, "needs a foreground point, a box"),
        ({"points": [(1, 2)], "labels": [1, 0]}, "2 labels given for 1 points"),
        ({"points": [(1, 2)], "labels": [2]}, "labels must be 1"),
        ({"points": [(1, float("nan"))]}, "must be 2 finite numbers"),
        ({"points": [(1, 2, 3)]}, "must be 2 finite numbers"),
        ({"points": [4]}, "must be 2 finite numbers"),
        ({"points": 5}, "must be lists"),
        ({"points": [(1, 2)], "labels": [0.7]}, "labels must be 1"),
        ({"points": [(1, 2)], "labels": ["a"]}, "labels must be 1"),
        ({"points": [(1, 2)], "labels": 1}, "must be lists"),
        ({"box": (1, 2, 3)}, "must be 4 finite numbers"),
    ],
)
def test_a_prompt_that_makes_no_sense_is_an_error(arguments: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Prompt(**arguments)


def test_coordinates_in_place_of_prompts_are_an_error(segments: Segments) -> None:
    with pytest.raises(UsageError, match="points= or boxes="):
        segments.select([(1, 2)])


def test_candidates_of_a_click_span_sizes(make_segments: Callable[..., Segments]) -> None:
    boxes = [(40.0, 40, 60, 60), (41.0, 40, 60, 60), (20.0, 20, 80, 80), (22.0, 20, 80, 81), (0.0, 0, 110, 100)]
    segments = make_segments((100, 200), boxes, [0.9, 0.8, 0.7, 0.6, 0.5], imgsz=256)
    (pick,) = segments.select(points=[(50, 50)])
    assert {c.index for c in pick.candidates} == {0, 2, 4}  # part, object, group; near copies are left out
    assert [c.score for c in pick.candidates] == sorted((c.score for c in pick.candidates), reverse=True)
    assert {c.how for c in pick.candidates} == {"mask"}


def test_a_click_means_what_it_is_in_the_middle_of(segments: Segments) -> None:
    assert [p.index for p in segments.select(points=[(60, 50)])] == [0]
    assert [p.index for p in segments.select(points=[(42, 44)])] == [1]


def test_masks_are_answered_by_the_best_overlap(segments: Segments) -> None:
    wanted = np.zeros((100, 200), np.uint8)
    wanted[32:60, 31:62] = 255
    nothing = np.zeros((100, 200), bool)
    nothing[95:, 190:] = True
    picks = segments.select(masks=[wanted, nothing, segments.masks[2]])
    assert [p.index for p in picks] == [1, None, 2]
    overlap = (segments.masks[1] & (wanted > 0)).sum() / (segments.masks[1] | (wanted > 0)).sum()
    assert picks[0].score == pytest.approx(overlap)
    assert picks[2].score == 1


def test_the_best_of_many_masks_in_one_box_is_found() -> None:
    masks = np.zeros((25, 60, 60), bool)
    for k, mask in enumerate(masks):
        mask[10:50, 10:50] = np.random.default_rng(k).random((40, 40)) < 0.5
        mask[10, 10] = mask[49, 49] = True
    segments = Segments.from_masks(np.zeros((60, 60, 3), np.uint8), masks)
    assert [p.index for p in segments.select(masks=list(masks), refine=False)] == list(range(25))


def test_a_mask_and_a_point_in_one_prompt_must_both_hold(segments: Segments) -> None:
    around = segments.masks[0]
    inside, apart = Prompt(mask=around, points=[(20, 20)]), Prompt(mask=around, points=[(150, 40)])
    assert [p.index for p in segments.select([inside, apart])] == [0, None]


def test_points_that_no_mask_holds_together_are_answered_by_a_union_that_says_so(segments: Segments) -> None:
    (pick,) = segments.select(points=[(100, 80), (150, 40), (20, 20)])
    assert (pick.how, pick.index) == ("union", None)
    assert pick.candidates[0].plus == (0, 2)
    np.testing.assert_array_equal(pick.mask, segments.masks[0] | segments.masks[2])
    assert 0 < pick.score < 1
    (pick,) = segments.select(points=[(100, 80), (150, 40), (195, 95)])
    assert (pick.how, pick.mask) == (None, None)  # one of the points lies on nothing


def test_a_box_that_no_mask_fills_is_answered_by_the_union_of_all_within_it(segments: Segments) -> None:
    (pick,) = segments.select(boxes=[(5, 5, 185, 95)])
    assert (pick.how, pick.index, pick.candidates[0].plus) == ("union", None, (0, 1, 2))
    np.testing.assert_array_equal(pick.mask, segments.masks[0] | segments.masks[1] | segments.masks[2])
    assert pick.score == pytest.approx(170 * 80 / (180 * 90), abs=0.02)
    loose, partly = (-60, -60, 200, 100), (40, 5, 185, 95)  # they leave too much of the one, lie on a side of the other
    assert [p.mask for p in segments.select(boxes=[loose, partly])] == [None, None]
    (pick,) = segments.select([Prompt(box=(5, 5, 185, 95), points=[(45, 45)])])
    assert not pick  # both must hold for one mask


def test_a_background_point_on_a_part_is_answered_by_the_difference(segments: Segments) -> None:
    (pick,) = segments.select(points=[(20, 20), (45, 45)], labels=[1, 0])
    assert (pick.how, pick.index) == ("difference", None)
    assert (pick.candidates[0].plus, pick.candidates[0].minus) == ((0,), (1,))
    np.testing.assert_array_equal(pick.mask, segments.masks[0] & ~segments.masks[1])


def test_merging_is_an_operation_of_its_own(segments: Segments) -> None:
    picks = segments.select(boxes=BOXES)
    union = segments.masks[0] | segments.masks[1] | segments.masks[2]
    np.testing.assert_array_equal(segments.merge(picks), union)
    np.testing.assert_array_equal(segments.merge([0, 1, 2]), union)
    np.testing.assert_array_equal(segments.merge([picks[0].candidates[0], 2]), union)
    assert not segments.merge([]).any()


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (np.zeros((100, 200), bool), "the mask is empty"),
        (np.ones((5, 5, 3)), "must have shape"),
        ("a", "must be an array|must have shape"),
        (np.ones((9, 9), bool), "9 x 9 pixels but the photo is 200 x 100"),
    ],
)
def test_a_mask_that_is_none_is_named(segments: Segments, mask: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        segments.select(masks=[mask])


def test_answers_become_segments_of_their_own(make_segments: Callable[..., Segments], tmp_path: Path) -> None:
    """A union is one segment, a text names its matches: what was answered is what every format writes."""
    segments = make_segments((100, 200), BOXES, SCORES, imgsz=256)
    picks = segments.select(boxes=[(5, 5, 185, 95), (0, 0, 9, 9), BOXES[1]])
    assert [pick.how for pick in picks] == ["union", None, "mask"]
    answers = segments.picked(picks)
    assert len(answers) == 2  # one for each match: nothing matched the second
    np.testing.assert_array_equal(answers[0].mask, picks[0].mask)
    np.testing.assert_array_equal(answers[1].mask, segments.masks[1])
    assert answers.scores.tolist() == pytest.approx([picks[0].score, picks[2].score])
    assert answers.boxes[0].tolist() == [*answers.masks.runs(0).bounds]
    answers.save(tmp_path / "answers.npz")
    assert Segments.load(tmp_path / "answers.npz") == answers
    assert segments.picked(picks[0]) == segments.picked([picks[0].candidates[0]]) == answers[:1]
    assert len(answers.to_records()) == 2
    for name in set(FORMATS) - {"overlay", "cutouts"}:  # those two need the photo
        assert FORMATS[name].make(Subject("photo.jpg", answers))
    rows = json.loads(FORMATS["coco"].make(Subject("photo.jpg", answers)))["annotations"]
    given = json.loads(FORMATS["coco"].make(Subject("photo.jpg", segments, picks)))["annotations"]
    assert [row["segmentation"] for row in rows] == [row["segmentation"] for row in given]
    np.testing.assert_array_equal(answers.label_map() > 0, segments.merge(picks))


def test_a_match_of_a_text_has_the_texts_name(make_segments: Callable[..., Segments]) -> None:
    segments = make_segments((100, 200), BOXES, SCORES, imgsz=256)
    matches = tuple(Candidate(segments.masks, (i,), 0.5) for i in (2, 0))
    answers = segments.picked([Pick(Prompt(text="cup"), matches, 2), Pick(Prompt(box=BOXES[1]), matches[:1])])
    assert [one.name for one in answers] == ["cup", "cup", "object"]
    assert [one.box for one in answers] == [answers[0].box, answers[1].box, answers[0].box]


def test_the_rank_of_an_answer_beyond_one_becomes_a_score(make_segments: Callable[..., Segments]) -> None:
    segments = make_segments((100, 200), BOXES, SCORES, imgsz=256)
    assert segments.picked(Candidate(segments.masks, (0,), 1.7)).scores.tolist() == [1.0]
