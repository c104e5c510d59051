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


BROKEN = {
    "without a screen": "raise ImportError('libGL.so.1: cannot open shared object file')",
    "half removed": "",
    "old": "def __getattr__(name):\n    if name == 'imdecodeWithMetadata':\n        raise AttributeError\n    return 0",
}


@pytest.mark.parametrize("how", BROKEN)
def test_an_opencv_that_cannot_be_used_is_named(tmp_path: Path, how: str) -> None:
    """Two packages bring the module cv2: whoever removes one of them is left with half a module."""
    (tmp_path / "cv2.py").write_text(BROKEN[how])
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import fastsam; fastsam.UsageError; fastsam.FastSAM()"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    last = run.stderr.splitlines()[-1]
    assert last.startswith("ImportError: OpenCV (the module cv2) cannot be used: ")
    assert "pip uninstall -y opencv-python opencv-python-headless" in last


def test_the_command_names_it_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "cv2.py").touch()
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import fastsam.cli.main as c; c.main()"
    run = subprocess.run([sys.executable, "-c", code, "segment", "photo.jpg"], capture_output=True, text=True)
    assert run.returncode == 2
    assert run.stderr.startswith("fastsam: OpenCV (the module cv2) cannot be used: ")
    assert run.stderr.count("\n") == 1


def test_importing_the_package_imports_nothing_else() -> None:
    code = "import sys; before = set(sys.modules); import fastsam; print(*sorted(set(sys.modules) - before))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert {name.split(".")[0] for name in run.stdout.split()} - sys.stdlib_module_names == {"fastsam"}
