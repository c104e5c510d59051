"""Runs the cookbook's scripts as a user does."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def cook(tmp_path: Path) -> Callable[..., str]:
    """Runs a script in a folder of its own, and gives what it prints."""

    def run(name: str, *words: object) -> str:
        command = [sys.executable, str(ROOT / "cookbook" / f"{name}.py"), *map(str, words)]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run
