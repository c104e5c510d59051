"""Commands that measure, and what the segment command does with many photos, videos and tiles."""

import json
import re
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
import pytest

from fastsam.image.photos import find_photos, opened
from fastsam.machine import peak_memory


def test_each_frame_of_a_video_is_a_photo(fastsam, clip: Path, tmp_path: Path) -> None:
    done = fastsam("segment", clip, "-o", tmp_path / "out", "--format", "overlay", "--format", "coco", "--imgsz", 96)
    assert done.code == 0, done.err
    assert sorted(f.name for f in (tmp_path / "out").iterdir()) == [
        *(f"clip-{k:06d}.png" for k in range(4)),
        "instances.json",
    ]
    written = json.loads((tmp_path / "out" / "instances.json").read_text())
    assert [image["file_name"] for image in written["images"]] == [
        "clip.avi#0",
        "clip.avi#1",
        "clip.avi#2",
        "clip.avi#3",
    ]
    assert f"{clip}, frame 2: " in done.out
    listed = json.loads(fastsam("segment", clip, "--json", "--imgsz", 96).out)
    assert [photo["frame"] for photo in listed] == [0, 1, 2, 3]


def test_a_file_that_is_no_video_is_named_once(fastsam, clip: Path, examples: Path, tmp_path: Path) -> None:
    (tmp_path / "no.mp4").write_bytes(b"no video")
    done = fastsam("segment", tmp_path / "no.mp4", examples / "coffee.png", "-o", tmp_path / "out", "--imgsz", 96)
    assert done.code == 1
    assert len(re.findall(r"no\.mp4", done.err)) == 1
    assert (tmp_path / "out" / "coffee.png").is_file()


def test_a_video_that_ends_before_it_said_is_an_error_once(clip: Path, monkeypatch) -> None:
    monkeypatch.setattr("fastsam.image.video.count", lambda file: 7)
    found = [item for _, item in opened(find_photos([str(clip)]))]
    assert [isinstance(item, np.ndarray) for item in found] == [True] * 4 + [False]
    assert "ends early, after 4 frames" in str(found[4])


def test_many_photos_are_named_in_order(fastsam, tmp_path: Path) -> None:
    for k in range(8):
        cv2.imwrite(str(tmp_path / f"{k}.png"), np.full((40 + k, 64, 3), 9 * k, np.uint8))
    (tmp_path / "4.png").write_bytes(b"broken")
    done = fastsam("segment", tmp_path, "-o", tmp_path / "out", "--format", "coco", "--imgsz", 64)
    assert done.code == 1
    assert "4.png" in done.err
    images = json.loads((tmp_path / "out" / "instances.json").read_text())["images"]
    assert [(i["file_name"], i["height"]) for i in images] == [(f"{k}.png", 40 + k) for k in range(8) if k != 4]


def test_tiles_find_more(fastsam, examples: Path) -> None:
    found = [
        len(json.loads(fastsam("segment", examples / "coffee.png", "--json", *words).out)[0]["segments"])
        for words in ([], ["--tile", 256, "--overlap", 0.3])
    ]
    assert found[1] > found[0]
    done = fastsam("segment", examples / "coffee.png", "--overlap", 0.3)
    assert (done.code, "--overlap needs --tile" in done.err) == (2, True)


def test_a_device_that_is_not_there_is_one_line(fastsam, examples: Path, monkeypatch) -> None:
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: ["CPUExecutionProvider"])
    for words in (["segment", examples / "coffee.png"], ["doctor"]):
        done = fastsam(*words, "--device", "cuda")
        assert done.code == 2
        assert "device 'cuda' is not available" in done.err
        assert len(done.err.strip().splitlines()) == 1


def test_the_doctor_says_what_is_there_and_that_the_cpu_works(fastsam) -> None:
    done = fastsam("doctor", "--imgsz", 64)
    assert done.code == 0, done.err
    assert "ONNX Runtime's providers: " in done.out
    assert "onnx on cpu in float32 works" in done.out


def test_stages_are_timed_as_a_table_and_as_json(fastsam, examples: Path, tmp_path: Path) -> None:
    file = tmp_path / "stages.json"
    words = ["--imgsz", 64, "--rounds", 2, "--cold", 1, "--threads", 1, "--json", file]
    done = fastsam("bench", "stages", examples / "coffee.png", *words)
    assert done.code == 0, done.err
    assert "candidates" in done.out
    assert "select, a click, refine=False" in done.out
    report = json.loads(file.read_text())
    assert report["threads"] == 1
    assert report["peak memory in MB"] > 50
    assert {"read from disk", "letterbox", "network", "masks as RLE", "command, cold"} <= report["milliseconds"].keys()
    assert all(row["p10"] <= row["median"] <= row["p90"] for row in report["milliseconds"].values())


def test_the_second_network_is_timed_against_the_first(fastsam, examples: Path, tmp_path: Path) -> None:
    file = tmp_path / "refine.json"
    words = ["--masks", 5, "--rounds", 3, "--threads", 1, "--memory", 4, 30, "--json", file]
    done = fastsam("bench", "refine", examples / "coffee.png", *words)
    assert done.code == 0, done.err
    assert "twenty boxes" in done.out
    assert re.search(r"first network .* 1\.00 ", done.out)
    report = json.loads(file.read_text())
    times = report["milliseconds"]
    assert [name for name in times if "masks" not in name] == ["first network", "one click", "one box", "twenty boxes"]
    assert all(row["p10"] <= row["median"] <= row["p90"] for row in times.values())
    for row in times.values():
        assert row["ratio"] == pytest.approx(row["median"] / times["first network"]["median"])
    assert times["one box"]["median"] < times["twenty boxes"]["median"]
    assert {n: row["masks"] for n, row in report["memory"].items()} == {"4": 4, "30": 30}
    assert all(50 < row["segmented"] <= row["refined"] for row in report["memory"].values())
    done = fastsam("bench", "refine", examples / "coffee.png", "--memory", 0)
    assert (done.code, "must be at least 1, not" in done.err) == (2, True)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system does not tell a process's own peak")
def test_the_peak_of_memory_is_a_processs_own() -> None:
    ballast = np.ones(300_000_000, np.uint8)
    assert peak_memory() > 300
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert pool.submit(peak_memory).result() < 300
    del ballast


def test_streams_are_timed_against_the_bare_network(fastsam, clip: Path) -> None:
    done = fastsam("bench", "stream", clip, "--imgsz", 64, "--rounds", 1)
    assert done.code == 0, done.err
    assert re.search(r"stream, written: [\d.]+ photos per second, \d+% of the bare network", done.out)
