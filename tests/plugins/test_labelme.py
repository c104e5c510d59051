"""`fastsam-labelme` starts labelme with one more model in its list.

labelme itself is never imported. The last test runs the real one where it is installed; the others run a stand-in.
"""

import os
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import pytest

from fastsam.plugins.labelme import launch
from fastsam.plugins.labelme.listed import HOLDER, HOME, LIST

needs_osam = pytest.mark.skipif(find_spec("osam") is None, reason="osam is not installed: pip install '.[labelme]'")
PROBE = f"import {HOME} as home, osam, os; print(home.{HOLDER}.{LIST}, 'sitecustomize ran' in os.environ, "
PROBE += "os.environ['PYTHONPATH'], [one.name for one in osam.apis.registered_model_types][-1])"


def run(code: str, *folders: Path) -> subprocess.CompletedProcess[str]:
    """Runs code in a process like labelme's, with folders on the path beside the one that preloads."""
    path = os.pathsep.join(map(str, (launch.PRELOAD, *folders, *filter(None, [os.environ.get("PYTHONPATH")]))))
    environment = os.environ | {"PYTHONPATH": path, "QT_QPA_PLATFORM": "offscreen"}
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)


@pytest.fixture
def standin(tmp_path: Path) -> Path:
    """A package with a list where labelme has it, and an environment's own sitecustomize."""
    home = tmp_path / "labelme" / "widgets"
    home.mkdir(parents=True)
    for folder in (home, home.parent):
        (folder / "__init__.py").touch()
    (home / f"{HOME.split('.')[-1]}.py").write_text(f"class {HOLDER}:\n    {LIST} = [('sam:latest', 'Sam')]\n")
    (tmp_path / "sitecustomize.py").write_text("import os; os.environ['sitecustomize ran'] = 'yes'\n")
    return tmp_path


@needs_osam
def test_fastsam_is_the_first_of_the_list(standin: Path) -> None:
    done = run(PROBE, standin)
    assert done.stdout.startswith("[('fastsam:latest', 'FastSAM'), ('sam:latest', 'Sam')] True "), done.stderr
    assert done.stdout.rstrip().endswith("fastsam:latest")


@needs_osam
def test_what_the_process_starts_has_the_path_as_it_was(standin: Path) -> None:
    path = run(PROBE, standin).stdout.split(" True ")[1].split()[0]
    assert path.split(os.pathsep)[0] == str(standin)
    assert str(launch.PRELOAD) not in path


def test_a_list_that_has_moved_is_said_in_a_line_and_labelme_starts(standin: Path) -> None:
    (standin / "labelme" / "widgets" / f"{HOME.split('.')[-1]}.py").write_text("started = True\n")
    done = run(f"import {HOME} as home; print(home.started)", standin)
    assert done.stdout == "True\n"
    assert done.stderr.startswith("fastsam-labelme: FastSAM is not in the list (")
    assert done.stderr.count("\n") == 1


def started(path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Runs fastsam-labelme in a process of its own, with distributions in `path`."""
    code = f"import sys; sys.path.insert(0, {str(path)!r}); from fastsam.plugins.labelme.launch import main; main()"
    return subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True)


@pytest.mark.parametrize(
    ("found", "about"),
    [("4.6.0", "labelme 4.6.0 takes no other models: pip install 'labelme>=5.11'"), (None, "is not installed")],
)
def test_what_is_lacking_is_one_line(tmp_path: Path, found: str | None, about: str) -> None:
    if found is None and find_spec("labelme"):
        pytest.skip("labelme is installed")
    if found:
        folder = tmp_path / f"labelme-{found}.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: labelme\nVersion: {found}\n")
    done = started(tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("fastsam-labelme: labelme ")
    assert about in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_real_labelme_lists_fastsam(tmp_path: Path) -> None:
    try:
        found = version("labelme")
    except PackageNotFoundError:
        pytest.skip("labelme is not in this environment: pip install labelme '.[labelme]'")
    assert started(tmp_path, "--version").stdout.strip().lower() == f"labelme {found}"
    done = run(PROBE)
    assert done.stdout.startswith("[('fastsam:latest', 'FastSAM'), ('efficientsam"), done.stderr
