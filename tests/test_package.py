"""The install stays small and starts fast."""

import subprocess
import sys
from pathlib import Path

import pytest

PROBE = """
import re, sys
before = len(sys.modules)
import fastsam
fastsam.FastSAM, fastsam.Segments, fastsam.Prompt
# The peak of this process alone: what getrusage tells includes the parent's before exec.
print(len(sys.modules) - before, int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1024)
for name in ("torch", "pycocotools", "onnx", "PIL", "matplotlib", "requests", "pooch", "rich", "safetensors"):
    assert name not in sys.modules, name
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux to read a process's peak memory")
def test_importing_is_light_and_needs_no_torch() -> None:
    """Counted in modules, not in seconds, which depend on the machine and on what else it does."""
    run = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    modules, peak = (float(v) for v in run.stdout.split())
    assert modules < 400
    assert peak < 120


def test_the_public_names_are_there() -> None:
    import fastsam

    for name in fastsam.__all__:
        assert getattr(fastsam, name) is not None
    assert set(fastsam.__all__) <= set(dir(fastsam))
