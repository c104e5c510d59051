"""The COCO file is read by the COCO tools and says what the masks say."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pycocotools import mask as tools
from pycocotools.coco import COCO

from fastsam import FastSAM, Segments, UsageError
from fastsam.formats.coco import Instances, rows_of
from fastsam.formats.content import FORMATS, Options, Subject, check, write

BOXES = [(10.0, 10.0, 110.0, 90.0), (30.0, 30.0, 60.0, 60.0)]


def test_the_coco_tools_read_the_masks_back(make_segments: Callable[..., Segments], tmp_path: Path) -> None:
    segments = make_segments((100, 200), BOXES, [0.9, 0.8], imgsz=256)
    file = Instances()
    file.add("first.jpg", segments.size, segments.names, rows_of(segments))
    file.add("empty.jpg", (10, 20), ("object",), [])
    (tmp_path / "instances.json").write_text(file.text)
    read = COCO(str(tmp_path / "instances.json"))
    assert [i["file_name"] for i in read.loadImgs([1, 2])] == ["first.jpg", "empty.jpg"]
    annotations = read.loadAnns(read.getAnnIds([1]))
    assert len(annotations) == 2
    assert read.getAnnIds([2]) == []
    for i, annotation in enumerate(annotations):
        np.testing.assert_array_equal(read.annToMask(annotation), segments.masks[i])
        assert annotation["area"] == segments.masks[i].sum()
        assert annotation["bbox"] == tools.toBbox(read.annToRLE(annotation)).tolist()
    assert [a["score"] for a in annotations] == [0.9, 0.8]


def test_with_prompts_each_answer_names_its_prompt(make_segments: Callable[..., Segments]) -> None:
    segments = make_segments((100, 200), BOXES, [0.9, 0.8], imgsz=256)
    file = Instances()
    picks = segments.select(boxes=[BOXES[1], (150, 50, 190, 90), BOXES[0]])
    file.add("a.jpg", segments.size, segments.names, rows_of(segments, picks))
    written = json.loads(file.text)
    assert [a["prompt"] for a in written["annotations"]] == [0, 2]
    assert [a["id"] for a in written["annotations"]] == [1, 2]


def read_back(segments: Segments, tmp_path: Path, tolerance: float) -> list[tuple[dict, np.ndarray]]:
    """Annotations of a file with polygons, and their masks, as the COCO tools have them."""
    subject = Subject("a photo.jpg", segments, options=Options(tolerance, polygons=True))
    write(FORMATS["coco"], tmp_path / "instances.json", subject)
    read = COCO(str(tmp_path / "instances.json"))
    return [(a, read.annToMask(a) > 0) for a in read.loadAnns(read.getAnnIds())]


def test_polygons_are_the_masks(make_masks: Callable[..., Segments], tmp_path: Path) -> None:
    """Two parts; a hole; specks; a pixel at the border. What has no pixel has no annotation."""
    segments = make_masks()
    full = [mask for mask in segments.masks if mask.any()]
    found = read_back(segments, tmp_path, 0)
    assert len(found) == len(full) == len(segments) - 1
    for (annotation, read), mask in zip(found, full, strict=True):
        np.testing.assert_array_equal(read, mask)
        assert annotation["area"] == mask.sum()
        assert annotation["bbox"] == tools.toBbox(tools.encode(np.asfortranarray(mask, np.uint8))).tolist()
        assert annotation["iscrowd"] == 0
        assert all(len(ring) >= 6 and len(ring) % 2 == 0 for ring in annotation["segmentation"])
    assert [len(a["segmentation"]) for a, _ in found[:2]] == [2, 1]


def test_simplified_polygons_say_their_own_area_and_box(model: FastSAM, examples: Path, tmp_path: Path) -> None:
    segments = model(examples / "coffee.png")
    found = read_back(segments, tmp_path, 1)
    assert len(found) == len(segments)
    overlaps = []
    for (annotation, read), mask in zip(found, segments.masks, strict=True):
        overlaps.append((read & mask).sum() / (read | mask).sum())
        assert annotation["area"] == pytest.approx(read.sum(), rel=0.02, abs=5)
        corners = np.concatenate([np.array(ring).reshape(-1, 2) for ring in annotation["segmentation"]])
        assert annotation["bbox"] == [*corners.min(0), *(corners.max(0) - corners.min(0))]
    assert np.mean(overlaps) > 0.97
    assert min(overlaps) > 0.9


@pytest.fixture
def make_masks() -> Callable[..., Segments]:
    def make() -> Segments:
        masks = np.zeros((5, 70, 90), bool)
        masks[0, 3:20, 4:30] = masks[0, 30:60, 40:90] = True
        masks[1, 10:60, 10:60] = True
        masks[1, 20:30, 20:33] = masks[1, 40:45, 40:45] = False
        masks[2] = np.random.default_rng(0).random((70, 90)) < 0.3
        masks[3, 69, 89] = True
        return Segments.from_masks(np.zeros((70, 90, 3), np.uint8), masks)

    return make


@pytest.mark.parametrize(
    ("formats", "tolerance", "polygons", "message"),
    [
        (["labelme"], -1, False, "tolerance must be a number of at least 0, not -1"),
        (["labelme"], float("nan"), False, "tolerance must be a number"),
        (["overlay", "npz"], 1, False, "a tolerance needs a format with outlines"),
        (["coco"], 1, False, "a tolerance needs a format with outlines"),
        (["labelme"], None, True, "need the format coco"),
        ([], None, True, "need the format coco"),
    ],
)
def test_options_that_mean_nothing_are_refused(
    formats: list[str], tolerance: float | None, polygons: bool, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        check(formats, Options(tolerance, polygons))
    check(["overlay", "coco"], Options(1, True))
    check(["overlay", "labelme"], Options(2, False))
