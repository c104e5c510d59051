"""Segment Anything's interface: shapes, frames and filters as code written for it expects."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

from fastsam import FastSAM, Segments, UsageError
from fastsam.compat import SamAutomaticMaskGenerator, SamPredictor
from fastsam.compat.crops import crop_boxes, without_small_regions
from fastsam.compat.sam import low_resolution
from fastsam.image.read import read_image


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    return read_image(Path(__file__).parents[2] / "examples" / "coffee.png")


@pytest.fixture
def predictor(make_segments: Callable[..., Segments], model: FastSAM) -> SamPredictor:
    """A predictor whose photo (100 x 160) has four nested masks and one apart."""
    nest = [(10.0, 10, 110, 90), (40.0, 40, 70, 70), (30.0, 30, 90, 80), (42.0, 42, 70, 70), (120.0, 20, 150, 80)]
    found = SamPredictor(model)
    found.segments = make_segments((100, 160), nest, [0.5, 0.9, 0.4, 0.8, 0.7])
    return found


def test_a_click_has_three_answers_from_small_to_large(predictor: SamPredictor) -> None:
    masks, scores, low = predictor.predict(np.array([[55, 54]]), np.array([1]))
    assert (masks.shape, masks.dtype, scores.shape, low.shape) == ((3, 100, 160), bool, (3,), (3, 256, 256))
    areas = predictor.segments.masks.areas
    assert masks.sum((1, 2)).tolist() == areas[[1, 2, 0]].tolist()  # the near copy of the smallest is passed over
    assert scores.argmax() == 0
    best, score, _ = predictor.predict(np.array([[55, 54]]), np.array([1]), multimask_output=False)
    np.testing.assert_array_equal(best[0], masks[0])
    assert score[0] == scores[0]


def test_negatives_and_boxes_narrow(predictor: SamPredictor) -> None:
    masks, scores, _ = predictor.predict(np.array([[50, 50], [20, 20]]), np.array([1, 0]))
    areas = predictor.segments.masks.areas
    assert masks.sum((1, 2)).max() == areas[2]
    masks, scores, _ = predictor.predict(box=np.array([121, 20, 150, 80]), multimask_output=False)
    assert masks.sum() == areas[4]
    masks, scores, low = predictor.predict(box=np.array([0, 92, 9, 100]))
    assert masks.shape == (3, 100, 160)
    assert not masks.any()
    assert not scores.any()
    alone, scores, _ = predictor.predict(box=np.array([121, 20, 150, 80]))
    assert [m.sum() for m in alone] == [areas[4]] * 3
    assert (scores == scores[0]).all()
    assert (low < 0).all()


def test_the_low_resolution_mask_of_an_answer_asks_for_it_again(predictor: SamPredictor) -> None:
    masks, _, low = predictor.predict(np.array([[50, 50]]), np.array([1]))
    again, score, _ = predictor.predict(mask_input=low[1:2], multimask_output=False)
    np.testing.assert_array_equal(again[0], masks[1])
    assert score[0] == 1
    with pytest.raises(UsageError, match=r"mask_input of shape \(3, 256, 256\)"):
        predictor.predict(mask_input=low)
    with pytest.raises(UsageError, match="no array of numbers"):
        predictor.predict(np.array([1, 2, 3]), np.array([1]))


def test_logits_are_positive_where_the_mask_is(predictor: SamPredictor) -> None:
    masks, _, _ = predictor.predict(np.array([[50, 50]]), np.array([1]))
    logits, _, low = predictor.predict(np.array([[50, 50]]), np.array([1]), return_logits=True)
    np.testing.assert_array_equal(logits > 0, masks)
    scaled = cv2.resize(masks[2].astype(np.uint8), (256, 160), interpolation=cv2.INTER_NEAREST)
    assert ((low[2, :160] > 0) != (scaled > 0)).mean() < 0.02
    assert (low[2, 160:] < 0).all()  # padding


def test_the_predictor_follows_the_photo(model: FastSAM, photo: np.ndarray) -> None:
    predictor = SamPredictor(model)
    with pytest.raises(UsageError, match="set_image"):
        predictor.predict(np.array([[1, 1]]), np.array([1]))
    predictor.set_image(photo)
    assert predictor.original_size == photo.shape[:2]
    rgb, _, _ = predictor.predict(np.array([[300, 200]]), np.array([1]))
    predictor.set_image(photo[..., ::-1], "BGR")
    bgr, _, _ = predictor.predict(np.array([[300, 200]]), np.array([1]))
    np.testing.assert_array_equal(rgb, bgr)
    predictor.reset_image()
    assert not predictor.is_image_set


def test_everything_is_a_list_of_dictionaries(model: FastSAM, photo: np.ndarray) -> None:
    found = SamAutomaticMaskGenerator(model).generate(photo)
    assert len(found) == len(model(photo))
    for mask in found:
        x, y, w, h = mask["bbox"]
        assert mask["area"] == mask["segmentation"].sum()
        assert mask["segmentation"][y : y + h, x : x + w].sum() == mask["area"]
        column, row = mask["point_coords"][0]
        assert mask["segmentation"][int(row), int(column)]
        assert 0 <= mask["stability_score"] <= 1
        assert mask["crop_box"] == [0, 0, photo.shape[1], photo.shape[0]]
    assert [m["predicted_iou"] for m in found] == sorted((m["predicted_iou"] for m in found), reverse=True)


def test_all_output_modes_are_the_same_masks(model: FastSAM, photo: np.ndarray) -> None:
    by_mode = [
        SamAutomaticMaskGenerator(model, output_mode=mode).generate(photo)
        for mode in ("binary_mask", "coco_rle", "uncompressed_rle")
    ]
    for binary, packed, runs in zip(*by_mode, strict=True):
        np.testing.assert_array_equal(coco_mask.decode(packed["segmentation"]), binary["segmentation"])
        counts = runs["segmentation"]["counts"]
        assert isinstance(counts, list)
        values = np.repeat(np.arange(len(counts)) % 2, counts).reshape(photo.shape[1], photo.shape[0]).T
        np.testing.assert_array_equal(values, binary["segmentation"])
    with pytest.raises(UsageError, match="unknown output_mode 'png'"):
        SamAutomaticMaskGenerator(model, output_mode="png")


def test_filters_narrow(model: FastSAM, photo: np.ndarray) -> None:
    every = SamAutomaticMaskGenerator(model).generate(photo)
    sure = SamAutomaticMaskGenerator(model, pred_iou_thresh=0.2).generate(photo)
    firm = SamAutomaticMaskGenerator(model, stability_score_thresh=0.6).generate(photo)
    assert 0 < len(sure) < len(every)
    assert 0 < len(firm) < len(every)
    assert all(m["predicted_iou"] > 0.2 for m in sure)
    assert all(m["stability_score"] >= 0.6 for m in firm)


def test_crop_layers_add_what_is_small(model: FastSAM, photo: np.ndarray) -> None:
    whole = SamAutomaticMaskGenerator(model).generate(photo)
    more = SamAutomaticMaskGenerator(model, crop_n_layers=1).generate(photo)
    boxes = {tuple(m["crop_box"]) for m in more}
    assert (0, 0, photo.shape[1], photo.shape[0]) in boxes
    assert len(boxes) > 1
    assert min(m["area"] for m in more) <= min(m["area"] for m in whole)
    for mask in more:
        x, y, w, h = mask["crop_box"]
        inside = mask["segmentation"][y : y + h, x : x + w].sum()
        assert inside == mask["area"]


@given(st.integers(1, 900), st.integers(1, 900), st.integers(0, 2), st.floats(0, 0.6))
@settings(max_examples=40, deadline=None)
def test_the_crops_of_every_layer_cover_the_photo(height: int, width: int, layers: int, overlap: float) -> None:
    boxes = list(crop_boxes((height, width), layers, overlap))
    assert len(boxes) <= sum(4**k for k in range(layers + 1))
    assert all(0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height for x0, y0, x1, y1 in boxes)
    if len(boxes) == sum(4**k for k in range(layers + 1)):
        for layer in range(layers + 1):
            seen = np.zeros((height, width), bool)
            first = sum(4**k for k in range(layer))
            for x0, y0, x1, y1 in boxes[first : first + 4**layer]:
                seen[y0:y1, x0:x1] = True
            assert seen.all()


def test_small_holes_and_loose_parts_go() -> None:
    mask = np.zeros((40, 60), bool)
    mask[5:30, 5:40] = True
    mask[10:12, 10:12] = False  # a hole of 4
    mask[20:26, 20:26] = False  # a hole of 36
    mask[35:37, 50:53] = True  # a part of 6
    cleaned = without_small_regions(mask, 10)
    wanted = mask.copy()
    wanted[10:12, 10:12] = True
    wanted[35:37, 50:53] = False
    np.testing.assert_array_equal(cleaned, wanted)
    speck = np.zeros((9, 9), bool)
    speck[4, 4] = True
    np.testing.assert_array_equal(without_small_regions(speck, 10), speck)  # the largest part stays
    np.testing.assert_array_equal(without_small_regions(mask[:8, :8], 1), mask[:8, :8])


def test_low_resolution_of_a_mask_without_a_pixel_is_empty(make_segments: Callable[..., Segments]) -> None:
    empty = make_segments((100, 160), [(5.0, 5.0, 5.2, 5.2)], [0.9])
    assert (low_resolution(empty, [0]) < 0).all()


def test_supervisions_tools_take_the_generator(model: FastSAM, photo: np.ndarray) -> None:
    """Roboflow's supervision reads SAM's dictionaries; its slicer calls the generator on tiles of a large photo."""
    sv = pytest.importorskip("supervision", reason="supervision is not installed")
    generator = SamAutomaticMaskGenerator(model)
    detections = sv.Detections.from_sam(generator.generate(photo))
    assert len(detections) == len(model(photo))
    picture = sv.MaskAnnotator(color_lookup=sv.ColorLookup.INDEX).annotate(photo.copy(), detections)
    assert (picture != photo).any()
    slicer = sv.InferenceSlicer(
        callback=lambda tile: sv.Detections.from_sam(generator.generate(tile)),
        slice_wh=(320, 320),
        overlap_wh=(64, 64),
        overlap_filter=sv.OverlapFilter.NONE,  # it would need scores, which from_sam does not read
    )
    tiled = slicer(photo)
    assert len(tiled) > 0
    assert tiled.xyxy[:, 2].max() <= photo.shape[1]


def test_segments_become_supervision_detections(model: FastSAM, photo: np.ndarray) -> None:
    sv = pytest.importorskip("supervision", reason="supervision is not installed")
    segments = model(photo)
    detections = segments.to_supervision()
    assert isinstance(detections, sv.Detections)
    np.testing.assert_array_equal(detections.mask[3], segments.masks[3])
    assert set(detections["class_name"]) == {"object"}
    assert len(model(photo, conf=1.0).to_supervision()) == 0
