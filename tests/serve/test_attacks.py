"""Requests that nobody means well by: each is answered, none of them by 500."""

import io
import json
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("fastapi", reason="the serve extra is not installed")

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from fastsam.formats import SEGMENTS
from fastsam.serve import schemas
from fastsam.serve.app import make_app

JSON = {"content-type": "application/json"}
DEEP = "[" * 100_000
BIG = "9" * 5000
WORDS = ("NaN", "Infinity", "-1", "1.5", "1e308", "5e-324", BIG, "true", "null", '"1"', "[]", '"\\u0000"', '"\\ud800"')
PLACES = (
    *(
        '{"points": [[@, 1]]}',
        '{"points": @}',
        '{"points": [[1, 1]], "among": [@]}',
        '{"points": [[1, 1]], "labels": [@]}',
    ),
    *(
        '{"boxes": [[0, 0, @, 1]]}',
        '{"masks": [{"size": [@, 600], "counts": "0"}]}',
        '{"texts": [@]}',
        '{"words": [@]}',
    ),
    *('{"masks": [{"size": [400, 600], "counts": @}]}', '{"masks": [{"size": [400, 600], "counts": [@]}]}'),
    *(
        '{"texts": ["a"], "exclude": [@]}',
        '{"format": @}',
        '{"format": "coco", "rank": @}',
        '{"image": @}',
        '{"conf": @}',
    ),
    *('{"points": [[1, 1]], "points": @}', '{"points": [[1, 1]], "format": "cutouts", "rank": @}', '{"stretch": @}'),
)
TEXTS = [  # that are JSON, nearly
    *("", "null", "[]", "{}", BIG, "\ufeff{}", "{\x00}", "'", "{]", DEEP, '{"a":' * 50_000, '{"points":' + DEEP),
    *(place.replace("@", word) for place in PLACES for word in WORDS),
]


HEADERS = [
    *(
        ("origin", value)
        for value in ("http://[::1", "null", "", "http://", "é", "[", "http://a:b:c", "//", "\x80\xff")
    ),
    *(("origin", "http://127.0.0.1:" + port) for port in ("", "x", "99999999", "-1")),
    *(
        ("host", value)
        for value in ("", "[", "[::1", "]", "127.0.0.1:x", "127.0.0.1:99999999", "é", "a@127.0.0.1", "..")
    ),
    *(
        ("authorization", value)
        for value in ("", "Bearer", "Basic", "Basic =", "Basic é", "Basic " + "A" * 9999, "\xff")
    ),
    *(("authorization", f"Basic {value}") for value in ("/w==", "Og==", "OsO=", "AAAA")),
    *(("cookie", value) for value in ("fastsam", "fastsam=", 'fastsam="', "=;=;", "fastsam=\xff", "a=\x01", ";" * 999)),
    *(("accept", value) for value in ("", "\xff", SEGMENTS + ";q=x", "*/*;" * 999)),
    *(("content-length", value) for value in ("0", "5")),
    *(
        ("range", "bytes=9999-"),
        ("if-none-match", "*"),
        ("expect", "x"),
        ("te", "trailers"),
        ("transfer-encoding", "x"),
    ),
    *(
        ("x-forwarded-host", "evil"),
        ("x-http-method-override", "DELETE"),
        ("connection", "upgrade"),
        ("upgrade", "h2c"),
    ),
]
TYPES = [
    *("", ";", "/", "application/json;", "application/json; charset=utf-16", "APPLICATION/JSON", "application/*"),
    *("multipart/form-data", "multipart/form-data; boundary", "multipart/form-data; boundary=", "multipart/mixed"),
    *(
        f"multipart/form-data; boundary={mark}"
        for mark in ('"', '""', "é", "a" * 300, "--", "\\", "a; boundary=b", "\x01")
    ),
    *("multipart/form-data; boundary=a; charset=nonsense", "multipart/form-data; boundary=a; charset=utf-16", "\xff"),
]
IDS = [
    *(
        "x" * 65,
        "%00",
        "%ff",
        "..",
        "%2e%2e",
        "%2e%2e%2f",
        "a%2fb",
        "a/b",
        "%ed%a0%80",
        "%f0%9f%98%80",
        "*",
        "{id_}",
        "'",
    ),
    *("%25", "%", "%zz", "?", "#", ";", " ", "a" * 9000, "-1", "0", "null", "%0d%0aSet-Cookie:%20a=b"),
]


def part(head: str, content: bytes = b"") -> bytes:
    return b"--a\r\n" + head.encode("latin-1") + b"\r\n\r\n" + content + b"\r\n"


def forms() -> Iterator[bytes]:
    """Bodies that say that they are forms, with the boundary `a`."""
    photo = bytes(cv2.imencode(".png", np.zeros((8, 8, 3), np.uint8))[1])
    image = part('Content-Disposition: form-data; name="image"; filename="a.png"', photo)
    end = b"--a--\r\n"

    def field(name: str, value: bytes) -> bytes:
        return part(f'Content-Disposition: form-data; name="{name}"', value)

    yield from (b"", b"\r\n", end, b"--a", b"--a\r\n", b"--a\r\n\r\n", image, image[:-9], b"--b\r\n" + image + end)
    yield from (image + image + end, field("image", b"x") + image + end, image + field("image", photo) + end)
    yield from (field("conf", b"0.1") + field("conf", b"0.2") + image + end, field("conf", b"\xff") + image + end)
    yield from (part("") + end, part("Content-Disposition") + end, part("Content-Disposition: form-data") + end)
    yield from (part("Content-Disposition: attachment; name=image; filename=a", photo) + end, part(": x") + end)
    for name in (
        '"',
        '""',
        "\xff",
        "\x00",
        "../../etc/passwd",
        "a" * 9000,
        "a\x1b[31m",
        'a"; x="',
        "C:\\a\\b.png",
        ".",
    ):
        yield part(f'Content-Disposition: form-data; name="image"; filename="{name}"', photo) + end
        yield field(name, b"1") + image + end
    for kind in (
        "text/plain; charset=nonsense",
        "multipart/mixed; boundary=b",
        "\xff",
        "image/png\r\nContent-Length: -1",
    ):
        yield part(f'Content-Disposition: form-data; name="image"; filename="a"\r\nContent-Type: {kind}', photo) + end
        yield part(f'Content-Disposition: form-data; name="conf"\r\nContent-Type: {kind}', b"0.1") + image + end
    for name in ("conf", "iou", "imgsz", "max_det", "tile", "refine", "stretch", "format", "_charset_", "name"):
        for value in (
            b"NaN",
            b"inf",
            b"-1",
            b"9" * 5000,
            b"1e999",
            b"\xff",
            b"\x00",
            b" ",
            b"true",
            b"[1]",
            b"0x10",
            b"1_0",
        ):
            yield field(name, value) + image + end
    yield b"".join(field(f"a{k}", b"") for k in range(100)) + image + end
    yield (
        part('Content-Disposition: form-data; name="image"; filename="a"\r\n' + "A: b\r\n" * 5000 + "C: d", photo) + end
    )
    yield part("Content-Disposition: form-data; name*=utf-8''%ff; filename*=x''y", photo) + end
    yield from (
        image + end + image + end,
        image + end + b"x" * 1000,
        bytes(1000) + image + end,
        image.replace(b"\r", b"") + end,
    )


def brought(packed: bytes, selection: bytes, **others: bytes) -> dict[str, Any]:
    """A form of POST /v1/select."""
    return {
        "segments": ("s", packed),
        "selection": (None, selection),
        **{name: (name, value) for name, value in others.items()},
    }


def fine(answer: Any) -> None:
    """An answer of the service's own: never 500, a line if it is a refusal."""
    assert answer.status_code < 500, (answer.status_code, answer.text[:300])
    if answer.content and answer.status_code >= 400 and answer.headers.get("content-type") == "application/json":
        assert "\n" not in json.loads(answer.content)["detail"]


@pytest.mark.parametrize("route", ["segment", "select", "images/{}/select", "images/{}/name"])
def test_json_of_every_kind(service: TestClient, coffee: dict[str, Any], route: str) -> None:
    for text in TEXTS:
        content = text.encode(errors="surrogatepass")
        fine(service.post("/v1/" + route.format(coffee["id"]), content=content, headers=JSON))


def test_headers_of_every_kind(service: TestClient, coffee: dict[str, Any]) -> None:
    guarded = TestClient(make_app(threads=1, token="t"), base_url="http://127.0.0.1")
    for name, value in HEADERS:
        for client in (service, guarded):
            for method, path in (("GET", "/healthz"), ("HEAD", "/"), ("POST", "/v1/segment"), ("OPTIONS", "/")):
                fine(client.request(method, path, headers=[(name.encode(), value.encode("latin-1"))]))
                twice = [(name.encode(), value.encode("latin-1"))] * 2
                fine(client.request(method, path, headers=twice))
    for token in ("é", "%ff", "%ed%a0%80", "%00", "a&token=t", "+", "%", "x" * 9999):
        fine(guarded.get(f"/?token={token}", follow_redirects=False))
    for other in (
        "http://[::1",
        "null",
        "http://",
        "http://127.0.0.1.evil",
        "http://127.0.0.1:80",
        "HTTP://127.0.0.1@evil",
    ):
        assert service.get("/healthz", headers={"origin": other}).status_code == 403
    assert service.get("/healthz", headers=[(b"origin", b"http://127.0.0.1")]).status_code == 200


def test_types_of_every_kind(service: TestClient, coffee: dict[str, Any]) -> None:
    (some, *_) = (body for body in forms() if body.endswith(b"--a--\r\n") and b"PNG" in body)
    for kind in TYPES:
        headers = [(b"content-type", kind.encode("latin-1"))]
        for path in ("segment", "select", f"images/{coffee['id']}/select", f"images/{coffee['id']}/name"):
            for body in (b"", b"{}", some):
                fine(service.post(f"/v1/{path}", content=body, headers=headers))


def test_forms_of_every_kind(service: TestClient) -> None:
    headers = {"content-type": "multipart/form-data; boundary=a"}
    for body in forms():
        fine(service.post("/v1/segment", content=body, headers=headers))
        fine(service.post("/v1/select", content=body, headers=headers))


def test_paths_of_every_kind(service: TestClient) -> None:
    for id_ in IDS:
        for method in ("GET", "HEAD", "DELETE", "POST", "PUT", "PATCH", "OPTIONS", "TRACE", "X"):
            for path in ("/v1/images/{}", "/v1/images/{}/select", "/v1/images/{}/name", "/page/{}", "/{}", "//{}"):
                asked = f"http://127.0.0.1{path.format(id_)}"  # `//x` alone would name another host
                answer = service.request(method, asked, headers=JSON, content=b"{}")
                fine(answer)
                assert "a=b" not in answer.headers.get("set-cookie", "")


def test_segments_that_no_service_gave(service: TestClient, examples: Path) -> None:
    image = (examples / "coffee.png").read_bytes()
    given = service.post("/v1/segment", files={"image": image}, headers={"accept": SEGMENTS}).content
    asked = b'{"points": [[300, 200]], "refine": false}'
    assert service.post("/v1/select", files=brought(given, asked)).status_code == 200
    arrays = dict(np.load(io.BytesIO(given), allow_pickle=False))
    wrong: list[tuple[str, Any]] = [
        ("letterbox_scale", np.float64(word)) for word in ("nan", "inf", "-1", "0", "1e308")
    ]
    for name, value in arrays.items():
        kinds = (np.zeros(0, value.dtype), value[None], np.array(None, object), np.zeros((0, 9), np.complex128))
        wrong += [(name, kind) for kind in kinds]
        if value.dtype.kind in "iuf":
            extremes = (-1, 0, 2**31, 2**62) if value.dtype.kind in "iu" else (-1e30, 0, np.nan, np.inf, 1e30)
            wrong += [
                (name, np.full_like(value, extreme)) for extreme in extremes if np.can_cast(type(extreme), value.dtype)
            ]
    for name, value in wrong:
        packed = io.BytesIO()
        np.savez(packed, **{**arrays, name: value})
        fine(service.post("/v1/select", files=brought(packed.getvalue(), asked)))
    for extra in ("é", "\x00", "NaN"):
        fine(service.post("/v1/select", files=brought(given, asked, stretch=extra.encode())))
    for text in TEXTS:
        fine(service.post("/v1/select", files=brought(given, text.encode(errors="surrogatepass"))))


@given(st.binary(max_size=60), st.integers(0, 10**6), st.integers(0, 40))
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_damaged_segments(service: TestClient, given_: bytes, noise: bytes, place: int, cut: int) -> None:
    data = bytearray(given_)
    place %= len(data)
    data[place : place + cut] = noise
    fine(service.post("/v1/select", files=brought(bytes(data), b'{"points": [[30, 20]], "refine": false}')))


@pytest.fixture(scope="module")
def given_(service: TestClient) -> bytes:
    """The segments of a small photo, as the service gives them."""
    photo = bytes(cv2.imencode(".png", np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8))[1])
    content: bytes = service.post("/v1/segment", files={"image": photo}, headers={"accept": SEGMENTS}).content
    return content


CONFIG = (
    '<View><Image name="i" value="$image"/><BrushLabels name="l" toName="i"><Label value="a"/></BrushLabels></View>'
)


def test_what_no_label_studio_sends(service: TestClient) -> None:
    photo = f"data:image/png;base64,{schemas.PIXEL}"
    task = {"data": {"image": photo}}

    def send(tasks: Any = (task,), config: Any = CONFIG, result: Any = None) -> None:
        ask = {"tasks": tasks, "label_config": config, "params": {"context": {"result": result}}}
        fine(service.post("/label-studio/predict", json=ask))

    for config in (
        "",
        "<",
        "<a/>",
        "<View>" * 100_000,
        "\x00",
        "<?xml version='1.0' encoding='x'?><a/>",
        "<a b='1' b='2'/>",
    ):
        send(config=config)
    for tasks in ([], [{}], [{"data": {}}], [{"data": {"image": "http://["}}], [{"data": {"image": "\x00"}}], "x"):
        send(tasks=tasks)
    for kind in ("keypointlabels", "rectanglelabels", [], {}, None, 1):
        for value in (None, 1, [], {"x": 10**400, "y": 1}, {"x": "nan", "y": 1}, {"x": "é", "y": []}, {"x": 1, "y": 1}):
            send(result=[{"type": kind, "value": value, "is_positive": []}])
    for text in TEXTS:
        fine(service.post("/label-studio/predict", content=text.encode(errors="surrogatepass"), headers=JSON))


def test_every_page_has_a_head(service: TestClient) -> None:
    for path in (
        "/",
        "/page/app.js",
        "/page/style.css",
        "/healthz",
        "/readyz",
        "/metrics",
        "/v1/about",
        "/openapi.json",
    ):
        head, whole = service.head(path), service.get(path)
        assert head.status_code == whole.status_code == 200, path
        assert head.content == b""
        assert head.headers["content-type"] == whole.headers["content-type"]
        if path != "/metrics":
            assert head.headers["content-length"] == str(len(whole.content))
    assert service.head("/page/none.js").status_code == 404
    assert service.head("/v1/segment").status_code == 405


def avif_that_lies(height: int, width: int) -> bytes:
    """An AVIF whose boxes say 10 x 10, and whose picture is larger."""
    made = cv2.imencode(".avif", np.full((height, width, 3), 120, np.uint8), [cv2.IMWRITE_AVIF_SPEED, 10])[1].tobytes()
    at = made.index(b"ispe") + 8
    return bytes(made[:at] + struct.pack(">II", 10, 10) + made[at + 8 :])


def test_a_photo_that_lies_about_its_size_gets_no_memory(
    service: TestClient, detail: Callable[[Any], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("resource")
    answer = service.post("/v1/segment", files={"image": avif_that_lies(6000, 6000)})
    assert answer.status_code == 422
    detail(answer)
    assert service.post("/v1/segment", files={"image": avif_that_lies(20, 20)}).status_code in (200, 422)
