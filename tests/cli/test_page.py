"""`fastsam page`."""

from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., object]


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A built page, in small."""
    folder = tmp_path / "dist"
    names = (
        "index.html",
        "sw.js",
        "lib/worker.js",
        "lib/node.js",
        "lib/types/index.d.ts",
        "page/app.js",
        "weights/a.gz",
    )
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


def test_the_page_is_copied_without_what_a_host_does_not_need(fastsam: Run, built: Path, tmp_path: Path) -> None:
    outcome = fastsam("page", "--out", tmp_path / "out", "--from", built)
    found = sorted(file.relative_to(tmp_path / "out").as_posix() for file in (tmp_path / "out").rglob("*.*"))
    assert outcome.code == 0
    assert found == ["index.html", "lib/worker.js", "page/app.js", "sw.js", "weights/a.gz"]


def test_a_page_that_was_not_built_is_one_line_with_the_remedy(fastsam: Run, tmp_path: Path) -> None:
    outcome = fastsam("page", "--out", tmp_path / "out", "--from", tmp_path)
    assert outcome.code == 2
    assert "npm ci && npm run build" in outcome.err
    assert not (tmp_path / "out").exists()


def test_a_folder_with_files_is_left_alone(fastsam: Run, built: Path, tmp_path: Path) -> None:
    outcome = fastsam("page", "--out", built, "--from", built)
    assert outcome.code == 2
    assert "is not empty" in outcome.err
