"""Weights of the popular port give its boxes and masks."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from fastsam import FastSAM
from fastsam.image.letterbox import fit, letterbox
from fastsam.image.read import read_image
from fastsam.masks import rle
from fastsam.masks.port_rules import as_the_port, at_the_border


@pytest.mark.parametrize("name", ["object-n-dogs", "object-n-sa_10039", "sizes-p-bus", "sizes-p-dogs"])
@pytest.mark.parametrize("runtime", ["onnx", "torch"])
def test_the_ports_own_answers_are_found_again(shared: Path, name: str, runtime: str) -> None:
    weights = shared / "golden" / f"{name.rsplit('-', 1)[0]}.pt"
    assert_agreement(weights, shared / "golden" / name, shared / "photos", runtime)


@pytest.mark.parametrize("runtime", ["onnx", "torch"])
def test_the_ports_answers_of_the_fixture_are_found_again(fixtures: Path, examples: Path, runtime: str) -> None:
    assert_agreement(fixtures / "port-tiny.pt", fixtures / "port-tiny", examples, runtime)


def assert_agreement(weights: Path, answers: Path, photos: Path, runtime: str) -> None:
    if runtime == "torch":
        pytest.importorskip("torch", reason="the torch extra is not installed")
    golden = json.loads(answers.with_suffix(".json").read_text())
    photo = photos / golden["photo"]
    entered = np.load(answers.with_suffix(".npz"))["input"].transpose(1, 2, 0).astype(int)
    pixels = read_image(photo)
    ours = letterbox(pixels, fit(pixels.shape[:2], golden["imgsz"])).astype(int)
    assert (np.abs(ours - entered).max(2) <= 1).mean() >= 0.999
    model = FastSAM(weights, threads=1, runtime=runtime)
    segments = model(photo, **{k: golden[k] for k in ("imgsz", "conf", "iou", "max_det")})
    assert len(segments) == len(golden["scores"])
    np.testing.assert_allclose(segments.scores, golden["scores"], atol=2e-3)
    np.testing.assert_allclose(segments.boxes, golden["boxes"], atol=1)
    np.testing.assert_array_equal(segments.classes, golden["classes"])
    for mask, expected in zip(segments.masks, golden["masks"], strict=True):
        theirs = rle.decode(expected)
        assert (mask & theirs).sum() >= 0.98 * (mask | theirs).sum()


@pytest.mark.parametrize(
    ("photo", "imgsz"), [((603, 1072), 320), ((500, 500), 128), ((333, 777), 256), ((777, 334), 640)]
)
def test_masks_equal_interpolation_of_the_cells_that_the_photo_fills(photo: tuple[int, int], imgsz: int) -> None:
    """Slowly: every logit, interpolated to half cells where a border is at one, cut, and spread over the photo."""
    rng = np.random.default_rng(imgsz)
    box = fit(photo, imgsz)
    (height, width), (h, w) = photo, (side // 4 for side in box.input)
    prototypes = np.stack([cv2.GaussianBlur(rng.normal(size=(h, w)), (5, 5), 1.5) for _ in range(32)]).astype(
        np.float32
    )
    coefficients = rng.normal(size=(3, 32)).astype(np.float32)
    corners = np.sort(rng.uniform(0, 1, (3, 2, 2)), axis=1).reshape(3, 4) * [width, height, width, height]
    masks = as_the_port(coefficients, prototypes, corners.astype(np.float32), box)
    across, down = round(width * min(h / height, w / width)), round(height * min(h / height, w / width))
    for i in range(3):
        logits = np.tensordot(coefficients[i], prototypes, 1)
        spare_w, spare_h, across_, down_ = w - across, h - down, across, down
        if spare_w % 2 or spare_h % 2:
            logits = cv2.resize(logits, (2 * w, 2 * h))
            spare_w, spare_h, across_, down_ = 2 * spare_w, 2 * spare_h, 2 * across, 2 * down
        left, top = spare_w // 2, spare_h // 2
        full = cv2.resize(logits[top : top + down_, left : left + across_], (width, height))
        x, y = np.arange(width), np.arange(height)[:, None]
        x0, y0, x1, y1 = corners[i].astype(np.float32)
        inside = (x >= x0) & (x < x1) & (y >= y0) & (y < y1)
        certain = np.abs(full) > 1e-2
        np.testing.assert_array_equal(masks[i][certain], ((full > 0) & inside)[certain])


def test_boxes_near_the_border_go_to_it() -> None:
    boxes = np.array([[19, 21, 500, 300], [130, 3, 985, 570], [5, 10, 990, 595], [100, 100, 200, 200]], np.float32)
    moved = at_the_border(boxes, (600, 1000))
    expected = [[0, 21, 500, 300], [130, 0, 1000, 570], [0, 0, 1000, 600], [100, 100, 200, 200]]
    np.testing.assert_array_equal(moved, expected)
    assert boxes[0, 0] == 19


def test_a_box_of_nearly_the_whole_photo_becomes_all_of_it() -> None:
    boxes = np.array([[30, 0, 1000, 570], [100, 0, 1000, 570]], np.float32)
    moved = at_the_border(boxes, (600, 1000))
    np.testing.assert_array_equal(moved, [[0, 0, 1000, 600], [100, 0, 1000, 570]])
