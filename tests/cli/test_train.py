"""From annotated photos to a picture: train, export, evaluate, segment."""

import json
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the train extra is not installed")


@pytest.fixture
def trained(fastsam, make_set: Callable[..., Path], tmp_path: Path) -> Path:
    words = ("--imgsz", 64, "--photos", 8, "--batch", 4, "--workers", 0, "--size", "n", "--device", "cpu")
    done = fastsam("train", "--data", make_set(), make_set(2), "-o", tmp_path / "run", *words)
    assert done.code == 0, done.err
    assert "8/8 photos" in done.err
    return tmp_path / "run" / "final.pt"


def test_a_trained_network_is_exported_and_segments(fastsam, trained: Path, examples: Path, tmp_path: Path) -> None:
    done = fastsam("export", trained, tmp_path / "mine.onnx", "--imgsz", 96, "--conf", 0.001)
    assert done.code == 0, done.err
    done = fastsam("segment", examples / "rocket.jpg", "--model", tmp_path / "mine.onnx", "-o", tmp_path)
    assert done.code == 0, done.err
    assert (tmp_path / "rocket.png").exists()


def test_a_run_starts_from_weights(fastsam, trained: Path, make_set: Callable[..., Path], tmp_path: Path) -> None:
    words = ("--imgsz", 64, "--photos", 4, "--batch", 4, "--workers", 0, "--device", "cpu")
    assert fastsam("train", "--data", make_set(), "--from", trained, "-o", tmp_path / "b", *words).code == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "give folders with --data"),
        (["--data", "nowhere"], "nowhere is not a COCO-style set"),
        (["--data", "nowhere", "--size", "q"], "unknown network size 'q'"),
        (["--data", "nowhere", "--imgsz", "100"], "imgsz must be a multiple of 32"),
        (["--config", "none.toml"], "none.toml is not a readable config"),
        (["--data", "nowhere", "--device", "abacus"], "device 'abacus' cannot be used"),
        (["--data", "nowhere", "--cutouts", "none"], "nowhere is not a COCO-style set"),
    ],
)
def test_wrong_use_is_one_line(fastsam, tmp_path: Path, words: list[str], message: str) -> None:
    done = fastsam("train", "-o", tmp_path / "run", *words)
    assert done.code == 2
    assert message in done.err
    assert len(done.err.strip().splitlines()) == 1


def test_a_file_that_is_no_checkpoint_is_named(fastsam, tmp_path: Path) -> None:
    (tmp_path / "noise.pt").write_bytes(b"noise")
    done = fastsam("export", tmp_path / "noise.pt", tmp_path / "out.onnx")
    assert done.code == 2
    assert "noise.pt" in done.err


@pytest.mark.parametrize(
    ("words", "module", "extra"),
    [
        (["train", "--data", "x"], "torch", "train"),
        (["eval", "recall", "x"], "faster_coco_eval", "eval"),
    ],
)
def test_a_missing_extra_is_named(
    fastsam, monkeypatch: pytest.MonkeyPatch, words: list[str], module: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    done = fastsam(*words)
    assert done.code == 2
    assert f"[{extra}]" in done.err


def test_a_checkpoint_of_the_trainer_needs_the_export_extra(
    fastsam, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with zipfile.ZipFile(tmp_path / "final.pt", "w") as archive:
        archive.writestr("data.pkl", b"")
    monkeypatch.setitem(sys.modules, "torch", None)
    done = fastsam("export", tmp_path / "final.pt", tmp_path / "out.onnx")
    assert done.code == 2
    assert "[export]" in done.err


def test_recall_is_printed_and_kept(fastsam, make_set: Callable[..., Path], tmp_path: Path) -> None:
    pytest.importorskip("faster_coco_eval", reason="the eval extra is not installed")
    folder = make_set(3)
    done = fastsam("eval", "recall", folder, "--json", tmp_path / "figures.json", "--threads", 1)
    assert done.code == 0, done.err
    assert "mask AR@100" in done.out
    figures = json.loads((tmp_path / "figures.json").read_text())[folder.name]
    assert figures["photos"] == 3
    assert figures["masks"].keys() == {"1", "10", "100", "1000"}
