"""Every mask drawn anew, by a network made by hand: what stays, in which order, with which score."""

from typing import Any

import numpy as np
import pytest

from fastsam import FastSAM, Segments, UsageError
from fastsam.masks.drawn import Drawn
from fastsam.refine import maps as m
from fastsam.refine.everything import BLEND, COPY_IOU, DOUBTFUL, SOFT, TOGETHER


def iou(a: Any, b: Any) -> float:
    return float((a & b).sum() / (a | b).sum())


def lowered(scores: Any, boxes: np.ndarray) -> list[float]:
    """Each score, best first, after it fell with the largest IoU of its box with one before it; best first again."""
    found = []
    for i, (score, (x0, y0, x1, y1)) in enumerate(zip(scores, boxes.tolist(), strict=True)):
        largest = 0.0
        for u0, v0, u1, v1 in boxes[:i].tolist():
            shared = max(0, min(x1, u1) - max(x0, u0)) * max(0, min(y1, v1) - max(y0, v0))
            largest = max(largest, shared / ((x1 - x0) * (y1 - y0) + (u1 - u0) * (v1 - v0) - shared))
        found.append(score * np.exp(-(largest**2) / SOFT))
    return sorted(found, reverse=True)


@pytest.fixture(autouse=True)
def larger_crops(monkeypatch: pytest.MonkeyPatch) -> None:
    """Crops of 96 px at least: the network made by hand needs cells that fine to draw one disc twice the same."""
    monkeypatch.setattr("fastsam.refine.everything.SIZES", (96, 128))


@pytest.fixture
def segments(photo: np.ndarray, things: np.ndarray) -> Segments:
    """Of each disc two rectangles that do not fit, in another class; best first."""
    rough = np.zeros((6, *things.shape[1:]), bool)
    for k, thing in enumerate(things):
        rows, columns = np.flatnonzero(thing.any(1)), np.flatnonzero(thing.any(0))
        rough[k, rows[0] : rows[-1] + 3, columns[0] - 2 : columns[-1] + 1] = True
        rough[k + 3, rows[0] - 2 : rows[-1] + 1, columns[0] : columns[-1] + 3] = True
    return Segments.from_masks(photo, rough, [0.9, 0.8, 0.7, 0.6, 0.5, 0.4])


def test_masks_become_what_is_there(segments: Segments, things: np.ndarray, bright_refiner: Any) -> None:
    drawn = segments.refine(refiner=bright_refiner(1.0))
    assert isinstance(drawn.masks.source, Drawn)
    assert len(drawn) == 3  # of two that become one the better-scored stays
    for mask, thing in zip(drawn.masks, things, strict=True):
        assert iou(mask, thing) > 0.9
    assert drawn.scores.tolist() == pytest.approx([0.9, 0.8, 0.7])
    assert drawn.photo is segments.photo
    assert drawn.size == segments.size
    np.testing.assert_array_equal(drawn.boxes[0], np.float32(drawn.masks.runs(0).bounds))
    assert len(segments) == 6  # what was refined stays as it is


def test_classes_and_names_stay_with_their_masks(photo: np.ndarray, things: np.ndarray, bright_refiner: Any) -> None:
    found = Segments.from_masks(photo, things, [0.5, 0.9, 0.7])
    named = Segments(found.masks, found.scores, np.array([2, 0, 1]), ("a", "b", "c"), photo=found.photo)
    drawn = named.refine(refiner=bright_refiner())
    assert drawn.names == ("a", "b", "c")
    assert drawn.classes.tolist() == [0, 1, 2]
    for mask, k in zip(drawn.masks, (1, 2, 0), strict=True):
        assert iou(mask, things[k]) > 0.9


def test_scores_are_blended_and_put_the_best_first(photo: np.ndarray, things: np.ndarray, bright_refiner: Any) -> None:
    segments = Segments.from_masks(photo, things, [0.9, 0.8, 0.7])
    qualities = iter([[0.4, 0.9, 0.9]])
    drawn = segments.refine(refiner=bright_refiner(lambda maps: np.array(next(qualities))[:, None]))
    expected = np.array([0.8, 0.7, 0.9]) * np.array([0.9, 0.9, 0.4]) ** BLEND
    np.testing.assert_allclose(drawn.scores, expected, rtol=1e-5)
    assert (np.diff(drawn.scores) <= 0).all()
    assert drawn.scores.dtype == np.float32
    assert [max(range(3), key=lambda k: iou(mask, things[k])) for mask in drawn.masks] == [1, 2, 0]


def test_of_two_that_become_one_the_better_stays_whatever_their_order(segments: Segments, bright_refiner: Any) -> None:
    qualities = iter([[0.5, 0.9, 0.9, 0.9, 0.5, 0.5]])
    drawn = segments.refine(refiner=bright_refiner(lambda maps: np.array(next(qualities))[:, None]))
    expected = sorted([0.6 * 0.9**BLEND, 0.8 * 0.9**BLEND, 0.7 * 0.9**BLEND], reverse=True)  # 0.6: the other of disc 1
    assert drawn.scores.tolist() == pytest.approx(expected)


def test_masks_that_differ_stay(photo: np.ndarray, refiner_of: Any) -> None:
    """Boxes as they are: of five, each a little wider than the last, those that are nearly another go."""
    boxes = np.zeros((5, 120, 160), bool)
    for mask, width in zip(boxes, (60, 60, 90, 130, 130), strict=True):
        mask[30:90, 20 : 20 + width] = True
    told = refiner_of(lambda images, maps: (4 * maps[:, m.BOX][:, None], 0.9))
    drawn = Segments.from_masks(photo, boxes, [0.9, 0.8, 0.7, 0.6, 0.5]).refine(refiner=told)
    kept = drawn.boxes[np.argsort(drawn.boxes[:, 2])]  # the narrowest had the best score
    assert drawn.scores.tolist() == pytest.approx(lowered([s * 0.9**BLEND for s in (0.9, 0.7, 0.6)], kept))
    whole = drawn.masks.stack()
    assert max(iou(a, b) for i, a in enumerate(whole) for b in whole[:i]) < COPY_IOU


def test_a_doubtful_mask_stays_as_it_was(segments: Segments, refiner_of: Any) -> None:
    """On the grid that it was seen on, at most a cell or two away."""
    noise = np.random.default_rng(0)
    wild = refiner_of(lambda images, maps: (noise.normal(0, 5, (len(images), 4, *maps.shape[2:])), DOUBTFUL - 0.01))
    drawn = segments.refine(refiner=wild)
    assert len(drawn) == 6
    for before in segments.masks:
        assert max(iou(mask, before) for mask in drawn.masks) > 0.9
    assert (drawn.scores <= segments.scores * (DOUBTFUL - 0.01) ** BLEND + 1e-6).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_masks_stay_if_the_network_gives_no_numbers(segments: Segments, refiner_of: Any, value: float) -> None:
    for broken in ((value, 0.9), (3.0, value), (value, value)):
        refiner = refiner_of(lambda images, maps, b=broken: (np.full((1, 1, 1, 1), b[0]), b[1]))
        drawn = segments.refine(refiner=refiner)
        assert len(drawn) == 6
        assert all(max(iou(mask, before) for mask in drawn.masks) > 0.9 for before in segments.masks)
        np.testing.assert_allclose(drawn.scores[:3], segments.scores[:3])  # of each disc the first
        assert np.isfinite(drawn.masks.source.values).all()


def test_a_mask_that_is_drawn_empty_goes(segments: Segments, refiner_of: Any) -> None:
    empty = refiner_of(lambda images, maps: (np.full((1, 1, 1, 1), -3.0), 0.9))
    drawn = segments.refine(refiner=empty)
    assert len(drawn) == 0
    assert drawn.boxes.shape == (0, 4)
    assert drawn.select(points=[(40, 50)], refine=False)[0].mask is None


def test_islands_and_holes_go_and_larger_ones_on_demand(photo: np.ndarray, refiner_of: Any) -> None:
    whole = np.zeros((120, 160), bool)
    whole[20:100, 20:100] = True

    def spotted(images: np.ndarray, maps: np.ndarray) -> tuple[np.ndarray, Any]:
        """The box with a hole of 12 x 12 cells in its middle, and a speck beside it."""
        logits = 4 * maps[:, m.BOX].copy()
        middle = logits.shape[1] // 2
        logits[:, middle - 6 : middle + 6, middle - 6 : middle + 6] = -4
        logits[:, 0, 0] = 4
        return logits[:, None], 0.9

    segments = Segments.from_masks(photo, [whole])
    (plain,) = segments.refine(refiner=refiner_of(spotted)).masks
    assert not plain[60, 60]
    assert not plain[:15, :15].any()
    (closed,) = segments.refine(refiner=refiner_of(spotted), min_region_area=500).masks
    assert closed[60, 60]
    assert not segments.refine(refiner=refiner_of(spotted), min_region_area=50).masks[0][60, 60]


def test_many_masks_pass_some_at_a_time(photo: np.ndarray, refiner_of: Any) -> None:
    n = TOGETHER + 30
    boxes = np.zeros((n, 120, 160), bool)
    for k, mask in enumerate(boxes):
        mask[(k // 12) * 12 : (k // 12) * 12 + 10, (k % 12) * 13 : (k % 12) * 13 + 10] = True
    told = refiner_of(lambda images, maps: (4 * maps[:, m.BOX][:, None], 0.9))
    scores = np.linspace(0.9, 0.1, n)
    drawn = Segments.from_masks(photo, boxes, scores).refine(refiner=told)
    np.testing.assert_allclose(drawn.scores, scores * 0.9**BLEND, rtol=1e-5)
    assert all(iou(mask, before) > 0.6 for mask, before in zip(drawn.masks, boxes, strict=True))
    assert sum(len(feed["images"]) for feed in told.session.seen) == n
    assert max(len(feed["images"]) for feed in told.session.seen) <= TOGETHER


def test_each_mask_is_told_with_its_box(segments: Segments, bright_refiner: Any) -> None:
    refiner = bright_refiner()
    segments.refine(refiner=refiner)
    maps = np.concatenate([feed["maps"] for feed in refiner.session.seen])
    assert len(maps) == 6
    for own in maps:
        inside = own[m.BOX] > 0
        assert (own[m.MASK][inside] > 0).mean() > 0.9
        assert (own[m.MASK][~inside] < 0).mean() > 0.9
        assert not own[[m.POSITIVE, m.NEGATIVE]].any()


def test_no_masks_are_no_trouble(photo: np.ndarray, bright_refiner: Any) -> None:
    refiner = bright_refiner()
    drawn = Segments.from_masks(photo, []).refine(refiner=refiner)
    assert (len(drawn), drawn.size, refiner.session.seen) == (0, (120, 160), [])


def test_drawn_masks_can_be_drawn_again(segments: Segments, things: np.ndarray, bright_refiner: Any) -> None:
    once = segments.refine(refiner=bright_refiner(1.0))
    twice = once.refine(refiner=bright_refiner(1.0))
    assert len(twice) == 3
    assert all(iou(a, b) > 0.95 for a, b in zip(once.masks, twice.masks, strict=True))


def test_the_photo_must_be_known(segments: Segments) -> None:
    with pytest.raises(UsageError, match=r"needs the photo.*Segments\.load"):
        Segments.from_npz(segments.to_npz()).refine()


def test_a_model_draws_by_a_call_a_batch_and_a_stream(model: FastSAM, photo: np.ndarray, bright_refiner: Any) -> None:
    refiner = bright_refiner(1.0)
    settings: dict[str, Any] = {"imgsz": 160, "conf": 0.05}
    plain = model(photo, **settings)
    one = model(photo, **settings, refine=refiner)
    (batched,) = model.batch([photo], **settings, refine=refiner)
    ((_, streamed),) = model.stream([photo], **settings, refine=refiner)
    assert "refine" in one.seconds
    assert "refine" not in plain.seconds
    assert "network" in one.seconds
    expected = plain.refine(refiner=refiner)
    for found in (one, batched, streamed):
        assert isinstance(found.masks.source, Drawn)
        np.testing.assert_allclose(found.scores, expected.scores)
        assert found.to_rle() == expected.to_rle()
    assert model(photo, **settings, refine=False).to_rle() == plain.to_rle()


def test_the_bundled_network_draws_with_a_models_threads(model: FastSAM, photo: np.ndarray) -> None:
    assert model.refiner is model.refiner
    drawn = model(photo, imgsz=160, conf=0.05, refine=True)
    assert isinstance(drawn.masks.source, Drawn)
    assert ((drawn.scores >= 0) & (drawn.scores <= 1)).all()


def test_what_overlaps_a_better_one_comes_later(photo: np.ndarray, refiner_of: Any) -> None:
    """The best hundred are different things: of two that share half their boxes the second falls behind a third."""
    boxes = np.zeros((3, 120, 160), bool)
    boxes[0, 30:90, 20:80] = boxes[1, 30:90, 40:100] = boxes[2, 30:60, 120:150] = True
    told = refiner_of(lambda images, maps: (4 * maps[:, m.BOX][:, None], 0.9))
    drawn = Segments.from_masks(photo, boxes, [0.9, 0.8, 0.7]).refine(refiner=told)
    assert [int(box[0] > 110) for box in drawn.boxes] == [0, 1, 0]
    first, third = (drawn.boxes[drawn.boxes[:, 0].round(-1) == x][0] for x in (20, 40))
    expected = lowered([0.9 * 0.9**BLEND, 0.8 * 0.9**BLEND], np.stack((first, third)))
    assert drawn.scores[[0, 2]].tolist() == pytest.approx(expected, rel=1e-5)
    assert drawn.scores[1] == pytest.approx(0.7 * 0.9**BLEND, rel=1e-5)
