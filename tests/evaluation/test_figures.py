"""Coverage, prompts, instances and words: each figure follows from what was found, counted by hand."""

import contextlib
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

pytest.importorskip("faster_coco_eval", reason="the eval extra is not installed")

from fastsam import Segments
from fastsam.evaluation import coverage, instances, overlaps, prompts, text
from fastsam.evaluation.recall import auc
from fastsam.masks import rle
from fastsam.refine.network import Refiner


def rectangle(x0: int, y0: int, x1: int, y1: int, size: tuple[int, int] = (60, 100)) -> np.ndarray:
    mask = np.zeros(size, bool)
    mask[y0:y1, x0:x1] = True
    return mask


def coded(*masks: np.ndarray) -> list[rle.RLE]:
    return [rle.encode(mask) for mask in masks]


def test_overlaps_are_intersections_over_unions() -> None:
    table = overlaps.overlaps(coded(rectangle(0, 0, 10, 10)), coded(rectangle(5, 0, 15, 10), rectangle(50, 0, 60, 9)))
    assert table == pytest.approx(np.array([[1 / 3, 0]]))
    boxes = overlaps.box_overlaps(np.array([[0, 0, 10, 10]]), np.array([[5, 0, 15, 10], [0, 0, 10, 10]]))
    assert boxes == pytest.approx(np.array([[1 / 3, 1]]))
    assert overlaps.overlaps(coded(rectangle(0, 0, 9, 9)), []).shape == (1, 0)


def test_an_object_is_found_badly_ranked_badly_cut_or_missed() -> None:
    masks = np.array([[0.6, 0, 0], [0, 0, 0.7], [0.4, 0.1, 0.2], [0.2, 0.1, 0]])
    boxes = np.array([[0.9, 0, 0], [0, 0, 0.9], [0.2, 0.6, 0.2], [0.3, 0.4, 0]])
    assert overlaps.fates(masks, boxes, first=2) == ["found", "badly ranked", "badly cut", "missed"]
    assert overlaps.fates(np.zeros((2, 0)), np.zeros((2, 0))) == ["missed", "missed"]


def test_coverage_counts_area_and_ignores_masks_as_large_as_the_photo() -> None:
    annotated = coded(rectangle(0, 0, 20, 30), rectangle(20, 0, 100, 30))
    found = coded(rectangle(0, 0, 20, 30), rectangle(20, 0, 68, 30), rectangle(0, 0, 100, 59))
    photo = np.zeros((60, 100, 3), np.uint8)
    row = coverage.measure(found, annotated, photo)
    assert (row.annotated, row.found, row.covered, row.masks) == (3000, (3000, 600), 68 * 30, 3)
    total = coverage.summary([row, coverage.measure([], annotated, photo)])
    assert total.area_found == {50: 50.0, 70: 10.0}
    assert total.pixels == pytest.approx(100 * 68 * 30 / 12000)
    assert total.masks == 1.5


def test_the_central_point_is_furthest_from_the_border() -> None:
    assert prompts.central(rectangle(10, 20, 31, 41)) == (20.5, 30.5)
    assert prompts.central(rectangle(0, 0, 21, 60)) == (10.5, pytest.approx(30, abs=0.5))  # the photo's border counts
    bent = rectangle(10, 5, 60, 25) | rectangle(50, 5, 56, 55)
    x, y = prompts.central(bent)
    assert bent[int(y), int(x)]
    assert y < 25


def test_random_clicks_lie_on_the_object_and_repeat() -> None:
    mask = rectangle(10, 20, 31, 41)
    points = prompts.clicks(mask, 5, np.random.default_rng(3))
    assert points == prompts.clicks(mask, 5, np.random.default_rng(3))
    assert len(set(points)) == 5
    assert all(mask[int(y), int(x)] for x, y in points)
    assert len(prompts.clicks(rectangle(0, 0, 1, 2), 5, np.random.default_rng(0))) == 2


def test_prompts_are_answered_and_judged() -> None:
    masks = [rectangle(10, 20, 31, 41), rectangle(60, 5, 90, 55)]
    segments = Segments.from_masks(np.zeros((60, 100, 3), np.uint8), masks)
    wanted = [masks[1], rectangle(40, 0, 45, 5)]
    asked = prompts.prompts_of(wanted, 3, np.random.default_rng(0))
    assert list(asked) == ["central click", "3 clicks", "box"]
    got = prompts.ask(segments, asked, wanted, None)
    right, none = prompts.Answered(1.0, 1.0, None), prompts.Answered(0.0, 0.0, None)
    assert got == {kind: [right, none] for kind in asked}
    figures = prompts.summary([1.0, 0.8, 0.5, 0.0])
    assert (figures.miou, figures.at, figures.objects) == (pytest.approx(57.5), {50: 75, 75: 50, 90: 25}, 4)


class BoxDrawer:
    """A session that draws the box that it is told, and predicts what it is given."""

    def __init__(self, quality: float) -> None:
        self.quality = quality

    def run(self, names: list[str], feed: dict[str, np.ndarray]) -> list[np.ndarray]:
        boxes = feed["maps"][:, 1:2].repeat(4, 1) * np.float32(4)
        return [boxes, np.full((len(boxes), 4), self.quality, np.float32)]


def test_drawn_answers_tell_what_they_are_predicted_to_reach() -> None:
    photo, wanted = np.zeros((60, 100, 3), np.uint8), [rectangle(10 + k, 10, 40 + k, 40) for k in range(40)]
    segments = Segments.from_masks(photo, [rectangle(60, 45, 80, 55)])
    asked = {"box": prompts.prompts_of(wanted, 1, np.random.default_rng(0))["box"]}
    answers = prompts.ask(segments, asked, wanted, Refiner(BoxDrawer(0.75)))["box"]
    assert len(answers) == 40  # more than are asked at a time, in order
    assert all(a.iou > 0.9 and a.quality == pytest.approx(0.75) for a in answers)
    assert all(a.quality is None for a in prompts.ask(segments, asked, wanted, None)["box"])


def test_the_best_candidate_of_a_central_click_is_told_beside_the_first() -> None:
    whole, part = rectangle(0, 0, 60, 60, (60, 60)), rectangle(10, 10, 50, 50, (60, 60))
    segments = Segments.from_masks(np.zeros((60, 60, 3), np.uint8), [whole, part], scores=[0.1, 0.9])
    asked = {"central click": prompts.prompts_of([whole], 1, np.random.default_rng(0))["central click"]}
    figures = prompts.figures(prompts.ask(segments, asked, [whole], None))
    assert list(figures) == ["central click", "central click, best of 3"]
    assert figures["central click"].miou == pytest.approx(100 * 1600 / 3600)
    assert figures["central click, best of 3"].miou == 100


def test_calibration_compares_what_was_predicted_with_what_was_reached() -> None:
    def answered(quality: float | None, iou: float) -> prompts.Answered:
        return prompts.Answered(iou, 1.0, quality)

    pairs = [(0.3, 0.5), (0.35, 0.1), (0.7, 0.9), (0.99, 1.0), (1.0, 0.8)]
    found = prompts.calibration([*(answered(*pair) for pair in pairs), answered(None, 0.0)])
    assert [b.count for b in found.bins] == [0, 0, 0, 2, 0, 0, 0, 1, 0, 2]
    assert [(b.low, b.high) for b in found.bins] == [(k / 10, (k + 1) / 10) for k in range(10)]
    assert (found.bins[3].predicted, found.bins[3].reached) == (pytest.approx(0.325), pytest.approx(0.3))
    assert np.isnan(found.bins[0].predicted)
    assert found.error == pytest.approx((2 * 0.025 + 0.2 + 2 * 0.095) / 5)
    assert (found.all.count, found.all.predicted) == (5, pytest.approx(np.mean([q for q, _ in pairs])))
    assert np.isnan(prompts.calibration([]).error)


def test_boxes_of_a_detector_get_masks_and_the_precision_of_pycocotools(make_set: Callable[..., Path]) -> None:
    folder = make_set(3)
    content = json.loads((folder / "instances.json").read_text())
    rng, found, boxes = np.random.default_rng(0), [], 0
    for photo in content["images"]:
        mine = [a for a in content["annotations"] if a["image_id"] == photo["id"]]
        masks = [np.roll(rle.decode(a["segmentation"]), 1, 1) for a in mine]
        segments = Segments.from_masks(np.zeros((96, 128, 3), np.uint8), masks)
        detections = [{"image_id": photo["id"], "category_id": 1, "bbox": a["bbox"], "score": float(rng.random())}
                      for a in mine]  # fmt: skip
        detections.append({"image_id": photo["id"], "category_id": 1, "bbox": [126, 0, 2, 2], "score": 0.1})
        boxes += len(detections)
        got = instances.answers(segments, detections)
        assert len(got) < len(detections)  # the corner holds nothing
        found += got
    figures = instances.precision(content, found, [0, 1, 2], boxes)
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(folder / "instances.json"))
        bare = [{k: v for k, v in row.items() if k != "bbox"} for row in found]
        evaluation = COCOeval(truth, truth.loadRes(bare), "segm")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    assert (figures.ap, figures.ap50, figures.ap75) == pytest.approx(tuple(100 * evaluation.stats[:3]))
    assert [v for v in figures.by_size.values() if v == v] == pytest.approx(100 * evaluation.stats[3:5])
    assert figures.answered == len(found)
    assert instances.precision(content, [], [0, 1, 2], 3).ap == 0


def test_localisation_counts_answers_and_objects() -> None:
    asked = [
        text.Asked("cup", iou=0.8, right=2, reached=1, answers=3, objects=2),
        text.Asked("dog", iou=0.0, right=0, reached=0, answers=0, objects=1),
    ]
    figures = text.summary(asked)
    assert (figures.best, figures.iou) == (50, pytest.approx(40))
    assert figures.precision == pytest.approx(200 / 3)
    assert figures.recall == pytest.approx(100 / 3)
    assert text.summary([]).asked == 0


def test_the_area_under_the_curve_is_even_in_the_logarithm() -> None:
    assert auc({1: 99.0, 10: 10.0, 100: 20.0, 1000: 30.0}) == pytest.approx(20)
