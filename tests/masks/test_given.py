"""Masks from elsewhere come back to the pixel, and answer as those of the network do."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco

from fastsam import Segments, UsageError
from fastsam.masks import rle
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


def test_packing_takes_an_eighth_of_what_is_covered() -> None:
    masks = np.zeros((100, 400, 400), bool)
    masks[:, 100:200, 80:160] = True
    assert len(pack(masks, (400, 400)).bits) == 100 * 100 * 80 // 8


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
    assert abs(int(mask.sum()) - 400) <= 41  # the border's own pixels may count


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
    picks = segments.select(points=[(25, 25)], boxes=[(49, 5, 66, 45)], masks=[masks[0]])
    assert [p.index for p in picks] == [1, 2, 0]
    assert segments.hierarchy().tolist() == [-1, 0, -1]


@pytest.mark.parametrize(
    ("masks", "message"),
    [
        (np.zeros((2, 5, 7), bool), "mask 0 is of 7 x 5 pixels, the photo of 70 x 50"),
        ([{"counts": "zz", "size": [50, 70]}], "no masks of a photo"),
        ([{"category_id": 3}], "no masks of a photo"),
        (3, "no masks of a photo"),
        (["a"], "no masks of a photo|mask 0"),
        (json.loads('[{"segmentation": [[1, 2, 3]]}]'), "no masks of a photo"),
    ],
)
def test_what_is_no_mask_is_named(masks: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Segments.from_masks(PHOTO, masks)


def test_scores_are_one_a_mask() -> None:
    with pytest.raises(UsageError, match="3 masks have 2 scores"):
        Segments.from_masks(PHOTO, draw(50, 70, 3, 0), [0.5, 0.5])
