"""`fastsam label FOLDER`: which folder the page gets, and how it is kept. The page itself: tests/serve."""

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the serve extra is not installed")

from fastsam.cli import label
from fastsam.errors import UsageError


@pytest.fixture
def project(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The project of the application that `fastsam label` would serve."""

    def of(folder: Path, **flags: Any) -> Any:
        made: list[Any] = []
        monkeypatch.setattr(label, "run", lambda make, *_: made.append(make(())) or 0)
        assert label.label(folder, **flags) == 0
        return made[0].state.project

    return of


def test_a_folder_is_kept_as_labelme_unless_coco_is_asked_for(project: Any, tmp_path: Path) -> None:
    assert project(tmp_path).root == tmp_path.resolve()
    assert not project(tmp_path).coco
    assert project(tmp_path, format="coco").coco


def test_a_folder_stays_as_it_was_begun(project: Any, tmp_path: Path) -> None:
    (tmp_path / "instances.json").write_text('{"info": {"labelled_with": "fastsam"}, "images": []}')
    assert project(tmp_path).coco
    assert not project(tmp_path, format="labelme").coco
    (tmp_path / "instances.json").write_text('{"info": {}, "images": []}')  # of another program
    assert not project(tmp_path).coco


def test_what_is_no_folder_is_refused(project: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a folder"):
        project(tmp_path / "none")
