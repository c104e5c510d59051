"""Frames come one by one, with number and time; a source says its rate, size and length before."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from fastsam import UnreadableImageError, UsageError
from fastsam.sources import Frame
from fastsam.video.read import read
from fastsam.video.write import writer

Moving = Callable[..., list[np.ndarray]]


@pytest.fixture
def film(moving: Moving, tmp_path: Path) -> Path:
    """A video of 30 frames."""
    file = tmp_path / "film.avi"
    with writer(file, 10) as video:
        for frame in moving(30, 40, 64):
            video.write(frame)
    return file


def test_a_video_says_what_it_is_and_gives_every_frame(film: Path, moving: Moving) -> None:
    clip = read(film)
    assert (clip.rate, clip.size, clip.count, clip.live) == (10, (40, 64), 30, False)
    shots = list(clip.frames)
    assert [frame for frame, _ in shots] == [Frame(film, k) for k in range(30)]
    np.testing.assert_allclose([frame.seconds for frame, _ in shots], np.arange(30) / 10, atol=1e-6)
    for (_, pixels), drawn in zip(shots, moving(30, 40, 64), strict=True):
        assert pixels.dtype == np.uint8
        assert np.abs(pixels.astype(int) - drawn).mean() < 8


@pytest.mark.parametrize(
    ("asked", "numbers"),
    [
        ({"every": 7}, [0, 7, 14, 21, 28]),
        ({"first": 3, "last": 5}, [3, 4, 5]),
        ({"every": 10, "first": 5}, [5, 15, 25]),
        ({"first": 28, "last": 900}, [28, 29]),
    ],
)
def test_some_frames(film: Path, asked: dict[str, int], numbers: list[int]) -> None:
    clip = read(film, **asked)
    assert clip.count == len(numbers)
    assert clip.rate == 10 / asked.get("every", 1)
    shots = list(clip.frames)
    assert [frame.number for frame, _ in shots] == numbers
    every = dict(read(film).frames)
    for frame, pixels in shots:
        np.testing.assert_array_equal(pixels, every[frame])


def test_a_folder_and_a_list_of_photos_are_videos(tmp_path: Path, moving: Moving) -> None:
    frames = moving(4, 20, 30)
    for k, pixels in enumerate(frames):
        cv2.imwrite(str(tmp_path / f"{k:02d}.png"), pixels[..., ::-1])
    files = sorted(tmp_path.iterdir())
    for source in (tmp_path, str(tmp_path / "*.png"), files, frames, np.stack(frames)):
        clip = read(source)
        assert (clip.rate, clip.size, clip.count) == (25, (20, 30), 4)
        for k, (frame, pixels) in enumerate(clip.frames):
            assert (frame.number, frame.seconds) == (k, k / 25)
            np.testing.assert_array_equal(pixels, frames[k])
    assert [frame.origin for frame, _ in read(tmp_path).frames] == files
    assert read(iter(frames)).count is None


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("missing.mp4", None, r"missing\.mp4: there is no such file"),
        ("empty.mp4", b"", r"empty\.mp4: not a video that can be read"),
        ("text.mp4", b"Dear diary", r"text\.mp4: not a video that can be read"),
        ("notes.txt", b"Dear diary", r"notes\.txt"),
    ],
)
def test_what_is_no_video_is_one_line(tmp_path: Path, name: str, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UnreadableImageError, match=message):
        read(tmp_path / name)


def test_a_video_that_is_cut_gives_its_frames_and_then_an_error(film: Path) -> None:
    data = film.read_bytes()
    film.write_bytes(data[: len(data) // 2])
    clip, found = read(film), []
    if clip.count is None or clip.count < 30:
        pytest.skip("this OpenCV counts the frames of a cut AVI itself")
    with pytest.raises(UnreadableImageError, match=r"film\.avi: the video ends early, after \d+ of 30 frames"):
        found.extend(clip.frames)
    assert 0 < len(found) < 28


def test_numbers_that_make_no_sense_are_refused(film: Path) -> None:
    with pytest.raises(UsageError, match=r"frame 30 lies beyond the end of .*film\.avi, whose last is 29"):
        read(film, first=30)
    with pytest.raises(UsageError, match="every must be an integer of at least 1, not 0"):
        read(film, every=0)
    with pytest.raises(UsageError, match="the last frame must be an integer of at least 5, not 4"):
        read(film, first=5, last=4)
    with pytest.raises(UsageError, match="a video must be a file, a folder, a camera, an address or arrays, not None"):
        read(None)


def test_a_broken_photo_or_one_of_another_size_ends_a_folder_where_it_stands(tmp_path: Path, moving: Moving) -> None:
    for k, pixels in enumerate(moving(4, 20, 30)):
        cv2.imwrite(str(tmp_path / f"{k}.png"), pixels)
    cv2.imwrite(str(tmp_path / "2.png"), np.zeros((21, 30, 3), np.uint8))
    found: list[object] = []
    with pytest.raises(UsageError, match=r"2\.png.*: 30 x 21 pixels, but the video began with 30 x 20"):
        found.extend(read(tmp_path).frames)
    (tmp_path / "2.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(UnreadableImageError, match=r"2\.png"):
        found.extend(read(tmp_path).frames)
    assert len(found) == 4  # two of each


def test_an_address_that_does_not_answer_is_one_line() -> None:
    with pytest.raises(
        UnreadableImageError, match=r"rtsp://127\.0\.0\.1:1/clip gives no picture: check that it exists"
    ):
        read("rtsp://127.0.0.1:1/clip")
    with pytest.raises(UnreadableImageError, match=r"camera 97 gives no picture"):
        read(97)


def test_an_address_with_an_end_is_a_video_and_one_without_has_its_own_time(
    film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file stands for what the address gives."""
    open_file = cv2.VideoCapture(str(film))
    monkeypatch.setattr("fastsam.image.video.live", lambda origin: open_file)
    clip = read("http://example.invalid/film.avi")
    assert (clip.live, clip.count, clip.rate) == (False, None, 10)
    assert [frame.seconds for frame, _ in clip.frames] == pytest.approx([k / 10 for k in range(30)])
    clock = iter(range(100, 1000, 7))
    monkeypatch.setattr("fastsam.image.video.live", lambda origin: cv2.VideoCapture(str(film)))
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    clip = read(3)
    assert clip.live
    assert [frame.seconds for frame, _ in clip.frames] == [7 * k for k in range(30)]
