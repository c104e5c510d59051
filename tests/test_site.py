"""The site is whole and asks nobody else for anything. Needs the `docs` extra."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

import fastsam

pytest.importorskip("mkdocs", reason="the docs extra is not installed")
pytest.importorskip("mkdocstrings", reason="the docs extra is not installed")

ROOT = Path(__file__).parent.parent
LOADS = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "audio": "src"}


class Loads(HTMLParser):
    """What a browser fetches for a page without being asked."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "link" and given.get("rel") not in ("canonical", "prev", "next", "edit"):
            self.found.append(given.get("href") or "")
        elif tag in LOADS:
            self.found.append(given.get(LOADS[tag]) or "")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


def test_no_page_loads_anything_from_another_host(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 15
    for page in pages:
        reader = Loads()
        reader.feed(page.read_text())
        assert [address for address in reader.found if re.match(r"(\w+:)?//", address)] == [], page
    for style in site.rglob("*.css"):
        assert not re.search(r"url\(\s*[\"']?(\w+:)?//", style.read_text()), style
        assert not re.search(r"@import\s+[\"'](\w+:)?//", style.read_text()), style


def test_the_reference_has_every_public_name(site: Path) -> None:
    page = (site / "reference" / "index.html").read_text()
    for name in fastsam.__all__:
        assert f'id="fastsam.{name}"' in page, name


def test_the_command_lines_page_has_every_subcommand_and_flag(site: Path) -> None:
    page = (site / "commands" / "index.html").read_text()
    for name in ("segment", "serve", "train-refine", "export", "doctor", "weights-get", "eval-recall", "bench-stages"):
        assert f'id="fastsam-{name}"' in page, name
    assert "--no-refine" in page


def test_the_cookbook_has_every_script(site: Path) -> None:
    page = (site / "cookbook" / "index.html").read_text()
    for file in (ROOT / "cookbook").glob("*.py"):
        assert f"cookbook/{file.name}" in page


def test_links_to_files_outside_of_docs_lead_somewhere(site: Path) -> None:
    assert (site / "files" / "examples" / "fastsam.ipynb").is_file()
