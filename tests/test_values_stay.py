"""What one value is made of, no other can change: arrays and timings are its own."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from fastsam import FastSAM, Segments
from fastsam.masks.lazy import Masks


@pytest.fixture
def nest(make_segments: Callable[..., Segments]) -> Segments:
    """A small mask on a large one, of a photo that is known."""
    segments = make_segments((100, 160), [(10, 10, 110, 90), (30, 30, 60, 60)], [0.5, 0.9])
    return replace(segments, photo=np.full((100, 160, 3), 60, np.uint8))


def test_a_callers_arrays_stay_writable(nest: Segments) -> None:
    boxes, scores = nest.boxes.copy(), nest.scores.copy()
    masks = Masks(boxes, nest.masks.source)
    segments = Segments(masks, scores, nest.classes)
    boxes[:], scores[:] = 0, 0
    assert segments == nest


def test_what_cannot_be_written_to_is_not_copied(nest: Segments) -> None:
    assert nest.filter().photo is nest.photo
    assert Segments(nest.masks, nest.scores, nest.classes).scores is nest.scores


def test_timings_of_one_result_are_not_those_of_another(model: FastSAM) -> None:
    segments = model(np.full((64, 64, 3), 90, np.uint8), imgsz=64)
    assert {"read", "network"} <= set(segments.seconds)
    with pytest.raises(TypeError):
        segments.filter(conf=0.5).seconds["read"] = 0.0  # type: ignore[index]


def test_a_model_on_another_device_is_another_model(model: FastSAM) -> None:
    assert model.on("cpu") is model
    with pytest.raises(ValueError, match="device 'mps' is not available"):
        model.on("mps")
    assert "on cpu" in repr(model)
