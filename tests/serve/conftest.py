"""One service for all tests of it: in this process for its routes, as a command for the page."""

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the serve extra is not installed")

from starlette.testclient import TestClient

from fastsam import files
from fastsam.serve.app import make_app
from fastsam.serve.limits import Limits


@contextmanager
def started(app: Any, seconds: float = 600) -> Iterator[TestClient]:
    """A client of the application, once its network is loaded."""
    with TestClient(app, base_url="http://127.0.0.1") as client:
        until = time.monotonic() + seconds
        while client.get("/readyz").status_code != 200:
            assert time.monotonic() < until, "the network is not loaded in time"
            time.sleep(0.05)
        yield client


@pytest.fixture(scope="session")
def serving() -> Callable[..., Any]:
    return started


@pytest.fixture(scope="session")
def service() -> Iterator[TestClient]:
    with started(make_app(threads=1, limits=Limits(pixels=2_000_000, bytes=4_000_000))) as client:
        yield client


@pytest.fixture(scope="session")
def detail() -> Callable[[Any], str]:
    """What a refused request is told: always one line."""

    def read(answer: Any) -> str:
        found: str = answer.json()["detail"]
        assert "\n" not in found
        return found

    return read


@pytest.fixture
def coffee(service: TestClient, examples: Path) -> dict[str, Any]:
    """A photo that was segmented: the answer."""
    answer = service.post("/v1/segment", files={"image": ("coffee.png", (examples / "coffee.png").read_bytes())})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@contextmanager
def command(*words: str) -> Iterator[str]:
    """Where a command of `fastsam` listens."""
    every = [sys.executable, "-m", "fastsam", *words, "--no-browser", "--port", "0", "--threads", "1"]
    with subprocess.Popen(every, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found, f"fastsam {words[0]} says no address"
        yield found[0].rstrip("/")
        process.terminate()


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """Where `fastsam serve` listens."""
    with command("serve") as found:
        yield found


@pytest.fixture(scope="session")
def labelled(tmp_path_factory: pytest.TempPathFactory, examples: Path) -> Iterator[tuple[str, Path]]:
    """Where `fastsam label` listens, and its folder."""
    folder = tmp_path_factory.mktemp("photos").resolve()
    for name in ("chelsea.png", "coffee.png"):
        shutil.copy(examples / name, folder)
    with command("label", str(folder)) as found:
        yield found, folder


@pytest.fixture(scope="session")
def serve_folder() -> Callable[..., Any]:
    """Starts `fastsam label` on a folder, with more words."""
    return lambda folder, *words: command("label", str(folder), *words)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    playwright_ = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("there is no Chromium: apt install chromium")
    with playwright_.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Any, address: str) -> Iterator[Callable[..., Any]]:
    """A visitor of their own: nothing is shared, no error goes unseen, and nothing but the service is asked."""
    contexts, problems = [], []

    def new(width: int = 1280, height: int = 800, at: str | None = None, **settings: Any) -> Any:
        context = chromium.new_context(viewport={"width": width, "height": height}, accept_downloads=True, **settings)
        contexts.append(context)
        context.set_default_timeout(60_000)
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on(
            "request", lambda request: request.url.startswith((at or address, "blob:")) or problems.append(request.url)
        )
        page.goto(at or address)
        page.wait_for_selector("#working", state="hidden")
        return page

    yield new
    for context in contexts:
        context.close()
    assert problems == []


@pytest.fixture
def fill_disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Makes every write to the disk fail, as on a full one, until the test calls `monkeypatch.undo`."""

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    return lambda: monkeypatch.setattr(files.os, "fsync", full)
