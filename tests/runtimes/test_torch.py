"""The torch runtime gives what ONNX Runtime gives."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fastsam import FastSAM, UsageError

pytest.importorskip("torch", reason="the torch extra is not installed")


@pytest.mark.parametrize("name", ["object-n-dogs", "sizes-p-bus"])
def test_files_of_the_port_give_the_ports_raw_outputs_through_torch(shared: Path, name: str) -> None:
    assert_raw(shared / "golden" / f"{name.rsplit('-', 1)[0]}.pt", shared / "golden" / f"{name}.npz")


def test_the_fixture_of_the_port_gives_the_ports_raw_outputs_through_torch(fixtures: Path) -> None:
    assert_raw(fixtures / "port-tiny.pt", fixtures / "port-tiny.npz")


def assert_raw(weights: Path, outputs: Path) -> None:
    golden = np.load(outputs)
    got = FastSAM(weights, runtime="torch", threads=1).network.run(golden["input"][None].astype(np.float32) / 255)
    for tensor, expected in zip(got, (golden["candidates"], golden["prototypes"]), strict=True):
        assert np.abs(tensor[0] - expected).max() <= 1e-3 * np.ptp(expected)


@pytest.mark.parametrize("size", ["n", "s"])
def test_both_runtimes_find_the_same(
    write_checkpoint: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, examples: Path, size: str
) -> None:
    from fastsam.network import Architecture, build

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    write_checkpoint(build(Architecture(size=size, reg_max=26)), tmp_path / "net.pt")
    ask = {"imgsz": 160, "conf": 0.0, "max_det": 20}
    one, other = (FastSAM(tmp_path / "net.pt", runtime=r, threads=1) for r in ("onnx", "torch"))
    assert one.settings == other.settings
    a, b = one(examples / "coffee.png", **ask), other(examples / "coffee.png", **ask)
    np.testing.assert_allclose(a.scores, b.scores, atol=1e-5)


def test_torch_runs_checkpoints_only() -> None:
    with pytest.raises(UsageError, match="not a checkpoint"):
        FastSAM(runtime="torch")
    with pytest.raises(UsageError, match="unknown runtime 'tf'"):
        FastSAM(runtime="tf")


def test_a_device_that_is_not_there_is_named(fixtures: Path) -> None:
    with pytest.raises(UsageError, match="torch cannot use device 'cuda:9'"):
        FastSAM(fixtures / "port-tiny.pt", runtime="torch", device=9)
