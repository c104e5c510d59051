"""The documents are true: their examples run, their links lead somewhere."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("src/fastsam/weights/bundled/*.md")])


def test_the_readmes_example_runs(monkeypatch: pytest.MonkeyPatch) -> None:
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
