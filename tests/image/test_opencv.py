"""Two builds of OpenCV in one place break each other: the first import says so, and what to do."""

import os
import subprocess
import sys
from pathlib import Path


def test_a_broken_cv2_is_named_with_its_cure(tmp_path: Path) -> None:
    (tmp_path / "cv2").mkdir()
    (tmp_path / "cv2" / "__init__.py").touch()  # the rest went with the other build, when that was uninstalled
    env = os.environ | {"PYTHONPATH": os.pathsep.join((str(tmp_path), os.environ.get("PYTHONPATH", "")))}
    done = subprocess.run(
        [sys.executable, "-c", "import fastsam; fastsam.FastSAM"], env=env, capture_output=True, text=True
    )
    assert "pip uninstall -y opencv-python opencv-python-headless" in done.stderr.splitlines()[-1]
