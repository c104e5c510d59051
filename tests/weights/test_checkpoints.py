"""Checkpoints of the popular port run without torch and give what their network gives."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from fastsam import FastSAM, UsageError
from fastsam.weights.graph import build
from fastsam.weights.yolo import read_checkpoint

PARITY = 1e-3  # of a tensor's range


def run(file: Path, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    network = build(read_checkpoint(file), {})
    session = onnxruntime.InferenceSession(network.SerializeToString(), providers=["CPUExecutionProvider"])
    candidates, prototypes = session.run(["candidates", "prototypes"], {"images": images})
    return candidates, prototypes


def assert_close(got: np.ndarray, expected: np.ndarray) -> None:
    assert got.shape == expected.shape
    assert np.abs(got - expected).max() <= PARITY * np.ptp(expected)


@pytest.mark.parametrize(
    ("size", "classes", "reg_max"),
    [("n", 3, 16), ("s", 1, 26), pytest.param("x", 1, 26, marks=pytest.mark.slow)],
)
def test_a_network_of_random_weights_gives_its_own_outputs(
    write_checkpoint: Callable[..., None], tmp_path: Path, size: str, classes: int, reg_max: int
) -> None:
    import torch

    from fastsam.network import Architecture
    from fastsam.network import build as build_torch

    torch.manual_seed(0)
    network = build_torch(Architecture("yolov8", size, classes, reg_max))
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):  # as if trained: statistics of its own
            module.running_mean.uniform_(-0.5, 0.5)
            module.running_var.uniform_(0.5, 2)
    write_checkpoint(network, tmp_path / "net.pt", dict(enumerate("abc"[:classes])))
    network = network.float().eval()
    for shape in ((1, 3, 64, 96), (2, 3, 160, 128)):
        images = torch.rand(shape)
        with torch.no_grad():
            expected = network.head.decode(network(images))
        for got, want in zip(run(tmp_path / "net.pt", images.numpy()), expected, strict=True):
            assert_close(got, want.numpy())
    assert read_checkpoint(tmp_path / "net.pt").names == tuple("abc"[:classes])


@pytest.mark.parametrize("name", ["object-n-dogs", "object-n-sa_10039", "sizes-p-bus", "sizes-p-dogs"])
def test_files_of_the_port_give_the_ports_raw_outputs(shared: Path, name: str) -> None:
    assert_raw(shared / "golden" / f"{name.rsplit('-', 1)[0]}.pt", shared / "golden" / f"{name}.npz")


def test_the_fixture_of_the_port_gives_the_ports_raw_outputs(fixtures: Path) -> None:
    assert_raw(fixtures / "port-tiny.pt", fixtures / "port-tiny.npz")


def assert_raw(weights: Path, outputs: Path) -> None:
    golden = np.load(outputs)
    images = golden["input"][None].astype(np.float32) / 255
    candidates, prototypes = run(weights, images)
    assert_close(candidates[0], golden["candidates"])
    assert_close(prototypes[0], golden["prototypes"])


def test_a_checkpoint_is_converted_once_and_kept(
    write_checkpoint: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, examples: Path
) -> None:
    from fastsam.network import Architecture
    from fastsam.network import build as build_torch

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    write_checkpoint(build_torch(Architecture()), tmp_path / "net.pt")
    model = FastSAM(tmp_path / "net.pt", threads=1)
    assert (model.settings.imgsz, model.settings.conf, model.settings.iou) == (256, 0.4, 0.9)
    (kept,) = (tmp_path / "cache" / "fastsam").iterdir()
    monkeypatch.setattr("fastsam.weights.catalogue.read_checkpoint", None)
    renamed = (tmp_path / "net.pt").rename(tmp_path / "any name at all")
    assert FastSAM(renamed, threads=1).settings == model.settings
    assert [kept] == list((tmp_path / "cache" / "fastsam").iterdir())
    model(examples / "coffee.png")


def test_a_checkpoint_of_our_own_trainer_runs_by_our_own_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch", reason="the train extra is not installed")
    from fastsam.network import Architecture
    from fastsam.network import build as build_torch

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    network = build_torch(Architecture())
    state = {"architecture": {"backbone": "yolov8"}, "config": {"imgsz": 320}, "average": network.state_dict()}
    torch.save(state, tmp_path / "final.pt")
    settings = FastSAM(tmp_path / "final.pt", threads=1).settings
    assert (settings.imgsz, settings.conf, settings.iou, settings.port) == (320, 0.25, 0.7, False)
    torch.save(state | {"architecture": {"backbone": "lite0"}}, tmp_path / "lite.pt")
    with pytest.raises(UsageError, match="fastsam export"):
        FastSAM(tmp_path / "lite.pt")


def test_a_cache_that_cannot_be_written_is_no_obstacle_and_no_copy_is_left(
    write_checkpoint: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fastsam.network import Architecture
    from fastsam.network import build as build_torch

    monkeypatch.setenv("XDG_CACHE_HOME", "/proc")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temp"))
    (tmp_path / "temp").mkdir()
    write_checkpoint(build_torch(Architecture()), tmp_path / "net.pt")
    assert FastSAM(tmp_path / "net.pt", threads=1).settings.imgsz == 256
    assert list((tmp_path / "temp").iterdir()) == []
