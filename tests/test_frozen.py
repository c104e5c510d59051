"""A program frozen by PyInstaller runs where neither Python nor this package is installed."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

PROGRAM = """
import sys
import cv2
from fastsam import FastSAM
from fastsam.cli.main import main
from fastsam.serve.pages import HOME
from fastsam.words.classifier import DATA

if len(sys.argv) > 2:
    main()
photo = cv2.imread(sys.argv[1])[:, :, ::-1]
for name in ("fastsam-tiny", "fastsam-tiny-int8"):
    segments = FastSAM(name, threads=1)(photo)
    print(len(segments) > 10, segments.select(points=[(300, 200)])[0].mask[200, 300])
print((HOME / "index.html").is_file(), (DATA / "words.npz").is_file(), "torch" in sys.modules)
"""
DEVELOPERS = ("torch", "ray", "transformers", "scipy", "skimage", "pandas", "pyarrow", "matplotlib", "open_clip")


@pytest.mark.slow
@pytest.mark.skipif(find_spec("PyInstaller") is None, reason="PyInstaller is not installed: pip install pyinstaller")
def test_a_frozen_program_has_all_that_it_needs(examples: Path, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    left_out = [word for name in DEVELOPERS for word in ("--exclude-module", name)]  # what only tests need
    build = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "ERROR", *left_out, "program.py"]
    done = subprocess.run(build, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]

    def run(*words: object) -> str:
        command = [str(tmp_path / "dist" / "program" / "program"), *map(str, words)]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env={"HOME": str(tmp_path)})
        assert done.returncode == 0, done.stderr
        return done.stdout

    coffee = (examples / "coffee.png").resolve()
    assert run(coffee).splitlines() == ["True True", "True True", "True True False"]
    run("segment", coffee, "-o", "out", "--point", "300,200")
    assert (tmp_path / "out" / "coffee.png").stat().st_size > 0
