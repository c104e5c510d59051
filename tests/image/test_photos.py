"""Folders: content decides what is a photo or a video; what is left out is counted."""

import warnings
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from fastsam import PhotoWarning, UsageError
from fastsam.image import video
from fastsam.image.kinds import kind_of
from fastsam.image.photos import find_photos


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    photo = Image.new("RGB", (16, 12), (200, 30, 30))
    for name, kind in (
        ("a.jfif", "jpeg"), ("b.jpe", "jpeg"), ("c.mpo", "mpo"), ("d", "png"), ("e.backup", "webp"), ("f.gif", "gif"),
    ):  # fmt: skip
        photo.save(tmp_path / name, kind)
    return tmp_path


def names(folder: Path) -> list[str]:
    return [photo.name for photo in find_photos([str(folder)])]


def test_photos_are_found_by_what_they_hold(folder: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert names(folder) == ["a.jfif", "b.jpe", "c.mpo", "d", "e.backup", "f.gif"]


def test_what_is_left_out_is_counted_in_one_line(folder: Path) -> None:
    (folder / "._a.jfif").write_bytes(b"\0\5\x16\7" + bytes(60))
    (folder / "notes.txt").write_text("no photo")
    (folder / "code.ts").write_text("let x = 1")
    (folder / "list.txt").write_text("no photo either")
    Image.new("RGB", (16, 12)).save(folder / "preview.nef", "tiff")
    (folder / "deeper.jpg").mkdir()
    with pytest.warns(PhotoWarning, match=r"5 files left out \(2 \.txt, 1 hidden, 1 \.ts, 1 \.nef\)"):
        assert len(names(folder)) == 6


def test_a_damaged_photo_is_not_passed_over(folder: Path) -> None:
    (folder / "damaged.jpg").write_text("no photo")
    assert "damaged.jpg" in names(folder)


def test_a_folder_of_other_files_says_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no photo")
    with pytest.raises(UsageError, match=r"has no photos: only 1 \.txt"):
        find_photos([str(tmp_path)])


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [
        (".avi", "MJPG"), (".wmv", "WMV2"), (".asf", "WMV2"), (".ts", "PIM1"), (".m2ts", "mpg2"), (".mpg", "PIM1"),
        (".mkv", "mp4v"), (".mp4", "mp4v"), (".flv", "FLV1"), (".webm", "VP80"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("named", [True, False])
def test_videos_are_known_by_what_they_hold(tmp_path: Path, suffix: str, codec: str, named: bool) -> None:
    clip = tmp_path / f"clip{suffix}"
    writer = cv2.VideoWriter(str(clip), cv2.VideoWriter_fourcc(*codec), 25, (64, 48))
    if not writer.isOpened():
        pytest.skip(f"this OpenCV writes no {codec}")
    for k in range(30):
        writer.write(np.full((48, 64, 3), 8 * k, np.uint8))
    writer.release()
    if not named:
        clip = clip.rename(tmp_path / "clip")
    assert video.is_video(clip)
    assert [photo.frame for photo in find_photos([str(tmp_path)])] == list(range(30))
    assert sum(1 for _ in video.frames(clip)) == 30


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11" + bytes(8), "video"),
        ((b"\x47" + bytes(187)) * 3, "video"),
        ((bytes(4) + b"\x47" + bytes(187)) * 3, "video"),
        (b"let x: number = 1;" * 40, None),
        (b"\0\0\0\x18ftypisom\0\0\0\0isommp42", "video"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "heif"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif", "avif"),
        (b"\0\0\0\x18ftypM4A \0\0\0\0isommp42", None),
        (b"\0\5\x16\7" + bytes(40), None),
        (b"P5 3 3 255\n", "pnm"),
        (b"Photos of my holidays", None),
        (b"", None),
    ],
)
def test_the_first_bytes_tell_the_kind(head: bytes, kind: str | None) -> None:
    assert kind_of(head) == kind


def test_a_video_that_promises_too_many_frames_is_not_believed(clip: Path) -> None:
    data = bytearray(clip.read_bytes())
    at = data.index(b"avih") + 8 + 16
    data[at : at + 4] = b"\xff\xff\xff\x7f"
    at = data.index(b"strh") + 8 + 32
    data[at : at + 4] = b"\xff\xff\xff\x7f"
    clip.write_bytes(data)
    assert video.count(clip) <= len(data)


@pytest.mark.parametrize("word", ["", "a\0b", "no-such-*.jpg"])
def test_words_that_name_no_file_are_one_line(word: str) -> None:
    with pytest.raises(UsageError) as error:
        find_photos([word])
    assert "\n" not in str(error.value)
    assert "\0" not in str(error.value)
