"""Label maps, edge maps and cut-outs are PNGs that Pillow reads back exactly."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fastsam import Segments, UsageError
from fastsam.files import write
from fastsam.formats.items import label_map
from fastsam.formats.pictures import cutouts, edges_png, labels_png

PHOTO = np.random.default_rng(0).integers(0, 255, (60, 80, 3)).astype(np.uint8)


@pytest.fixture
def segments() -> Segments:
    masks = np.zeros((2, 60, 80), bool)
    masks[0, 5:55, 5:75] = masks[1, 20:30, 30:50] = True
    return Segments.from_masks(PHOTO, masks)


def test_a_label_map_is_a_grey_png_of_16_bits(segments: Segments, tmp_path: Path) -> None:
    write(tmp_path / "a.png", labels_png(segments.label_map()))
    with Image.open(tmp_path / "a.png") as image:
        assert image.mode == "I;16"
        np.testing.assert_array_equal(np.asarray(image), segments.label_map())
    many = np.full((2, 2), 70_000, np.int32)
    with pytest.raises(UsageError, match="70000"):
        write(tmp_path / "b.png", labels_png(many))
    assert not (tmp_path / "b.png").exists()


def test_with_prompts_labels_are_the_prompts_numbers(segments: Segments) -> None:
    labels = label_map(segments, segments.select(boxes=[(30, 20, 50, 30), (0, 0, 2, 2), (5, 5, 75, 55)], refine=False))
    assert labels[25, 40] == 1
    assert labels[10, 10] == 3
    assert labels[0, 0] == 0


def test_an_edge_map_keeps_16_bits(segments: Segments, tmp_path: Path) -> None:
    edges = segments.edges()
    write(tmp_path / "a.png", edges_png(edges))
    with Image.open(tmp_path / "a.png") as image:
        np.testing.assert_allclose(np.asarray(image) / 65535, edges, atol=1e-5)


def test_cutouts_are_rgba_and_numbered(segments: Segments) -> None:
    made = dict(cutouts(segments))
    assert sorted(made) == ["000.png", "001.png"]
    with Image.open(io.BytesIO(made["001.png"])) as image:
        assert image.mode == "RGBA"
        np.testing.assert_array_equal(np.asarray(image), segments.cutout(1))
    picks = segments.select(boxes=[(0, 0, 2, 2), (30, 20, 50, 30)], refine=False)
    assert [name for name, _ in cutouts(segments, picks)] == ["prompt01-00.png"]
