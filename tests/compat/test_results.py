"""Ultralytics' `Results`: tables, files, pictures, outlines."""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from fastsam import Segments, UsageError
from fastsam.compat import FastSAM, Results
from fastsam.compat.arrays import Array
from fastsam.compat.outlines import outline
from fastsam.masks.runs import Crop


@pytest.fixture
def result(make_segments: Callable[..., Segments]) -> Results:
    """A small and a large thing on a grey photo of 160 x 100 pixels."""
    segments = make_segments((100, 160), [(40.0, 20.0, 80.0, 70.0), (90.0, 10.0, 150.0, 90.0)], [0.875, 0.5])
    segments = replace(segments, names=("small", "large"), classes=np.array([0, 1]))
    return Results(np.full((100, 160, 3), 90, np.uint8), "folder/photo.png", segments)


def test_the_loops_that_people_write_run(result: Results) -> None:
    for r in [result]:
        seen = [(int(b.cls), float(b.conf), r.names[int(b.cls[0])], [int(v) for v in b.xyxy[0]]) for b in r.boxes]
        assert seen == [(0, 0.875, "small", [40, 20, 80, 70]), (1, 0.5, "large", [90, 10, 150, 90])]
        boxes = r.boxes.xyxy.cpu().numpy().astype(int)
        clss, confs = r.boxes.cls.cpu().tolist(), r.boxes.conf.detach().cpu().numpy()
        assert (boxes.shape, clss, confs.tolist()) == ((2, 4), [0.0, 1.0], [0.875, 0.5])
        for mask, box in zip(r.masks, r.boxes, strict=True):
            assert mask.data[0].cpu().numpy().shape == (100, 160)
            assert mask.xy[0].astype(np.int32).reshape(-1, 1, 2).shape[1:] == (1, 2)
            x1, y1, x2, y2 = box.xyxy[0].tolist()
            assert x1 < x2
            assert y1 < y2
        for c in r.boxes.cls.unique():
            assert f"{(r.boxes.cls == c).sum()} {r.names[int(c)]}" in ("1 small", "1 large")
        assert {r.names[c] for c in r.boxes.cls} == {"small", "large"}  # numbers are keys
        union = r.masks.data[r.boxes.conf > 0.6].any(dim=0).int() * 255
        assert union.cpu().numpy().astype(np.uint8)[45, 60] == 255
    assert (result.boxes.shape, result.masks.shape, result.boxes[0].data.shape) == ((2, 6), (2, 100, 160), (1, 6))
    assert (result.boxes.is_track, result.boxes.id, result.probs, result.obb, result.keypoints) == (False, *[None] * 4)
    assert result.to("cpu").cuda().cpu().numpy() is result
    result.boxes.xyxy[0, 0] = 7.0  # a copy of what the network found: it may be written to
    assert result.boxes.data[0, 0] == 7.0
    assert result.segments.boxes[0, 0] == 40.0


def test_a_summary_has_a_row_per_mask(result: Results) -> None:
    rows = result.summary()
    assert [list(row) for row in rows] == [["name", "class", "confidence", "box", "segments"]] * 2
    assert rows[0]["box"] == {"x1": 40.0, "y1": 20.0, "x2": 80.0, "y2": 70.0}
    assert (rows[1]["name"], rows[1]["class"], rows[1]["confidence"]) == ("large", 1, 0.5)
    ring = np.stack((rows[0]["segments"]["x"], rows[0]["segments"]["y"]), 1)
    np.testing.assert_array_equal(ring, result.masks.xy[0])
    shares = result.summary(normalize=True, decimals=3)[0]
    assert shares["box"] == {"x1": 0.25, "y1": 0.2, "x2": 0.5, "y2": 0.7}
    assert max(shares["segments"]["x"]) <= 0.5
    assert json.loads(result.to_json()) == rows
    table = list(csv.DictReader(io.StringIO(result.to_csv())))
    assert [row["name"] for row in table] == ["small", "large"]
    assert json.loads(table[0]["box"].replace("'", '"')) == rows[0]["box"]
    assert (result.new().summary(), result.new().to_json(), len(result.new().to_csv().splitlines())) == ([], "[]", 1)


def test_a_table_needs_pandas(result: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pandas", reason="pandas is not installed")
    assert result.to_df()["confidence"].tolist() == [0.875, 0.5]
    assert list(result.new().to_df().columns) == ["name", "class", "confidence", "box", "segments"]
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    with pytest.raises(UsageError, match="pip install pandas"):
        result.to_df()


def test_it_says_what_it_found(result: Results) -> None:
    assert result.verbose() == "1 small, 1 large, "
    assert result[[1, 1]].verbose() == "2 larges, "
    assert result.new().verbose() == "(no detections), "
    assert repr(result) == "<Results of folder/photo.png, 160 x 100: 1 small, 1 large>"


def test_labels_are_added_to_a_file(result: Results, tmp_path: Path) -> None:
    file = tmp_path / "labels" / "photo.txt"
    assert result.save_txt(file) == str(file)
    lines = file.read_text().splitlines()
    assert [line.split()[0] for line in lines] == ["0", "1"]
    shares = np.array(lines[0].split()[1:], float).reshape(-1, 2)
    np.testing.assert_allclose(shares, result.masks.xyn[0], atol=1e-5)
    result.save_txt(file, save_conf=True)
    assert len(file.read_text().splitlines()) == 4
    assert file.read_text().splitlines()[2].split()[-1] == "0.875"
    result.new().save_txt(tmp_path / "none.txt")
    assert not (tmp_path / "none.txt").exists()


def test_crops_lie_in_a_folder_per_class(result: Results, tmp_path: Path) -> None:
    for _ in range(2):
        result.save_crop(tmp_path, "photo")
    names = sorted(file.relative_to(tmp_path).as_posix() for file in tmp_path.rglob("*.jpg"))
    assert names == ["large/photo-2.jpg", "large/photo.jpg", "small/photo-2.jpg", "small/photo.jpg"]
    height, width = cv2.imread(str(tmp_path / "small" / "photo.jpg")).shape[:2]
    assert 40 <= width <= 52  # the box and a little more
    assert 50 <= height <= 63


def test_pictures_show_what_is_asked_for(result: Results, tmp_path: Path) -> None:
    ground = result.orig_img
    nothing = result.plot(boxes=False, masks=False)
    np.testing.assert_array_equal(nothing, ground)
    assert nothing is not ground
    tinted = result.plot(boxes=False)
    assert (tinted[45, 60] != ground[45, 60]).any()
    np.testing.assert_array_equal(tinted[:15, :85], ground[:15, :85])
    lined = result.plot(masks=False, labels=False)
    assert (lined[20, 60] != ground[20, 60]).any()
    np.testing.assert_array_equal(lined[45, 60], ground[45, 60])
    assert (result.plot(masks=False) != lined).any()
    assert (result.plot(masks=False, conf=False) != result.plot(masks=False)).any()
    white = np.full_like(ground, 255)
    np.testing.assert_array_equal(result.plot(img=white, boxes=False)[5, 5], [255, 255, 255])
    assert (result.plot(color_mode="class") != 90).any()
    twice = result[[0, 0]].plot(boxes=False, color_mode="class")
    assert len(np.unique(twice.reshape(-1, 3), axis=0)) == 3  # ground, tint, outline: one colour
    with pytest.raises(UsageError, match=r"img must be BGR uint8 \(100, 160, 3\), not uint8 \(5, 5, 3\)"):
        result.plot(img=white[:5, :5])
    file = tmp_path / "p.png"
    picture = result.plot(save=True, filename=file, line_width=1, font_size=9)
    np.testing.assert_array_equal(cv2.imread(str(file)), picture)
    assert result.save(tmp_path / "q.png", boxes=False) == str(tmp_path / "q.png")
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "q.png")), tinted)
    assert result.new().plot().shape == (100, 160, 3)


def test_pictures_are_shown_by_pillow(result: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    assert result.plot(pil=True).size == (160, 100)
    shown = []
    monkeypatch.setattr(image.Image, "show", lambda self, title=None: shown.append((self.size, title)))
    result.show(boxes=False)
    assert shown == [((160, 100), "folder/photo.png")]
    monkeypatch.setitem(__import__("sys").modules, "PIL", None)
    with pytest.raises(UsageError, match="pip install pillow"):
        result.show()


def parts_of(*boxes: tuple[int, int, int, int]) -> np.ndarray:
    mask = np.zeros((60, 80), bool)
    for x0, y0, x1, y1 in boxes:
        mask[y0:y1, x0:x1] = True
    return mask


def test_the_parts_of_an_outline_are_joined_as_ultralytics_joins_them() -> None:
    """The answer of its version 8.4.190 for this mask: the same corners, and the same pixels when filled."""
    theirs = [
        (29, 50), (10, 50), (10, 51), (29, 51), (29, 50), (50, 39), (50, 30), (14, 14), (14, 5), (5, 5), (5, 14),
        (14, 14), (50, 30), (59, 30), (59, 39), (50, 39),
    ]  # fmt: skip
    mask = parts_of((5, 5, 15, 15), (50, 30, 60, 40), (10, 50, 30, 52))
    ours = outline(Crop((0, 0), mask))
    assert set(map(tuple, ours.astype(int).tolist())) == set(theirs)
    filled = [cv2.fillPoly(np.zeros((60, 80), np.uint8), [np.array(ring, np.int32)], 1) for ring in (theirs, ours)]
    np.testing.assert_array_equal(filled[0], filled[1])
    assert (filled[1] >= mask).all()


@pytest.mark.parametrize("seed", range(6))
def test_a_joined_outline_covers_every_part(seed: int) -> None:
    rng = np.random.default_rng(seed)
    mask = np.zeros((60, 80), bool)
    for x, y in rng.integers(0, 50, (int(rng.integers(1, 7)), 2)):
        mask[y : y + 5, x : x + 7] = True
    ring = outline(Crop((3, 4), mask)).astype(np.int32) - (3, 4)
    filled = cv2.fillPoly(np.zeros((60, 80), np.uint8), [ring], 1) > 0
    assert (filled >= mask).all()
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    assert set(map(tuple, ring.tolist())) == {tuple(p) for c in contours for p in c.reshape(-1, 2).tolist()}


def test_an_empty_mask_has_an_empty_outline() -> None:
    assert outline(Crop((0, 0), np.zeros((0, 0), bool))).shape == (0, 2)


def test_supervision_reads_results(examples: Path) -> None:
    sv = pytest.importorskip("supervision", reason="supervision is not installed")
    (result,) = FastSAM()(examples / "coffee.png", imgsz=224)
    detections = sv.Detections.from_ultralytics(result)
    assert len(detections) == len(result) > 0
    np.testing.assert_array_equal(detections.mask, result.masks.data > 0)
    np.testing.assert_array_equal(detections.xyxy, result.boxes.xyxy)
    assert set(detections["class_name"]) == {"object"}
    assert sv.MaskAnnotator().annotate(result.orig_img.copy(), detections).shape == result.orig_img.shape
    assert len(detections[detections.confidence > 0.5]) < len(detections)
    assert len(sv.Detections.from_ultralytics(result.new())) == 0


def test_what_supervision_reads_is_there(result: Results) -> None:
    """The attributes that its converter takes, where it is not installed."""
    assert result.obb is None
    assert result.boxes.id is None
    class_id = np.asarray(result.boxes.cls.cpu().numpy()).astype(int)
    assert [result.names[i] for i in class_id] == ["small", "large"]
    assert [result.names[i] for i in result.boxes.cls.astype(int)] == ["small", "large"]
    assert result.boxes.xyxy.cpu().numpy().shape == (2, 4)
    assert bool(result.masks)
    assert tuple(result.masks.data.shape[1:]) == result.orig_shape
    assert isinstance(result.masks.data, Array)
