"""The install stays small and starts fast."""

import subprocess
import sys
from pathlib import Path

import pytest

PROBE = """
import re, sys, time
start = time.perf_counter()
import fastsam
fastsam.FastSAM, fastsam.Segments, fastsam.Prompt
seconds = time.perf_counter() - start
# The peak of this process alone: what getrusage tells includes the parent's before exec.
print(seconds, int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1024)
for name in ("torch", "pycocotools", "onnx", "PIL", "matplotlib"):
    assert name not in sys.modules, name
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux to read a process's peak memory")
def test_importing_is_light_and_needs_no_torch() -> None:
    runs = [subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True) for _ in range(5)]
    assert all(r.returncode == 0 for r in runs), runs[0].stderr
    figures = [[float(v) for v in r.stdout.split()] for r in runs]
    assert min(f[0] for f in figures) < 0.3, figures
    assert min(f[1] for f in figures) < 120, figures


def test_the_public_names_are_there() -> None:
    import fastsam

    for name in fastsam.__all__:
        assert getattr(fastsam, name) is not None
    assert set(fastsam.__all__) <= set(dir(fastsam))
