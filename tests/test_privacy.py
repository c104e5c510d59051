"""Nothing is kept for, or told to, the makers of what we stand on."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    "words",
    [
        ["-m", "fastsam", "doctor"],
        ["-c", "import numpy, fastsam; fastsam.FastSAM()(numpy.zeros((64, 64, 3), numpy.uint8)).refine()"],
        ["-c", "import fastsam.runtimes.onnx"],
        ["-c", "import fastsam.export.int8"],
    ],
)
def test_no_file_appears_in_the_home_of_who_uses_it(tmp_path: Path, words: list[str]) -> None:
    """ONNX Runtime 1.32 keeps a device id and a database of events under the cache folder unless it is told not to."""
    home = {
        name: str(tmp_path) for name in ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "LOCALAPPDATA")
    }
    clean = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    done = subprocess.run([sys.executable, *words], env=clean | home, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == []
