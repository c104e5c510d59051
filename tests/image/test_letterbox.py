"""The photo lies centred in an input of multiples of 32, and boxes find their way back."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastsam import UsageError
from fastsam.image.letterbox import fit, letterbox
from fastsam.image.read import read_image


@settings(deadline=None)
@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(32, 1300))
def test_the_input_is_a_multiple_of_32_that_holds_the_photo(height: int, width: int, imgsz: int) -> None:
    box = fit((height, width), imgsz)
    assert box.input[0] % 32 == box.input[1] % 32 == 0
    assert max(box.input) == -(-imgsz // 32) * 32
    for axis in (0, 1):
        spare = box.input[1 - axis] - box.content[axis]
        assert 0 <= spare < 32
        assert abs(2 * box.pad[axis] - spare) <= 1


@settings(deadline=None)
@given(st.integers(2, 3000), st.integers(2, 3000), st.integers(64, 1024), st.data())
def test_boxes_come_back_to_the_photo(height: int, width: int, imgsz: int, data: st.DataObject) -> None:
    box = fit((height, width), imgsz)
    x = data.draw(st.floats(0, width))
    y = data.draw(st.floats(0, height))
    there = np.array([[x * box.scale[0] + box.pad[0], y * box.scale[1] + box.pad[1]] * 2], np.float32)
    np.testing.assert_allclose(box.to_photo(there), [[x, y, x, y]], atol=1e-3 * max(height, width))


def test_boxes_are_clipped_to_the_photo() -> None:
    back = fit((100, 200), 64).to_photo(np.array([[-50, -50, 500, 500]], np.float32))
    assert back.tolist() == [[0, 0, 200, 100]]


def test_a_size_below_32_is_refused() -> None:
    with pytest.raises(UsageError, match="imgsz must be at least 32, not 16"):
        fit((10, 10), 16)


@pytest.mark.parametrize("name", ["object-n-dogs", "object-n-sa_10039", "sizes-p-bus", "sizes-p-dogs"])
def test_the_input_equals_the_ports(shared: Path, name: str) -> None:
    facts = json.loads((shared / "golden" / f"{name}.json").read_text())
    expected = np.load(shared / "golden" / f"{name}.npz")["input"].transpose(1, 2, 0)
    pixels = read_image(shared / "photos" / facts["photo"])
    got = letterbox(pixels, fit(pixels.shape[:2], facts["imgsz"]))
    assert got.shape == expected.shape
    assert (np.abs(got.astype(int) - expected) <= 1).mean() >= 0.999
