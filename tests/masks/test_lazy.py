"""Lazy masks equal the slow, obvious way: upsample every logit to the photo, crop by the box, threshold."""

import tracemalloc
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco

from fastsam.image.letterbox import Letterbox, fit
from fastsam.masks.lazy import Masks, from_network, widen


def make(height: int, width: int, imgsz: int, n: int, seed: int, margin: float = 0.0) -> Masks:
    rng = np.random.default_rng(seed)
    box = fit((height, width), imgsz)
    h, w = (side // 4 for side in box.input)
    smooth = np.stack([cv2.GaussianBlur(rng.normal(size=(h, w)), (5, 5), 1.5) for _ in range(32)])
    corners = np.sort(rng.uniform(-0.1, 1.1, (n, 2, 2)), axis=1)
    boxes = (np.clip(corners, 0, 1).reshape(n, 4) * [width, height, width, height]).astype(np.float32)
    coefficients = rng.normal(size=(n, 32)).astype(np.float32)
    return from_network(coefficients, smooth.astype(np.float32), boxes, box, widen(boxes, margin, (height, width)))


def slow_logits(masks: Masks, i: int) -> np.ndarray:
    """Every photo pixel's logit, one axis after the other, in float64."""
    box: Letterbox = masks.source.letterbox
    logits = np.tensordot(masks.source.coefficients[i].astype(float), masks.source.prototypes.astype(float), 1)
    for axis, length in ((1, box.photo[1]), (0, box.photo[0])):
        pad, scale, content = box.pad[1 - axis], box.scale[1 - axis], box.content[1 - axis]
        on_photo = [k for k in range(logits.shape[axis]) if pad <= 4 * k + 2 < pad + content]
        first = on_photo[0] if on_photo else int(np.ceil((pad - 2) / 4))
        last = on_photo[-1] if on_photo else first
        position = np.clip(((np.arange(length) + 0.5) * scale + pad) / 4 - 0.5, first, last)
        low = np.minimum(np.floor(position).astype(int), max(first, last - 1))
        high = np.minimum(low + 1, last)
        share = (position - low).reshape((-1, 1) if axis == 0 else (1, -1))
        logits = np.take(logits, low, axis) * (1 - share) + np.take(logits, high, axis) * share
    return logits


def slow_mask(masks: Masks, i: int) -> tuple[np.ndarray, np.ndarray]:
    """The mask, and where its logit is too close to 0 for float32 to tell."""
    logits = slow_logits(masks, i)
    height, width = masks.size
    x, y = np.arange(width) + 0.5, np.arange(height)[:, None] + 0.5
    x0, y0, x1, y1 = masks.source.windows[i].astype(float)
    inside = (x >= x0) & (x < x1) & (y >= y0) & (y < y1)
    return (logits > 0) & inside, np.abs(logits) < 1e-3


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 400),
    st.integers(1, 400),
    st.sampled_from([32, 64, 160]),
    st.integers(0, 10**6),
    st.sampled_from([0, 0.15, 0.5]),
)
def test_masks_equal_the_slow_reference(height: int, width: int, imgsz: int, seed: int, margin: float) -> None:
    masks = make(height, width, imgsz, 3, seed, margin)
    for i in range(3):
        expected, doubtful = slow_mask(masks, i)
        np.testing.assert_array_equal(masks[i][~doubtful], expected[~doubtful])


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 300), st.integers(2, 300), st.integers(0, 10**6))
def test_a_point_reads_the_pixel_that_decoding_gives(height: int, width: int, seed: int) -> None:
    masks = make(height, width, 128, 4, seed, margin=0.1)
    rng = np.random.default_rng(seed)
    points = (rng.uniform(0, 1, (20, 2)) * [width, height]).astype(np.float32)
    points = np.minimum(points, np.array([width, height], np.float32) - 0.01)
    logits = masks.logits_at(points)
    for i in range(4):
        mask = masks[i]
        for (x, y), logit in zip(points, logits[i], strict=True):
            if abs(logit) > 1e-3:
                assert mask[int(y), int(x)] == (logit > 0)


def filled(ring: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A ring's pixels, by COCO's own tools."""
    return coco.decode(coco.merge(coco.frPyObjects([ring.reshape(-1).tolist()], *size)))


def test_compact_forms_agree_with_the_masks() -> None:
    masks = make(211, 160, 128, 6, 1)
    labels = masks.label_map()
    order = np.argsort(-masks.areas, kind="stable")
    expected = np.zeros(masks.size, int)
    packed = masks.to_rle()
    for i in order:
        mask = masks[int(i)]
        expected[mask] = i + 1
        assert masks.areas[i] == mask.sum()
        encoded = packed[i]
        np.testing.assert_array_equal(coco.decode({**encoded, "counts": encoded["counts"].encode()}), mask)
        drawn = np.zeros(masks.size, np.uint8)
        for polygon in masks.to_polygons(int(i)):
            drawn += filled(polygon.outline, masks.size) - sum(filled(hole, masks.size) for hole in polygon.holes)
        np.testing.assert_array_equal(drawn, mask)
    np.testing.assert_array_equal(labels, expected)


def test_occupied_masks_are_those_that_may_have_pixels() -> None:
    masks = make(120, 90, 96, 20, 3)
    assert not masks.areas[~masks.occupied()].any()
    nothing = replace(masks, source=replace(masks.source, coefficients=masks.source.coefficients * 0))
    assert not nothing.occupied().any()


def test_windows_widen_with_the_size_of_their_boxes() -> None:
    boxes = np.array([[0, 0, 400, 100], [100, 50, 200, 75]], np.float32)
    wide = widen(boxes, 0.2, (100, 400))
    np.testing.assert_allclose(wide, [[-80, -20, 480, 120], [95, 48.75, 205, 76.25]])
    np.testing.assert_array_equal(widen(boxes, 0.0, (100, 400)), boxes)
    assert widen(boxes[:0], 0.2, (100, 400)).shape == (0, 4)


def test_no_masks_are_no_trouble() -> None:
    masks = make(50, 40, 64, 0, 0)
    assert len(masks) == 0
    assert masks.areas.shape == (0,)
    assert masks.label_map().sum() == 0
    assert list(masks) == []


def test_an_index_beyond_the_masks_is_an_error() -> None:
    with pytest.raises(IndexError):
        make(50, 40, 64, 2, 0)[2]


def test_compact_forms_never_hold_all_masks_at_once() -> None:
    masks = make(1500, 2000, 640, 100, 0)
    tracemalloc.start()
    masks.label_map()
    assert len(masks.to_rle()) == 100
    assert len(masks.areas) == 100
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1500 * 2000 * 40  # 100 masks at full size would take 300 MB as bool alone
