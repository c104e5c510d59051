"""`Segments` as a sequence of objects, as a picture, as a pickle; odd values in every call."""

import copy
import pickle
import re
from base64 import b64decode
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastsam import Prompt, Segments, UsageError
from fastsam.segments import Segment
from fastsam.values import positions

PLACES = [(10, 10, 60, 50), (20, 20, 40, 40), (80, 5, 95, 55), (0, 0, 3, 3)]
SCORES = [0.9, 0.6, 0.3, 0.2]
NAN = float("nan")


@pytest.fixture
def photo() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (60, 100, 3), np.uint8)


@pytest.fixture
def segments(photo: np.ndarray) -> Segments:
    masks = np.zeros((4, 60, 100), bool)
    for mask, (x0, y0, x1, y1) in zip(masks, PLACES, strict=True):
        mask[y0:y1, x0:x1] = True
    rows = [{"segmentation": m, "category_id": k} for m, k in zip(masks, (1, 2, 2, 1), strict=True)]
    return Segments.from_masks(photo, rows, SCORES, categories=[{"id": 1, "name": "cup"}, {"id": 2, "name": "spoon"}])


def test_a_number_gives_one_object(segments: Segments, photo: np.ndarray) -> None:
    one = segments[1]
    assert isinstance(one, Segment)
    assert (one.index, one.name, one.score, one.area) == (1, "spoon", pytest.approx(0.6), 400)
    assert one.box == (20, 20, 40, 40)
    np.testing.assert_array_equal(one.mask, segments.masks[1])
    np.testing.assert_array_equal(one.cutout, segments.cutout(1))
    assert one.rle == segments.to_rle()[1]
    assert len(one.polygons[0].outline) == 4
    assert repr(one) == "Segment(1: 'spoon', score 0.600, box (20.0, 20.0, 40.0, 40.0), 400 pixels)"
    assert one == segments[np.int64(1)] == segments[-3] != segments[0]
    assert hash(one) == hash(segments[-3])
    with pytest.raises(AttributeError):
        one.score = 1.0  # type: ignore[misc]


def test_slices_bools_and_lists_give_segments(segments: Segments) -> None:
    for index, expected in (
        (slice(2), [0, 1]), (slice(None, None, -1), [3, 2, 1, 0]), (segments.scores > 0.5, [0, 1]), ([0, 3], [0, 3]),
        (np.array([3, -1, 0]), [3, 3, 0]), ([], []), (np.zeros(0, int), []), ([True, False, False, True], [0, 3]),
        ((1, 2), [1, 2]), (slice(9, 20), []), (np.array([1, 2], np.uint8), [1, 2]), (range(2), [0, 1]),
    ):  # fmt: skip
        some = segments[index]
        assert isinstance(some, Segments)
        assert some.scores.tolist() == segments.scores[expected].tolist()
        assert some.to_rle() == [segments.to_rle()[i] for i in expected]
        assert [s.name for s in some] == [segments[i].name for i in expected]
        assert segments.take(index) == some
        masks = segments.masks[index]
        np.testing.assert_array_equal(masks.areas, segments.masks.areas[expected])


def test_it_is_a_sequence(segments: Segments) -> None:
    assert isinstance(segments, Sequence)
    assert [s.index for s in segments] == [0, 1, 2, 3]
    assert [s.index for s in reversed(segments)] == [3, 2, 1, 0]
    assert segments[2] in segments
    assert segments.index(segments[2]) == 2
    assert segments
    assert not segments[:0]
    np.testing.assert_array_equal(np.asarray(segments.masks[:2]), segments.masks.stack()[:2])


@pytest.mark.parametrize("index", [4, -5, 10**30, [4], [0, -5], np.array([99])])
def test_a_number_that_does_not_exist_is_an_index_error_in_one_line(segments: Segments, index: Any) -> None:
    for things in (segments, segments.masks):
        with pytest.raises((IndexError, UsageError), match=r"does not exist: there are 4|an index must be"):
            things[index]


@pytest.mark.parametrize(
    "index",
    ["a", 1.5, None, True, [0.5], [[0, 1]], np.zeros((4, 4), bool), [True, False], slice("a"), slice(0.5), {}, {1},
     object(), ["a"], [None], [1, [2]], Ellipsis, (slice(2), 0), NAN, np.array(1.5), b"a", [True, 2, 3, "a"]],
    ids=str,
)  # fmt: skip
def test_what_is_no_index_is_one_line(segments: Segments, index: Any) -> None:
    for call in (segments.__getitem__, segments.masks.__getitem__, segments.take):
        with pytest.raises(UsageError) as caught:
            call(index)
        assert "\n" not in str(caught.value)


@given(st.integers(0, 6), st.lists(st.integers(-8, 8), max_size=5))
def test_places_are_those_of_a_list(count: int, indices: list[int]) -> None:
    things = list(range(count))
    try:
        expected = [things[i] for i in indices]
    except IndexError:
        with pytest.raises(IndexError, match="does not exist"):
            positions(indices, count, "thing")
        return
    assert positions(indices, count, "thing").tolist() == expected


def test_it_is_said_in_one_line(segments: Segments) -> None:
    assert repr(segments) == "Segments(4 of a photo of 100 x 60 pixels, scores 0.90 to 0.20)"
    assert repr(segments[:0]) == "Segments(0 of a photo of 100 x 60 pixels)"
    picks = segments.select(points=[(30, 30)], masks=[segments.masks[0]], refine=False)
    for value in (segments.masks, segments.masks.source, segments.partition(), picks, picks[1].prompt, segments.sight):
        assert "\n" not in repr(value)
        assert len(repr(value)) < 1000


def test_a_notebook_shows_its_picture(segments: Segments, tmp_path: Path) -> None:
    shown = segments._repr_html_()
    (data,) = re.findall(r'src="data:image/png;base64,([^"]+)"', shown)
    picture = cv2.imdecode(np.frombuffer(b64decode(data), np.uint8), cv2.IMREAD_COLOR_RGB)
    assert picture.shape == (60, 100, 3)
    np.testing.assert_array_equal(picture[58, 70], segments.photo[58, 70])  # no mask there
    assert (picture[30, 30] != segments.photo[30, 30]).any()
    assert repr(segments) in shown
    segments.save(tmp_path / "a.npz")
    assert "base64" in Segments.load(tmp_path / "a.npz")._repr_html_()
    large = Segments.from_masks(np.zeros((3000, 4000, 3), np.uint8), np.ones((1, 3000, 4000), bool))
    assert len(large._repr_html_()) < 100_000


def test_equal_results_are_equal(segments: Segments, photo: np.ndarray) -> None:
    assert segments == segments[:]
    assert hash(segments) == hash(segments[:])
    assert segments != segments[::-1]
    assert segments != segments[:3]
    assert segments != "segments"
    others = segments.masks.stack()
    others[2, 30, 90] = False  # inside: the same box
    rows = [{"segmentation": m, "category_id": k} for m, k in zip(others, (0, 1, 1, 0), strict=True)]
    same = [{"id": 0, "name": "cup"}, {"id": 1, "name": "spoon"}]
    assert Segments.from_masks(photo, rows, SCORES, categories=same) != segments


@pytest.mark.parametrize("photos", [True, False])
def test_pickled_segments_come_back_whole_and_frozen(segments: Segments, tmp_path: Path, photos: bool) -> None:
    if not photos:
        segments.save(tmp_path / "a.npz")
        segments = Segments.load(tmp_path / "a.npz")
    for back in (pickle.loads(pickle.dumps(segments)), copy.deepcopy(segments)):
        assert back == segments
        assert back.names == segments.names
        assert (back.photo is None) != photos
        for array in (back.scores, back.boxes, back.masks.source.table):
            assert not array.flags.writeable
    (pick,) = segments.select(boxes=[(10, 10, 60, 50)], refine=False)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(pick)).mask, pick.mask)


def test_pickled_masks_of_a_network_come_back(make_segments: Callable[..., Segments]) -> None:
    segments = make_segments((100, 200), [(10.0, 10.0, 110.0, 90.0)], [0.9])
    assert segments.masks.areas[0] > 0  # decoded: what that left in memory is not pickled
    assert pickle.loads(pickle.dumps(segments)) == segments


def test_lists_of_scores_and_classes_become_arrays(segments: Segments) -> None:
    made = Segments(segments.masks, SCORES, [0, 1, 1, 0], segments.names, photo=segments.photo)  # type: ignore[arg-type]
    assert made == segments
    with pytest.raises(ValueError, match="not 4, 1 and 2"):
        Segments(segments.masks, [0.5], [0, 1])  # type: ignore[arg-type]
    assert "\n" not in repr(segments.masks.crop(0)) + repr(segments.masks.runs(0))
    with pytest.raises(IndexError, match="mask 4 does not exist: there are 4"):
        segments.masks.crop(4)
    with pytest.raises(UsageError, match="an index must be"):
        segments.masks.crop(1.5)  # type: ignore[arg-type]


def test_asking_nothing_is_answered_by_nothing(segments: Segments) -> None:
    nothing: list[dict[str, Any]] = [
        {}, {"points": []}, {"points": np.zeros((0, 2)), "labels": []}, {"boxes": np.zeros((0, 4))}, {"boxes": []},
        {"masks": np.zeros((0, 60, 100))}, {"texts": []}, {"points": None, "labels": None, "boxes": None},
        {"masks": None, "texts": None, "exclude": None}, {"boxes": ()}, {"prompts": ()}, {"prompts": None},
    ]  # fmt: skip
    for arguments in nothing:
        assert segments.select(**arguments) == []
    assert len(segments.picked([])) == 0


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
def test_numpys_values_are_values(segments: Segments) -> None:
    assert len(segments.filter(area=(np.int64(100), None))) == 3
    assert len(segments.filter(area=np.array([100, 800]))) == 2
    assert len(segments.filter(area=[np.float32(100), np.inf], conf=np.float64(0.5), iou=np.array(0.5))) == 2
    assert len(segments.filter(area=(np.inf, None))) == 0
    assert segments.filter(conf=0, iou=1) == segments
    boxes = np.array([PLACES[0], PLACES[2]], np.float32)
    assert [p.index for p in segments.select(boxes=boxes, refine=False)] == [0, 2]
    assert [p.index for p in segments.select(boxes=boxes.astype(int).tolist(), refine=np.False_)] == [0, 2]
    with pytest.warns(PendingDeprecationWarning):
        matrix = np.matrix(boxes)
    assert [p.index for p in segments.select(boxes=matrix, refine=False)] == [0, 2]
    assert [p.index for p in segments.select(points=np.matrix([[90, 30]]), labels=np.array([1]), refine=False)] == [2]


ODD: list[Any] = ["yes", b"no", NAN, float("inf"), -1, 5, 0.5, object(), [None], [[1]], {}, {"a": 1}, 1j,
                  np.zeros((2, 2)), np.array("a"), np.array([None]), True, [True], [("a", "b")], "1,2,3,4", range(3),
                  [NAN] * 4]  # fmt: skip


@pytest.mark.parametrize("value", ODD, ids=lambda v: " ".join(repr(v).split())[:30])
def test_odd_values_end_in_one_line_or_an_answer(segments: Segments, value: Any, tmp_path: Path) -> None:
    """Every argument of every public call: never an error of NumPy's or of a helper's."""
    calls: list[Callable[[], Any]] = [
        *(lambda n=n: segments.select(**{n: value}) for n in ("prompts", "points", "boxes", "masks", "texts")),
        lambda: segments.select(texts=["cup"], exclude=value, encoder="none"),
        lambda: segments.select(points=[(1, 1)], labels=value, refine=False),
        lambda: segments.select(boxes=[value], refine=False),
        lambda: segments.select(points=[value], refine=False),
        lambda: segments.select(masks=[value], refine=False),
        lambda: segments.select(boxes=[PLACES[0]], refine=value),
        *(lambda n=n: segments.filter(**{n: value}) for n in ("conf", "iou", "area", "stability", "inside")),
        lambda: segments.filter(area=(value, None)),
        lambda: segments.refine(min_region_area=value),
        lambda: segments.refine(refiner=value),
        lambda: segments.merge(value),
        lambda: segments.merge([value]),
        lambda: segments.picked(value),
        lambda: segments.picked([value]),
        lambda: segments.partition(fill=value),
        lambda: segments.cutout(value),
        lambda: segments.name(value),
        lambda: segments.name([], all=value),
        lambda: segments.name(["cup"], encoder=value),
        lambda: Segments.from_masks(value, []),
        lambda: Segments.from_masks(segments.photo, value),
        lambda: Segments.from_masks(segments.photo, [value]),
        lambda: Segments.from_masks(segments.photo, segments.masks.stack(), value),
        lambda: Segments.from_masks(segments.photo, segments.masks.stack(), categories=value),
        lambda: Segments.load(value),
        lambda: Segments.from_npz(value),
        *(lambda n=n: Prompt(**{n: value}) for n in ("points", "box", "mask", "text")),
        lambda: Prompt(text="cup", exclude=value),
        lambda: Prompt(points=[(1, 1)], labels=value),
    ]  # fmt: skip
    wrong = []
    for number, call in enumerate(calls):
        try:
            call()
        except UsageError as error:
            if "\n" in str(error) or len(str(error)) > 300:
                wrong.append((number, error))
        except IndexError as error:
            if "does not exist" not in str(error):
                wrong.append((number, error))
        except Exception as error:
            wrong.append((number, error))
    assert not wrong, wrong


@pytest.mark.parametrize("value", [NAN, -1, "5", None, float("inf"), True])
def test_an_island_of_odd_size_is_refused(segments: Segments, value: Any) -> None:
    with pytest.raises(UsageError, match="min_region_area must be a number of at least 0, not"):
        segments.refine(min_region_area=value)


@pytest.mark.parametrize("value", ["yes", 1, 0, [], NAN])
def test_drawing_is_yes_no_or_a_network(segments: Segments, value: Any) -> None:
    with pytest.raises(UsageError, match="refine must be True or False, not"):
        segments.select(points=[(30, 30)], refine=value)
