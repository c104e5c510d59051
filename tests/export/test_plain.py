"""Masks in YOLOv8-seg's form: the same masks, for programs that know nothing of positional features."""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import pytest

from fastsam import FastSAM, read_image
from fastsam.export import sources
from fastsam.export.fixed import fix
from fastsam.export.graphs import content_of, halved
from fastsam.export.plain import plain
from fastsam.runtimes.settings import read_settings

ROOT = Path(__file__).parent.parent.parent


def written(file: Path, source: str = "fastsam-tiny", size: tuple[int, int] | None = None) -> Path:
    """What `fastsam export SOURCE FILE --plain-masks` writes, without its report."""
    model = sources.read(source)
    plain(model, read_settings({p.key: p.value for p in model.metadata_props}, file))
    file.write_bytes(content_of(halved(fix(model, size) if size else model)))
    return file


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The bundled network in plain form: of every size, and of the one that X-AnyLabeling's model file wants."""
    folder = tmp_path_factory.mktemp("plain")
    return {"free": written(folder / "free.onnx"), "fixed": written(folder / "fixed.onnx", size=(640, 640))}


@pytest.mark.parametrize("imgsz", [640, 320, (96, 640)])
def test_this_library_finds_the_same_masks_in_it(
    files: dict[str, Path], model: FastSAM, imgsz: int | tuple[int, int]
) -> None:
    photo = ROOT / "examples" / "coffee.png"
    plain, own = FastSAM(files["free"], threads=1)(photo, imgsz=imgsz), model(photo, imgsz=imgsz)
    assert len(plain) == len(own) > 5
    np.testing.assert_allclose(plain.boxes, own.boxes, atol=1e-3)
    for mask, other in zip(plain.masks, own.masks, strict=True):
        assert (mask != other).sum() <= max(1, 0.002 * other.sum())


def test_photos_at_once_have_the_outputs_of_each(files: dict[str, Path]) -> None:
    session = onnxruntime.InferenceSession(files["free"], providers=["CPUExecutionProvider"])
    photos = np.random.default_rng(0).random((2, 3, 96, 64), np.float32)
    together = session.run(None, {"images": photos})
    for k in range(2):
        for many, one in zip(together, session.run(None, {"images": photos[k : k + 1]}), strict=True):
            np.testing.assert_allclose(many[k], one[0], rtol=1e-3, atol=1e-2)


def test_a_reader_of_yolov8_seg_finds_the_objects(files: dict[str, Path], model: FastSAM) -> None:
    """As YOLOv8-seg is read: coefficients times prototypes, cut at the box, without anything of this library."""
    photo = read_image(ROOT / "examples" / "coffee.png")
    square = np.full((640, 640, 3), 114, np.uint8)
    square[107:534] = cv2.resize(photo, (640, 427))
    session = onnxruntime.InferenceSession(files["fixed"], providers=["CPUExecutionProvider"])
    candidates, prototypes = session.run(None, {"images": square.transpose(2, 0, 1)[None].astype(np.float32) / 255})
    count = prototypes.shape[1]
    assert candidates.shape == (1, 4 + 1 + count, 8400)
    assert prototypes.shape == (1, count, 160, 160)
    best = candidates[0, :, candidates[0, 4].argmax()]
    logits = np.tensordot(best[5:], prototypes[0], 1)
    mask = cv2.resize(logits, (640, 640)) > 0
    x, y, w, h = best[:4]
    rows, columns = np.mgrid[:640, :640]
    mask &= (abs(columns + 0.5 - x) <= w / 2) & (abs(rows + 0.5 - y) <= h / 2)
    found = cv2.resize(mask[107:534].astype(np.uint8), (600, 400)) > 0
    own = model(photo)
    assert max((found & m).sum() / (found | m).sum() for m in own[:5].masks) > 0.9


def test_a_network_without_positional_features_stays_as_it_is(tmp_path: Path, files: dict[str, Path]) -> None:
    again = written(tmp_path / "again.onnx", str(files["free"]))
    one, other = (onnxruntime.InferenceSession(f, providers=["CPUExecutionProvider"]) for f in (files["free"], again))
    photo = np.full((1, 3, 64, 64), 0.5, np.float32)
    for a, b in zip(one.run(None, {"images": photo}), other.run(None, {"images": photo}), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-3)


def test_one_form_of_masks_is_written(tmp_path: Path) -> None:
    file = tmp_path / "both.onnx"
    words = ["export", "fastsam-tiny", str(file), "--plain-masks", "--with-masks"]
    done = subprocess.run([sys.executable, "-m", "fastsam", *words], capture_output=True, text=True)
    assert done.returncode == 2
    assert "give only one of them" in done.stderr
    assert not file.exists()
