"""OpenVINO says what ONNX Runtime says."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("openvino", reason="the openvino extra is not installed")

from fastsam import FastSAM, UsageError


def test_float32_gives_the_same_segments(model: FastSAM, examples: Path) -> None:
    fast = FastSAM(runtime="openvino", threads=1)
    assert fast.settings == model.settings
    ours, theirs = model(examples / "coffee.png"), fast(examples / "coffee.png")
    np.testing.assert_allclose(ours.scores, theirs.scores, atol=1e-4)
    np.testing.assert_allclose(ours.boxes, theirs.boxes, atol=0.05)
    ((_, streamed),) = fast.stream([examples / "coffee.png"])
    np.testing.assert_allclose(streamed.scores, theirs.scores, atol=1e-4)


def test_bf16_is_near(model: FastSAM) -> None:
    images = np.random.default_rng(0).random((1, 3, 64, 96), np.float32)
    exact, coarse = (m.network.run(images)[1] for m in (model, FastSAM(runtime="openvino", precision="bf16")))
    assert np.abs(exact - coarse).max() < 0.2 * np.ptp(exact)


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown precision 'int4'"):
        FastSAM(runtime="openvino", precision="int4")
    with pytest.raises(UsageError, match="OpenVINO has no device 'cuda'"):
        FastSAM(runtime="openvino", device="cuda")
    (tmp_path / "noise.onnx").write_bytes(b"noise" * 50)
    with pytest.raises(UsageError, match=r"noise\.onnx"):
        FastSAM(tmp_path / "noise.onnx", runtime="openvino")
