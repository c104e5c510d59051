"""The token, other sites, the page, and what watches the service."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the serve extra is not installed")

from starlette.testclient import TestClient

from fastsam import FastSAM
from fastsam.serve import labelstudio, pages, routes
from fastsam.serve.app import make_app
from fastsam.serve.projects import routes as projects


def test_a_token_protects_every_route(detail: Callable[[Any], str], examples: Path) -> None:
    app = make_app(threads=1, token="open sesame")
    with TestClient(app, base_url="http://127.0.0.1", follow_redirects=False) as client:
        own = [route for part in (pages, routes, labelstudio, projects) for route in part.router.routes]
        assert len(own) == 28
        for route in (*own, *app.routes):
            for method in getattr(route, "methods", ()):
                answer = client.request(method, route.path.replace("{id_}", "x").replace("{name:path}", "app.js"))
                assert answer.status_code == 401, route.path
                assert "token" in detail(answer) if method != "HEAD" else True
        assert client.get("/healthz", headers={"Authorization": "Bearer wrong"}).status_code == 401
        assert client.get("/healthz", headers={"Authorization": "Bearer open sesame"}).status_code == 200
        assert client.get("/healthz", auth=("any", "open sesame")).status_code == 200
        assert client.get("/healthz", headers={"Authorization": "Basic !"}).status_code == 401
        assert client.get("/?token=wrong").status_code == 401
        assert client.get("/healthz?token=open%20sesame").status_code == 401  # an address is no place for it elsewhere
        answer = client.get("/?token=open%20sesame")
        assert answer.status_code == 303
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert client.get("/").status_code == 200
        assert client.get("/page/app.js").status_code == 200


def test_other_sites_cannot_use_it(service: TestClient) -> None:
    assert service.get("/healthz", headers={"host": "evil.example"}).status_code == 400  # a name that was rebound
    answer = service.get("/healthz", headers={"origin": "https://evil.example"})
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers
    assert service.get("/healthz", headers={"origin": "http://127.0.0.1"}).status_code == 200
    for origin in ("http://[::1", "null", "http://"):  # no address, or none of a page
        assert service.get("/healthz", headers={"origin": origin}).status_code == 403
    app = make_app(threads=1, token="t", origins=["https://own.example"])
    with TestClient(app, base_url="http://127.0.0.1") as client:
        for origin, allowed in (("https://own.example", "https://own.example"), ("https://evil.example", None)):
            answer = client.get("/healthz", headers={"origin": origin, "authorization": "Bearer t"})
            assert answer.headers.get("access-control-allow-origin") == allowed
            assert answer.status_code == (200 if allowed else 403)
        asks = {"origin": "https://own.example", "access-control-request-method": "POST"}
        assert client.options("/v1/segment", headers=asks).status_code == 200  # before it sends the token


def test_the_page_and_its_parts_come_from_here_alone(service: TestClient) -> None:
    page = service.get("/")
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'self'" in page.headers["content-security-policy"]
    code = [name for name in pages.FILES if name.endswith((".js", ".css"))]
    text = page.text + "".join(service.get(f"/page/{name}").text for name in code)
    assert "https://" not in text
    assert "http://" not in text


def test_metrics_count_requests_by_route(service: TestClient, coffee: dict[str, Any]) -> None:
    service.get(f"/v1/images/{coffee['id']}")
    text = service.get("/metrics").text
    assert 'fastsam_requests_total{method="GET",route="/v1/images/{id_}",status="200"}' in text
    assert coffee["id"] not in text
    assert "fastsam_photos_kept " in text
    assert "fastsam_jobs_pending 0.0" in text


def test_it_is_alive_before_it_is_ready() -> None:
    with TestClient(make_app(threads=1), base_url="http://127.0.0.1") as client:
        assert client.get("/healthz").json() == {"status": "alive"}
        first = client.get("/readyz")
        assert first.status_code == 503 or first.json() == {"status": "ready"}
        if first.status_code == 503:
            assert first.headers["retry-after"] == "1"


def test_what_is_known_of_the_weights(service: TestClient, model: FastSAM) -> None:
    about = service.get("/v1/about").json()
    assert about["model"] == "fastsam-tiny"
    for name in ("imgsz", "conf", "iou", "max_det"):
        assert about[name] == getattr(model.settings, name)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--model", "nonsense"], "unknown model 'nonsense'"),
        (["--port", "99999"], "must be 0 to 65535"),
        (["--token", ""], "--token must be"),
        (["--token", "gehëim"], "--token must be"),
        (["--threads", "0"], "threads must be"),
        (["--queue", "-1"], "queue must be"),
        (["--host", "192.0.2.1"], "cannot listen on 192.0.2.1"),
        (["--workers", "0"], "workers must be"),
    ],
)
def test_wrong_use_of_the_command_is_one_line(words: list[str], message: str) -> None:
    command = [sys.executable, "-m", "fastsam", "serve", "--no-browser", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_weights_that_are_none_are_said_so(detail: Callable[[Any], str], tmp_path: Path) -> None:
    (tmp_path / "secret-place.onnx").write_bytes(b"noise")
    with TestClient(make_app(str(tmp_path / "secret-place.onnx"), threads=1), base_url="http://127.0.0.1") as client:
        until = time.monotonic() + 120
        while "loaded" in detail(answer := client.get("/readyz")):
            assert time.monotonic() < until
            time.sleep(0.1)
        assert answer.status_code == 503
        assert client.get("/healthz").status_code == 200


def test_it_listens_to_this_machine_alone_and_opens_the_page(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from types import SimpleNamespace

    from fastsam.cli import serve

    assert address.startswith("http://127.0.0.1:")
    opened: list[str] = []
    monkeypatch.setattr(serve.webbrowser, "open", opened.append)
    serve.announce(SimpleNamespace(started=True), "http://127.0.0.1:8000/", "a b", True)
    serve.announce(SimpleNamespace(started=True), "http://127.0.0.1:8000/", None, False)
    assert opened == ["http://127.0.0.1:8000/?token=a%20b"]
