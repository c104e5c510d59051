"""Defects of the published code and of Ultralytics that this library is free of, by number of the list in
docs/switching.md."""

import pickle
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco_mask

from fastsam import FastSAM, FastSAMDecoder, FastSAMPrompt, Segments, UsageError
from fastsam.compat import FastSAM as PortFastSAM
from fastsam.compat.inference import boolean, parser, xyxy
from fastsam.compat.taken import nested
from fastsam.compat.ultralytics import answers
from fastsam.masks.port_rules import at_the_border
from fastsam.masks.runs import Crop

Make = Callable[..., Segments]
LARGE, SMALL, APART = (10.0, 10.0, 110.0, 90.0), (40.0, 40.0, 70.0, 70.0), (120.0, 20.0, 150.0, 80.0)


@pytest.fixture
def nest(make_segments: Make) -> Segments:
    """A small mask on a large one, and one apart, on a photo of 160 x 100 pixels."""
    return make_segments((100, 160), [LARGE, SMALL, APART], [0.5, 0.9, 0.7])


@pytest.fixture
def ask(nest: Segments) -> FastSAMPrompt:
    return FastSAMPrompt(np.full((100, 160, 3), 60, np.uint8), nest)


def test_bug_01_several_boxes_keep_their_order_and_count(ask: FastSAMPrompt, nest: Segments) -> None:
    masks = ask.box_prompt(bboxes=[APART, SMALL, APART])
    for mask, i in zip(masks, [2, 1, 2], strict=True):
        np.testing.assert_array_equal(mask, nest.masks[i])


def test_bug_02_a_callers_box_is_left_as_it_was(ask: FastSAMPrompt) -> None:
    box = np.array(SMALL)
    rows = [list(SMALL)]
    ask.box_prompt(bbox=box)
    ask.box_prompt(bboxes=rows)
    assert box.tolist() == list(SMALL)
    assert rows == [list(SMALL)]


def test_bug_03_a_box_that_nothing_fits_has_no_match(ask: FastSAMPrompt, nest: Segments) -> None:
    assert nest.select(boxes=[(0, 0, 9, 9)], refine=False)[0].mask is None
    assert not ask.box_prompt(bbox=[0, 0, 9, 9]).any()


def test_bug_04_prompts_of_several_kinds_each_have_their_own_answer(nest: Segments) -> None:
    found, prompts = answers(nest, [APART, (0, 0, 9, 9), SMALL], [[130, 50]], [1], None, False)
    assert found.boxes.tolist() == nest.boxes[[2, 1, 2]].tolist()
    assert prompts.tolist() == [0, 2, 3]


def test_bug_05_a_click_means_one_thing_and_not_all_beneath_it(ask: FastSAMPrompt, nest: Segments) -> None:
    np.testing.assert_array_equal(ask.point_prompt([[55, 55]], [1])[0], nest.masks[1])
    np.testing.assert_array_equal(ask.point_prompt([[20, 20], [50, 50]], [1, 1])[0], nest.masks[0])
    assert not ask.point_prompt([[20, 20], [50, 50]], [1, 0]).any()


def test_bug_06_points_on_the_last_row_and_column_are_points_and_others_an_error(make_segments: Make) -> None:
    whole = make_segments((100, 160), [(0, 0, 160, 100)], [0.9])
    ask = FastSAMPrompt(np.zeros((100, 160, 3), np.uint8), whole)
    assert ask.point_prompt([[159, 99]], [1]).all()
    assert ask.point_prompt([[159.9, 0]], [1]).all()
    for point in ([160, 50], [50, 100], [-1, 50]):
        with pytest.raises(UsageError, match="lies outside the photo of 160 x 100 pixels"):
            ask.point_prompt([point], [1])


def test_bug_07_nothing_found_is_an_empty_result(model: FastSAM, tmp_path: Path) -> None:
    photo = np.zeros((40, 60, 3), np.uint8)
    segments = model(photo, conf=1.0)
    ask = FastSAMPrompt(photo, segments)
    assert ask.everything_prompt().shape == (0, 40, 60)
    assert not ask.box_prompt(bbox=[1, 1, 9, 9]).any()
    ask.plot(ask.everything_prompt(), tmp_path / "empty.png")
    (result,) = PortFastSAM()(photo, conf=1.0, imgsz=64)
    assert result.masks.data.shape == (0, 40, 60)
    assert result.boxes.xyxy.shape == (0, 4)
    assert result.masks.xy == []


def test_bug_10_a_flat_box_is_one_box_and_several_are_converted_row_by_row() -> None:
    given = parser().parse_args(["--box_prompt", "[570,200,230,400]"])
    assert [xyxy(b) for b in nested(given.box_prompt)] == [(570, 200, 800, 600)]
    given = parser().parse_args(["--box_prompt", "[[570,200,230,400],[1,2,3,4]]"])
    assert [xyxy(b) for b in nested(given.box_prompt)] == [(570, 200, 800, 600), (1, 2, 4, 6)]


def test_bug_11_booleans_are_read_as_a_person_means_them() -> None:
    assert [boolean(w) for w in ("False", "false", "no", "0", "True", "yes", "1")] == [False] * 4 + [True] * 3
    given = parser().parse_args(["--retina", "False", "--withContours", "False", "--better_quality", "False"])
    assert [given.retina, given.withContours, given.better_quality] == [False] * 3
    assert parser().parse_args(["--withContours"]).withContours


def test_bug_12_pictures_have_the_photos_size_colours_and_order(ask: FastSAMPrompt, tmp_path: Path) -> None:
    ask.img[:] = (250, 120, 10)
    for retina in (True, False):
        picture = ask.plot_to_result(ask.everything_prompt(), retina=retina)
        assert picture.shape == (100, 160, 3)
        assert picture[5, 5].tolist() == [250, 120, 10]  # red first
        assert picture[55, 55].tolist() != picture[20, 20].tolist()  # the small mask lies on the large one
        edge = picture[14:86, 10]
        assert (edge.astype(int).sum(1) > picture[20, 20].astype(int).sum()).all()  # outlined where it ends
    plain = ask.plot_to_result(ask.everything_prompt(), withContours=False)
    assert len(np.unique(plain.reshape(-1, 3), axis=0)) == 4
    ask.plot(ask.everything_prompt(), tmp_path / "p.png", withContours=False)
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "p.png"))[..., ::-1], plain)


def test_bug_13_every_kind_of_photo_is_read(model: FastSAM, examples: Path, tmp_path: Path) -> None:
    photo = Image.open(examples / "coffee.png").convert("RGB").resize((120, 80))
    photo.convert("RGBA").save(tmp_path / "rgba.png")
    photo.convert("P").save(tmp_path / "palette.png")
    photo.convert("L").save(tmp_path / "grey.png")
    photo.convert("CMYK").save(tmp_path / "cmyk.jpg")
    Image.fromarray(np.asarray(photo.convert("L"), np.uint16) * 256).save(tmp_path / "deep.png")
    for file in tmp_path.iterdir():
        assert model(file, imgsz=64).size == (80, 120), file
    exif = photo.getexif()
    exif[0x0112] = 6
    photo.save(tmp_path / "turned.jpg", exif=exif)
    assert model(tmp_path / "turned.jpg", imgsz=64).size == (120, 80)


PROBE = """
import re, sys, numpy as np
from fastsam import FastSAM
from fastsam.formats import overlay
photo = np.random.default_rng(0).integers(0, 255, (47, 47, 3), np.uint8).repeat(96, 0).repeat(96, 1)
segments = FastSAM(threads=1)(photo, conf=0.001)
segments.to_rle(), segments.label_map(), overlay.draw(photo, segments)
print(len(segments), int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1024)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux to read a process's peak memory")
def test_bug_14_a_photo_of_20_million_pixels_takes_little_memory() -> None:
    done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True)
    found, megabytes = (float(v) for v in done.stdout.split())
    assert found > 50, done.stderr
    assert megabytes < 1200  # 49 GB in Ultralytics


def test_bug_15_masks_are_decoded_inside_their_boxes_only(make_segments: Make) -> None:
    boxes = [(40.0 * i, 100.0, 40.0 * i + 30, 130.0) for i in range(30)]
    segments = make_segments((1000, 1300), boxes, [0.5] * 30, imgsz=640)
    tracemalloc.start()
    segments.to_rle()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 30 * 1000 * 1300 / 5  # 30 masks of the whole photo would take five times as much


def test_bug_16_masks_are_smooth_and_lose_no_row(make_segments: Make) -> None:
    segments = make_segments((96, 128), [(8.0, 8.0, 88.0, 72.0)], [0.9])
    mask = segments.masks[0]
    assert mask[8:72, 9:87].all()
    assert mask[9:71, 8:88].all()
    assert mask.sum() == 64 * 80 - 4  # the corners are round
    (result,) = PortFastSAM()(np.zeros((90, 130, 3), np.uint8), imgsz=64, retina_masks=False)
    assert result.masks.data.shape[1:] == (90, 130)


def test_bug_17_the_full_frame_rule_changes_only_the_box_that_covers_the_photo() -> None:
    boxes = np.array([[100, 100, 200, 200], [1, 1, 999, 599], [300, 300, 400, 400]], np.float32)
    moved = at_the_border(boxes, (600, 1000))
    np.testing.assert_array_equal(moved[[0, 2]], boxes[[0, 2]])
    np.testing.assert_array_equal(moved[1], [0, 0, 1000, 600])


def test_bug_18_every_photo_of_a_list_is_treated_alike(examples: Path) -> None:
    model = PortFastSAM()
    coffee = cv2.imread(str(examples / "coffee.png"))
    photos = [coffee, np.ascontiguousarray(coffee[:, ::-1])]
    for got, photo in zip(model(photos, imgsz=160), photos, strict=True):
        (alone,) = model(photo, imgsz=160)
        np.testing.assert_array_equal(got.boxes.xyxy, alone.boxes.xyxy)


def test_bug_19_an_exported_file_has_prompts(examples: Path) -> None:
    from fastsam.weights.catalogue import BUNDLED

    segments = FastSAM(BUNDLED["fastsam-tiny"], threads=1)(examples / "coffee.png")
    assert segments.select(points=[(300, 200)], refine=False)[0].mask is not None


def test_bug_20_loading_a_checkpoint_executes_nothing(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="the train extra is not installed")

    class Trap:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "sprung",))

    torch.save({"model": Trap()}, tmp_path / "trap.pt", pickle_module=pickle)
    with pytest.raises(UsageError, match="is refused"):
        FastSAM(tmp_path / "trap.pt")
    assert not (tmp_path / "sprung").exists()


def test_bug_21_nothing_is_downloaded_unasked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("socket.socket", None)
    with pytest.raises(UsageError, match="fastsam weights get fastsam-x"):
        FastSAM("fastsam-x")
    FastSAM(threads=1)(np.zeros((40, 40, 3), np.uint8), imgsz=64)


def test_bug_22_a_device_that_is_not_there_is_an_error_at_once(nest: Segments) -> None:
    FastSAMPrompt(np.zeros((100, 160, 3), np.uint8), nest, device="cuda")
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this ONNX Runtime has CUDA")
    with pytest.raises(UsageError, match="device 'cuda' is not available"):
        FastSAM(device="cuda")
    with pytest.raises(UsageError, match="runs on cpu: to use 'cuda', call FastSAM"):
        FastSAM(threads=1)(np.zeros((40, 40, 3), np.uint8), imgsz=64, device="cuda")
    with pytest.raises(UsageError, match="unknown device 'tpu'"):
        FastSAM(device="tpu")


def test_bug_23_the_decoder_answers_boxes_and_points(model: FastSAM, examples: Path) -> None:
    decoder = FastSAMDecoder(model, conf=0.05)
    seen = decoder.run_encoder(examples / "coffee.png")
    box = seen.boxes.xyxy[0].tolist()
    np.testing.assert_array_equal(decoder.run_decoder(seen, box_prompt=box)[0], seen.masks.data[0])
    assert decoder.run_decoder(seen, point_prompt=[[300, 200]], point_label=[1]).any()
    assert len(decoder.run_decoder(seen)) == len(seen)


def test_bug_24_there_is_a_trainer(make_set: Callable[..., Path], tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="the train extra is not installed")
    words = ["--data", make_set(2), "--imgsz", 64, "--batch", 2, "--photos", 2, "--workers", 0, "-o", tmp_path / "run"]
    subprocess.run([sys.executable, "-m", "fastsam", "train", *map(str, words)], check=True, capture_output=True)
    assert (tmp_path / "run" / "final.pt").exists()


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (40, 800), (3, 7)])
def test_bug_25_panoramas_and_tiny_photos_are_photos(model: FastSAM, size: tuple[int, int]) -> None:
    segments = model(np.full((*size, 3), 127, np.uint8))
    assert segments.size == size
    assert segments.label_map().shape == size


def test_bug_26_everything_comes_as_a_labelling_tool_wants_it(model: FastSAM, examples: Path) -> None:
    segments = model(examples / "coffee.png")
    for i, parts in enumerate(segments.to_polygons()):
        rings = [ring.reshape(-1).tolist() for part in parts for ring in (part.outline, *part.holes)]
        drawn = sum(coco_mask.decode(coco_mask.frPyObjects([ring], *segments.size))[..., 0] for ring in rings)
        np.testing.assert_array_equal(drawn % 2 == 1, segments.masks[i])


def test_a_saved_picture_is_the_one_that_is_plotted(examples: Path, tmp_path: Path) -> None:
    (result,) = PortFastSAM()(examples / "coffee.png", imgsz=160)
    picture = cv2.imread(result.save(tmp_path / "r.png", boxes=False))
    np.testing.assert_array_equal(picture, result.plot(boxes=False))


@pytest.fixture
def zoo(make_segments: Make, examples: Path) -> tuple[np.ndarray, Segments]:
    """A cat's picture on grey; masks: a speck, a corner of the ground, the cat."""
    photo = np.full((400, 600, 3), 120, np.uint8)
    photo[40:340, 60:511] = cv2.imread(str(examples / "chelsea.png"))[..., ::-1]
    boxes = [(520.0, 350.0, 526.0, 356.0), (530.0, 10.0, 590.0, 300.0), (60.0, 40.0, 511.0, 340.0)]
    return photo, replace(make_segments((400, 600), boxes, [0.9, 0.8, 0.7], imgsz=512), photo=photo)


@pytest.mark.usefixtures("encoder")
def test_bug_08_words_pick_the_right_mask_or_none(zoo: tuple[np.ndarray, Segments]) -> None:
    from fastsam.words import classifier

    photo, segments = zoo
    ask = FastSAMPrompt(photo, segments)
    np.testing.assert_array_equal(ask.text_prompt("a photo of a cat")[0], segments.masks[2])  # the speck is left out
    assert not ask.text_prompt("an elephant").any()
    assert classifier.load() is classifier.load()  # read once
    found, prompts = answers(segments, None, None, None, ["elephant", "cat"], True)
    assert (found.boxes.tolist(), prompts.tolist()) == (segments.boxes[[2]].tolist(), [1])


@pytest.mark.usefixtures("encoder")
def test_bug_09_nested_masks_with_one_box_look_different(zoo: tuple[np.ndarray, Segments]) -> None:
    from fastsam.words import classifier

    photo, segments = zoo
    whole = segments.masks[2]
    ring = whole.copy()
    ring[60:320, 80:490] = False
    of_whole, of_ring = classifier.load().chances(photo, [Crop((0, 0), whole), Crop((0, 0), ring)])
    assert np.abs(of_whole - of_ring).max() > 0.1
