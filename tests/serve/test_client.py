"""The small client gives what the library gives, over a real connection."""

import json
import socket
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("fastapi", reason="the serve extra is not installed")

from fastsam import FastSAM, Prompt
from fastsam.client import Client
from fastsam.errors import UsageError
from fastsam.image.read import decode


def test_masks_are_the_librarys(address: str, model: FastSAM, examples: Path) -> None:
    segments = model(examples / "coffee.png")
    pixels = cv2.cvtColor(cv2.imread(str(examples / "coffee.png")), cv2.COLOR_BGR2RGB)
    client = Client(address)
    for source in (examples / "coffee.png", (examples / "coffee.png").read_bytes(), pixels):
        photo = client.segment(source)
        assert photo.size == segments.size
        for own, mask in zip(photo.segments, segments.masks, strict=True):
            np.testing.assert_array_equal(own.mask, mask)
    asked = {"points": [(300, 200)], "boxes": [(590, 390, 599, 399)], "masks": [segments.masks[1]]}
    for refine in (None, False):
        picks = photo.select(**asked, refine=refine)
        want = segments.select(**asked, refine=False if refine is False else model.refiner)
        for own, pick in zip(picks, want, strict=True):
            assert (own is None) == (not pick)
            if own is not None:
                np.testing.assert_array_equal(own.mask, pick.mask)
                assert (own.index, own.how) == (pick.index, pick.how)
                assert own.quality == (None if refine is False else pytest.approx(pick.quality, abs=1e-5))
    assert photo.file("yolo", among=[0]).count(b"\n") == 1
    assert len(photo.file("yolo", tolerance=2)) < len(photo.file("yolo", tolerance=0)) / 2
    assert b"counts" not in photo.file("coco", polygons=True)
    photo.forget()
    with pytest.raises(UsageError, match="segment it again"):
        photo.select(points=[(300, 200)])


def test_a_prompt_corrects_the_mask_before(address: str, model: FastSAM, examples: Path) -> None:
    photo = Client(address).segment(examples / "coffee.png", refine=True)
    segments = model(examples / "coffee.png", refine=True)
    for own, mask in zip(photo.segments, segments.masks, strict=True):
        np.testing.assert_array_equal(own.mask, mask)
    (first,) = photo.select(points=[(300, 200)])
    assert first is not None
    prompt = Prompt(points=[(300, 200), (30, 380)], labels=[1, 0], mask=first.mask)
    (own, again), (pick,) = photo.select([prompt, prompt]), segments.select(prompt, refine=model.refiner)
    assert own is not None
    np.testing.assert_array_equal(own.mask, pick.mask)
    assert own == again == photo.select(prompt)[0]
    packed = Client(address).segments(examples / "coffee.png", refine=True)
    assert packed.to_rle() == segments.to_rle()


def test_an_address_needs_no_scheme_and_all_says_what_it_is(address: str, model: FastSAM, examples: Path) -> None:
    client = Client(address.removeprefix("http://") + "/")
    assert repr(client) == f"Client({address!r})"
    photo = client.segment(examples / "coffee.png")
    about = client.about()  # the network is loaded by now
    assert about["conf"] == model.settings.conf
    assert {"version", "model", "words", "pixels"} <= set(about)
    n = len(photo.segments)
    assert repr(photo) == f"KeptPhoto('coffee.png', 600 x 400 pixels, {n} segments, id={photo.id!r})"
    assert repr(photo.segments[0]).startswith("Mask('object', mask, score 0.")
    with pytest.raises(UsageError, match=r"address must be one of HTTP, such as 127\.0\.0\.1:8000, not ftp://host"):
        Client("ftp://host")


def test_names_are_the_librarys(address: str, encoder: None, model: FastSAM, examples: Path) -> None:
    segments, words = model(examples / "coffee.png"), ["cup", "spoon", "table"]
    photo = Client(address).segment(examples / "coffee.png")
    assert photo.name(words) == segments.name(words)
    assert photo.name(words, all=True) == segments.name(words, all=True)
    kinds = json.loads(photo.file("coco"))["categories"]
    assert [kind["name"] for kind in kinds] == ["object", *words]
    for every in (False, True):
        (found,), (pick,) = photo.select(texts=["cup"], all=every), segments.select(texts=["cup"], all=every)
        assert found is not None
        assert [match.index for match in found.matches] == [match.index for match in pick.matches]


def test_refusals_are_the_services_words(address: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not an image"):
        Client(address).segment(b"noise")
    with pytest.raises(UsageError, match="is fastsam serve running"):
        Client("http://127.0.0.1:9").segment(b"noise")


def test_a_client_that_goes_costs_nothing_more(address: str) -> None:
    """The connection is cut in the middle of many seconds of work: the job ends with it."""
    picture = np.random.default_rng(0).integers(0, 256, (1600, 1600, 3), np.uint8)
    data = bytes(cv2.imencode(".jpg", picture)[1])
    body = b'--b\r\nContent-Disposition: form-data; name="tile"\r\n\r\n256\r\n--b\r\nContent-Disposition: form-data; '
    body += b'name="imgsz"\r\n\r\n2048\r\n--b\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\n'
    body += data + b"\r\n--b--\r\n"
    head = f"POST /v1/segment HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n"
    head += "Content-Type: multipart/form-data; boundary=b\r\n\r\n"
    client = Client(address)

    def pending() -> float:
        lines = client.ask("GET", "/metrics").text.splitlines()
        return float(next(line for line in lines if line.startswith("fastsam_jobs_pending")).split()[1])

    with socket.create_connection(("127.0.0.1", int(address.rsplit(":", 1)[1]))) as connection:
        connection.sendall(head.encode() + body)
        until = time.monotonic() + 60
        while pending() < 1:
            assert time.monotonic() < until
            time.sleep(0.02)
    until = time.monotonic() + 15  # all of the work takes a minute, or longer where this is slow
    while pending() > 0:
        assert time.monotonic() < until, "the job goes on without its client"
        time.sleep(0.05)
    picture = np.zeros((40, 40, 3), np.uint8)
    assert client.segment(picture).size == (40, 40)


def test_an_address_needs_no_scheme_and_says_what_it_serves(address: str, model: FastSAM, examples: Path) -> None:
    client = Client(address.removeprefix("http://"))
    assert client.address == address
    assert client.about()["model"] == "fastsam-tiny"
    photo = client.segment(examples / "coffee.png", max_det=3)
    assert repr(photo) == f"KeptPhoto('coffee.png', 600 x 400 pixels, 3 segments, id={photo.id!r})"


def test_a_deep_photo_is_stretched_as_the_library_does(address: str, model: FastSAM, examples: Path) -> None:
    dark = cv2.imread(str(examples / "coffee.png")).astype(np.uint16) * 4  # 10 bits of 16
    data = bytes(cv2.imencode(".png", dark)[1])
    pixels = decode(data, stretch=True)
    client = Client(address)
    photo = client.segment(data, stretch=True)
    segments = model(pixels)
    assert [own.row["segmentation"] for own in photo.segments] == segments.to_rle()
    assert len(photo.segments) != len(client.segment(data).segments)
    (own,), (pick,) = photo.select(points=[(300, 200)]), segments.select(points=[(300, 200)], refine=model.refiner)
    assert own is not None
    np.testing.assert_array_equal(own.mask, pick.mask)
    assert (
        client.segment(cv2.cvtColor(dark, cv2.COLOR_BGR2RGB), stretch=True).answer["segments"]
        == photo.answer["segments"]
    )


@pytest.mark.parametrize("shape", [(20, 20), (20, 20, 4), (0, 20, 3), (20, 20, 3, 1)])
def test_an_array_that_is_no_photo_is_refused_here(shape: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match="must be RGB"):
        Client("127.0.0.1:9").segment(np.zeros(shape, np.uint8))
