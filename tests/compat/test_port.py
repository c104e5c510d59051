"""The popular port's call and results."""

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from fastsam import Segments, UsageError
from fastsam.compat import FastSAM
from fastsam.compat.port import Results, groups
from fastsam.masks import rle


def test_its_answer_for_the_fixture_is_found_again(fixtures: Path, examples: Path) -> None:
    golden = json.loads((fixtures / "port-tiny.json").read_text())
    ask = {name: golden[name] for name in ("imgsz", "conf", "iou", "max_det")}
    (result,) = FastSAM(fixtures / "port-tiny.pt")(examples / "coffee.png", retina_masks=True, device="cpu", **ask)
    assert len(result) == len(golden["scores"]) > 3
    np.testing.assert_allclose(result.boxes.xyxy, golden["boxes"], atol=1)
    np.testing.assert_allclose(result.boxes.conf, golden["scores"], atol=2e-3)
    assert result.orig_shape == (400, 600)
    for mask, expected in zip(result.masks.data, golden["masks"], strict=True):
        theirs = rle.decode(expected)
        assert ((mask > 0) & theirs).sum() >= 0.98 * ((mask > 0) | theirs).sum()


def test_every_kind_of_source_is_taken(examples: Path, tmp_path: Path) -> None:
    from PIL import Image

    model = FastSAM()
    bgr = cv2.imread(str(examples / "coffee.png"))
    (tmp_path / "folder").mkdir()
    for name in ("a.png", "b.png"):
        cv2.imwrite(str(tmp_path / "folder" / name), bgr)
    expected = model(examples / "coffee.png", imgsz=96)[0].boxes.xyxy
    one = [bgr, Image.open(examples / "coffee.png"), str(tmp_path / "folder" / "a.png")]
    two = [tmp_path / "folder", str(tmp_path / "folder" / "*.png")]
    for source, count in [*((s, 1) for s in one), *((s, 2) for s in two), (one, 3)]:
        results = model.predict(source, imgsz=96)
        assert len(results) == count
        for result in results:
            np.testing.assert_array_equal(result.boxes.xyxy, expected)
            np.testing.assert_array_equal(result.orig_img, bgr)


def test_prompts_have_an_answer_each(examples: Path) -> None:
    model = FastSAM()
    (every,) = model(examples / "coffee.png", imgsz=512, conf=0.05)
    box = every.boxes.xyxy[0].tolist()
    (result,) = model(examples / "coffee.png", imgsz=512, conf=0.05, bboxes=[box, [0, 0, 3, 3]], points=[300, 160])
    assert result.prompts is not None
    assert result.prompts[0] == 0
    assert 1 not in result.prompts
    assert result.prompts[-1] == 2
    assert result.masks.data[-1][160, 300] == 1


def test_points_are_grouped_as_they_are_nested() -> None:
    assert list(groups([5, 6], 1)) == [([(5.0, 6.0)], [1])]
    assert list(groups([[5, 6], [7, 8]], [1, 0])) == [([(5.0, 6.0), (7.0, 8.0)], [1, 0])]
    assert list(groups([[[5, 6], [7, 8]], [[1, 2]]], [[1, 0], [1]])) == [
        ([(5.0, 6.0), (7.0, 8.0)], [1, 0]),
        ([(1.0, 2.0)], [1]),
    ]
    with pytest.raises(UsageError, match="2 lists of points have 1 lists of labels"):
        list(groups([[[5, 6]], [[1, 2]]], [[1]]))
    assert list(groups([[5, 6]], [[1]])) == [([(5.0, 6.0)], [1])]
    for points, labels in ((5, None), ("ab", None), ([5, 6], ["a"]), ([5, 6], 0.5)):
        with pytest.raises(UsageError):
            list(groups(points, labels))


def test_results_have_the_frames_people_use(make_segments: Callable[..., Segments]) -> None:
    segments = make_segments((100, 160), [(40.0, 20.0, 80.0, 70.0), (90.0, 10.0, 150.0, 90.0)], [0.9, 0.5])
    result = Results(np.zeros((100, 160, 3), np.uint8), "photo.jpg", segments)
    np.testing.assert_allclose(result.boxes.xywh[0], [60, 45, 40, 50])
    np.testing.assert_allclose(result.boxes.xyxyn[0], [0.25, 0.2, 0.5, 0.7])
    np.testing.assert_allclose(result.boxes.xywhn[0], [0.375, 0.45, 0.25, 0.5])
    np.testing.assert_allclose(result.boxes.data[1], [90, 10, 150, 90, 0.5, 0])
    assert result.names == {0: "object"}
    drawn = cv2.fillPoly(np.zeros((100, 160), np.uint8), [result.masks.xy[0].astype(np.int32)], 1)
    np.testing.assert_array_equal(drawn, result.masks.data[0])
    assert result.masks.xyn[0].max() <= 1
    assert [len(r) for r in result] == [1, 1]
    np.testing.assert_array_equal(result[1].masks.data[0], result.masks.data[1])
    np.testing.assert_array_equal(result[np.array([False, True])].boxes.conf, [0.5])
    assert result.cpu().numpy() is result
    assert [b.conf[0] for b in result.boxes.cpu()] == pytest.approx([0.9, 0.5])
    np.testing.assert_array_equal(next(iter(result.masks.cpu())).data[0], result.masks.data[0])


def test_the_interfaces_fit_together(examples: Path) -> None:
    from fastsam.compat import FastSAMDecoder, FastSAMPrompt, SamAutomaticMaskGenerator, SamPredictor

    model = FastSAM()
    results = model(examples / "coffee.png", imgsz=512, conf=0.05)
    assert len(FastSAMPrompt(examples / "coffee.png", results).everything_prompt()) == len(results[0])
    photo = np.ascontiguousarray(results[0].orig_img[..., ::-1])
    assert len(SamAutomaticMaskGenerator(model).generate(photo)) > 0
    SamPredictor(model).set_image(photo)
    assert len(FastSAMDecoder(model, conf=0.05).run_encoder(photo)) > 0
    with pytest.raises(UsageError, match="a NoneType is no result of FastSAM"):
        FastSAMPrompt(examples / "coffee.png", None)
    with pytest.raises(UsageError, match="a str is no FastSAM model"):
        SamPredictor("fastsam-tiny")


def test_what_has_no_meaning_here_is_said(examples: Path) -> None:
    with pytest.warns(UserWarning, match="no meaning here: half"):
        FastSAM()(examples / "coffee.png", imgsz=(48, 64), verbose=False, half=True)
