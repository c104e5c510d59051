"""Published models are fetched whole or not at all, from whichever mirror has them."""

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from fastsam import FastSAM, UsageError
from fastsam.weights import download
from fastsam.weights.download import PUBLISHED, Published, fetch, present, take

CONTENT = np.random.default_rng(0).bytes(700_000)


class Mirror:
    """A server that knows ranges; `cut` makes it hang up after so many bytes, `content` is what it has."""

    def __init__(self) -> None:
        self.content, self.cut, self.ranges, self.status = CONTENT, None, [], None
        mirror = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked = self.headers.get("Range")
                mirror.ranges.append(asked)
                start = int(asked[6:-1]) if asked else 0
                rest = mirror.content[start:]
                self.send_response(mirror.status or (206 if asked else 200))
                self.send_header("Content-Length", str(len(rest)))
                if asked:
                    self.send_header("Content-Range", f"bytes {start}-{len(mirror.content) - 1}/{len(mirror.content)}")
                self.end_headers()
                self.wfile.write(rest[: mirror.cut])

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.address = f"http://127.0.0.1:{self.server.server_port}/file.pt"


@pytest.fixture
def mirrors(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[list[Mirror]]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "*")
    both = [Mirror(), Mirror()]
    digest = hashlib.sha256(CONTENT).hexdigest()
    model = Published("Net.pt", len(CONTENT), digest, tuple(m.address for m in both))
    monkeypatch.setitem(download.FILES, "net", model)
    yield both
    for m in both:
        m.server.shutdown()


def get(said: list[str] | None = None) -> Path:
    return fetch("net", lambda _: None, (said if said is not None else []).append)


def test_a_model_is_fetched_and_kept(mirrors: list[Mirror]) -> None:
    assert present("net") is None
    assert get().read_bytes() == CONTENT
    assert present("net") is not None
    assert mirrors[1].ranges == []


def test_an_interrupted_download_goes_on_where_it_stopped(mirrors: list[Mirror]) -> None:
    mirrors[0].cut, mirrors[1].status = 300_000, 404
    with pytest.raises(UsageError, match="could not be downloaded"):
        get()
    mirrors[0].cut = None
    assert get().read_bytes() == CONTENT
    start = int(mirrors[0].ranges[-1][6:-1])
    assert 0 < start <= 300_000


def test_a_beginning_that_is_another_files_is_dropped(mirrors: list[Mirror]) -> None:
    part = download.cache() / "Net.part"
    part.parent.mkdir(parents=True)
    for left in (b"x" * 1000, b"x" * len(CONTENT), b"x" * (len(CONTENT) + 9)):
        part.write_bytes(left)
        file = get()
        assert file.read_bytes() == CONTENT
        file.unlink()
    assert mirrors[1].ranges == []


def test_a_page_in_place_of_the_file_does_not_spoil_the_next_mirror(mirrors: list[Mirror]) -> None:
    mirrors[0].content = b"<html>log in first</html>"
    said: list[str] = []
    assert get(said).read_bytes() == CONTENT
    assert "its file has 25 bytes" in said[0]
    assert mirrors[1].ranges == [None]


def test_mirrors_are_tried_in_turn_and_say_why_they_failed(mirrors: list[Mirror]) -> None:
    mirrors[0].content = b"\0" + CONTENT[1:]
    said: list[str] = []
    assert get(said).read_bytes() == CONTENT
    assert mirrors[0].address in said[0]
    assert "sha256" in said[0]


def test_an_answer_that_is_too_long_is_refused(mirrors: list[Mirror]) -> None:
    mirrors[0].content = CONTENT + b"more"
    said: list[str] = []
    get(said)
    assert "more than the 700000 bytes" in said[0]


def test_without_a_net_one_line_says_what_to_do(mirrors: list[Mirror]) -> None:
    for m in mirrors:
        m.server.shutdown()
        m.server.server_close()
    said: list[str] = []
    with pytest.raises(UsageError, match=r"check the connection .* fastsam weights get net --from Net\.pt") as error:
        get(said)
    assert "\n" not in str(error.value)
    assert all("no connection" in line for line in said)


def test_a_file_that_is_here_already_is_checked_and_taken(mirrors: list[Mirror], tmp_path: Path) -> None:
    (tmp_path / "mine.pt").write_bytes(CONTENT[:-1])
    with pytest.raises(UsageError, match=r"mine\.pt is not Net\.pt: its sha256 is"):
        take("net", tmp_path / "mine.pt")
    (tmp_path / "mine.pt").write_bytes(CONTENT)
    assert take("net", tmp_path / "mine.pt").read_bytes() == CONTENT
    assert mirrors[0].ranges == []


def test_a_model_that_was_not_fetched_says_how(mirrors: list[Mirror]) -> None:
    with pytest.raises(UsageError, match="fastsam weights get fastsam-s"):
        FastSAM("fastsam-s")
    with pytest.raises(UsageError, match=r"\./weights/FastSAM\.pt not found: run `fastsam weights get fastsam-x`"):
        FastSAM("./weights/FastSAM.pt")


def test_the_published_files_are_described_in_full() -> None:
    for name in ("fastsam-s", "fastsam-x"):
        model = PUBLISHED[name]
        assert len(bytes.fromhex(model.sha256)) == 32
        assert all(m.startswith("https://") for m in model.mirrors)
        assert "SA-1B" in model.notice
