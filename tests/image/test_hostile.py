"""What a photo's file says is read before it is decoded: little memory and time, whatever it says."""

import json
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fastsam import UnreadableImageError, UsageError
from fastsam.image import header
from fastsam.image.read import decode, read_image

ROOT = Path(__file__).parent.parent.parent


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(width: int, height: int) -> bytes:
    size = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + size + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def bmp(width: int, height: int) -> bytes:
    sizes = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, 2, 0, 0, 256, 256)
    return b"BM" + struct.pack("<IHHI", 1080, 0, 0, 1078) + sizes + bytes(1024) + b"\0\1"


def gif(width: int, height: int) -> bytes:
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0, 0, 0) + b"\x2c" + bytes(9) + b"\2\0;"


def webp(width: int, height: int) -> bytes:
    body = b"WEBPVP8X" + struct.pack("<II", 10, 0) + b"".join((s - 1).to_bytes(3, "little") for s in (width, height))
    return b"RIFF" + struct.pack("<I", len(body)) + body


def jpeg(width: int, height: int, scans: int = 1) -> bytes:
    frame = b"\xff\xc2" + struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\1\x11\0"
    return b"\xff\xd8" + frame + (b"\xff\xda\0\x08\1\1\0\0\x3f\0" + b"\0\0") * scans + b"\xff\xd9"


def tiff(width: int, height: int) -> bytes:
    tags = ((256, width), (257, height), (258, 8), (262, 1), (277, 1))
    rows = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + rows + bytes(4)


def box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), name) + content


def avif(width: int, height: int) -> bytes:
    held = box(b"iprp", box(b"ipco", box(b"ispe", struct.pack(">III", 0, width, height))))
    return box(b"ftyp", b"avif\0\0\0\0avif") + box(b"meta", bytes(4) + held)


def heic(width: int, height: int) -> bytes:
    return avif(width, height).replace(b"avif", b"heic")


def jp2(width: int, height: int) -> bytes:
    sizes = struct.pack(">HIIIIIIIIHB", 0, width, height, 0, 0, width, height, 0, 0, 1, 7)
    return b"\xff\x4f\xff\x51" + struct.pack(">H", 41) + sizes + b"\1\1"


def pnm(width: int, height: int) -> bytes:
    return b"P5 # a note\n%d %d\n255\n\0" % (width, height)


KINDS = [png, bmp, gif, webp, jpeg, tiff, avif, heic, jp2, pnm]


@pytest.mark.parametrize("make", KINDS)
def test_the_size_is_read_before_anything_is_decoded(make, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (header.read_header(make(300, 200)).width, header.read_header(make(300, 200)).height) == (300, 200)
    with pytest.raises(
        UnreadableImageError, match=r"16000 x 15000 pixels are more than 200,000,000: set FASTSAM_MAX_PIX"
    ):
        decode(make(16000, 15000))
    monkeypatch.setenv("FASTSAM_MAX_PIXELS", "50000")
    with pytest.raises(
        UnreadableImageError, match="300 x 200 pixels are more than 50,000: set FASTSAM_MAX_PIXELS=60000"
    ):
        decode(make(300, 200))


def test_the_limit_can_be_raised_and_must_be_a_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.new("RGB", (300, 200)).save(tmp_path / "photo.png")
    monkeypatch.setenv("FASTSAM_MAX_PIXELS", "60000")
    assert read_image(tmp_path / "photo.png").shape == (200, 300, 3)
    for wrong in ("many", "0", "-5", "1e9"):
        monkeypatch.setenv("FASTSAM_MAX_PIXELS", wrong)
        with pytest.raises(UsageError, match=rf"FASTSAM_MAX_PIXELS must be .* not '{wrong}'"):
            read_image(tmp_path / "photo.png")


def test_an_array_that_is_in_memory_already_has_no_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FASTSAM_MAX_PIXELS", "100")
    assert read_image(np.zeros((20, 20, 3), np.uint8)).shape == (20, 20, 3)


def test_a_jpeg_of_very_many_scans_is_refused() -> None:
    assert header.read_header(jpeg(300, 200, 60)).scans == 60
    header.check(header.read_header(jpeg(300, 200, 60)))
    with pytest.raises(UnreadableImageError, match="2000 scans"):
        decode(jpeg(300, 200, 2000))
    with pytest.raises(UnreadableImageError, match="90 scans"):  # fewer, but of a large photo
        decode(jpeg(14000, 14000, 90))


def test_scans_behind_a_marker_without_a_length_are_counted() -> None:
    hidden = jpeg(300, 200, 2000)
    hidden = hidden[:2] + b"\xff\x01" + hidden[2:]
    assert header.read_header(hidden).scans == 2000


def test_a_png_whose_chunk_claims_gigabytes_is_cut() -> None:
    whole = png(30, 20)
    at = whole.index(b"IDAT") - 4
    with pytest.raises(UnreadableImageError, match="cut short"):
        decode(whole[:at] + b"\xff\xff\xff\xf0" + whole[at + 4 :])


MANY = {
    "jpeg": b"\xff\xd8\xff\x01" + b"\xff\x01" * (1 << 20),
    "png": png(30, 20)[:33] + chunk(b"tEXt", b"") * 200_000,
    "avif": box(b"ftyp", b"avif\0\0\0\0avif") + box(b"moov", box(b"trak", box(b"free", b"") * 15_000) * 10),
}


@pytest.mark.parametrize("kind", MANY)
def test_a_file_of_very_many_parts_is_refused_before_its_end(kind: str) -> None:
    with pytest.raises(UnreadableImageError, match="more parts than a photo needs"):
        header.read_header(MANY[kind])


def test_as_many_parts_as_encoders_write_are_read() -> None:
    whole = png(30, 20)
    parts = whole[:33] + chunk(b"IDAT", bytes(1 << 11)) * 25_000 + whole[-12:]  # 2 KiB each
    assert header.read_header(parts).width == 30


def test_a_file_too_large_for_any_photo_is_not_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / "sparse.jpg").open("wb") as file:
        file.write(b"\xff\xd8\xff\xe0")
        file.truncate(1 << 40)  # takes no room on the disk
    monkeypatch.setenv("FASTSAM_MAX_PIXELS", "100000")
    with pytest.raises(UnreadableImageError, match=r"sparse\.jpg: the file is too large: the maximum is 800,000 bytes"):
        read_image(tmp_path / "sparse.jpg")


def test_what_is_no_regular_file_is_one_line(tmp_path: Path) -> None:
    os.symlink("loop.jpg", tmp_path / "loop.jpg")
    os.symlink("/dev/zero", tmp_path / "zero.jpg")
    os.mkfifo(tmp_path / "fifo.jpg")
    (tmp_path / "folder.jpg").mkdir()
    for name in ("loop.jpg", "zero.jpg", "fifo.jpg", "folder.jpg", "a\0b", "x" * 300 + ".jpg"):
        with pytest.raises(UnreadableImageError, match="cannot be read") as error:
            read_image(tmp_path / name)
        assert "\n" not in str(error.value)


def test_damaged_photos_are_read_or_refused() -> None:
    """In a process of its own, whose memory is bounded; `python benchmarks/attack_photos.py 100000` tries more."""
    command = [sys.executable, str(ROOT / "benchmarks" / "attack_photos.py"), "600"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    total = json.loads(done.stdout)
    assert (total["tried"], total["wrong"]) == (600, 0)
    assert total["read"] > 30
    assert total["refused"] > 300
