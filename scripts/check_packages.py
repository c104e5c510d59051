"""Builds wheel and sdist, checks both, and tries the wheel on each Python that this machine has.

    python scripts/check_packages.py [-o dist] [--tests] [--python 3.12]...

Needs the `dist` extra. --tests also collects all tests of the unpacked sdist and runs some: needs the `dev` extra.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VERSIONS = ("3.10", "3.11", "3.12", "3.13")
# What runs needs, cards and credits.
DATA = {".onnx", ".pt", ".npz", ".md", ".csv", ".html", ".css", ".js", ".svg", ".jpg", ".yaml"}
LARGEST_WHEEL = 60e6  # bytes of a wheel; PyPI takes 100 million
QUICK = ("tests/test_package.py", "tests/masks/test_rle.py", "tests/formats/test_overlay.py")

# Imports every module. Extras are not installed: a module that needs one is left out, anything else is an error.
IMPORT_ALL = """
import importlib, pkgutil, sys
import fastsam
for name in fastsam.__all__:
    getattr(fastsam, name)
for module in pkgutil.walk_packages(fastsam.__path__, "fastsam.", onerror=lambda name: None):
    if module.name.endswith(("__main__", "hook-fastsam")):
        continue
    try:
        importlib.import_module(module.name)
    except (ModuleNotFoundError, ValueError) as error:
        missing = error if isinstance(error, ModuleNotFoundError) else error.__cause__
        if not isinstance(missing, ModuleNotFoundError) or str(missing.name).startswith("fastsam"):
            raise
assert "torch" not in sys.modules
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "dist")
    parser.add_argument("--tests", action="store_true")
    parser.add_argument("--python", action="append", help=f"versions to try: {', '.join(VERSIONS)} by default")
    given = parser.parse_args()
    shutil.rmtree(given.output, ignore_errors=True)
    run(sys.executable, "-m", "build", "--installer", "uv", "-o", given.output, ROOT)
    (wheel,), (sdist,) = given.output.glob("*.whl"), given.output.glob("*.tar.gz")
    run(sys.executable, "-m", "twine", "check", "--strict", wheel, sdist)
    check_wheel(wheel)
    if given.tests:
        check_sdist(sdist)
    skipped = [version for version in given.python or VERSIONS if not tried(wheel, version)]
    if given.python and skipped:
        sys.exit(f"not on this machine: Python {', '.join(skipped)}")
    if skipped:
        print(f"skipped, not on this machine: Python {', '.join(skipped)} (the release workflow tries them)")


def run(*words: object, **settings: object) -> None:
    subprocess.run([str(word) for word in words], check=True, **settings)  # type: ignore[call-overload]


def check_wheel(wheel: Path) -> None:
    """The package alone, with the data that it needs when it runs."""
    names = [name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name]
    odd = [
        name
        for name in names
        if not name.startswith("fastsam/")
        or "__pycache__" in name
        or (Path(name).suffix not in DATA | {".py"} and Path(name).name != "py.typed")
    ]
    if odd or wheel.stat().st_size > LARGEST_WHEEL:
        sys.exit(f"{wheel.name}: {wheel.stat().st_size} bytes, not expected in it: {', '.join(odd) or 'nothing'}")
    print(f"{wheel.name}: {len(names)} files, {wheel.stat().st_size / 1e6:.0f} MB")


def check_sdist(sdist: Path) -> None:
    """Its tests are complete: all are collected, the quickest run."""
    with tempfile.TemporaryDirectory() as name:
        with tarfile.open(sdist) as archive:
            archive.extractall(name, filter="data")
        (folder,) = Path(name).iterdir()
        settings = {"cwd": folder, "env": {**os.environ, "PYTHONPATH": str(folder / "src")}}
        run(sys.executable, "-m", "pytest", "-q", "--collect-only", "-m", "", stdout=subprocess.DEVNULL, **settings)
        run(sys.executable, "-m", "pytest", "-q", *QUICK, **settings)
    print(f"{sdist.name}: {sdist.stat().st_size / 1e6:.0f} MB, tests are complete")


def tried(wheel: Path, version: str) -> bool:
    """Whether there is such a Python, on which the wheel then installs and does what the README says."""
    python = found(version)
    if python is None:
        return False
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        own = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
        uv = (sys.executable, "-m", "uv")
        run(*uv, "venv", "--quiet", "--python", python, folder / "venv")
        run(*uv, "pip", "install", "--quiet", "--python", own / "python", wheel)
        run(own / "fastsam", "segment", ROOT / "examples" / "coffee.png", "-o", folder / "out", cwd=folder)
        if not (folder / "out" / "coffee.png").stat().st_size:
            sys.exit(f"Python {version}: the README's command wrote nothing")
        run(own / "python", "-W", "error::DeprecationWarning:fastsam", "-c", IMPORT_ALL, cwd=folder)
    print(f"Python {version}: installed, runs")
    return True


def found(version: str) -> str | None:
    """An interpreter of that version, on the path or among pyenv's."""
    home = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    for python in (sys.executable, shutil.which(f"python{version}"), *home.glob(f"versions/{version}.*/bin/python")):
        if python is not None:
            asked = [str(python), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
            if subprocess.run(asked, capture_output=True, text=True).stdout.strip() == version:
                return str(python)
    return None


if __name__ == "__main__":
    main()
