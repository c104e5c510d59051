"""The documents are true: their examples run, their links lead somewhere."""

import json
import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from fastsam import FastSAM, Prompt

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("src/fastsam/weights/bundled/*.md")])


def test_the_readmes_example_runs(monkeypatch: pytest.MonkeyPatch, encoder: None) -> None:
    monkeypatch.chdir(ROOT)
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    names: dict[str, object] = {}
    exec(example, names)
    assert len(names["segments"]) > 0  # type: ignore[arg-type]
    assert names["picks"][0].mask is not None  # type: ignore[index]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_to_files(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


def test_every_page_is_finished() -> None:
    for page in PAGES:
        assert not re.search(r"\b(ROWS|NOTES|FIGURES|FAILURES|PARAMS|SPEED|IMGSZ|TODO)\b", page.read_text()), page


def test_the_notebooks_first_cell_installs_a_clone_or_the_published_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It runs without its magic lines, in the notebook's folder, in the clone's, and in any other."""
    cells = json.loads((ROOT / "examples" / "fastsam.ipynb").read_text())["cells"]
    lines = "".join(cells[1]["source"]).splitlines()
    assert '%pip install --quiet "{package}[text]"' in lines
    code = "\n".join(line for line in lines if not line.startswith("%"))
    for folder, package in ((ROOT / "examples", ".."), (ROOT, "."), (tmp_path, "fast-segment-anything")):
        monkeypatch.chdir(folder)
        names: dict[str, object] = {}
        exec(code, names)
        assert names["package"] == package


@pytest.fixture(scope="module")
def with_masks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("masks") / "masks.onnx"
    words = ["export", "fastsam-tiny", str(file), "--with-masks"]
    subprocess.run([sys.executable, "-m", "fastsam", *words], check=True, capture_output=True)
    return file


def picked(folder: Path, *words: object) -> subprocess.CompletedProcess[str]:
    script = ROOT / "examples" / "masks_without_fastsam.py"
    return subprocess.run([sys.executable, script, *map(str, words)], cwd=folder, capture_output=True, text=True)


def test_the_example_without_the_library_picks_what_the_library_picks(
    with_masks: Path, model: FastSAM, tmp_path: Path
) -> None:
    photo = ROOT / "examples" / "coffee.png"
    points = [(300, 200), (30, 380), (60, 60), (420, 280), (598, 3)]
    boxes = [(180, 10, 430, 250), (0, 0, 599, 399), (590, 390, 599, 399)]
    words = [w for p in points for w in ("--point", ",".join(map(str, p)))]
    words += [w for b in boxes for w in ("--box", ",".join(map(str, b)))]
    done = picked(tmp_path, with_masks, photo, *words)
    assert (done.returncode, done.stderr) == (0, "")
    segments = model(photo)
    picks = segments.select([Prompt(points=[p]) for p in points], boxes=boxes, refine=False)
    expected = ["no match" if p.index is None else f"score {segments.scores[p.index]:.2f}" for p in picks]
    assert [line.split(", ")[-1] for line in done.stdout.splitlines()] == expected
    picture, ground = cv2.imread(str(tmp_path / "picked.png")), cv2.imread(str(photo))
    mask = segments.merge([p for p in picks if p.index is not None])
    inside = cv2.erode(mask.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    outlines = (picture == (0, 0, 255)).all(2)
    assert (picture == ground).all(2)[inside & ~outlines].mean() > 0.98  # in colour; all else is pale
    assert picture[~mask & ~outlines].min() >= 120


def test_the_example_says_in_a_line_what_is_wrong(with_masks: Path, tmp_path: Path) -> None:
    photo = ROOT / "examples" / "coffee.png"
    bundled = ROOT / "src" / "fastsam" / "weights" / "bundled" / "fastsam-tiny.onnx"
    (tmp_path / "no.onnx").write_bytes(b"nothing")
    for words, message in (
        ([bundled, photo], "has no masks inside: fastsam export MODEL"),
        ([tmp_path / "no.onnx", photo], "is not a file that ONNX Runtime can load"),
        ([with_masks, bundled], "is not a photo that can be read"),
        ([with_masks, photo, "--point", "a,b"], "--point must be 2 numbers"),
        ([with_masks, photo, "--box", "1,2,3"], "--box must be 4 numbers"),
    ):
        done = picked(tmp_path, *words)
        assert done.returncode == 1
        assert message in done.stderr
        assert "Traceback" not in done.stderr


def test_the_files_that_contributing_names_are_there() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    named = re.findall(r"`([\w./-]+(?:\.py|\.md|\.toml|\.yml|\.txt|/))`", text)
    assert len(named) > 30
    for name in set(named) - {"../shared", "photos/", "golden/", "data/", "train/", "eval/", "images/"}:
        assert any((base / name).exists() for base in (ROOT, ROOT / "src" / "fastsam", ROOT / "docs")), name
