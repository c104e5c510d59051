"""The evaluations as commands: a table, a JSON file, pictures; and what they say to wrong use."""

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from fastsam import Segments
from fastsam.prompts import Pick, Prompt
from fastsam.refine.network import Refiner

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
    found = json.loads((tmp_path / "p.json").read_text())[folder.name]
    assert list(found) == ["plain", "refined", "calibration"]
    for way in ("plain", "refined"):
        assert list(found[way]) == ["central click", "central click, best of 3", "2 clicks", "box"]
        assert all(0 < row["miou"] <= 100 for row in found[way].values())
        assert found[way]["central click"]["miou"] <= found[way]["central click, best of 3"]["miou"]
    assert list(found["calibration"]) == ["central click", "2 clicks", "box"]
    assert all(len(row["bins"]) == 10 for row in found["calibration"].values())
    assert 0 < found["calibration"]["box"]["all"]["count"] <= found["refined"]["box"]["objects"]


def test_the_refined_half_may_be_left_out(fastsam, folder: Path, tmp_path: Path) -> None:
    for command in ("prompts", "clicks"):
        both, alone = tmp_path / f"{command}-2.json", tmp_path / f"{command}-1.json"
        assert fastsam("eval", command, folder, "--json", both).code == 0
        assert fastsam("eval", command, folder, "--json", alone, "--no-refine").code == 0
        found = [json.loads(file.read_text())[folder.name] for file in (both, alone)]
        assert list(found[1]) == ["plain"]
        assert found[0]["plain"] == found[1]["plain"]
        assert found[0]["plain"] != found[0]["refined"]


def test_both_halves_answer_the_same_prompts(fastsam, folder: Path, nothing, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[bool, list[object]] = {False: [], True: []}
    select = Segments.select

    def noting(self: Segments, prompts: list[Prompt], *, refine: object) -> list[Pick]:
        asked[bool(refine)] += [(p.points, p.box) for p in prompts]
        return select(self, prompts, refine=refine)

    monkeypatch.setattr(Segments, "select", noting)
    assert fastsam("eval", "prompts", folder, "--clicks", 4).code == 0
    objects = len(json.loads((folder / "instances.json").read_text())["annotations"])
    assert asked[True] == asked[False]
    assert len(asked[True]) == 3 * objects


def test_clicks(fastsam, folder: Path, tmp_path: Path) -> None:
    words = ("--json", tmp_path / "c.json", "--pictures", tmp_path / "p", "--threshold", 0.5, 0.8, "--objects", 1)
    done = fastsam("eval", "clicks", folder, *words)
    assert done.code == 0, done.err
    found = json.loads((tmp_path / "c.json").read_text())[folder.name]
    for way in ("plain", "refined"):
        assert found[way]["objects"] == 2  # one of each photo
        assert 1 <= found[way]["noc"]["50"] <= found[way]["noc"]["80"] <= 20
        assert 0 <= found[way]["failed"]["50"] <= found[way]["failed"]["80"] <= 100
        assert list(found[way]["miou"]) == ["1", "3", "5"]
    assert len(list((tmp_path / "p").iterdir())) == 4


class Nothing:
    """A session that draws nothing anywhere, and is sure of it."""

    def run(self, names: list[str], feed: dict[str, np.ndarray]) -> list[np.ndarray]:
        n, _, height, width = feed["maps"].shape
        return [np.full((n, 4, height, width), -4, np.float32), np.full((n, 4), 0.9, np.float32)]


@pytest.fixture
def nothing(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, object]]:
    """The second network is one that draws nothing; which file and how many threads were asked for."""
    asked: list[tuple[object, object]] = []

    def load(file: Path | None, threads: int | None) -> Refiner:
        asked.append((file, threads))
        return Refiner(Nothing())

    monkeypatch.setattr("fastsam.cli.evaluate.flags.load_refiner", load)
    return asked


def test_masks_are_redrawn_before_they_are_judged(fastsam, folder: Path, drawn: Path, tmp_path: Path, nothing) -> None:
    file = tmp_path / "out.json"
    judged = {
        "recall": ([folder], lambda found: found[folder.name]["masks"]["1000"]),
        "coverage": ([folder], lambda found: found[folder.name]["masks"]),
        "edges": ([folder, "--ground-truth", drawn, "--thresholds", 3, "--processes", 1], lambda found: found["r50"]),
    }
    for command, (words, figure) in judged.items():
        figures = []
        for how in ([], ["--refine", "--refiner", tmp_path / "other.onnx", "--threads", 1]):
            done = fastsam("eval", command, *words, "--json", file, *how)
            assert done.code == 0, done.err
            figures.append(figure(json.loads(file.read_text())))
        assert figures[0] > 0
        assert figures[1] == 0
        assert nothing == [(tmp_path / "other.onnx", 1)]  # the named one, once, when it was asked for
        nothing.clear()


def test_another_second_network_answers_prompts(fastsam, folder: Path, tmp_path: Path, nothing) -> None:
    file = tmp_path / "out.json"
    for command, figure in {
        "prompts": lambda found: found["refined"]["box"]["miou"],
        "clicks": lambda found: found["refined"]["miou"]["5"],
    }.items():
        done = fastsam("eval", command, folder, "--json", file, "--refiner", tmp_path / "other.onnx")
        assert done.code == 0, done.err
        assert figure(json.loads(file.read_text())[folder.name]) == 0
        assert nothing.pop()[0] == tmp_path / "other.onnx"


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
    words = ("eval", "instances", folder, "--detections", tmp_path / "d.json", "--json", tmp_path / "plain.json")
    assert fastsam(*words, "--no-refine").code == 0
    assert json.loads((tmp_path / "plain.json").read_text())[folder.name]["ap"] != row["ap"]


def test_photos_without_annotations_or_segments_are_no_error(fastsam, folder: Path, tmp_path: Path) -> None:
    content = json.loads((folder / "instances.json").read_text())
    content["annotations"] = [a for a in content["annotations"] if a["image_id"] == 0]
    (tmp_path / "one.json").write_text(json.dumps(content))
    for command in ("recall", "coverage", "prompts", "clicks"):
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


def test_edges_of_a_part_of_a_set_say_what_is_missing_and_offer_the_rest(
    fastsam, folder: Path, drawn: Path, tmp_path: Path
) -> None:
    edges = cv2.Canny(cv2.imread(str(folder / "images" / "1.png")), 50, 100)
    cv2.imwrite(str(tmp_path / "1.png"), edges)
    words = ("--predictions", tmp_path, "--ground-truth", drawn, "--thresholds", 3, "--processes", 1)
    done = fastsam("eval", "edges", *words)
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        f"fastsam: {tmp_path} has no picture 0.png: 1 of 2 are missing; add --some to judge the 1 that is there\n"
    )
    assert fastsam("eval", "edges", *words, "--some", "--json", tmp_path / "e.json").code == 0
    assert [row["image"] for row in json.loads((tmp_path / "e.json").read_text())["images"]] == ["1"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["edges", "--ground-truth", "."], "give either a folder of photos"),
        (["edges", "nowhere", "--ground-truth", "."], "give a folder with .mat or .npz files"),
        (["edges", "--predictions", ".", "--ground-truth", "DRAWN"], "has no picture 0.png"),
        (["edges", "nowhere", "--ground-truth", "DRAWN"], "has no picture 0"),
        (["coverage", "nowhere"], "nowhere is not a COCO-style set"),
        (["prompts", "nowhere", "--clicks", "0"], "--clicks must be at least 1, not 0"),
        (["prompts", "SET", "--refiner", "none.onnx"], "none.onnx cannot be read: No such file"),
        (["prompts", "SET", "--refiner", "none.onnx", "--no-refine"], "--refiner none.onnx needs --refine"),
        (["recall", "SET", "--refiner", "none.onnx"], "--refiner none.onnx needs --refine"),
        (["edges", "--predictions", ".", "--ground-truth", "DRAWN", "--refine"], "--refine needs photos"),
        (["clicks", "SET", "--threshold", "1.5"], "--threshold must be an IoU above 0 and up to 1, not 1.5"),
        (["clicks", "SET", "--objects", "0"], "--objects must be at least 1, not 0"),
        (["instances", "SET", "--detections", "none.json"], "none.json cannot be read"),
        (["instances", "SET", "--detections", "others.json"], "give results on the same set"),
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
    assert "the edge map of 0 has (5, 6) pixels but its ground truth has (96, 128)" in done.err
