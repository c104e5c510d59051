"""The exported file says what torch says, at any size and batch."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the export extra is not installed")
onnx = pytest.importorskip("onnx", reason="the export extra is not installed")

from fastsam import FastSAM  # noqa: E402
from fastsam.export import sources  # noqa: E402
from fastsam.export.graphs import content_of, fold_pads, halved  # noqa: E402
from fastsam.export.onnx import Exported, to_onnx  # noqa: E402
from fastsam.export.sources import describe  # noqa: E402
from fastsam.network import Architecture, build  # noqa: E402
from fastsam.runtimes.onnx import load  # noqa: E402
from fastsam.runtimes.settings import Settings  # noqa: E402
from fastsam.training import checkpoint  # noqa: E402

SHAPES = [(1, 3, 320, 320), (2, 3, 64, 448), (3, 3, 160, 96)]


def lively(architecture: Architecture) -> torch.nn.Module:
    """Random weights with batch norms that do something."""
    torch.manual_seed(0)
    network = build(architecture)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-0.2, 0.2)
            module.running_var.uniform_(0.5, 1.5)
            module.weight.data.uniform_(0.7, 1.3)
            module.bias.data.uniform_(-0.2, 0.2)
    return network.eval()


def export(network: torch.nn.Module, architecture: Architecture, settings: Settings, file: Path) -> None:
    """What the command writes."""
    model = to_onnx(network)
    fold_pads(model)
    describe(model, settings, {"architecture": asdict(architecture)})
    file.write_bytes(content_of(halved(model)))


@pytest.mark.parametrize("architecture", [Architecture(), Architecture("lite0"), Architecture("lite0", placed=3)])
def test_onnx_runtime_agrees_with_torch_at_three_shapes(architecture: Architecture, tmp_path: Path) -> None:
    network = lively(architecture)
    model = to_onnx(network)
    fold_pads(model)
    describe(model, Settings(positional=architecture.placed), {})
    (tmp_path / "float32.onnx").write_bytes(model.SerializeToString())
    runtime = load(tmp_path / "float32.onnx", threads=1)
    for shape in SHAPES:
        images = torch.rand(shape)
        with torch.no_grad():
            expected = Exported(network)(images)
        for got, want in zip(runtime.run(images.numpy()), expected, strict=True):
            assert got.shape == want.shape
            assert np.abs(got - want.numpy()).max() < 1e-4 * float(want.max() - want.min())


def test_the_file_holds_float16_weights_and_its_settings(tmp_path: Path) -> None:
    architecture = Architecture(classes=2)
    network = build(architecture).eval()
    settings = Settings(("cup", "spoon"), 320, 0.1, 0.8, 77)
    export(network, architecture, settings, tmp_path / "net.onnx")
    assert (tmp_path / "net.onnx").stat().st_size < 2.2 * 3_263_811
    assert load(tmp_path / "net.onnx").settings == settings
    model = onnx.load(tmp_path / "net.onnx")
    facts = json.loads({p.key: p.value for p in model.metadata_props}["fastsam"])
    assert facts["architecture"] == asdict(architecture)
    images = np.random.default_rng(0).random((1, 3, 64, 64), np.float32)
    with torch.no_grad():
        want = Exported(network)(torch.from_numpy(images))[1].numpy()
    got = load(tmp_path / "net.onnx").run(images)[1]
    assert np.abs(got - want).max() < 0.01 * (want.max() - want.min())


def test_classes_of_a_checkpoint_of_the_trainer_have_names(tmp_path: Path) -> None:
    """The trainer's checkpoints hold no names; a network must have one for each of its classes."""
    for architecture in (Architecture("lite0", classes=3), Architecture(classes=3)):
        state = {"architecture": asdict(architecture), "average": lively(architecture).state_dict(), "config": {}}
        checkpoint.save(tmp_path / "net.pt", state)
        (tmp_path / "net.onnx").write_bytes(content_of(sources.read(str(tmp_path / "net.pt"))))
        assert load(tmp_path / "net.onnx").settings.names == ("class 0", "class 1", "class 2")


def test_class_names_come_with_the_weights(tmp_path: Path) -> None:
    architecture = Architecture(classes=3)
    export(lively(architecture), architecture, Settings(("cup", "spoon", "fork"), 64), tmp_path / "net.onnx")
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    segments = FastSAM(tmp_path / "net.onnx", threads=1)(pixels, conf=0.0, max_det=9)
    assert segments.names == ("cup", "spoon", "fork")
    assert set(segments.classes.tolist()) <= {0, 1, 2}
    assert segments.masks.source.letterbox.input == (64, 64)
