"""Another program that reads videos, and small videos to read."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

Probe = Callable[[Path], dict[str, Any]]


@pytest.fixture(scope="session")
def probe() -> Probe:
    """What ffprobe says of the stream of a video; it decodes and counts every frame."""
    if shutil.which("ffprobe") is None:
        pytest.skip("ffprobe is not installed: apt-get install ffmpeg")

    def ask(file: Path) -> dict[str, Any]:
        line = ["ffprobe", "-v", "error", "-count_frames", "-show_streams", "-of", "json", str(file)]
        done = subprocess.run(line, capture_output=True, text=True, check=True)
        assert done.stderr == ""
        (stream,) = json.loads(done.stdout)["streams"]
        return dict(stream)

    return ask


@pytest.fixture(scope="session")
def moving() -> Callable[..., list[np.ndarray]]:
    """Makes red frames with a green square that goes to the right; with alpha, the square alone is opaque."""

    def make(frames: int, height: int, width: int, alpha: bool = False) -> list[np.ndarray]:
        made = []
        for k in range(frames):
            pixels = np.zeros((height, width, 4 if alpha else 3), np.uint8)
            pixels[..., :3] = (200, 40, 60)
            square = pixels[height // 4 : height // 2 + 1, 4 * k : 4 * k + width // 3 + 1]
            square[..., :3] = (30, 180, 90)
            if alpha:
                square[..., 3] = 255
            made.append(pixels)
        return made

    return make
