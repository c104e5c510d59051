"""`fastsam segment` on a video as a whole: what other programs read, what stays after errors and Ctrl-C."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from fastsam.cli.video import due
from fastsam.formats.tracks import mots_line
from fastsam.masks.rle import decode, encode
from fastsam.sources import Frame
from fastsam.video.read import Clip

FRAMES, HEIGHT, WIDTH = 12, 96, 160


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """A video at 12.5 frames per second: a red disc that goes to the right."""
    file = tmp_path / "film.avi"
    writer = cv2.VideoWriter(str(file), cv2.VideoWriter.fourcc(*"MJPG"), 12.5, (WIDTH, HEIGHT))
    for k in range(FRAMES):
        frame = np.full((HEIGHT, WIDTH, 3), 210, np.uint8)
        cv2.circle(frame, (30 + 8 * k, 48), 20, (30, 30, 200), -1)
        writer.write(frame)
    writer.release()
    return file


@pytest.fixture
def probe() -> Callable[[Path], tuple[int, float, int, int]]:
    """Frames, rate, width and height of a video, as ffprobe decodes it."""
    if shutil.which("ffprobe") is None:
        pytest.skip("ffprobe is not installed: apt-get install ffmpeg")

    def ask(file: Path) -> tuple[int, float, int, int]:
        entries = "stream=nb_read_frames,r_frame_rate,width,height"
        line = ["ffprobe", "-v", "error", "-count_frames", "-show_entries", entries, "-of", "json", str(file)]
        done = subprocess.run(line, capture_output=True, text=True, check=True)
        (stream,) = json.loads(done.stdout)["streams"]
        over, under = stream["r_frame_rate"].split("/")
        return int(stream["nb_read_frames"]), int(over) / int(under), stream["width"], stream["height"]

    return ask


def test_a_video_becomes_a_video_of_the_same_rate_and_length(fastsam, film: Path, probe, tmp_path: Path) -> None:
    done = fastsam("segment", film, "-o", tmp_path / "out.mp4", "--imgsz", 128)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"{film}: {FRAMES} frames, ")
    assert done.out.rstrip().endswith(f"per second -> {tmp_path / 'out.mp4'}")
    assert probe(tmp_path / "out.mp4") == (FRAMES, 12.5, WIDTH, HEIGHT)
    drawn = cv2.VideoCapture(str(tmp_path / "out.mp4")).read()[1]
    assert np.abs(drawn[48, 30].astype(int) - (30, 30, 200)).max() > 20  # the disc is tinted
    assert np.abs(drawn[4, 150].astype(int) - 210).max() < 60


def test_every_and_from_and_to_keep_the_pace(fastsam, film: Path, probe, tmp_path: Path) -> None:
    line = ("--every", 2, "--from", 3, "--to", 9, "--imgsz", 64)
    assert fastsam("segment", film, "-o", tmp_path / "some.mp4", *line).code == 0
    assert probe(tmp_path / "some.mp4") == (4, 6.25, WIDTH, HEIGHT)


def test_a_tracked_object_has_one_colour_and_one_id_in_every_file(fastsam, film: Path, tmp_path: Path) -> None:
    formats = [word for name in ("overlay", "coco", "mots", "youtube-vis") for word in ("--format", name)]
    done = fastsam("segment", film, "-o", tmp_path / "out" / "disc.mp4", "--track", "--imgsz", 128, *formats)
    assert done.code == 0
    files = sorted(file.name for file in (tmp_path / "out").iterdir())
    assert files == ["disc-youtube-vis.json", "disc.json", "disc.mp4", "disc.txt"]

    coco = json.loads((tmp_path / "out" / "disc.json").read_text())
    assert [image["frame_id"] for image in coco["images"]] == list(range(FRAMES))
    owners = defaultdict(set)
    for row in coco["annotations"]:
        owners[row["track_id"]].add(row["image_id"])
        mask = decode(row["segmentation"])
        if mask[48, 30 + 8 * (row["image_id"] - 1)] and mask.sum() < 2500:
            disc = row["track_id"]
    assert len(owners[disc]) == FRAMES

    rows = [line.split() for line in (tmp_path / "out" / "disc.txt").read_text().splitlines()]
    assert len(rows) == len(coco["annotations"])
    for (frame, thing, kind, height, width, counts), row in zip(rows, coco["annotations"], strict=True):
        assert (int(frame), int(thing), int(kind)) == (row["image_id"] - 1, 1000 + row["track_id"], 1)
        assert {"size": [int(height), int(width)], "counts": counts} == row["segmentation"]

    whole = json.loads((tmp_path / "out" / "disc-youtube-vis.json").read_text())
    assert (whole["videos"][0]["length"], len(whole["videos"][0]["file_names"])) == (FRAMES, FRAMES)
    by_id = {one["id"]: one for one in whole["annotations"]}
    assert set(by_id) == set(owners)
    for number, one in by_id.items():
        assert {k + 1 for k, mask in enumerate(one["segmentations"]) if mask is not None} == owners[number]
        assert len(one["bboxes"]) == len(one["areas"]) == FRAMES


def test_pycocotools_reads_the_tracks(fastsam, film: Path, tmp_path: Path) -> None:
    tools = pytest.importorskip("pycocotools.coco", reason="pycocotools is not installed")
    line = ("--track", "--format", "coco", "--imgsz", 64, "--to", 3)
    assert fastsam("segment", film, "-o", tmp_path / "out", *line).code == 0
    coco = tools.COCO(str(tmp_path / "out" / "film.json"))
    assert all(coco.annToMask(one).sum() == one["area"] for one in coco.loadAnns(coco.getAnnIds()))


def test_a_folder_of_photos_is_a_video(fastsam, film: Path, probe, tmp_path: Path) -> None:
    (tmp_path / "frames").mkdir()
    capture = cv2.VideoCapture(str(film))
    for k in range(4):
        cv2.imwrite(str(tmp_path / "frames" / f"{k:03d}.png"), capture.read()[1])
    line = ("--track", "--imgsz", 64)
    assert fastsam("segment", tmp_path / "frames", "-o", tmp_path / "out", *line).code == 0
    assert probe(tmp_path / "out" / "frames.mp4") == (4, 25, WIDTH, HEIGHT)


def test_without_a_flag_of_a_video_pictures_are_written_as_before(fastsam, film: Path, tmp_path: Path) -> None:
    assert fastsam("segment", film, "-o", tmp_path / "out", "--imgsz", 64).code == 0
    assert len(list((tmp_path / "out").glob("film-*.png"))) == FRAMES


def test_what_is_done_is_kept_where_a_frame_is_broken(fastsam, film: Path, probe, tmp_path: Path) -> None:
    (tmp_path / "frames").mkdir()
    capture = cv2.VideoCapture(str(film))
    for k in range(5):
        cv2.imwrite(str(tmp_path / "frames" / f"{k}.png"), capture.read()[1])
    (tmp_path / "frames" / "3.png").write_bytes((tmp_path / "frames" / "3.png").read_bytes()[:60])
    done = fastsam("segment", tmp_path / "frames", "-o", tmp_path / "out.mp4", "--imgsz", 64)
    assert done.code == 1
    assert done.err.startswith(f"fastsam: {tmp_path / 'frames' / '3.png'}")
    assert done.err.count("\n") == 1
    assert probe(tmp_path / "out.mp4")[0] == 3


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["missing.mp4"], "missing.mp4: there is no such file"),
        (["text.mp4"], "text.mp4: not a video that can be read"),
        (["empty.mp4"], "empty.mp4: not a video that can be read"),
        (["film.avi", "film.avi"], "2 inputs given for one video"),
        (["film.avi", "--from", "12"], "frame 12 lies beyond the end of film.avi, whose last is 11"),
        (["film.avi", "--from", "5", "--to", "4"], "the last frame must be an integer of at least 5, not 4"),
        (["film.avi", "--every", "0"], "every must be an integer of at least 1, not 0"),
        (["film.avi", "-o", "film.avi"], "film.avi is the video itself: choose another name with -o"),
        (["film.avi", "-o", "x.gif", "--track"], "x.gif: a video ends in .mp4"),
        (["film.avi", "--format", "mots"], "--format mots needs the ids of objects: add --track"),
        (["film.avi", "--track", "--format", "npz"], "--format npz cannot be written for a whole video"),
        (
            ["film.avi", "--track", "--json"],
            "--json, --hierarchy, --fill and --annotations do not apply to a whole video",
        ),
        (["97"], "camera 97 gives no picture: check that it exists and is not in use"),
        (["rtsp://127.0.0.1:1/x"], "rtsp://127.0.0.1:1/x gives no picture: check that it exists"),
        (["film.avi", "--show"], "--show needs a screen and OpenCV with windows: pip uninstall"),
    ],
)
def test_mistakes_are_one_line_and_leave_what_was_there(
    fastsam, film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("out.mp4").write_bytes(b"from before")
    Path("text.mp4").write_text("Dear diary")
    Path("empty.mp4").touch()
    if "--show" in words and not (cv2.getBuildInformation().count("GUI:                           NONE")):
        pytest.skip("this OpenCV has windows")
    output = [] if "-o" in words or "--show" in words else ["-o", "out.mp4"]
    done = fastsam("segment", *words, *output)
    assert done.code in (1, 2)
    assert done.out == ""
    assert done.err.startswith(f"fastsam: {message}")
    assert done.err.count("\n") == 1
    assert Path("out.mp4").read_bytes() == b"from before"
    assert not list(tmp_path.glob(".*"))


def test_without_the_extra_a_line_says_what_plays_less_well(
    fastsam, film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fastsam.video.write.has_h264", lambda: False)
    done = fastsam("segment", film, "-o", tmp_path / "out.mp4", "--imgsz", 64, "--to", 1)
    assert done.code == 0
    assert "MPEG-4, which browsers do not play; for H.264: pip install 'fast-segment-anything[video]'" in done.err


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX here")
@pytest.mark.parametrize("blow", [signal.SIGINT, signal.SIGKILL])
def test_ctrl_c_leaves_a_playable_file_and_a_kill_the_one_from_before(probe, tmp_path: Path, blow: int) -> None:
    long = tmp_path / "long.avi"
    writer = cv2.VideoWriter(str(long), cv2.VideoWriter.fourcc(*"MJPG"), 25, (WIDTH, HEIGHT))
    for k in range(3000):
        writer.write(np.full((HEIGHT, WIDTH, 3), k % 250, np.uint8))
    writer.release()
    out = tmp_path / "out.mp4"
    out.write_bytes(b"from before")
    code = "from fastsam.cli.main import main; main()"
    words = ["segment", str(long), "-o", str(out), "--imgsz", "64"]
    process = subprocess.Popen([sys.executable, "-c", code, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while not any(part.stat().st_size for part in tmp_path.glob(".*.mp4")) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(1)
    os.kill(process.pid, blow)
    said, complaint = process.communicate(timeout=60)
    if blow == signal.SIGKILL:
        assert out.read_bytes() == b"from before"
        return
    assert process.returncode == 130
    assert complaint == b""
    frames = probe(out)[0]
    assert 0 < frames < 3000
    assert said.decode().startswith(f"{long}: {frames} frames, ")
    assert not list(tmp_path.glob(".*"))


def test_ids_are_measured_against_known_ones(fastsam, tmp_path: Path) -> None:
    """Two discs that cross, one behind the other."""
    for folder in ("frames/one", "instances_txt"):
        (tmp_path / folder).mkdir(parents=True)
    lines = []
    for k in range(16):
        frame, owner = np.full((128, 224, 3), 205, np.uint8), np.zeros((128, 224), np.uint8)
        for number, (x, y, colour) in enumerate(
            ((30 + 11 * k, 58, (40, 40, 200)), (194 - 11 * k, 78, (190, 70, 30))), 1
        ):
            cv2.circle(frame, (x, y), 24, colour, -1)
            cv2.circle(owner, (x, y), 24, number, -1)
        cv2.imwrite(str(tmp_path / "frames" / "one" / f"{k:03d}.png"), frame)
        lines += [mots_line(k, number, encode(owner == number)) for number in (1, 2)]
    (tmp_path / "instances_txt" / "one.txt").write_text("".join(lines))
    done = fastsam("eval", "track", tmp_path, "--json", tmp_path / "rows.json", "--imgsz", 224)
    assert done.code == 0
    row = json.loads((tmp_path / "rows.json").read_text())["one"]
    assert (row["true"], row["frames"], row["objects"]) == (32, 16, 2)
    assert row["idf1"] >= 0.8
    assert row["switches"] <= 2
    assert f"{100 * row['idf1']:.1f}" in done.out
    done = fastsam("eval", "track", tmp_path / "frames")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "has no videos with their masks: it needs frames/NAME.mp4 and instances_txt/NAME.txt" in done.err


def test_a_video_is_timed_against_the_bare_network(fastsam, film: Path) -> None:
    done = fastsam("bench", "video", film, "--imgsz", 64, "--frames", 3, "--rounds", 1)
    assert done.code == 0
    for name in ("bare network", "masks", "masks with ids", "masks with ids, written"):
        assert f"\n{name}: " in done.out


def test_a_live_source_is_written_at_the_pace_at_which_it_comes() -> None:
    """At 10 frames per second: a frame that comes late is repeated, one that comes early is left out."""
    clip = Clip(10, (1, 1), None, True, iter(()))
    written = 0
    for seconds, repeats in ((0.0, 1), (0.1, 1), (0.5, 4), (0.52, 0), (0.6, 1)):
        assert due(Frame(0, 0, seconds), clip, written) == repeats
        written += repeats
    assert due(Frame("film.mp4", 5, 9.0), replace(clip, live=False), 0) == 1
