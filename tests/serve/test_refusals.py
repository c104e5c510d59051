"""What the service refuses, it refuses in a line, and before it costs anything."""

import re
import struct
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("fastapi", reason="the serve extra is not installed")

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient


@pytest.mark.parametrize(
    ("body", "status", "about"),
    [
        ({"points": [[9999, 2]]}, 422, "lies outside the photo"),
        ({"points": [[1, 2]], "labels": [0]}, 422, "foreground"),
        ({"points": [[1, 2]], "labels": [1, 1]}, 422, "one label per point"),
        ({"points": [["a", 2]]}, 422, "points.0.0"),
        ({"points": [[1, 2, 3]]}, 422, "points.0"),
        ({"boxes": [[5, 5, 5, 9]]}, 422, "no area"),
        ({"masks": [{"size": [10**9, 10**9], "counts": "0"}]}, 422, "but the photo is 600 x 400"),
        ({"masks": [{"size": [400, 600], "counts": [1, 2]}]}, 422, "do not add up|add up"),
        ({"masks": [{"size": [400, 600], "counts": "zzz"}]}, 422, "mask"),
        ({"masks": [{"size": [400, 600], "counts": [2**62, 2**62, 2**62, 2**62 + 240_000]}]}, 422, "add up"),
        ({"masks": [{"size": [400, 600], "counts": [2**80]}]}, 422, "mask"),
        ({"texts": [""]}, 422, "texts.0"),
        ({"exclude": ["cup"], "points": [[1, 2]]}, 422, "exclude"),
        ({"points": [[1, 2]], "among": [100_000]}, 422, "among"),
        ({"points": [[1, 2]], "wrong": 1}, 422, "wrong"),
        ({"format": "docx"}, 422, "format"),
        ({"points": [[1, 2]], "refine": "yes"}, 422, "refine"),
        ({"points": [[1, 2]], "refine": 1}, 422, "refine"),
        (
            {"prompts": [{"points": [[1, 2]], "mask": {"size": [2, 2], "counts": [0, 4]}}]},
            422,
            "but the photo is 600 x 400",
        ),
        (
            {"prompts": [{"points": [[1, 2]], "mask": {"size": [400, 600], "counts": [240_000]}}]},
            422,
            "mask is empty",
        ),
        (
            {"prompts": [{"points": [[1, 2]], "labels": [0, 1], "mask": {"size": [400, 600], "counts": [0, 240_000]}}]},
            422,
            "one label per point",
        ),
        ({"prompts": [{"points": [[1, 2]], "mask": {"size": [400, 600], "counts": "0" * 4_500_000}}]}, 413, "larger"),
        ({"prompts": [{"points": [[9999, 2]], "mask": {"size": [400, 600], "counts": [0, 240_000]}}]}, 422, "outside"),
        ({}, 422, "needs prompts"),
        ([], 422, "object|dictionary|valid"),
    ],
)
def test_prompts_that_make_no_sense_are_refused(
    detail: Callable[[Any], str], service: TestClient, coffee: dict[str, Any], body: Any, status: int, about: str
) -> None:
    answer = service.post(f"/v1/images/{coffee['id']}/select", json=body)
    assert answer.status_code == status
    assert re.search(about, detail(answer)), detail(answer)


def test_numbers_that_are_none_are_refused(
    detail: Callable[[Any], str], service: TestClient, coffee: dict[str, Any]
) -> None:
    where, kind = f"/v1/images/{coffee['id']}/select", {"content-type": "application/json"}
    for point in ("NaN", "Infinity", "1e999"):
        for body in ('{"points": [[%s, 2]]}', '{"boxes": [[0, 0, 9, %s]]}', '{"points": [[1, 2]], "refine": %s}'):
            answer = service.post(where, content=body % point, headers=kind)
            assert answer.status_code == 422
            detail(answer)


def test_runs_without_end_are_refused_before_they_are_read(
    detail: Callable[[Any], str], service: TestClient, coffee: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A string of letters unpacks to dozens of bytes for each."""
    service_ = service.app.state.service  # type: ignore[attr-defined]
    monkeypatch.setattr(service_, "limits", replace(service_.limits, bytes=32 << 20))
    monkeypatch.setattr("fastsam.masks.rle.decode", lambda _: pytest.fail("it was read"))
    for counts, about in (("0" * 4_500_000, "4194304"), ([0] * 4_500_000, "counts")):
        prompt = {"points": [[300, 200]], "mask": {"size": [400, 600], "counts": counts}}
        answer = service.post(f"/v1/images/{coffee['id']}/select", json={"prompts": [prompt]})
        assert answer.status_code == 422
        assert about in detail(answer)


def test_refine_of_a_photo_is_true_or_false(detail: Callable[[Any], str], service: TestClient) -> None:
    image = {"image": ("a.png", png(20, 20))}
    for value in ("yes", "1", "7"):
        answer = service.post("/v1/segment", files=image, data={"refine": value})
        assert answer.status_code == 422
        assert "refine" in detail(answer)
    assert service.post("/v1/segment", files=image, data={"refine": "True"}).status_code == 200
    assert service.post("/v1/segment", files=image, data={"refine": "false"}).status_code == 200


def png(height: int, width: int) -> bytes:
    return bytes(cv2.imencode(".png", np.zeros((height, width, 3), np.uint8))[1])


def test_photos_that_are_none_or_too_large_are_refused(detail: Callable[[Any], str], service: TestClient) -> None:
    def send(data: bytes, **options: Any) -> Any:
        return service.post("/v1/segment", files={"image": ("a.png", data)}, data=options)

    assert send(b"").status_code == 422
    assert "not an image" in detail(send(b"no image"))
    assert "cut short" in detail(send(png(20, 20)[:60]))
    assert send(png(10, 10)).status_code == 200
    large = send(png(1500, 1500))
    assert large.status_code == 413
    assert "1500 x 1500 pixels has more than 2000000" in detail(large)
    heavy = send(bytes(5_000_000))
    assert heavy.status_code == 413
    assert "larger than 4000000 bytes" in detail(heavy)
    assert "conf" in detail(send(png(10, 10), conf=7))
    assert "unknown" in detail(send(png(10, 10), unknown=7))


def test_a_bomb_is_refused_by_its_header(service: TestClient) -> None:
    """A PNG of a few bytes that says it has four billion pixels is never decoded."""
    data = bytearray(png(10, 10))
    data[16:24] = (65_000).to_bytes(4, "big") * 2
    answer = service.post("/v1/segment", files={"image": ("a.png", bytes(data))})
    assert answer.status_code == 413  # decoded, it would be damaged or too large for any memory
    assert "65000 x 65000 pixels" in answer.json()["detail"]


def test_a_tiff_that_names_two_sizes_is_not_decoded_at_the_other(service: TestClient) -> None:
    """Of two entries one reader takes the first, another the last."""

    def entry(tag: int, value: int) -> bytes:
        return struct.pack("<HHII", tag, 4, 1, value)

    tags = [
        (256, 4000),
        (256, 10),
        (257, 4000),
        (257, 10),
        (258, 8),
        (259, 1),
        (262, 1),
        (273, 8),
        (278, 4000),
        (279, 100),
    ]
    directory = struct.pack("<H", len(tags)) + b"".join(entry(*tag) for tag in tags) + bytes(4)
    data = b"II*\0" + struct.pack("<I", 8) + directory + bytes(200)
    answer = service.post("/v1/segment", files={"image": ("a.tiff", data)})
    assert answer.status_code in (413, 422)


def test_many_masks_of_a_large_photo_are_refused_before_they_are_decoded(
    detail: Callable[[Any], str], service: TestClient
) -> None:
    photo = service.post("/v1/segment", files={"image": ("a.png", png(1400, 1400))}).json()
    mask = {"size": [1400, 1400], "counts": [0, 1_960_000]}
    body = {"masks": [mask] * 200, "texts": ["cup"]}
    answer = service.post(f"/v1/images/{photo['id']}/select", json=body)
    assert answer.status_code == 413
    assert "send fewer" in detail(answer)


def test_a_form_never_goes_to_disk(service: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def rollover(_: object) -> None:
        raise AssertionError("a photo went to disk")

    monkeypatch.setattr("tempfile.SpooledTemporaryFile.rollover", rollover)
    noise = np.random.default_rng(0).integers(0, 256, (1100, 1000, 3), np.uint8)
    data = bytes(cv2.imencode(".png", noise)[1])
    assert len(data) > 3_000_000
    assert service.post("/v1/segment", files={"image": ("a.png", data)}).status_code == 200


@pytest.mark.parametrize("image", ["/etc/passwd", "file:///etc/passwd", "http://127.0.0.1/secret.png", "../x.png"])
def test_no_path_and_no_address_is_read(service: TestClient, image: str) -> None:
    answer = service.post("/v1/segment", json={"image": image})
    assert answer.status_code == 422
    for path in ("/page/..%2f..%2fapp.py", "/page/%2e%2e/app.py", "/page/app.py", "/../../etc/passwd"):
        assert service.get(path).status_code == 404


def test_other_bodies_are_refused(service: TestClient) -> None:
    assert service.post("/v1/segment", content=b"x", headers={"content-type": "text/plain"}).status_code == 415
    broken = service.post("/v1/segment", content=b"x", headers={"content-type": "multipart/form-data; boundary=a"})
    assert broken.status_code in (400, 422)
    nothing = service.post("/v1/segment", content=b"x", headers={"content-type": "multipart/form-data"})
    assert nothing.status_code == 400
    assert service.post("/v1/segment", data={"conf": 1}, files={"other": b"x"}).status_code == 422
    plain = {"content-type": "text/plain"}
    for path in ("/v1/images/x/select", "/v1/images/x/name", "/label-studio/predict"):
        assert service.post(path, content=b"{}", headers=plain).status_code in (404, 415)
    assert service.post("/v1/segment", content=b"{", headers={"content-type": "application/json"}).status_code == 422


@given(
    st.binary(min_size=1, max_size=64),
    st.integers(0, 10**6),
    st.sampled_from([".jpg", ".png", ".webp", ".tiff", ".gif"]),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damaged_photos_never_break_it(service: TestClient, noise: bytes, place: int, kind: str) -> None:
    picture = np.random.default_rng(place).integers(0, 256, (24, 32, 3), np.uint8)
    data = bytearray(cv2.imencode(kind, picture)[1])
    place %= len(data)
    data[place : place + len(noise)] = noise
    answer = service.post("/v1/segment", files={"image": bytes(data)})
    assert answer.status_code in (200, 413, 422)
