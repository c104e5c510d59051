"""Calls as people make them: the published call's keywords, odd values, odd photos, several sources, copies."""

import copy
import multiprocessing
import pickle
import warnings
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fastsam import FastSAM, Segments, UsageError
from fastsam.accepted import IGNORED

NAN = float("nan")
GREY = np.full((32, 48, 3), 114, np.uint8)


def test_the_published_calls_keywords_are_taken_and_change_nothing(model: FastSAM, examples: Path) -> None:
    photo = examples / "coffee.png"
    published = model(photo, device="cpu", retina_masks=True, half=False, verbose=False, imgsz=256, save=False)
    assert published == model(photo, imgsz=256)
    assert model(GREY, **dict.fromkeys(IGNORED, True)) == model(GREY)


def test_a_keyword_that_would_do_something_elsewhere_says_what_does_it_here(model: FastSAM) -> None:
    with pytest.raises(UsageError, match=r"does not support save=True: use segments\.save"):
        model(GREY, save=True)
    with pytest.raises(UsageError, match="unknown keyword 'conff'"):
        model(GREY, conff=0.4)


def test_a_pair_is_height_and_width_within_which_the_input_lies(model: FastSAM, examples: Path) -> None:
    def input_of(imgsz: Any) -> tuple[int, int]:
        return model(examples / "coffee.png", imgsz=imgsz).masks.source.letterbox.input  # the photo is 400 x 600

    assert input_of((256, 256)) == input_of([256]) == input_of(256) == input_of(np.int64(256)) == (192, 256)
    assert input_of((128, 640)) == (128, 192)
    assert input_of((640, 128)) == (96, 128)
    assert input_of(np.array([128, 640])) == (128, 192)
    (one,) = model.batch([examples / "coffee.png"], imgsz=(128, 640))
    assert one.masks.source.letterbox.input == (128, 192)


WRONG: list[tuple[str, Any]] = [
    *(("conf", v) for v in ("0.4", NAN, -0.1, 1.5, True, [0.4], np.array([0.4, 0.5]), 1j, "x\ny", object())),
    *(("iou", v) for v in ("0.4", NAN, -1, 2, False, {}, float("inf"))),
    *(("max_det", v) for v in (10.0, "10", 0, -3, NAN, True, np.float32(3), [3])),
    *(("imgsz", v) for v in ("640", 640.0, 8, -1, 10**9, True, NAN, object())),
    *(("imgsz", v) for v in ((640,) * 3, (), (640, "640"), (640, None))),
    *(("refine", v) for v in ("yes", 1, 0, [], np.zeros(3))),
    *(("overlap", v) for v in ("0.2", 0, 0.9, NAN, None, True)),
    *(("tile", v) for v in (10, 500.0, "500", True, NAN, [500])),
]


@pytest.mark.parametrize(("name", "value"), WRONG, ids=lambda v: " ".join(repr(v).split())[:30])
def test_an_odd_value_is_one_line_that_names_it(model: FastSAM, name: str, value: Any) -> None:
    calls = [lambda: model(GREY, **{name: value}), lambda: model.stream([GREY], **{name: value})]
    if name not in ("tile", "overlap"):
        calls.append(lambda: model.batch([GREY], **{name: value}))
    for call in calls:
        with pytest.raises(UsageError, match=name) as caught:
            call()
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 200


def test_numpys_numbers_are_numbers(model: FastSAM, examples: Path) -> None:
    one = model(
        examples / "coffee.png", imgsz=np.int32(256), conf=np.float32(0.25), iou=np.array(0.5), max_det=np.uint8(7)
    )
    assert one == model(examples / "coffee.png", imgsz=256, conf=0.25, iou=0.5, max_det=7)


@pytest.mark.parametrize(
    "arguments",
    [
        {"threads": 0}, {"threads": "2"}, {"threads": True}, {"threads": 1.5}, {"threads": NAN}, {"providers": "CPU"},
        {"providers": 5}, {"providers": [5]}, {"runtime": 5}, {"runtime": "tflite"}, {"precision": 32},
        {"precision": "float16"}, {"device": True}, {"device": "tpu"}, {"device": 1.5}, {"device": [0]},
        {"weights": 5}, {"weights": b"a.onnx"}, {"weights": ["a.onnx"]}, {"weights": "a\0b"}, {"weights": ""},
    ],
    ids=str,
)  # fmt: skip
def test_a_model_of_odd_values_is_one_line(arguments: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as caught:
        FastSAM(**arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "source",
    [None, 3.5, True, {}, b"photo.jpg", set(), object(), np.zeros((2, 2, 2, 2, 3), np.uint8), np.zeros((4, 0, 3)),
     np.zeros(5, np.uint8), np.array("a"), np.zeros((4, 4, 3), object), "", [None], [["a.jpg"]], (3.5,),
     np.zeros((3, 3, 3), complex), np.ma.masked_all((3, 3, 3)), 0, "rtsp://127.0.0.1:1/x"],
    ids=lambda v: " ".join(repr(v).split())[:30],
)  # fmt: skip
def test_what_is_no_photo_is_one_line(model: FastSAM, source: Any) -> None:
    if isinstance(source, set):
        assert model(source) == []
        return
    with pytest.raises(UsageError) as caught:
        model(source)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("shape", [(1, 1), (1, 20000), (20000, 10), (2, 3), (33, 1)])
@pytest.mark.parametrize("conf", [None, 0.0])
def test_photos_of_any_shape_are_segmented(model: FastSAM, shape: tuple[int, int], conf: float | None) -> None:
    photo = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    segments = model(photo, imgsz=128, conf=conf)
    assert segments.size == shape
    assert (segments.masks.areas > 0).all()
    for segment in segments[:3]:
        assert segment.mask.shape == shape
        assert segment.cutout.shape[2] == 4
    assert segments.partition(fill=True).labels.shape == segments.edges().shape == shape
    assert "base64" in segments._repr_html_()
    assert pickle.loads(pickle.dumps(segments)) == segments
    segments.select(points=[(0, 0)], boxes=[(0, 0, 1, 1)])
    segments.refine()
    segments.filter(iou=0.5, area=(1, None), stability=0.1, inside=0.9)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, 70), st.integers(1, 70), st.integers(0, 10**6), st.sampled_from([32, 64, 128, (32, 128)]))
def test_no_mask_without_pixels_leaves_the_model(model: FastSAM, h: int, w: int, seed: int, imgsz: Any) -> None:
    photo = np.random.default_rng(seed).integers(0, 256, (h, w, 3), np.uint8)
    segments = model(photo, imgsz=imgsz, conf=0.0, iou=1.0)
    assert (segments.masks.areas > 0).all()
    np.testing.assert_array_equal(segments.masks.occupied(), segments.masks.areas > 0)


def test_masks_without_pixels_of_an_untrained_checkpoint_are_dropped(shared: Path) -> None:
    """The checkpoint gave 11 of 266 masks without a pixel."""
    model = FastSAM(shared / "golden" / "object-n.pt", threads=1)
    segments = model(shared / "photos" / "dogs.jpg", imgsz=1024, conf=0.4, iou=0.9)
    assert len(segments) == 255
    assert (segments.masks.areas > 0).all()
    assert model.settings.imgsz == 320
    assert max(model(shared / "photos" / "dogs.jpg").masks.source.letterbox.input) == 320  # its own, if none is given


def test_a_list_gives_a_list_and_a_folder_and_a_video_give_what_a_stream_gives(
    model: FastSAM, clip: Path, examples: Path, tmp_path: Path
) -> None:
    photos = [examples / "coffee.png", cv2.imread(str(examples / "rocket.jpg"))]
    found = model(photos, imgsz=64)
    assert found == [model(photo, imgsz=64) for photo in photos]
    assert model(tuple(photos), imgsz=64) == model(iter(photos), imgsz=64) == found
    assert model([]) == []
    assert [s.size for s in model(clip, imgsz=64)] == [(96, 160)] * 4
    folder = tmp_path / "photos"
    folder.mkdir()
    for k in range(2):
        cv2.imwrite(str(folder / f"{k}.png"), GREY)
    assert [s.size for s in model(folder, imgsz=64)] == [(32, 48)] * 2
    assert [s.size for s in model(f"{folder}/*.png", imgsz=64)] == [(32, 48)] * 2
    assert [s.size for s in model(np.stack([GREY] * 3), imgsz=64)] == [(32, 48)] * 3
    lazily = model(photos, imgsz=64, stream=True)
    assert not isinstance(lazily, list)
    assert list(lazily) == found
    assert [len(s) for s in model(GREY, stream=True)] == [len(model(GREY))]


def test_a_matrix_and_a_memory_map_are_photos(model: FastSAM, tmp_path: Path) -> None:
    grey = np.random.default_rng(0).integers(0, 256, (40, 60), np.uint8)
    plain = model(grey, conf=0.0, imgsz=64)
    with warnings.catch_warnings(action="ignore"):
        assert model(np.asmatrix(grey), conf=0.0, imgsz=64) == plain
    np.save(tmp_path / "photo.npy", grey)
    assert model(np.load(tmp_path / "photo.npy", mmap_mode="r"), conf=0.0, imgsz=64) == plain


def test_a_model_is_said_in_one_line(model: FastSAM) -> None:
    assert repr(model).startswith("FastSAM(): onnx on cpu, imgsz 640")
    assert "\n" not in repr(model)


def test_a_model_can_be_pickled_and_copied(examples: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(Path(FastSAM.__init__.__code__.co_filename).parent / "weights" / "bundled")
    model = FastSAM("fastsam-tiny.onnx", threads=1)
    expected = model(examples / "coffee.png", imgsz=128)
    packed = pickle.dumps(model)
    assert len(packed) < 2000  # what it was made of, not the network
    monkeypatch.chdir(tmp_path)
    for again in (pickle.loads(packed), copy.copy(model), copy.deepcopy(model)):
        assert again is not model
        assert again(examples / "coffee.png", imgsz=128) == expected
    assert copy.deepcopy(model).network is model.network


def test_a_model_goes_to_processes_that_start_anew(model: FastSAM, examples: Path) -> None:
    photos = [str(examples / name) for name in ("coffee.png", "rocket.jpg")]
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        found = pool.map(model, photos)
    assert found == [model(photo) for photo in photos]


def test_a_network_that_gives_no_numbers_says_so(model: FastSAM) -> None:
    class Broken:
        def run(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            raw, prototypes = model.network.run(images)
            return np.full_like(raw, NAN), prototypes

    broken = copy.copy(model)
    broken.network = Broken()
    with pytest.raises(UsageError, match="not finite: its weights are damaged"):
        broken(GREY)


def test_one_row_or_cell_that_is_no_number_costs_only_itself(model: FastSAM, examples: Path) -> None:
    expected = model(examples / "coffee.png", imgsz=256)

    class Partly:
        def run(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            raw, prototypes = (a.copy() for a in model.network.run(images))
            worst = np.argsort(raw[0, 4])[:3]
            raw[0, :4, worst[0]], raw[0, 4, worst] = NAN, 1.0
            raw[0, 0, worst[1]] = np.inf
            raw[0, -1, worst[2]] = -np.inf
            prototypes[0, 3, 0, 0] = np.inf
            return raw, prototypes

    partly = copy.copy(model)
    partly.network = Partly()
    found = partly(examples / "coffee.png", imgsz=256)
    np.testing.assert_array_equal(found.scores, expected.scores)
    np.testing.assert_array_equal(found.boxes, expected.boxes)
    assert isinstance(found, Segments)
