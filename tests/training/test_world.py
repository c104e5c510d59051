"""Two processes that share every batch learn what one learns with all of it."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the train extra is not installed")

SCRIPT = """
import json, sys
from pathlib import Path
import torch
from fastsam.training.config import make_config
from fastsam.training.detector import Detector, feeder, samples_of, train
from fastsam.training.world import joined

settings, folder, stop = json.loads(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
config, cpu = make_config(settings), torch.device("cpu")
torch.set_num_threads(1)
with joined(cpu, config.batch) as world:
    if stop == 0:  # the gradients of one step
        learner = Detector(config, cpu, world=world)
        learner.network.train()
        (batch,) = feeder(samples_of(config), config.batch, cpu, 0, world)(0, 1)
        (sum(learner.losses(batch).values()) * world.size).backward()
        if world.rank == 0:
            torch.save({n: p.grad for n, p in learner.network.named_parameters() if p.requires_grad}, folder)
    else:
        every = 0 if stop > 0 else 1e9
        for k, report in enumerate(train(config, folder, cpu, 0, log_every=1, save_every=every, world=world), 1):
            if k == stop:
                break
"""


def run(processes: int, settings: dict[str, Any], folder: Path, stop: int) -> None:
    """The script in so many processes; up to a step, or the gradients of the first with 0."""
    words = ["-c", SCRIPT] if processes == 1 else ["-m", "torch.distributed.run", "--nproc-per-node", str(processes)]
    if processes > 1:
        script = folder.parent / "script.py"
        script.write_text(SCRIPT)
        words += ["--master-addr", "127.0.0.1", "--master-port", "0", "--standalone", str(script)]
    done = subprocess.run(
        [sys.executable, *words, json.dumps(settings), str(folder), str(stop)],
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]


def curve(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def settings(make_set: Callable[..., Path]) -> dict[str, Any]:
    return {
        "data": [str(make_set(8))], "imgsz": 64, "batch": 4, "photos": 200, "warmup": 40, "precision": "float64",
        "synced": True, "gains": {"masks": 3}, "rate": 2e-4,
    }  # fmt: skip


def test_gradients_of_two_are_those_of_one(settings: dict[str, Any], tmp_path: Path) -> None:
    run(1, settings, tmp_path / "one.pt", 0)
    run(2, settings, tmp_path / "two.pt", 0)
    one, two = (torch.load(tmp_path / name) for name in ("one.pt", "two.pt"))
    assert one.keys() == two.keys()
    for name, gradient in one.items():
        scale = float(gradient.abs().max())
        assert float((gradient - two[name]).abs().max()) <= 1e-5 * max(scale, 1e-12), name
    assert sum(float(g.abs().sum()) > 0 for g in one.values()) > 100


def test_fifty_steps_of_two_are_those_of_one_whoever_goes_on(settings: dict[str, Any], tmp_path: Path) -> None:
    """The second run is begun by two processes, killed after step 12 and ended by one."""
    run(1, settings, tmp_path / "one", -1)
    run(2, settings, tmp_path / "two", 12)
    run(1, settings, tmp_path / "two", -1)
    one, two = curve(tmp_path / "one"), curve(tmp_path / "two")
    assert [line["step"] for line in one] == [line["step"] for line in two] == list(range(1, 51))
    for a, b in zip(one, two, strict=True):
        for name in ("score", "box", "distribution", "mask"):
            assert a[name] == pytest.approx(b[name], rel=5e-3), (a["step"], name)
    assert one[-1]["mask"] < one[0]["mask"]


def test_the_command_shares_its_work_under_torchrun(settings: dict[str, Any], tmp_path: Path) -> None:
    words = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "fastsam", "train"]
    given = ["--data", settings["data"][0], "--imgsz", "64", "--batch", "4", "--photos", "8", "-o", str(tmp_path)]
    done = subprocess.run([sys.executable, *words, *given, "--workers", "0"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout == f"{tmp_path}/final.pt\n"
    assert [line["photos"] for line in curve(tmp_path)] == [8]
    given[5] = "3"
    done = subprocess.run([sys.executable, *words, *given, "--workers", "0"], capture_output=True, text=True)
    assert "cannot be shared by 2 processes" in done.stderr
