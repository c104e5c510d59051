"""The command that writes what the library for browsers is compared with."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parent.parent
PHOTO = "clock_motion.jpg"


def test_the_command_writes_what_the_tests_of_the_library_for_browsers_read(tmp_path: Path) -> None:
    shutil.copy(ROOT / "web" / "test" / "photos" / PHOTO, tmp_path)
    words = ["scripts/web_goldens.py", "-o", str(tmp_path / "golden.json"), "--photos", str(tmp_path)]
    subprocess.run([sys.executable, *words], cwd=ROOT, check=True)
    (found,) = json.loads((tmp_path / "golden.json").read_text())
    kept = json.loads((ROOT / "web" / "test" / "golden.json").read_text())
    (wanted,) = (line for line in kept if line["photo"] == PHOTO)
    assert found.keys() == wanted.keys()
    np.testing.assert_allclose(found["boxes"], wanted["boxes"], atol=0.5)
    assert [a["prompt"] for a in found["answers"]] == [a["prompt"] for a in wanted["answers"]]
