"""The evaluations as commands: a table, a JSON file, pictures; and what they say to wrong use."""

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("faster_coco_eval", reason="the eval extra is not installed")
pytest.importorskip("skimage", reason="the eval extra is not installed")


@pytest.fixture(scope="module")
def folder(make_set: Callable[..., Path]) -> Path:
    return make_set(2)


@pytest.fixture
def drawn(folder: Path, tmp_path: Path) -> Path:
    """Boundaries of the set's photos, as two annotators might draw them: the photos' own edges."""
    (tmp_path / "drawn").mkdir()
    for k in range(2):
        edges = cv2.Canny(cv2.imread(str(folder / "images" / f"{k}.png")), 50, 100) > 0
        both = np.stack((edges, edges))
        np.savez(tmp_path / "drawn" / f"{k}.npz", boundaries=np.packbits(both, axis=-1), shape=np.array(both.shape))
    return tmp_path / "drawn"


def test_recall_tells_why_objects_are_not_found(fastsam, folder: Path, tmp_path: Path) -> None:
    done = fastsam("eval", "recall", folder, "--json", tmp_path / "r.json", "--pictures", tmp_path / "p")
    assert done.code == 0, done.err
    row = json.loads((tmp_path / "r.json").read_text())[folder.name]
    objects = len(json.loads((folder / "instances.json").read_text())["annotations"])
    assert sum(n for fates in row["fates"].values() for n in fates.values()) == objects
    assert 0 < row["masks"]["10"] <= row["masks"]["100"] <= row["masks"]["1000"] <= 100
    assert row["auc"][0] <= row["masks"]["1000"]
    assert len(list((tmp_path / "p").glob("worst-*.png"))) == len(list((tmp_path / "p").glob("best-*.png"))) == 2


def test_coverage(fastsam, folder: Path, tmp_path: Path) -> None:
    done = fastsam("eval", "coverage", folder, "--json", tmp_path / "c.json", "--pictures", tmp_path / "p")
    assert done.code == 0, done.err
    row = json.loads((tmp_path / "c.json").read_text())[folder.name]
    assert 0 <= row["area_found"]["70"] <= row["area_found"]["50"] <= 100
    assert row["masks"] > 0
    assert len(list((tmp_path / "p").iterdir())) == 4


def test_prompts(fastsam, folder: Path, tmp_path: Path) -> None:
    done = fastsam("eval", "prompts", folder, "--clicks", 2, "--json", tmp_path / "p.json", "--pictures", tmp_path)
    assert done.code == 0, done.err
    rows = json.loads((tmp_path / "p.json").read_text())[folder.name]
    assert list(rows) == ["central click", "2 clicks", "box"]
    assert all(0 < row["miou"] <= 100 for row in rows.values())


def test_instances(fastsam, folder: Path, tmp_path: Path) -> None:
    annotations = json.loads((folder / "instances.json").read_text())["annotations"]
    rows = [{k: a[k] for k in ("image_id", "category_id", "bbox")} | {"score": 0.5} for a in annotations]
    (tmp_path / "d.json").write_text(json.dumps(rows))
    done = fastsam("eval", "instances", folder, "--detections", tmp_path / "d.json", "--json", tmp_path / "i.json")
    assert done.code == 0, done.err
    row = json.loads((tmp_path / "i.json").read_text())[folder.name]
    assert row["boxes"] == len(rows)
    assert 0 <= row["ap"] <= row["ap50"] <= 100
    assert 0 < row["answered"] <= len(rows)


def test_photos_without_annotations_or_segments_are_no_error(fastsam, folder: Path, tmp_path: Path) -> None:
    content = json.loads((folder / "instances.json").read_text())
    content["annotations"] = [a for a in content["annotations"] if a["image_id"] == 0]
    (tmp_path / "one.json").write_text(json.dumps(content))
    for command in ("recall", "coverage", "prompts"):
        words = (tmp_path / "one.json", "--images", folder / "images", "--json", tmp_path / "out.json")
        assert fastsam("eval", command, *words).code == 0
        done = fastsam("eval", command, *words, "--conf", "0.9999", "--max-det", 5)
        assert done.code == 0, done.err
        figures = (tmp_path / "out.json").read_text()
        assert "NaN" not in figures


def test_text(fastsam, encoder: None, folder: Path, tmp_path: Path) -> None:
    done = fastsam("eval", "text", folder, "--json", tmp_path / "t.json")
    assert done.code == 0, done.err
    assert json.loads((tmp_path / "t.json").read_text())[folder.name]["asked"] == 2


def test_edges_of_the_masks(fastsam, folder: Path, drawn: Path, tmp_path: Path) -> None:
    words = ("--thresholds", 9, "--processes", 1, "--json", tmp_path / "e.json", "--pictures", tmp_path / "p")
    done = fastsam("eval", "edges", folder, "--ground-truth", drawn, *words)
    assert done.code == 0, done.err
    figures = json.loads((tmp_path / "e.json").read_text())
    assert list(figures) == ["ods", "ois", "ap", "r50", "images", "thresholds"]
    assert [row["image"] for row in figures["images"]] == ["0", "1"]
    assert len(figures["thresholds"]) == 9
    assert 0 < figures["ods"] <= figures["ois"] <= 1
    assert len(list((tmp_path / "p").iterdir())) == 4


@pytest.mark.parametrize(("kind", "white"), [(np.uint8, 255), (np.uint16, 65535)])
def test_edges_of_a_folder(fastsam, folder: Path, drawn: Path, tmp_path: Path, kind: type, white: int) -> None:
    for k in range(2):
        edges = cv2.Canny(cv2.imread(str(folder / "images" / f"{k}.png")), 50, 100) > 0
        cv2.imwrite(str(tmp_path / f"{k}.png"), (edges * white).astype(kind))
    words = ("--ground-truth", drawn, "--thresholds", 3, "--processes", 1, "--json", tmp_path / "e.json")
    assert fastsam("eval", "edges", "--predictions", tmp_path, *words).code == 0
    assert json.loads((tmp_path / "e.json").read_text())["ods"] > 0.95


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["edges", "--ground-truth", "."], "either a folder of photos or --predictions"),
        (["edges", "nowhere", "--ground-truth", "."], "neither .mat nor .npz"),
        (["edges", "--predictions", ".", "--ground-truth", "DRAWN"], "has no picture 0.png"),
        (["edges", "nowhere", "--ground-truth", "DRAWN"], "has no picture 0"),
        (["coverage", "nowhere"], "nowhere is no COCO-style set"),
        (["prompts", "nowhere", "--clicks", "0"], "--clicks 0 makes no prompt"),
        (["instances", "SET", "--detections", "none.json"], "none.json cannot be read"),
        (["instances", "SET", "--detections", "others.json"], "are they of the same set?"),
    ],
)
def test_wrong_use_is_one_line(
    fastsam, folder: Path, drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "others.json").write_text('[{"image_id": 99, "category_id": 1, "bbox": [0, 0, 9, 9], "score": 1}]')
    done = fastsam("eval", *[{"DRAWN": drawn, "SET": folder}.get(w, w) for w in words])
    assert done.code == 2
    assert message in done.err
    assert len(done.err.strip().splitlines()) == 1


def test_maps_of_another_size_are_named(fastsam, drawn: Path, tmp_path: Path) -> None:
    for k in range(2):
        cv2.imwrite(str(tmp_path / f"{k}.png"), np.zeros((5, 6), np.uint8))
    done = fastsam("eval", "edges", "--predictions", tmp_path, "--ground-truth", drawn, "--processes", 1)
    assert done.code == 2
    assert "the edge map of 0 has (5, 6) pixels, what was drawn (96, 128)" in done.err
