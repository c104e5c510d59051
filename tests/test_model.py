"""From a photo to segments, with the bundled weights."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fastsam import FastSAM, Segments, UsageError


@pytest.fixture(scope="module")
def coffee(model: FastSAM, examples: Path) -> Segments:
    return model(examples / "coffee.png")


def test_an_ordinary_photo_shows_its_objects(coffee: Segments) -> None:
    assert 8 <= len(coffee) <= 200
    assert coffee.size == (400, 600)
    assert coffee.boxes.shape == (len(coffee), 4)
    assert (np.diff(coffee.scores) <= 0).all()
    assert (coffee.label_map() > 0).mean() > 0.8


def test_the_cup_is_found_by_a_click_and_by_its_box(coffee: Segments) -> None:
    cup = (180, 10, 430, 250)
    by_point, by_box = coffee.select(points=[(300, 200)], boxes=[cup], refine=False)
    assert by_point.index is not None
    assert by_box.index is not None
    mask = by_box.mask
    assert mask is not None
    inside = mask[cup[1] : cup[3], cup[0] : cup[2]].sum()
    assert inside / mask.sum() > 0.8


def test_path_array_and_pil_image_give_the_same(model: FastSAM, examples: Path, coffee: Segments) -> None:
    image = Image.open(examples / "coffee.png")
    for source in (str(examples / "coffee.png"), image, np.asarray(image.convert("RGB"))):
        again = model(source)
        np.testing.assert_array_equal(again.scores, coffee.scores)
        np.testing.assert_array_equal(again.boxes, coffee.boxes)


def test_settings_are_understood(model: FastSAM, examples: Path, coffee: Segments) -> None:
    assert len(model(examples / "coffee.png", max_det=3)) <= 3
    assert (model(examples / "coffee.png", conf=0.4).scores > 0.4).all()
    assert len(model(examples / "coffee.png", iou=0.2)) < len(coffee)
    assert model(examples / "coffee.png", imgsz=256).masks.source.letterbox.input == (192, 256)
    assert coffee.seconds.keys() == {"read", "letterbox", "network", "candidates"}


@pytest.mark.parametrize("settings", [{"conf": 1.5}, {"iou": -0.1}, {"max_det": 0}, {"imgsz": 8}])
def test_settings_that_make_no_sense_are_errors_that_name_them(model: FastSAM, settings: dict) -> None:
    with pytest.raises(UsageError, match=next(iter(settings))):
        model(np.zeros((32, 32, 3), np.uint8), **settings)


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (40, 200), (5, 2000), (37, 53)])
def test_unusual_sizes_are_segmented(model: FastSAM, shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    segments = model(rng.integers(0, 256, (*shape, 3), np.uint8), conf=0.01)
    assert segments.size == shape
    assert segments.label_map().shape == shape
    for i in range(min(3, len(segments))):
        assert segments.masks[i].shape == shape


def test_nothing_found_is_an_empty_result(model: FastSAM) -> None:
    segments = model(np.full((64, 64, 3), 114, np.uint8), conf=1.0)
    assert len(segments) == 0
    assert segments.boxes.shape == (0, 4)
    assert segments.select(points=[(3, 3)], refine=False)[0].mask is None


def test_weights_that_are_none_are_errors_that_name_them(tmp_path: Path) -> None:
    (tmp_path / "noise.onnx").write_bytes(b"noise" * 50)
    with pytest.raises(UsageError, match=r"noise\.onnx"):
        FastSAM(tmp_path / "noise.onnx")
    with pytest.raises(UsageError, match="unknown model 'nonsense'"):
        FastSAM("nonsense")
    with pytest.raises(UsageError, match="NoSuchProvider"):
        FastSAM(providers=["NoSuchProvider"])
