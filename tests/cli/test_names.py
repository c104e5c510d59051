"""Names may hold anything: what is printed is one line that steers no terminal."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fastsam.cli.say import visible

UGLY = "two\nlines\x1b[31m \x9b\u202e.png"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain Ünïcödé 照片 😀.png", "plain Ünïcödé 照片 😀.png"),
        ("a\nb\tc\rd", "a\\nb\\tc\\rd"),
        ("\x1b[2J\x07\x7f\x9b", "\\x1b[2J\\x07\\x7f\\x9b"),
        ("\u202egpj.exe", "\\u202egpj.exe"),
        (os.fsdecode(b"\xff.jpg"), "\\udcff.jpg" if sys.platform != "win32" else os.fsdecode(b"\xff.jpg")),
    ],
)
def test_what_would_steer_a_terminal_is_shown(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_names_that_would_steer_a_terminal_are_escaped(fastsam, tmp_path: Path) -> None:
    Image.new("RGB", (64, 48)).save(tmp_path / UGLY)
    done = fastsam("segment", tmp_path / UGLY, "-o", tmp_path / "out")
    assert done.code == 0
    assert done.out.count("\n") == 1
    assert "two\\nlines\\x1b[31m \\x9b\\u202e.png: " in done.out
    broken = fastsam("segment", tmp_path / ("no" + UGLY), "-o", tmp_path / "out")
    assert broken.code == 2
    assert broken.err.count("\n") == 1
    assert not set("\x1b\x9b\u202e") & set(broken.err)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
@pytest.mark.parametrize("locale", ["C.UTF-8", "C"])
@pytest.mark.parametrize("format_", ["overlay", "coco", "labelme", "yolo", "polygons"])
def test_a_name_that_is_no_utf_8_is_taken(tmp_path: Path, locale: str, format_: str) -> None:
    Image.new("RGB", (64, 48)).save(os.fsencode(tmp_path) + b"/\xff\xfe.png", "png")
    words = ["-m", "fastsam", "segment", os.fsencode(tmp_path) + b"/\xff\xfe.png", "--format", format_, "-o"]
    env = os.environ | {"LC_ALL": locale, "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run([sys.executable, *words, tmp_path / "out"], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


def test_warnings_are_lines_and_stretching_ends_them(fastsam, tmp_path: Path) -> None:
    deep = (np.arange(48 * 64).reshape(48, 64) % 1024).astype(np.uint16)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    plain = fastsam("segment", tmp_path / "deep.png", "-o", tmp_path / "out")
    assert plain.code == 0
    assert plain.err.startswith(f"fastsam: {tmp_path / 'deep.png'}: nearly black")
    assert plain.err.count("\n") == 1
    stretched = fastsam("segment", tmp_path / "deep.png", "--stretch", "-o", tmp_path / "out")
    assert (stretched.code, stretched.err) == (0, "")
    picture = np.asarray(Image.open(tmp_path / "out" / "deep.png").convert("L"))
    assert picture.max() > 200


def test_what_a_folder_holds_beside_photos_is_a_line(fastsam, tmp_path: Path) -> None:
    Image.new("RGB", (64, 48)).save(tmp_path / "photo", "png")
    (tmp_path / "notes.txt").write_text("no photo")
    done = fastsam("segment", tmp_path, "--json")
    assert [Path(one["file"]).name for one in json.loads(done.out)] == ["photo"]
    assert done.err.splitlines()[0] == (
        f"fastsam: folder {tmp_path}: 1 file left out (1 .txt): only photos and videos are read"
    )


def test_links_to_themselves_devices_and_pipes_are_lines(fastsam, tmp_path: Path) -> None:
    os.symlink("loop.jpg", tmp_path / "loop.jpg")
    os.symlink("/dev/zero", tmp_path / "zero.jpg")
    os.mkfifo(tmp_path / "fifo.jpg")
    done = fastsam("segment", *(tmp_path / f"{name}.jpg" for name in ("loop", "zero", "fifo")), "-o", tmp_path / "out")
    assert done.code == 1
    assert [line.partition(": cannot be read")[0] for line in done.err.splitlines()] == [
        f"fastsam: {tmp_path / name}.jpg" for name in ("loop", "zero", "fifo")
    ]
    assert fastsam("segment", "a\0b").err == "fastsam: 'a\\x00b' is not a valid file name\n"


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
def test_a_full_disk_is_named_by_the_file_that_found_it(tmp_path: Path) -> None:
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (200, 300, 3), np.uint8)).save(tmp_path / "photo.png")
    words = ["import resource, signal, sys", "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)"]
    words += ["resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))", "from fastsam.cli.main import main", "main()"]
    command = [sys.executable, "-c", "; ".join(words), "segment", tmp_path / "photo.png", "-o", tmp_path / "out"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == f"fastsam: {tmp_path / 'out' / 'photo.png'}: File too large\n"
    assert list((tmp_path / "out").iterdir()) == []
