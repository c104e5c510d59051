"""What `fastsam export` writes: the same network in eight bits, and with suppression and masks inside."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

import fastsam
from fastsam import FastSAM
from fastsam.export import sources
from fastsam.export.graphs import content_of, fold_pads, halved
from fastsam.export.int8 import fill, inputs_of, nothing_found
from fastsam.image.letterbox import fit, letterbox, to_tensor
from fastsam.image.read import read_image
from fastsam.runtimes.settings import Settings


@pytest.fixture(scope="module")
def with_masks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("export") / "masks.onnx"
    words = [sys.executable, "-m", "fastsam", "export", "fastsam-tiny", str(file), "--with-masks"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert "mean IoU 1.000" in done.stdout
    return file


def test_masks_inside_the_file_are_those_of_the_library(with_masks: Path, model: FastSAM, examples: Path) -> None:
    pixels = read_image(examples / "coffee.png")
    segments = model(pixels)
    box = fit((pixels.shape[0], pixels.shape[1]), model.settings.imgsz)
    session = onnxruntime.InferenceSession(str(with_masks))
    names = ["boxes", "scores", "classes", "masks"]
    boxes, scores, classes, masks = session.run(names, {"images": to_tensor(letterbox(pixels, box))})
    np.testing.assert_allclose(scores[: len(segments)], segments.scores, atol=1e-4)
    np.testing.assert_allclose(box.to_photo(boxes)[: len(segments)], segments.boxes, atol=0.05)
    assert set(classes.tolist()) == {0}
    for i in range(len(segments)):
        large = cv2.resize(masks[i], box.input[::-1])
        (left, top), (w, h) = box.pad, box.content
        on_photo = cv2.resize(large[top : top + h, left : left + w], (600, 400)) > 0
        mask = segments.masks[i]
        alike = 0.85 if mask.sum() > 1000 else 0.6  # windows end on cells of 4 input pixels there
        assert (on_photo & mask).sum() > alike * (on_photo | mask).sum()


def test_the_example_picks_by_point_and_box(with_masks: Path, examples: Path, tmp_path: Path) -> None:
    script = examples / "masks_without_fastsam.py"
    words = ["--point", "300,200", "--box", "180,10,430,250", "--point", "2,2"]
    done = subprocess.run(
        [sys.executable, str(script), str(with_masks), str(examples / "coffee.png"), *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    lines = done.stdout.splitlines()
    assert lines[0] == lines[2] != lines[1]  # points come before boxes
    assert lines[0].startswith("mask ")
    kept = (cv2.imread(str(tmp_path / "picked.png")) == cv2.imread(str(examples / "coffee.png"))).all(2)
    assert kept[200, 300]  # what is picked has its colours, all else is pale
    assert not kept.all()


def test_eight_bits_keep_the_masks(make_set: Callable[..., Path], fastsam_command, tmp_path: Path) -> None:
    done = fastsam_command(
        "export", "fastsam-tiny", tmp_path / "int8.onnx", "--int8", "--imgsz", "128", "--calibrate", make_set(4),
        "--json", tmp_path / "report.json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "sensitive layers stay in float" in done.stderr
    assert re.search(r"int8\.onnx: \d\.\d MB; .* ms \(\d+\.\d\dx\)", done.stdout)
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["photos"] == 4
    assert report["iou"] > 0.6
    kinds = {t.data_type for t in onnx.load(tmp_path / "int8.onnx").graph.initializer if len(t.dims) == 4}
    assert TensorProto.INT8 in kinds
    small = FastSAM(tmp_path / "int8.onnx")
    assert small.settings.imgsz == 128
    assert "warning" not in done.stderr
    assert small.settings.margin == FastSAM(threads=1).settings.margin


def test_eight_bits_of_one_size_warn_of_blank_photos(fastsam_command, fixtures: Path, tmp_path: Path) -> None:
    for k in range(2):
        cv2.imwrite(str(tmp_path / f"{k}.png"), np.full((64, 96, 3), 90, np.uint8))
    words = ("--int8", "--fixed", "64,96", "--calibrate", tmp_path)
    done = fastsam_command("export", fixtures / "port-tiny.pt", tmp_path / "int8.onnx", *words)
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stderr.split())
    assert "warning: the network finds nothing in 2 of 2 calibration photos" in said
    assert "QuantizeLinear" in {node.op_type for node in onnx.load(tmp_path / "int8.onnx").graph.node}
    (image,) = onnxruntime.InferenceSession(str(tmp_path / "int8.onnx")).get_inputs()
    assert image.shape == [1, 3, 64, 96]


def test_the_bundled_weights_in_eight_bits_find_the_cup(examples: Path) -> None:
    segments = FastSAM("fastsam-tiny-int8")(examples / "coffee.png")
    (pick,) = segments.select(boxes=[(180, 10, 430, 250)], refine=False)
    assert pick.mask is not None
    assert pick.mask[20:320, 170:430].sum() > 0.9 * pick.mask.sum()


@pytest.fixture
def fastsam_command() -> Callable[..., subprocess.CompletedProcess[str]]:
    def run(*words: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "fastsam", *map(str, words)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    return run


@pytest.mark.parametrize("source", ["fastsam-tiny", "tests/fixtures/port-tiny.pt"])
def test_a_file_of_one_size_is_opened_by_opencv(fastsam_command, examples: Path, tmp_path: Path, source: str) -> None:
    """With the outputs that ONNX Runtime computes from the file of every size, weights as float16 in both."""
    fixed = tmp_path / "fixed.onnx"
    if source.endswith(".pt"):
        source = str(Path(__file__).parents[2] / source)
    done = fastsam_command("export", source, fixed, "--fixed", "256,320")
    assert done.returncode == 0, done.stderr
    free = content_of(halved(sources.read(source)))
    assert fixed.stat().st_size < 1.05 * len(free)
    images = to_tensor(cv2.resize(read_image(examples / "coffee.png"), (320, 256)))
    names = ["candidates", "prototypes"]
    wanted = onnxruntime.InferenceSession(free).run(names, {"images": images})
    again = onnxruntime.InferenceSession(str(fixed)).run(names, {"images": images})
    network = cv2.dnn.readNetFromONNX(str(fixed))
    network.setInput(images)
    for want, *found in zip(wanted, again, network.forward(names), strict=True):
        for got in found:
            assert got.shape == want.shape
            assert np.abs(got - want).max() < 1e-4 * (want.max() - want.min())
    done = fastsam_command("segment", examples / "coffee.png", "--model", fixed, "-o", tmp_path)
    assert done.returncode == 2
    assert "only accepts inputs of 256 x 320: export its source without --fixed" in done.stderr
    assert fastsam_command("export", fixed, tmp_path / "x.onnx").returncode == 2


def test_a_file_of_one_size_has_its_masks_inside(fastsam_command, examples: Path, tmp_path: Path) -> None:
    file = tmp_path / "masks.onnx"
    done = fastsam_command("export", "fastsam-tiny", file, "--fixed", "256,320", "--with-masks")
    assert done.returncode == 0, done.stderr
    images = to_tensor(cv2.resize(read_image(examples / "coffee.png"), (320, 256)))
    boxes, masks = onnxruntime.InferenceSession(str(file)).run(["boxes", "masks"], {"images": images})
    assert len(boxes) > 3
    assert masks.shape == (len(boxes), 64, 80)


def test_photos_calibrate_in_the_size_that_will_be_used(make_set: Callable[..., Path]) -> None:
    photos = sorted((make_set(2, size=(96, 128)) / "images").iterdir())
    assert [x.shape for x in inputs_of(photos, 128)] == [(1, 3, 96, 128)] * 2
    assert [x.shape for x in inputs_of(photos, 256)] == [(1, 3, 192, 256)] * 2
    assert [x.shape for x in inputs_of(photos, 160, (160, 64))] == [(1, 3, 160, 64)] * 2


def test_a_photo_is_centred_in_the_one_input() -> None:
    images = fill(np.full((100, 50, 3), 255, np.uint8), (64, 96))
    assert images.shape == (1, 3, 64, 96)
    assert (images[0, :, :, 32:64] == 1).all()
    np.testing.assert_allclose(images[0, :, :, :32], 114 / 255, rtol=1e-6)
    np.testing.assert_allclose(images[0, :, :, 64:], 114 / 255, rtol=1e-6)


@pytest.mark.parametrize(("blank", "warns"), [(0, False), (1, False), (2, True), (4, True)])
def test_photos_that_show_nothing_are_told(blank: int, warns: bool) -> None:
    """Of four; a score at conf is a find."""

    def outputs(score: float) -> tuple[np.ndarray, np.ndarray]:
        candidates = np.zeros((1, 4 + 1 + 32, 7), np.float32)
        candidates[0, 4, 3] = score
        return candidates, np.zeros((1, 32, 8, 8), np.float32)

    said = nothing_found([outputs(0.1)] * blank + [outputs(0.25)] * (4 - blank), Settings(conf=0.25))
    assert (said is not None) == warns
    if said:
        assert said.startswith(f"warning: the network finds nothing in {blank} of 4 calibration photos")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["fastsam-tiny", "x.onnx", "--fixed", "500,320"], "--fixed '500,320' must be HEIGHT,WIDTH"),
        (["fastsam-tiny", "x.onnx", "--fixed", "320"], "--fixed '320' must be HEIGHT,WIDTH"),
        (["fastsam-tiny", "x.onnx", "--fixed", "0,320"], "--fixed '0,320' must be HEIGHT,WIDTH"),
        (["fastsam-tiny", "x.onnx", "--fixed", "96,320", "--imgsz", "96"], "--imgsz 96 must be the longer side"),
        (["fastsam-tiny", "x.onnx", "--int8"], "--int8 needs photos to calibrate with"),
        (["fastsam-tiny", "x.onnx", "--margin", "-1"], "margin must be at least 0, not -1.0"),
        (["nonsense", "x.onnx"], "unknown model 'nonsense'"),
    ],
)
def test_wrong_use_is_one_line(fastsam_command, words: list[str], message: str) -> None:
    done = fastsam_command("export", *words)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_padding_before_a_convolution_becomes_a_part_of_it() -> None:
    rng = np.random.default_rng(0)
    weight = onnx.numpy_helper.from_array(rng.normal(size=(2, 3, 3, 3)).astype(np.float32), "weight")
    amounts = onnx.numpy_helper.from_array(np.array([0, 0, 0, 1, 0, 0, 1, 2]), "amounts")
    nodes = [
        helper.make_node("Identity", ["amounts"], ["computed"]),
        helper.make_node("Pad", ["x", "computed"], ["padded"]),
        helper.make_node("Conv", ["padded", "weight"], ["y"], strides=[2, 2], pads=[1, 0, 0, 0]),
    ]
    graph = helper.make_graph(
        nodes,
        "padding",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 9, 8])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [weight, amounts],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    x = rng.normal(size=(1, 3, 9, 8)).astype(np.float32)
    (want,) = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": x})
    fold_pads(model)
    assert [node.op_type for node in model.graph.node] == ["Conv"]
    (got,) = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": x})
    np.testing.assert_allclose(got, want, atol=1e-6)


def test_scales_of_eight_bits_stay_exact() -> None:
    bundled = onnx.load(Path(fastsam.__file__).parent / "weights" / "bundled" / "fastsam-tiny-int8.onnx")
    values = {t.name: onnx.numpy_helper.to_array(t) for t in bundled.graph.initializer}
    scales = [n.input[1] for n in bundled.graph.node if n.op_type in ("QuantizeLinear", "DequantizeLinear")]
    assert len(scales) > 100
    assert all((values[name] > 0).all() and values[name].dtype == np.float32 for name in scales)


def test_eight_bits_are_not_taken_again(fastsam_command, examples: Path, tmp_path: Path) -> None:
    done = fastsam_command("export", "fastsam-tiny-int8", tmp_path / "x.onnx", "--int8", "--calibrate", examples)
    assert done.returncode == 2
    assert "already has eight bits" in done.stderr
