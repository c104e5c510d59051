"""A network's numbers survive every kind of file."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from fastsam import FastSAM, UsageError
from fastsam.weights.convert import convert, read_any
from fastsam.weights.tensors import is_safetensors, write_safetensors


@pytest.fixture
def checkpoint(write_checkpoint: Callable[..., None], tmp_path: Path) -> Path:
    import torch

    from fastsam.network import Architecture, build

    torch.manual_seed(0)
    write_checkpoint(build(Architecture(classes=2, reg_max=26)), tmp_path / "net.pt", {0: "cup", 1: "spoon"})
    return tmp_path / "net.pt"


def outputs(file: Path) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    images = np.random.default_rng(0).random((1, 3, 64, 96), np.float32)
    return session.run(["candidates", "prototypes"], {"images": images})


def test_a_checkpoint_goes_through_safetensors_and_onnx_and_back_unchanged(checkpoint: Path, tmp_path: Path) -> None:
    direct, through, back = tmp_path / "a.onnx", tmp_path / "b.safetensors", tmp_path / "b.onnx"
    convert(checkpoint, direct)
    convert(checkpoint, through)
    convert(through, back)
    assert back.read_bytes() == direct.read_bytes()
    for file, safe in ((through, True), (direct, False)):
        assert is_safetensors(file.read_bytes()[:9], file.stat().st_size) == safe
    assert through.stat().st_size < 1.05 * checkpoint.stat().st_size  # half precision stays half precision


def test_an_onnx_file_gives_its_weights_back_folded(checkpoint: Path, tmp_path: Path) -> None:
    convert(checkpoint, tmp_path / "a.onnx")
    convert(tmp_path / "a.onnx", tmp_path / "folded.safetensors")
    convert(tmp_path / "folded.safetensors", tmp_path / "b.onnx")
    for got, want in zip(outputs(tmp_path / "b.onnx"), outputs(tmp_path / "a.onnx"), strict=True):
        np.testing.assert_array_equal(got, want)
    folded, whole = read_any(tmp_path / "folded.safetensors"), read_any(checkpoint)
    assert (folded.names, folded.imgsz, folded.port) == (whole.names, whole.imgsz, whole.port)
    assert not any(".bn." in name for name in folded.entries)


def test_a_model_opens_a_safetensors_file(checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    write_safetensors(read_any(checkpoint), tmp_path / "net.safetensors")
    settings = FastSAM(tmp_path / "net.safetensors", threads=1).settings
    assert settings == FastSAM(checkpoint, threads=1).settings
    assert settings.names == ("cup", "spoon")


@pytest.mark.parametrize(
    ("source", "target", "line"),
    [
        ("net.pt", "out.pt", "must be .safetensors or .onnx"),
        ("missing.pt", "out.onnx", "missing.pt not found"),
        ("noise", "out.onnx", "is not an ONNX file"),
        ("bundled", "out.safetensors", "do not have the names of a checkpoint"),
        ("cut.safetensors", "out.onnx", "is not a valid safetensors file"),
    ],
)
def test_what_cannot_be_converted_is_named(
    checkpoint: Path, tmp_path: Path, source: str, target: str, line: str
) -> None:
    from fastsam.weights.catalogue import BUNDLED

    (tmp_path / "noise").write_bytes(np.random.default_rng(0).bytes(999))
    (tmp_path / "bundled").write_bytes(BUNDLED["fastsam-tiny"].read_bytes())
    write_safetensors(read_any(checkpoint), tmp_path / "whole.safetensors")
    (tmp_path / "cut.safetensors").write_bytes((tmp_path / "whole.safetensors").read_bytes()[:-50_000])
    with pytest.raises(UsageError, match=line) as error:
        convert(tmp_path / source, tmp_path / target)
    assert "\n" not in str(error.value)
    assert not (tmp_path / target).exists()


def test_weights_that_are_not_finite_are_refused_in_safetensors_too(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    save_file({"model.22.cv3.0.2.weight": np.full((1, 4, 1, 1), np.nan, np.float32)}, tmp_path / "nan.safetensors")
    with pytest.raises(UsageError, match="not finite"):
        read_any(tmp_path / "nan.safetensors")
