"""One service for all tests of it: in this process for its routes, as a command for the page."""

import re
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


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """Where the command `fastsam serve` listens."""
    words = [sys.executable, "-m", "fastsam", "serve", "--no-browser", "--port", "0", "--threads", "1"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found, "fastsam serve says no address"
        yield found[0].rstrip("/")
        process.terminate()
