"""What is written for other programs is read back by them, and covers the same pixels."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import supervision
from shapely.geometry import shape

from fastsam import FastSAM, Segments
from fastsam.files import write
from fastsam.formats.outlines import classes, geojson, labelme, yolo


@pytest.fixture
def segments() -> Segments:
    """A ring, a mask in two parts, a single pixel, a line of pixels."""
    masks = np.zeros((4, 120, 160), np.uint8)
    cv2.circle(masks[0], (50, 60), 40, 1, -1)
    cv2.circle(masks[0], (50, 60), 15, 0, -1)
    masks[1, 10:40, 100:130] = masks[1, 60:110, 110:150] = 1
    masks[2, 5, 5] = 1
    masks[3, 115, 20:60] = 1
    photo = np.random.default_rng(0).integers(0, 255, (120, 160, 3)).astype(np.uint8)
    return Segments.from_masks(photo, masks, [0.9, 0.8, 0.7, 0.6])


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / (a | b).sum())


def test_supervision_reads_the_yolo_labels(segments: Segments, tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    cv2.imwrite(str(tmp_path / "images" / "a.png"), segments.photo)
    write(tmp_path / "labels" / "a.txt", yolo(segments))
    (tmp_path / "data.yaml").write_text("names: [object]\nnc: 1\n")
    read = supervision.DetectionDataset.from_yolo(
        str(tmp_path / "images"), str(tmp_path / "labels"), str(tmp_path / "data.yaml"), force_masks=True
    )
    ((_, _, detections),) = list(read)
    assert len(detections) == 4
    assert [iou(mask, ours) > 0.85 for mask, ours in zip(detections.mask[:2], segments.masks, strict=False)] == [
        True
    ] * 2
    for line in (tmp_path / "labels" / "a.txt").read_text().splitlines():
        kind, *numbers = line.split()
        assert kind == "0"
        assert len(numbers) >= 6
        assert len(numbers) % 2 == 0
        assert all(0 <= float(v) <= 1 for v in numbers)


def test_shapely_reads_the_geojson(segments: Segments, tmp_path: Path) -> None:
    write(tmp_path / "a.geojson", geojson(segments))
    content = json.loads((tmp_path / "a.geojson").read_text())
    assert content["type"] == "FeatureCollection"
    assert len(content["features"]) == 4
    for feature, area in zip(content["features"], segments.masks.areas, strict=True):
        assert feature["properties"]["area"] == area
        read = shape(feature["geometry"])
        assert read.is_valid
        assert read.area == area
    ring = shape(content["features"][0]["geometry"])
    assert [len(part.interiors) for part in ring.geoms] == [1]
    assert len(shape(content["features"][1]["geometry"]).geoms) == 2


def test_labelme_files_have_the_fields_that_labelme_asks_for(segments: Segments, tmp_path: Path) -> None:
    """By the checks of labelme 6.3.1 when it opens a file."""
    write(tmp_path / "a.json", labelme("a.png", segments))
    content = json.loads((tmp_path / "a.json").read_text())
    assert set(content) == {"version", "flags", "shapes", "imagePath", "imageData", "imageHeight", "imageWidth"}
    assert (content["imagePath"], content["imageHeight"], content["imageWidth"]) == ("a.png", 120, 160)
    assert [s["group_id"] for s in content["shapes"]] == [0, 1, 1, 2, 3]
    for s in content["shapes"]:
        assert isinstance(s["label"], str)
        assert s["shape_type"] == "polygon"
        assert len(s["points"]) >= 3
        assert all(len(p) == 2 and all(isinstance(v, float) for v in p) for p in s["points"])
        assert all(0 <= x <= 160 and 0 <= y <= 120 for x, y in s["points"])


def test_with_prompts_only_the_answers_are_written(segments: Segments, tmp_path: Path) -> None:
    picks = segments.select(points=[(50, 30)], boxes=[(0, 0, 3, 3)], refine=False)
    write(tmp_path / "a.geojson", geojson(segments, picks))
    (feature,) = json.loads((tmp_path / "a.geojson").read_text())["features"]
    assert (feature["properties"]["index"], feature["properties"]["prompt"]) == (0, 0)
    write(tmp_path / "a.json", labelme("a.png", segments, picks))
    assert len(json.loads((tmp_path / "a.json").read_text())["shapes"]) == 1
    write(tmp_path / "a.txt", yolo(segments, picks))
    assert len((tmp_path / "a.txt").read_text().splitlines()) == 1


def test_a_photo_without_masks_has_empty_files(tmp_path: Path) -> None:
    none = Segments.from_masks(np.zeros((5, 6, 3), np.uint8), [])
    write(tmp_path / "a.txt", yolo(none))
    assert (tmp_path / "a.txt").read_text() == ""
    write(tmp_path / "a.geojson", geojson(none))
    assert json.loads((tmp_path / "a.geojson").read_text())["features"] == []


@pytest.mark.parametrize(("width", "height"), [(20000, 10), (10, 20000), (1, 1), (1, 500)])
@pytest.mark.parametrize("tolerance", [0.0, 1.0])
def test_photos_of_any_shape_and_masks_at_their_borders_are_written(width: int, height: int, tolerance: float) -> None:
    masks = np.zeros((3, height, width), bool)
    masks[0] = masks[1, -1, -1] = True
    masks[2, ::2] = True
    segments = Segments.from_masks(np.zeros((height, width, 3), np.uint8), masks)
    drawn = json.loads(labelme("a.png", segments, tolerance=tolerance))["shapes"]
    assert {s["group_id"] for s in drawn} == {0, 1, 2}
    assert all(len(s["points"]) >= 3 for s in drawn)
    for feature, area in zip(
        json.loads(geojson(segments, tolerance=tolerance))["features"], segments.masks.areas, strict=True
    ):
        read = shape(feature["geometry"])
        assert read.is_valid
        assert read.area == area
    assert len(yolo(segments, tolerance=tolerance).splitlines()) == 3


def test_by_default_labelme_and_yolo_files_are_simplified(model: FastSAM, examples: Path) -> None:
    segments = model(examples / "coffee.png")
    for write_ in (lambda t: labelme("a.png", segments, tolerance=t), lambda t: yolo(segments, tolerance=t)):
        exact, simple = write_(0), write_(1)
        assert len(simple) < len(exact) / 2
    assert labelme("a.png", segments) == labelme("a.png", segments, tolerance=1)
    assert yolo(segments) == yolo(segments, tolerance=1)
    assert geojson(segments) == geojson(segments, tolerance=0)


def test_a_drawn_labelme_file_is_the_mask_within_a_pixel(model: FastSAM, examples: Path) -> None:
    segments = model(examples / "coffee.png")
    found = np.zeros((len(segments), *segments.size), np.uint8)
    for s in json.loads(labelme("a.png", segments))["shapes"]:
        cv2.fillPoly(found[s["group_id"]], [np.floor(s["points"]).astype(np.int32)], 1)
    assert np.mean([iou(mask > 0, own) for mask, own in zip(found, segments.masks, strict=True)]) > 0.96


def test_names_of_any_text_stay_one_line_each() -> None:
    names = ["cup, grün", 'a "b"', "two\nlines\r\n", "杯子"]
    assert classes(names).splitlines() == ["cup, grün", 'a "b"', "two lines", "杯子"]
