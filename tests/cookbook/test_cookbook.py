"""Each job of the cookbook runs as it stands and gives what it says."""

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import pytest

ROOT = Path(__file__).parent.parent.parent
COFFEE = ROOT / "examples" / "coffee.png"


def test_every_job_has_a_test() -> None:
    jobs = {file.stem for file in (ROOT / "cookbook").glob("*.py")}
    here = "".join(file.read_text() for file in Path(__file__).parent.glob("test_*.py"))
    assert jobs == {name for name in jobs if f'cook("{name}"' in here}
    assert len(jobs) == 10


def test_scripts_are_short() -> None:
    for file in (ROOT / "cookbook").glob("*.py"):
        assert 15 <= len(file.read_text().splitlines()) <= 62, file.name


def test_counting_finds_each_of_seven_discs(cook: Callable[..., str], tmp_path: Path) -> None:
    photo = np.full((300, 400, 3), (120, 150, 170), np.uint8)
    for x, y, r in (
        (60, 60, 25),
        (150, 70, 30),
        (250, 60, 22),
        (340, 80, 28),
        (80, 200, 30),
        (200, 190, 26),
        (320, 210, 31),
    ):
        cv2.circle(photo, (x, y), r, (60, 130, 200), -1, cv2.LINE_AA)
        cv2.circle(photo, (x, y), r - 6, (80, 150, 215), 2, cv2.LINE_AA)
    cv2.imwrite(str(tmp_path / "discs.png"), photo)
    assert cook("count_things", "discs.png").splitlines()[0] == "7 object"
    assert cv2.imread(str(tmp_path / "counted.png")).shape == photo.shape


def test_counting_by_words_finds_the_cup(cook: Callable[..., str], encoder: None) -> None:
    cups, spoons, file = cook("count_things").splitlines()
    assert re.fullmatch("[12] cup", cups)  # a part of the saucer may count as one
    assert (spoons, file) == ("1 spoon", "counted.png")


def test_a_product_is_cut_out_of_its_box(cook: Callable[..., str], tmp_path: Path) -> None:
    cook("cut_out_products", COFFEE, "--box", "175,12,425,312")
    cup = cv2.imread(str(tmp_path / "products" / "coffee-1.png"), cv2.IMREAD_UNCHANGED)
    assert cup.shape[2] == 4
    assert 200 < cup.shape[0] <= 320
    assert 200 < cup.shape[1] < 270
    assert cup[5, 5, 3] == 0  # outside of it nothing
    assert cup[cup.shape[0] // 2, cup.shape[1] // 2, 3] == 255


def test_the_largest_whole_objects_are_products(cook: Callable[..., str], tmp_path: Path) -> None:
    cook("cut_out_products", "--most", "2")
    sizes = [cv2.imread(str(file)).size for file in sorted((tmp_path / "products").iterdir())]
    assert len(sizes) == 2
    assert sizes[0] > sizes[1]


def test_tasks_for_label_studio_have_a_polygon_around_the_disc(cook: Callable[..., str], tmp_path: Path) -> None:
    folder = tmp_path / "my photos"
    folder.mkdir()
    photo = np.full((200, 300, 3), 90, np.uint8)
    cv2.circle(photo, (150, 100), 50, (40, 60, 220), -1, cv2.LINE_AA)
    cv2.imwrite(str(folder / "disc.png"), photo)
    printed = cook("prelabel_folder", folder, "--label", "disc")
    assert '<Label value="disc"/>' in printed
    (task,) = json.loads((tmp_path / "tasks.json").read_text())
    assert task["data"]["image"] == "/data/local-files/?d=my%20photos/disc.png"
    best = max(task["predictions"][0]["result"], key=lambda result: result["score"])
    assert (best["original_width"], best["original_height"]) == (300, 200)
    assert best["value"]["polygonlabels"] == ["disc"]
    points = np.array(best["value"]["points"])
    assert points.min(0) == pytest.approx([100 / 3, 25], abs=2)  # in percent
    assert points.max(0) == pytest.approx([200 / 3, 75], abs=2)


def test_what_lies_in_a_box_is_blurred_and_the_rest_is_not(cook: Callable[..., str], tmp_path: Path) -> None:
    assert cook("blur_people", COFFEE, "--box", "322,220,410,330").startswith("0 by words, 1 of 1 boxes")
    before, after = cv2.imread(str(COFFEE)), cv2.imread(str(tmp_path / "blurred.png"))
    spoon = (slice(240, 310), slice(335, 395))
    assert np.abs(np.diff(after[spoon].astype(int), axis=1)).mean() < 5
    assert np.abs(np.diff(before[spoon].astype(int), axis=1)).mean() > 10
    assert (after[:180, :170] == before[:180, :170]).all()


def test_words_are_blurred(cook: Callable[..., str], encoder: None, tmp_path: Path) -> None:
    assert not cook("blur_people", COFFEE, "--word", "spoon").startswith("0 by words")
    assert (cv2.imread(str(tmp_path / "blurred.png")) != cv2.imread(str(COFFEE))).any()


def test_areas_follow_from_a_known_length(cook: Callable[..., str], tmp_path: Path) -> None:
    photo = np.full((240, 320, 3), 200, np.uint8)
    cv2.rectangle(photo, (60, 80), (219, 159), (60, 40, 160), -1)  # 160 x 80 pixels
    cv2.imwrite(str(tmp_path / "card.png"), photo)
    cook("measure_areas", "card.png", "--from", "0,10", "--to", "160,10", "--length", "80")  # half a millimetre a pixel
    rows = list(csv.reader((tmp_path / "areas.csv").open()))
    assert rows[0] == ["object", "area (mm2)", "length (mm)", "width (mm)"]
    area, length, width = map(float, rows[1][1:])
    assert area == pytest.approx(80 * 40, rel=0.05)
    assert (length, width) == (pytest.approx(80, rel=0.04), pytest.approx(40, rel=0.06))


def test_what_was_added_and_what_is_gone_is_found(cook: Callable[..., str], tmp_path: Path) -> None:
    before = cv2.imread(str(COFFEE))
    after = before.copy()
    cv2.circle(before, (540, 60), 35, (200, 160, 40), -1)
    cv2.circle(after, (60, 60), 35, (40, 40, 200), -1)
    cv2.imwrite(str(tmp_path / "before.png"), before)
    cv2.imwrite(str(tmp_path / "after.png"), after)
    lines = cook("find_changes", "before.png", "after.png").splitlines()
    found = {}
    for line in lines[:-1]:
        when, facts = line.split(": ")
        found[when] = [float(v) for v in facts.split(", ")[0].split(",")]
    assert len(lines) == 3
    assert found["before"] == pytest.approx([505, 25, 575, 95], abs=4)
    assert found["after"] == pytest.approx([25, 25, 95, 95], abs=4)


def test_a_thing_keeps_its_colour_through_a_video(cook: Callable[..., str], tmp_path: Path) -> None:
    file = tmp_path / "disc.avi"
    writer = cv2.VideoWriter(str(file), cv2.VideoWriter_fourcc(*"MJPG"), 5, (320, 240))
    for k in range(6):
        frame = np.full((240, 320, 3), 90, np.uint8)
        cv2.circle(frame, (60 + 12 * k, 120), 32, (40, 60, 220), -1, cv2.LINE_AA)
        writer.write(frame)
    writer.release()
    assert "6 frames" in cook("segment_video", file, "-o", "out.avi")
    video, colours = cv2.VideoCapture(str(tmp_path / "out.avi")), []
    for k in range(6):
        done, frame = video.read()
        assert done
        colours.append(frame[120, 60 + 12 * k].astype(int))
    assert np.ptp(colours, axis=0).max() < 25  # of what the codec leaves


def test_a_small_device_gets_the_same_objects_in_eight_bits(cook: Callable[..., str], tmp_path: Path) -> None:
    lines = cook("small_device", "--fixed", "160,160").splitlines()
    assert [line.split(":")[0] for line in lines[-2:]] == ["fastsam-tiny", "fastsam-tiny-int8"]
    found = [int(line.split(": ")[1].split()[0]) for line in lines[-2:]]
    assert found[1] == pytest.approx(found[0], rel=0.5)
    session = onnxruntime.InferenceSession(tmp_path / "fixed.onnx", providers=["CPUExecutionProvider"])
    assert session.get_inputs()[0].shape == [1, 3, 160, 160]
