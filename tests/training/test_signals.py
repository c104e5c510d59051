"""Training as a command that is told to end: it saves, says how to go on, and goes on."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the train extra is not installed")
pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no process groups to signal")

from fastsam.training import checkpoint  # noqa: E402

DETECTOR = ("train", "--imgsz", "64", "--photos")
REFINER = ("train", "refine", "--crops")


class Training:
    """A command in a process group of its own."""

    def __init__(self, *words: object) -> None:
        command = [sys.executable, "-m", "fastsam", *map(str, words)]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        )

    def progress(self) -> str:
        """Its next line of progress; torch may have said something before."""
        assert self.process.stderr is not None
        while "/1000000 " not in (line := self.process.stderr.readline()):
            assert line, "it has ended"
        return line

    def end(self) -> tuple[int, str, str]:
        """Its exit code and what else it says; by then all of its processes must be gone."""
        out, err = self.process.communicate()  # comes when the last process has closed the pipes
        return self.process.returncode, out, err


@pytest.mark.parametrize(
    ("command", "what", "number", "workers", "everyone"),
    [
        (DETECTOR, "photos", signal.SIGINT, 2, True),  # as Ctrl-C in a terminal
        (DETECTOR, "photos", signal.SIGTERM, 1, False),  # as `kill`
        (DETECTOR, "photos", signal.SIGHUP, 0, True),  # as a terminal that closes
        (REFINER, "crops", signal.SIGINT, 1, True),
        (REFINER, "crops", signal.SIGTERM, 2, True),  # as service managers end a group
    ],
)
def test_a_signal_saves_and_says_how_to_go_on(
    make_set: Callable[..., Path], tmp_path: Path, command: tuple[str, ...], what: str, number: int, workers: int,
    everyone: bool,
) -> None:  # fmt: skip
    config = tmp_path / "whole.toml"
    config.write_text("frozen = 0")  # nothing is frozen, so that no weights are needed

    def words(length: int) -> list[object]:
        given = ["--data", make_set(3, seed=7), "--batch", 2, "--device", "cpu", "--threads", 1, "--config", config]
        return [*command, length, *given, "--workers", workers, "-o", tmp_path / "run"]

    first = words(1_000_000)
    training = Training(*first)
    assert training.progress().startswith(f"2/1000000 {what}  ")  # after the first step
    (os.killpg if everyone else os.kill)(training.process.pid, number)
    code, out, err = training.end()
    assert (code, out) == (128 + number, "")
    step = checkpoint.load(tmp_path / "run" / "last.pt")["step"]
    assert step >= 1
    said = f"stopped at {2 * step} of 1000000 {what}, saved in {tmp_path}/run/last.pt: give the same command again"
    assert err.splitlines()[-1].startswith(said)
    assert "Traceback" not in err
    assert not (tmp_path / "run" / "final.pt").exists()

    if number == signal.SIGINT:
        training = Training(*first)
        assert training.progress().startswith(f"{2 * step + 2}/1000000 {what}  ")
        training.process.terminate()
        assert training.end()[0] == 128 + signal.SIGTERM


def test_all_processes_of_a_shared_run_end_at_one_step(make_set: Callable[..., Path], tmp_path: Path) -> None:
    words = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "fastsam", "train"]
    given = ["--data", str(make_set(4)), "--imgsz", "64", "--batch", "4", "--photos", "1000000", "--workers", "1"]
    command = [sys.executable, *words, *given, "--device", "cpu", "-o", str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    while not (line := process.stderr.readline()).startswith("4/1000000 photos"):
        assert line, "the run ended"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    step = checkpoint.load(tmp_path / "last.pt")["step"]
    assert f"stopped at {4 * step} of 1000000 photos" in err
