"""Another program reads what was written; what was there stays until the new file is whole."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from fastsam import UsageError
from fastsam.video import write
from fastsam.video.write import SUFFIXES, writer

Moving = Callable[..., list[np.ndarray]]
Probe = Callable[[Path], dict[str, Any]]


@pytest.fixture(params=[True, False], ids=["PyAV", "OpenCV alone"])
def with_av(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """With and without the video extra."""
    if request.param:
        pytest.importorskip("av", reason="PyAV is not installed: pip install av")
    monkeypatch.setattr(write, "has_h264", lambda: request.param)
    return bool(request.param)


def save(file: Path, frames: list[np.ndarray], rate: float = 30000 / 1001, alpha: bool = False) -> None:
    with writer(file, rate, alpha=alpha) as video:
        for frame in frames:
            video.write(frame)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_another_program_counts_the_frames_and_finds_size_and_rate(
    with_av: bool, probe: Probe, moving: Moving, tmp_path: Path, suffix: str
) -> None:
    file = tmp_path / f"clip{suffix}"
    save(file, moving(7, 96, 160))
    found = probe(file)
    assert (int(found["nb_read_frames"]), found["width"], found["height"]) == (7, 160, 96)
    assert float(Fraction(found["r_frame_rate"])) == pytest.approx(29.97, abs=0.001)  # OpenCV rounds
    codec = {".webm": "vp9", ".avi": "mjpeg"}.get(suffix, "h264" if with_av else "mpeg4")
    assert found["codec_name"] == codec


def test_a_file_that_plays_everywhere_halves_its_colours_and_says_which_they_are(
    probe: Probe, moving: Moving, tmp_path: Path
) -> None:
    pytest.importorskip("av")
    save(tmp_path / "clip.mp4", moving(3, 96, 160))
    found = probe(tmp_path / "clip.mp4")
    assert (found["pix_fmt"], found["color_space"], found["color_range"]) == ("yuv420p", "smpte170m", "tv")
    content = (tmp_path / "clip.mp4").read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")  # it plays while it is being loaded


def test_colours_stay(with_av: bool, probe: Probe, moving: Moving, tmp_path: Path) -> None:
    save(tmp_path / "clip.mp4", moving(3, 96, 160))
    line = ["ffmpeg", "-v", "error", "-i", str(tmp_path / "clip.mp4"), "-frames:v", "1", str(tmp_path / "first.png")]
    subprocess.run(line, check=True)
    pixels = cv2.imread(str(tmp_path / "first.png"))[..., ::-1].astype(int)
    assert np.abs(pixels[5, 100] - (200, 40, 60)).max() <= 6
    assert np.abs(pixels[36, 20] - (30, 180, 90)).max() <= 6


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (95, 161)])
def test_odd_sizes_repeat_the_last_row_and_column(
    with_av: bool, probe: Probe, moving: Moving, tmp_path: Path, size: tuple[int, int]
) -> None:
    save(tmp_path / "clip.mp4", moving(4, *size))
    found = probe(tmp_path / "clip.mp4")
    assert (found["height"], found["width"]) == (size[0] + size[0] % 2, size[1] + size[1] % 2)
    assert int(found["nb_read_frames"]) == 4


@pytest.mark.parametrize(("suffix", "decoder"), [(".webm", ["-c:v", "libvpx-vp9"]), (".mov", [])])
def test_alpha_is_there_for_another_program(
    probe: Probe, moving: Moving, tmp_path: Path, suffix: str, decoder: list[str]
) -> None:
    pytest.importorskip("av")
    file = tmp_path / f"cutout{suffix}"
    save(file, moving(3, 96, 160, alpha=True), alpha=True)
    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed: apt-get install ffmpeg")
    out = tmp_path / "last.png"
    subprocess.run(["ffmpeg", "-v", "error", *decoder, "-i", file, "-update", "1", "-pix_fmt", "rgba", out], check=True)
    pixels = cv2.imread(str(out), cv2.IMREAD_UNCHANGED)
    assert pixels.shape == (96, 160, 4)
    assert pixels[5, 100, 3] <= 8
    assert pixels[36, 30, 3] >= 247
    assert np.abs(pixels[36, 30, :3][::-1].astype(int) - (30, 180, 90)).max() <= 6


def test_a_name_without_suffix_is_a_folder_of_exact_pictures(moving: Moving, tmp_path: Path) -> None:
    frames = moving(3, 40, 60, alpha=True)
    save(tmp_path / "cutouts", frames, alpha=True)
    files = sorted((tmp_path / "cutouts").iterdir())
    assert [file.name for file in files] == ["000000.png", "000001.png", "000002.png"]
    for file, frame in zip(files, frames, strict=True):
        written = cv2.cvtColor(cv2.imread(str(file), cv2.IMREAD_UNCHANGED), cv2.COLOR_BGRA2RGBA)
        np.testing.assert_array_equal(written, frame)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), UsageError("the frame is broken")])
def test_what_is_done_is_kept_where_the_caller_stops(
    with_av: bool, probe: Probe, moving: Moving, tmp_path: Path, error: BaseException
) -> None:
    with pytest.raises(type(error)), writer(tmp_path / "clip.mp4", 25) as video:  # noqa: PT012  # frames before it
        for frame in moving(5, 40, 60):
            video.write(frame)
        raise error
    assert int(probe(tmp_path / "clip.mp4")["nb_read_frames"]) == 5
    assert [file.name for file in tmp_path.iterdir()] == ["clip.mp4"]


def test_without_a_frame_the_file_from_before_stays(with_av: bool, tmp_path: Path) -> None:
    file = tmp_path / "clip.mp4"
    file.write_bytes(b"from before")
    with pytest.raises(UsageError, match=r"clip\.mp4: there is no frame to write"), writer(file, 25):
        pass
    with pytest.raises(KeyboardInterrupt), writer(file, 25):
        raise KeyboardInterrupt
    assert file.read_bytes() == b"from before"
    assert [file.name for file in tmp_path.iterdir()] == ["clip.mp4"]


def test_a_process_that_is_killed_leaves_the_file_from_before(tmp_path: Path) -> None:
    file = tmp_path / "clip.mp4"
    file.write_bytes(b"from before")
    code = (
        "import os, signal, numpy as np; from pathlib import Path; from fastsam.video.write import writer\n"
        f"with writer(Path({str(file)!r}), 25) as video:\n"
        "    for k in range(60): video.write(np.full((96, 160, 3), 4 * k, np.uint8))\n"
        "    os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGKILL
    assert file.read_bytes() == b"from before"


def test_a_frame_of_another_size_or_kind_is_an_error_that_names_both(
    with_av: bool, probe: Probe, moving: Moving, tmp_path: Path
) -> None:
    file = tmp_path / "clip.mp4"
    with pytest.raises(UsageError, match=r"frame 2 is 62 x 40 pixels, not 60 x 40 as the first one"):
        save(file, [*moving(2, 40, 60), *moving(1, 40, 62)])
    assert int(probe(file)["nb_read_frames"]) == 2
    with pytest.raises(UsageError, match=r"must be uint8 \(H, W, 3\), not float64 \(4, 4\)"):
        save(file, [np.zeros((4, 4))])


@pytest.mark.parametrize(
    ("name", "alpha", "message"),
    [
        ("clip.gif", False, r"a video ends in \.mp4, .*, not \.gif"),
        ("clip.mp4", True, r"\.mp4 holds no transparency: use \.webm, \.mov, or a folder"),
        ("there.mp4", False, r"there\.mp4 is a folder: choose another name"),
        ("notes", False, r"notes is a file, and a folder of PNG files was asked for"),
    ],
)
def test_what_cannot_be_written_is_refused_before_the_first_frame(
    tmp_path: Path, name: str, alpha: bool, message: str
) -> None:
    (tmp_path / "there.mp4").mkdir()
    (tmp_path / "notes").touch()
    with pytest.raises(UsageError, match=message), writer(tmp_path / name, 25, alpha=alpha):
        pytest.fail("it was opened")


def test_alpha_without_the_extra_names_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with (
        pytest.raises(UsageError, match=r"av is not installed: pip install 'fast-segment-anything\[video\]'"),
        writer(tmp_path / "clip.webm", 25, alpha=True),
    ):
        pytest.fail("it was opened")
