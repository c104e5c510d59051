"""The result: frozen, complete, kept on disk exactly."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fastsam import Segments, UsageError

BOXES = [(10.0, 10.0, 110.0, 90.0), (12.0, 10.0, 112.0, 90.0), (130.0, 20.0, 180.0, 70.0)]


@pytest.fixture
def segments(make_segments: Callable[..., Segments]) -> Segments:
    return make_segments((100, 200), BOXES, [0.9, 0.8, 0.3], imgsz=256)


def test_a_result_cannot_be_changed(segments: Segments) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        segments.scores = np.zeros(3)  # type: ignore[misc]


def test_filter_narrows_by_score_and_by_overlap(segments: Segments) -> None:
    assert segments.filter(conf=0.5).scores.tolist() == pytest.approx([0.9, 0.8])
    assert segments.filter(iou=0.7).scores.tolist() == pytest.approx([0.9, 0.3])
    assert len(segments.filter(conf=0.5, iou=0.7)) == 1
    assert len(segments.filter()) == 3
    assert len(segments.filter(conf=1.0)) == 0
    np.testing.assert_array_equal(segments.filter(iou=0.7).masks[1], segments.masks[2])


@pytest.mark.parametrize("n", [0, 3])
def test_saved_segments_load_exactly(make_segments: Callable[..., Segments], tmp_path: Path, n: int) -> None:
    segments = dataclasses.replace(make_segments((100, 200), BOXES[:n], [0.9, 0.8, 0.3][:n]), names=("cup", "spoon"))
    segments.save(tmp_path / "photo.npz")
    back = Segments.load(tmp_path / "photo.npz")
    assert back.names == ("cup", "spoon")
    assert back.size == (100, 200)
    assert back.masks.source.letterbox == segments.masks.source.letterbox
    for name in ("boxes", "scores", "classes"):
        np.testing.assert_array_equal(getattr(back, name), getattr(segments, name))
    assert back.to_rle() == segments.to_rle()
    assert [p.name for p in tmp_path.iterdir()] == ["photo.npz"]


@pytest.mark.parametrize("content", [b"", b"noise" * 100, b"PK\x03\x04 broken"])
def test_a_file_that_is_no_result_is_an_error_that_names_it(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.npz").write_bytes(content)
    with pytest.raises(UsageError, match=r"bad\.npz"):
        Segments.load(tmp_path / "bad.npz")
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    with pytest.raises(UsageError, match=r"other\.npz"):
        Segments.load(tmp_path / "other.npz")
    with pytest.raises(UsageError, match=r"none\.npz"):
        Segments.load(tmp_path / "none.npz")


def test_compact_forms_have_one_entry_a_mask(segments: Segments) -> None:
    assert len(segments.to_rle()) == len(segments.to_polygons()) == 3
    assert set(np.unique(segments.label_map())) <= {0, 1, 2, 3}
