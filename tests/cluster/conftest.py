"""Jobs as commands, each with a Ray of its own, on drawn photos; one of them is broken."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pa = pytest.importorskip("pyarrow", reason="the cluster extra is not installed")
pytest.importorskip("ray", reason="the cluster extra is not installed")

import pyarrow.parquet as pq  # noqa: E402

from fastsam.cluster.storage import Place, listed  # noqa: E402

SETTINGS = ("--imgsz", "128", "--conf", "0.05", "--threads", "1")


@pytest.fixture(scope="session")
def draw_photos(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """A folder of so many photos of a few shapes each, in two folders, and of one that is broken."""

    def draw(count: int) -> Path:
        folder = tmp_path_factory.mktemp("photos")
        rng = np.random.default_rng(count)
        for k in range(count):
            pixels = np.full((96, 128, 3), rng.integers(0, 80, 3), np.uint8)
            for _ in range(3):
                centre = (int(rng.integers(20, 108)), int(rng.integers(20, 76)))
                colour = [int(v) for v in rng.integers(100, 256, 3)]
                cv2.circle(pixels, centre, int(rng.integers(8, 20)), colour, -1)
            file = folder / ("even" if k % 2 == 0 else "odd") / f"{k:04d}.jpg"
            file.parent.mkdir(exist_ok=True)
            cv2.imwrite(str(file), pixels)
        (folder / "even" / "broken.jpg").write_bytes(b"\xff\xd8\xff nothing more")
        return folder

    return draw


@pytest.fixture(scope="session")
def few(draw_photos: Callable[[int], Path]) -> Path:
    return draw_photos(20)


class Job:
    """A job in a process group of its own."""

    def __init__(self, *words: Any, env: dict[str, str] | None = None) -> None:
        command = [sys.executable, "-m", "fastsam", "cluster", "segment", *map(str, words), *SETTINGS]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **(env or {})}
        )

    def end(self, seconds: float = 240) -> tuple[int, str, str]:
        """Its exit code, and what it said on both outputs."""
        try:
            out, err = self.process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(f"the job did not end: {self.process.communicate()}") from None
        return self.process.returncode, out, err

    def kill(self) -> None:
        """As `kill -9` does."""
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()


@pytest.fixture(scope="session")
def start() -> type[Job]:
    return Job


@pytest.fixture(scope="session")
def wait_for_parts() -> Callable[[Path, int, Job], int]:
    def wait(output: Path, count: int, job: Job) -> int:
        """Waits until so many parts are there; returns how many."""
        until = time.monotonic() + 180
        while (there := len(list(output.glob("*.parquet")))) < count:
            assert job.process.poll() is None, job.end()
            assert time.monotonic() < until, "no parts come"
            time.sleep(0.01)
        return there

    return wait


def rows_in(place: Place) -> list[dict[str, Any]]:
    """The rows of every table in a folder, not deeper."""
    names = [name for some in listed(place) for name in some if "/" not in name and name.endswith(".parquet")]
    return [row for n in names for row in pq.read_table((place / n).path, filesystem=place.files).to_pylist()]


@pytest.fixture(scope="session")
def outcome() -> Callable[[Place], tuple[list[dict[str, Any]], dict[str, str]]]:
    def read(output: Place) -> tuple[list[dict[str, Any]], dict[str, str]]:
        """The rows of an output, and reasons by key; every key must stand once in all of it."""
        rows, failed = rows_in(output), rows_in(output / "_failures")
        keys = [row["key"] for row in (*rows, *failed)]
        assert len(keys) == len(set(keys)), "a photo stands in the output more than once"
        return rows, {row["key"]: row["reason"] for row in failed}

    return read
