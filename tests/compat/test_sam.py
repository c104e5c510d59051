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
from fastsam.compat import low as frame
from fastsam.compat.sam_crops import CropMask, crop_boxes, find_in_crop, without_copies, without_small_regions
from fastsam.image.read import read_image
from fastsam.masks.runs import Crop
from fastsam.refine.network import Refiner

Photo = tuple[np.ndarray, np.ndarray]


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / max(1, (a | b).sum()))


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    return read_image(Path(__file__).parents[2] / "examples" / "coffee.png")


@pytest.fixture
def predictor(make_segments: Callable[..., Segments], model: FastSAM) -> SamPredictor:
    """A predictor that chooses, and whose photo (100 x 160) has four nested masks and one apart."""
    nest = [(10.0, 10, 110, 90), (40.0, 40, 70, 70), (30.0, 30, 90, 80), (42.0, 42, 70, 70), (120.0, 20, 150, 80)]
    found = SamPredictor(model, refine=False)
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
    with pytest.raises(UsageError, match=r"mask_input must have shape \(1, 256, 256\), not \(3, 256, 256\)"):
        predictor.predict(mask_input=low)
    with pytest.raises(UsageError, match="must be an array of numbers"):
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
    sure = SamAutomaticMaskGenerator(model, pred_iou_thresh=0.2, refine=False).generate(photo)
    firm = SamAutomaticMaskGenerator(model, stability_score_thresh=0.9, refine=False).generate(photo)
    assert 0 < len(sure) < len(every)
    assert 0 < len(firm) < len(every)
    assert all(m["predicted_iou"] > 0.2 for m in sure)
    assert all(m["stability_score"] >= 0.9 for m in firm)


def test_the_thresholds_of_sams_callers_keep_masks(model: FastSAM, photo: np.ndarray) -> None:
    """Those of its own documentation and notebook, and of many scripts."""
    every = SamAutomaticMaskGenerator(model, refine=True).generate(photo)
    for iou_least, stable in ((0.86, 0.92), (0.88, 0.95)):
        found = SamAutomaticMaskGenerator(
            model=model,
            points_per_side=32,
            pred_iou_thresh=iou_least,
            stability_score_thresh=stable,
            crop_n_points_downscale_factor=2,
        ).generate(photo)
        assert 3 <= len(found) < len(every)
        assert all(m["predicted_iou"] > iou_least and m["stability_score"] >= stable for m in found)
    assert [m["bbox"] for m in SamAutomaticMaskGenerator(model, pred_iou_thresh=0.0).generate(photo)] == [
        m["bbox"] for m in SamAutomaticMaskGenerator(model).generate(photo)
    ]  # 0 is off, as in SAM


def test_thresholds_that_nothing_passes_are_told(model: FastSAM, photo: np.ndarray) -> None:
    with pytest.warns(UserWarning, match=r"pred_iou_thresh 0\.99 .* keep none of \d+ masks, whose best values are 0\."):
        assert SamAutomaticMaskGenerator(model, pred_iou_thresh=0.99, refine=False).generate(photo) == []
    with pytest.raises(UsageError, match="stability_score_thresh must be a number"):
        SamAutomaticMaskGenerator(model, stability_score_thresh="0.9")


def test_many_prompts_at_once_are_those_one_by_one(predictor: SamPredictor) -> None:
    boxes = predictor.transform.apply_boxes_torch(np.array([[121, 20, 150, 80], [40, 40, 70, 70]]), (100, 160))
    masks, scores, low = predictor.predict_torch(
        point_coords=None, point_labels=None, boxes=boxes, multimask_output=False
    )
    assert (masks.shape, scores.shape, low.shape) == ((2, 1, 100, 160), (2, 1), (2, 1, 256, 256))
    for mask, score, box in zip(masks.cpu().numpy(), scores.cpu().numpy(), boxes, strict=True):
        one, own, _ = predictor.predict(box=box, multimask_output=False)
        np.testing.assert_array_equal(mask, one)
        np.testing.assert_array_equal(score, own)
    masks, _, _ = predictor.predict_torch(np.array([[[55, 54]], [[130, 50]]]), np.array([[1], [1]]))
    assert masks.shape == (2, 3, 100, 160)
    with pytest.raises(UsageError, match="the same length"):
        predictor.predict_torch(np.zeros((2, 1, 2)), np.zeros((3, 1)))


def test_a_box_that_no_mask_answers_is_drawn_even_if_masks_are_chosen(
    model: FastSAM, rule: Callable[..., Refiner], disk: Photo, nothing_found: Callable[[np.ndarray], Segments],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("fastsam.model.shared", lambda *_: rule())
    predictor = SamPredictor(model, refine=False)
    predictor.segments, predictor.is_image_set = nothing_found(disk[0]), True
    masks, scores, _ = predictor.predict(box=BOX)
    assert iou(masks[scores.argmax()], disk[1]) > 0.9
    assert scores.max() > 0.5


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
    corner = np.ones((9, 9), bool)
    corner[0, 0] = corner[4:, 6:] = False
    assert without_small_regions(corner, 5)[0, 0]  # as in Segment Anything, a hole may lie at the photo's border
    assert not without_small_regions(corner, 5)[4:, 6:].any()


def test_low_resolution_of_a_mask_without_a_pixel_is_empty(make_segments: Callable[..., Segments]) -> None:
    empty = make_segments((100, 160), [(5.0, 5.0, 5.2, 5.2)], [0.9])
    assert (frame.low_resolution(empty.masks, 0) < 0).all()


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


@pytest.fixture
def drawing(
    model: FastSAM, rule: Callable[..., Refiner], disk: Photo, nothing_found: Callable[[np.ndarray], Segments]
) -> Callable[..., SamPredictor]:
    """A predictor of the photo of a disk in which the first network found nothing; options of the second network."""

    def make(**options: object) -> SamPredictor:
        found = SamPredictor(model, refine=rule(**options))
        found.segments = nothing_found(disk[0])
        return found

    return make


BOX, CLICK = np.array([30, 20, 91, 81]), (np.array([[60, 50]]), np.array([1]))
ASKED = {
    "box": {"box": BOX},
    "loose box": {"box": BOX + np.array([-15, -15, 20, 20])},
    "click": {"point_coords": CLICK[0], "point_labels": CLICK[1]},
    "clicks": {"point_coords": np.array([[60, 50], [70, 60], [140, 100]]), "point_labels": np.array([1, 1, 0])},
    "box and clicks": {"box": BOX, "point_coords": np.array([[60, 50], [32, 22]]), "point_labels": np.array([1, 0])},
    "box as a list": {"box": BOX[None].tolist()},
}


@pytest.mark.parametrize("name", ASKED)
def test_what_no_mask_of_the_first_network_fits_is_drawn(
    drawing: Callable[..., SamPredictor], disk: Photo, name: str
) -> None:
    predictor = drawing()
    masks, scores, low = predictor.predict(**ASKED[name])
    assert (masks.shape, masks.dtype) == ((3, 120, 160), bool)
    assert (scores.shape, scores.dtype, low.shape, low.dtype) == ((3,), np.float32, (3, 256, 256), np.float32)
    assert 0.6 < scores.max() <= 0.91
    assert iou(masks[scores.argmax()], disk[1]) > 0.9
    assert masks.sum((1, 2)).tolist() == sorted(masks.sum((1, 2)))
    best, score, small = predictor.predict(**ASKED[name], multimask_output=False)
    assert (best.shape, score.shape, small.shape) == ((1, 120, 160), (1,), (1, 256, 256))
    np.testing.assert_array_equal(best[0], masks[scores.argmax()])
    logits, _, _ = predictor.predict(**ASKED[name], return_logits=True)
    assert logits.dtype == np.float32
    np.testing.assert_array_equal(logits > 0, masks)
    assert all(iou(frame.on_photo(one, (120, 160)), mask) > 0.95 for one, mask in zip(low, masks, strict=True))


def test_what_the_second_network_thinks_little_of_comes_with_its_low_score(
    drawing: Callable[..., SamPredictor], disk: Photo
) -> None:
    for ask in ASKED.values():
        masks, scores, _ = drawing(quality=0.1).predict(**ask)
        assert 0 < scores.max() < 0.3
        assert iou(masks[scores.argmax()], disk[1]) > 0.9
        masks, scores, low = drawing(blind=True).predict(**ask)
        assert not masks.any()
        assert not scores.any()
        assert (low < 0).all()
    masks, scores, _ = drawing().predict(np.array([[140, 100]]), np.array([1]))  # on the ground, which it cannot draw
    assert scores == pytest.approx([scores[0]] * 3)
    assert scores[0] < 0.9
    assert masks.any((1, 2)).all()


def test_a_mask_that_is_fed_back_is_drawn_anew_or_stays(drawing: Callable[..., SamPredictor], disk: Photo) -> None:
    _, _, low = drawing().predict(box=BOX, multimask_output=False)
    again, scores, _ = drawing().predict(mask_input=low)
    assert min(iou(mask, disk[1]) for mask in again) > 0.9
    assert scores == pytest.approx([0.9] * 3)
    sharp, _, _ = drawing().predict(mask_input=np.where(low > 0, np.inf, -np.inf))
    assert min(iou(mask, disk[1]) for mask in sharp) > 0.9
    for options, score in (({"quality": 0.2}, 0.2), ({"blind": True}, 0)):
        kept, scores, _ = drawing(**options).predict(mask_input=low, multimask_output=False)
        assert iou(kept[0], disk[1]) > 0.9
        assert scores == pytest.approx([score])
    narrowed, _, _ = drawing().predict(
        np.array([[140, 100]]), np.array([0]), mask_input=low
    )  # a background click alone
    assert min(iou(mask, disk[1]) for mask in narrowed) > 0.9
    with pytest.raises(UsageError, match="lies outside the photo"):
        drawing().predict(np.array([[170, 20]]), np.array([0]), mask_input=low)
    empty = np.full((1, 256, 256), -8.0)
    for nothing in (empty, empty * np.inf):
        masks, scores, _ = drawing().predict(mask_input=nothing)
        assert not masks.any()
        assert not scores.any()
        masks, _, _ = drawing().predict(*CLICK, mask_input=nothing, multimask_output=False)
        assert iou(masks[0], disk[1]) > 0.9


def test_a_mask_that_is_fed_back_says_which_thing_is_meant(drawing: Callable[..., SamPredictor], disk: Photo) -> None:
    predictor = drawing(believes=True)

    def fed(mask: np.ndarray) -> np.ndarray:
        shown = cv2.resize(mask.astype(np.float32), (256, 192)) * 20 - 10
        return np.pad(shown, ((0, 64), (0, 0)), constant_values=-10)[None]

    shifted = np.roll(disk[1], 12, 1)
    masks, scores, _ = predictor.predict(*CLICK, mask_input=fed(shifted), multimask_output=False)
    assert iou(masks[0], disk[1]) > 0.9  # what the click says alone is better, and the same thing
    assert scores == pytest.approx([0.9])
    wide = np.zeros_like(disk[1])
    wide[10:110, 10:150] = True
    masks, scores, _ = predictor.predict(*CLICK, mask_input=fed(wide), multimask_output=False)
    assert iou(masks[0], wide) > 0.9  # the disk in it is another thing
    assert scores == pytest.approx([0.8])


def test_without_a_prompt_the_masks_of_the_best_score_are_drawn(
    model: FastSAM, rule: Callable[..., Refiner], pair: Photo
) -> None:
    predictor = SamPredictor(model, refine=rule())
    halves = np.stack([pair[1] & (np.arange(160) < 80), pair[1] & (np.arange(160) >= 80)])
    predictor.segments = Segments.from_masks(pair[0], halves, scores=[0.3, 0.8])
    masks, scores, _ = predictor.predict()
    assert sorted({max((0, 1), key=lambda k: iou(mask, halves[k])) for mask in masks}) == [0, 1]
    assert scores == pytest.approx([0.9] * 3)
    for empty in (np.zeros((0, 2)), np.zeros(0), []):
        again, _, _ = predictor.predict(empty, [], np.zeros(0))
        np.testing.assert_array_equal(again, masks)
    none, scores, _ = predictor.predict(mask_input=np.full((1, 256, 256), -8.0))  # which says that nothing is meant
    assert not none.any()
    assert not scores.any()


MASK = np.ones((1, 256, 256), np.float32)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        ({"mask_input": np.zeros((1, 64, 64))}, r"mask_input must have shape \(1, 256, 256\), not \(1, 64, 64\)"),
        ({"mask_input": np.zeros((3, 256, 256))}, r"mask_input must have shape \(1, 256, 256\), not \(3, 256, 256\)"),
        ({"mask_input": np.full((1, 256, 256), np.nan)}, "NaN"),
        ({"mask_input": "mask"}, "must be an array of logits"),
        ({"box": [200, 20, 220, 40]}, "lies outside the photo of 160 x 120 pixels"),
        ({"box": [20, 20, 20, 40]}, "has no area"),
        ({"box": [20, 20, 40]}, "must be 4 finite numbers"),
        ({"box": [[0, 0, 9, 9], [9, 9, 20, 20]]}, "must be 4 finite numbers"),
        ({"box": [0, 0, np.nan, 9]}, "must be 4 finite numbers"),
        ({"point_coords": [[170, 20]], "point_labels": [1]}, "lies outside the photo"),
        ({"point_coords": [[5, 5], [170, 20]], "point_labels": [1, 0], "mask_input": MASK}, "lies outside the photo"),
        ({"point_coords": [[np.inf, 20]], "point_labels": [1]}, "must be 2 finite numbers"),
        ({"point_coords": [1, 2, 3], "point_labels": [1]}, "must be an array of numbers"),
        ({"point_coords": [[5, 5]], "point_labels": [2]}, "labels must be 1"),
        ({"point_coords": [[5, 5]], "point_labels": [-1]}, "labels must be 1"),
        ({"point_coords": [[5, 5]], "point_labels": [0.5]}, "labels must be 1"),
        ({"point_coords": [[5, 5]], "point_labels": [np.nan]}, "labels must be 1"),
        ({"point_coords": [[5, 5]], "point_labels": [1, 0]}, "2 labels given for 1 points"),
        ({"point_labels": [1]}, "1 labels given for 0 points"),
        ({"point_coords": [[5, 5]], "point_labels": [0]}, "needs a foreground point"),
    ],
)
@pytest.mark.parametrize("refine", [True, False])
def test_a_prompt_that_makes_no_sense_is_an_error_that_says_why(
    drawing: Callable[..., SamPredictor], ask: dict[str, object], message: str, refine: bool
) -> None:
    predictor = drawing()
    predictor.refine = predictor.refine if refine else False
    with pytest.raises(UsageError, match=message):
        predictor.predict(**ask)


@pytest.mark.parametrize(
    ("size", "disk_", "colours"),
    [
        ((240, 320), (160, 120, 60), ((220, 40, 30), (70, 110, 80))),
        ((240, 320), (100, 90, 25), ((250, 250, 250), (20, 20, 20))),
        ((150, 100), (50, 60, 30), ((30, 60, 200), (200, 190, 180))),
    ],
)
def test_clicks_on_an_answer_that_is_fed_back_keep_to_the_thing(
    model: FastSAM,
    size: tuple[int, int],
    disk_: tuple[int, int, int],
    colours: tuple[tuple[int, int, int], tuple[int, int, int]],
) -> None:
    """With the bundled second network, on a disk that stands out from a plain ground."""
    x, y, radius = disk_
    truth = np.zeros(size, np.uint8)
    cv2.circle(truth, (x, y), radius, 1, -1)
    photo = np.where(truth[..., None] > 0, np.uint8(colours[0]), np.uint8(colours[1]))
    predictor = SamPredictor(model)
    predictor.set_image(photo)
    masks, scores, low = predictor.predict(np.array([[x, y]]), np.array([1]))
    assert len(masks) == 3
    before = iou(masks[scores.argmax()], truth > 0)
    inner, outer = (x + int(0.7 * radius), y), (x - int(1.3 * radius), y)
    fed = low[np.argmax(scores)][None]
    points, labels = np.array([[x, y], inner, outer]), np.array([1, 1, 0])
    refined, _, _ = predictor.predict(points, labels, mask_input=fed, multimask_output=False)
    assert refined[0, inner[1], inner[0]]
    assert not refined[0, outer[1], outer[0]]
    assert iou(refined[0], truth > 0) >= before - 0.02


@given(st.integers(20, 250), st.integers(20, 250), st.data())
@settings(max_examples=25, deadline=None)
def test_low_resolution_masks_lie_where_segment_anything_has_them(height: int, width: int, data: st.DataObject) -> None:
    """The photo scaled to 1024 along its longer side, padded below and to the right, at a quarter."""
    radius = data.draw(st.integers(5, min(height, width) // 2))
    centre = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    mask = np.zeros((height, width), np.uint8)
    cv2.circle(mask, centre, radius, 1, -1)
    low = frame.low_resolution(Segments.from_masks(np.zeros((height, width, 3), np.uint8), mask[None] > 0).masks, 0)
    scale = 1024 / max(height, width)
    large = cv2.resize(mask * 255, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_LINEAR)
    padded = np.pad(large, ((0, 1024 - large.shape[0]), (0, 1024 - large.shape[1])))
    wanted = cv2.resize(padded, (256, 256), interpolation=cv2.INTER_AREA) > 127
    assert ((low > 0) != wanted).sum() <= 0.1 * wanted.sum() + 10
    assert iou(frame.on_photo(low, (height, width)), mask > 0) > 0.9


@given(st.integers(0, 2**32 - 1), st.integers(1, 200))
@settings(max_examples=40, deadline=None)
def test_regions_are_small_by_the_whole_photo_not_by_the_masks_window(seed: int, least: int) -> None:
    rng = np.random.default_rng(seed)
    coarse = rng.random((int(rng.integers(3, 9)), int(rng.integers(3, 9)))) < 0.4
    mask = np.zeros((40, 44), bool)
    y, x = int(rng.integers(0, 6)) * 2, int(rng.integers(0, 6)) * 2
    block = coarse.repeat(3, 0).repeat(3, 1)
    mask[y : y + block.shape[0], x : x + block.shape[1]] = block[: 40 - y, : 44 - x]
    if not mask.any():
        return
    photo = np.zeros((40, 44, 3), np.uint8)
    whole = Segments.from_masks(photo, mask[None])
    (found,) = find_in_crop(lambda _: whole, photo, (0, 0, 44, 40), 1.0, least)
    seen = np.zeros((40, 44), bool)
    found.mask.paint(seen, True)
    wanted = without_small_regions(mask, least)
    np.testing.assert_array_equal(seen, wanted)
    assert found.cleaned == (wanted != mask).any()
    column, row = found.point
    assert mask[int(row), int(column)] & wanted[int(row), int(column)]


def test_what_becomes_a_copy_without_its_islands_goes() -> None:
    def of(box: tuple[int, int, int, int], score: float, cleaned: bool) -> CropMask:
        x0, y0, x1, y1 = box
        mask = Crop((x0, y0), np.ones((y1 - y0, x1 - x0), bool))
        return CropMask(mask, (x0, y0), score, 1.0, (0, 0, 99, 99), np.array(box, np.float32), cleaned)

    first, whole, second = of((0, 0, 20, 20), 0.9, True), of((0, 0, 20, 21), 0.5, False), of((0, 0, 20, 10), 0.4, True)
    assert without_copies([first, whole, second], 0.7) == [whole, second]
    assert without_copies([first, second], 0.7) == [first, second]
    assert without_copies([whole, whole], 0.7) == [whole, whole]  # what lost nothing stays
    assert without_copies([], 0.7) == []


def test_everything_is_drawn_anew_if_that_is_asked_for(
    model: FastSAM, rule: Callable[..., Refiner], photo: np.ndarray
) -> None:
    plain = SamAutomaticMaskGenerator(model).generate(photo)
    assert [m["predicted_iou"] for m in plain] == pytest.approx(model(photo).scores.tolist())
    drawn = SamAutomaticMaskGenerator(model, refine=True).generate(photo)
    assert 0 < len(drawn) <= len(plain)
    scores = [m["predicted_iou"] for m in drawn]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    for mask in drawn:
        column, row = mask["point_coords"][0]
        assert mask["segmentation"][int(row), int(column)]
        assert mask["area"] == mask["segmentation"].sum()
    middle = scores[len(scores) // 2]
    sure = SamAutomaticMaskGenerator(model, refine=True, pred_iou_thresh=middle).generate(photo)
    assert [m["predicted_iou"] for m in sure] == [score for score in scores if score > middle]
    ruled = SamAutomaticMaskGenerator(model, refine=rule(quality=0.7)).generate(photo)
    assert {round(m["predicted_iou"], 3) for m in ruled} <= {0.7, 0.35}


def test_small_regions_of_drawn_masks_go_too(model: FastSAM, rule: Callable[..., Refiner]) -> None:
    photo = np.zeros((120, 160, 3), np.uint8)
    cv2.circle(photo, (60, 60), 40, (255, 255, 255), -1)
    cv2.circle(photo, (60, 60), 8, (0, 0, 0), -1)
    kept, filled = (
        SamAutomaticMaskGenerator(model, refine=rule(), min_mask_region_area=least).generate(photo)[0]["segmentation"]
        for least in (0, 300)
    )
    assert not kept[60, 60]
    assert filled[60, 60]
    assert filled[60, 75]
