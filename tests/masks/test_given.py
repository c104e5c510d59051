"""Masks from elsewhere come back to the pixel, and answer as those of the network do."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco

from fastsam import Segments, UsageError
from fastsam.masks import rle
from fastsam.masks.annotations import decode
from fastsam.masks.given import pack
from fastsam.masks.lazy import from_pixels

PHOTO = np.zeros((50, 70, 3), np.uint8)


def draw(height: int, width: int, n: int, seed: int) -> np.ndarray:
    """Random rectangles with random holes, some of them empty."""
    rng = np.random.default_rng(seed)
    masks = np.zeros((n, height, width), bool)
    for mask in masks:
        y, x = np.sort(rng.integers(0, height + 1, 2)), np.sort(rng.integers(0, width + 1, 2))
        mask[y[0] : y[1], x[0] : x[1]] = rng.random((y[1] - y[0], x[1] - x[0])) < 0.7
    return masks


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 6), st.integers(0, 10**6))
def test_packed_masks_are_what_went_in(height: int, width: int, n: int, seed: int) -> None:
    masks = draw(height, width, n, seed)
    kept = from_pixels(pack(masks, (height, width)))
    np.testing.assert_array_equal(kept.stack(), masks)
    np.testing.assert_array_equal(kept.areas, masks.sum((1, 2)))
    np.testing.assert_array_equal(kept.occupied(), masks.any((1, 2)))
    rows, columns = np.indices((height, width)).reshape(2, -1)
    points = np.stack((columns, rows), 1) + np.random.default_rng(seed).random((len(rows), 2)) * 0.999
    np.testing.assert_array_equal(kept.logits_at(points) > 0, masks.reshape(n, height * width))
    order = np.random.default_rng(seed).permutation(n)
    np.testing.assert_array_equal(kept.take(order).stack(), masks[order])


def test_packing_takes_what_the_runs_take() -> None:
    masks = np.zeros((100, 400, 400), bool)
    masks[:, 100:200, 80:160] = True
    assert pack(masks, (400, 400)).table.nbytes == 100 * 80 * 3 * 4


def as_annotations(masks: np.ndarray) -> list[dict[str, Any]]:
    packed = [coco.encode(np.asfortranarray(m.astype(np.uint8))) for m in masks]
    return [{"segmentation": {**r, "counts": r["counts"].decode()}, "category_id": 1, "score": 0.5} for r in packed]


@pytest.mark.parametrize(
    "form",
    [
        lambda m: m,
        lambda m: list(m),
        lambda m: [x.astype(np.uint8) * 255 for x in m],
        lambda m: [rle.encode(x) for x in m],
        as_annotations,
    ],
)
def test_arrays_rle_and_annotations_are_taken(form: Any) -> None:
    masks = draw(50, 70, 4, 3)
    segments = Segments.from_masks(PHOTO, form(masks))
    np.testing.assert_array_equal(segments.masks.stack(), masks)
    assert segments.scores.tolist() == ([0.5] * 4 if form is as_annotations else [1.0] * 4)


def test_polygons_of_annotations_cover_the_pixels_whose_centres_they_hold() -> None:
    square = {"segmentation": [[10, 5, 30, 5, 30, 25, 10, 25]], "category_id": 1}
    (mask,) = Segments.from_masks(PHOTO, [square]).masks
    assert mask[5:25, 10:30].all()
    assert mask.sum() == 400


def test_given_masks_are_saved_and_loaded(tmp_path: Path) -> None:
    masks = draw(50, 70, 4, 5)
    Segments.from_masks(PHOTO, masks, [0.4, 0.3, 0.2, 0.1]).save(tmp_path / "given.npz")
    back = Segments.load(tmp_path / "given.npz", photo=PHOTO)
    np.testing.assert_array_equal(back.masks.stack(), masks)
    assert back.scores.tolist() == pytest.approx([0.4, 0.3, 0.2, 0.1])
    assert back.photo is not None


def test_given_masks_take_the_same_prompts() -> None:
    masks = np.zeros((3, 50, 70), bool)
    masks[0, 10:40, 10:40] = masks[1, 20:30, 20:30] = masks[2, 5:45, 50:65] = True
    segments = Segments.from_masks(PHOTO, masks)
    picks = segments.select(points=[(25, 25)], boxes=[(49, 5, 66, 45)], masks=[masks[0]], refine=False)
    assert [p.index for p in picks] == [1, 2, 0]
    assert segments.hierarchy().tolist() == [-1, 0, -1]


@pytest.mark.parametrize(
    ("masks", "message"),
    [
        (np.zeros((2, 5, 7), bool), "mask 0 has 7 x 5 pixels but the photo has 70 x 50"),
        ([{"counts": "zz", "size": [50, 70]}], "mask 0 is invalid"),
        ([{"category_id": 3}], "mask 0 is invalid: 'size' is missing"),
        (3, "list of masks, not 3"),
        ("a.json", "list of masks, not 'a.json'"),
        ({"annotations": []}, "list of masks, not {'annotations'"),
        (["a"], "mask 0 is invalid: a mask must be an array of numbers, not a str"),
        ([None], "mask 0 is invalid"),
        ([{"segmentation": [[1, 2, 3]]}], "a polygon must be x, y"),
        ([{"segmentation": [[1, 2, 3, 4]]}], "a polygon must be x, y"),
        ([{"segmentation": [[1, 2, 3, float("nan"), 5, 6]]}], "a polygon must be x, y"),
    ],
)
def test_what_is_no_mask_is_named(masks: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Segments.from_masks(PHOTO, masks)


def test_scores_are_one_a_mask() -> None:
    with pytest.raises(UsageError, match="2 scores given for 3 masks"):
        Segments.from_masks(PHOTO, draw(50, 70, 3, 0), [0.5, 0.5])


@pytest.mark.parametrize("scores", [[90.0], [-0.1], [float("nan")], ["a"], [None]])
def test_scores_are_numbers_between_0_and_1(scores: Any) -> None:
    with pytest.raises(UsageError, match="score"):
        Segments.from_masks(PHOTO, draw(50, 70, 1, 0), scores)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(-20, 90), st.floats(-20, 70)), min_size=3, max_size=9))
def test_a_polygon_fills_the_pixels_whose_centres_it_holds(corners: list[tuple[float, float]]) -> None:
    """One pixel after the other: how many edges does a ray to the left cross?"""
    mask = decode([np.array(corners).reshape(-1).tolist()], (50, 70))
    for row in range(0, 50, 7):
        for column in range(0, 70, 7):
            x, y, crossed, doubtful = column + 0.5, row + 0.5, 0, False
            for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1], strict=True):
                if min(y0, y1) <= y < max(y0, y1):
                    across = x0 + (y - y0) / (y1 - y0) * (x1 - x0)
                    crossed += across <= x
                    doubtful |= abs(across - x) < 1e-6
                doubtful |= min(abs(y0 - y), abs(y1 - y)) < 1e-6
            assert doubtful or mask[row, column] == (crossed % 2 == 1)


def test_polygons_are_those_of_the_coco_tools() -> None:
    for polygon in ([2, 2, 6, 2, 6, 6, 2, 6], [10, 5, 30, 5, 30, 25, 10, 25]):
        theirs = coco.decode(coco.merge(coco.frPyObjects([polygon], 50, 70)))
        np.testing.assert_array_equal(decode([polygon], (50, 70)), theirs)


def test_a_label_map_and_segment_anythings_dictionaries_are_taken() -> None:
    masks = draw(50, 70, 2, 8)
    labels = np.where(masks[1], 7, np.where(masks[0], 3, 0))
    segments = Segments.from_masks(PHOTO, labels)
    np.testing.assert_array_equal(segments.masks.stack(), [labels == 3, labels == 7])
    found = Segments.from_masks(PHOTO, [{"segmentation": mask, "area": 3} for mask in masks])
    np.testing.assert_array_equal(found.masks.stack(), masks)
    soft = Segments.from_masks(PHOTO, masks * 0.9 + 0.05)
    np.testing.assert_array_equal(soft.masks.stack(), masks)


def test_categories_give_annotations_their_names() -> None:
    rows = [{**row, "category_id": k} for row, k in zip(as_annotations(draw(50, 70, 2, 8)), (9, 4), strict=True)]
    categories = [{"id": 4, "name": "cup"}, {"id": 9, "name": "spoon"}]
    segments = Segments.from_masks(PHOTO, rows, categories=categories)
    assert [segments.names[k] for k in segments.classes] == ["spoon", "cup"]


def test_given_masks_keep_their_order_and_suppression_their_scores() -> None:
    mask = draw(50, 70, 1, 8)[0]
    segments = Segments.from_masks(PHOTO, [mask, mask], [0.2, 0.9])
    assert segments.scores.tolist() == pytest.approx([0.2, 0.9])
    assert segments.filter(iou=0.5).scores.tolist() == pytest.approx([0.9])


def test_a_result_keeps_its_own_photo() -> None:
    photo = PHOTO.copy()
    segments = Segments.from_masks(photo, draw(50, 70, 1, 8))
    photo[:] = 255
    assert segments.photo is not None
    assert segments.photo.max() == 0
    with pytest.raises(ValueError, match="read-only"):
        segments.photo[:] = 1
