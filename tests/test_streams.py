"""Batches and streams give what one call a photo gives, in order; frames of a video are photos."""

import threading
import time
from collections.abc import Iterator
from contextlib import nullcontext
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
import pytest

from fastsam import FastSAM, PhotoWarning, Segments, UnreadableImageError, UsageError
from fastsam.image.video import frames
from fastsam.sources import Frame
from fastsam.streams import ordered


@pytest.fixture(scope="module")
def photos(examples: Path) -> list[Path]:
    return [examples / name for name in ("coffee.png", "chelsea.png", "rocket.jpg", "coffee.png")]


def same(a: Segments, b: Segments) -> None:
    assert len(a) == len(b)
    np.testing.assert_allclose(a.scores, b.scores, atol=1e-5)
    np.testing.assert_allclose(a.boxes, b.boxes, atol=1e-2)
    ones, others = a.masks.stack(), b.masks.stack()
    assert ((ones & others).sum((1, 2)) >= 0.999 * (ones | others).sum((1, 2))).all()


def test_a_batch_gives_what_one_by_one_gives(model: FastSAM, photos: list[Path]) -> None:
    for photo, segments in zip(photos, model.batch(photos, imgsz=256, at_once=2), strict=True):
        same(segments, model(photo, imgsz=256))
    assert model.batch([]) == []
    with pytest.raises(UsageError, match="at_once must be an integer of at least 1, not 0"):
        model.batch(photos, at_once=0)


def test_a_stream_gives_what_one_by_one_gives_in_order(photos: list[Path]) -> None:
    model = FastSAM(threads=2)
    found = list(model.stream(photos, imgsz=256))
    assert [source for source, _ in found] == photos
    for photo, segments in found:
        same(segments, model(photo, imgsz=256))


def test_a_source_that_cannot_be_read_stops_a_stream_or_is_handed_over(
    model: FastSAM, photos: list[Path], tmp_path: Path
) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no photo")
    with pytest.raises(UnreadableImageError, match=r"broken\.jpg"):
        list(model.stream([photos[0], broken], imgsz=64))
    left_out: list[object] = []
    found = model.stream([broken, photos[0]], imgsz=64, unreadable=lambda source, error: left_out.append(source))
    assert [source for source, _ in found] == [photos[0]]
    assert left_out == [broken]


def test_answers_come_in_order_and_few_wait() -> None:
    begun: list[int] = []

    def slow_first(k: int) -> int:
        begun.append(k)
        time.sleep(0.05 if k == 0 else 0)
        return k

    answers = ordered(slow_first, range(50), workers=2)
    assert next(answers) == 0
    assert max(begun) <= 6
    assert list(answers) == list(range(1, 50))


def test_what_is_left_of_a_stream_is_not_begun() -> None:
    begun: list[int] = []
    release = threading.Event()

    def wait(k: int) -> int:
        begun.append(k)
        release.wait(5)
        return k

    answers = ordered(wait, range(100), workers=1)
    threading.Timer(0.1, release.set).start()
    assert next(answers) == 0
    answers.close()
    assert len(begun) <= 4


def test_frames_of_a_video_are_rgb_photos(clip: Path, tmp_path: Path) -> None:
    seen = list(frames(clip))
    assert [f.shape for f in seen] == [(96, 160, 3)] * 4
    assert seen[2][48, 80, 0] > 200 > 60 > seen[2][48, 80, 2]
    (tmp_path / "no.mp4").write_bytes(b"no video")
    for name, message in (("no.mp4", "not a video that can be read"), ("missing.mp4", "there is no such file")):
        with pytest.raises(UnreadableImageError, match=message):
            next(frames(tmp_path / name))


def test_a_stream_takes_a_folder_of_photos_and_videos(model: FastSAM, clip: Path, photos: list[Path]) -> None:
    """`clip` lies in a folder of its own, to which a photo is added."""
    (clip.parent / "a.png").write_bytes(photos[0].read_bytes())
    (clip.parent / "notes.txt").write_text("no photo")
    for source in (str(clip.parent), clip.parent, [clip.parent], f"{clip.parent}/*.[pa]*"):
        with nullcontext() if "*" in str(source) else pytest.warns(PhotoWarning, match=r"1 file left out \(1 \.txt\)"):
            found = list(model.stream(source, imgsz=64))
        assert [source for source, _ in found] == [clip.parent / "a.png", *(Frame(clip, k) for k in range(4))]
    same(found[0][1], model(photos[0], imgsz=64))
    assert str(found[4][0]) == f"{clip}, frame 3"
    videos = model.stream(f"{clip.parent}/*.avi", imgsz=64)
    assert [source for source, _ in videos] == [Frame(clip, k) for k in range(4)]
    empty = clip.parent / "empty"
    empty.mkdir()
    with pytest.raises(UsageError, match="has no photos"):
        model.stream(empty)
    with pytest.raises(UsageError, match="no file matches"):
        model.stream(f"{empty}/*.jpg")


def test_a_stream_of_a_video_yields_its_frames_in_order(model: FastSAM, clip: Path) -> None:
    found = list(model.stream(str(clip), imgsz=64))
    assert [source for source, _ in found] == [Frame(str(clip), k) for k in range(4)]
    for (_, segments), pixels in zip(found, frames(clip), strict=True):
        np.testing.assert_array_equal(segments.photo, pixels)
    assert len(model.batch(clip, imgsz=64)) == 4


def test_a_stream_of_one_photo_is_one_and_a_generator_is_taken_as_it_comes(model: FastSAM, photos: list[Path]) -> None:
    pixels = cv2.imread(str(photos[0]))
    for source in (str(photos[0]), photos[0], pixels, iter([pixels])):
        assert len(list(model.stream(source, imgsz=64))) == 1
    ((source, _),) = model.stream([pixels], imgsz=64)
    assert source is pixels


def test_a_stream_takes_an_address(model: FastSAM, clip: Path) -> None:
    handler = partial(SimpleHTTPRequestHandler, directory=str(clip.parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/{clip.name}"
        found = list(model.stream(address, imgsz=64))
        with pytest.raises(UsageError, match=r"may never end: iterate over model\.stream\('http://"):
            model(address)
        server.shutdown()
    assert [source for source, _ in found] == [Frame(address, k) for k in range(4)]


def test_a_camera_that_is_not_there_is_an_error_that_names_it(model: FastSAM) -> None:
    for number in (77, np.int64(77)):
        with pytest.raises(UnreadableImageError, match="camera 77 gives no picture"):
            list(model.stream(number))
    with pytest.raises(UsageError, match=r"may never end: iterate over model\.stream\(0\)"):
        model(0)
    for number in (-1, 10**30):
        with pytest.raises(UsageError, match="a camera's number must be an integer from 0 to"):
            model.stream(number)
    left_out: list[object] = []
    assert list(model.stream(77, unreadable=lambda source, error: left_out.append(source))) == []
    assert left_out == [77]


def test_what_comes_after_a_broken_video_is_given(model: FastSAM, clip: Path, photos: list[Path]) -> None:
    broken = clip.parent / "broken.mp4"
    broken.write_bytes(b"no video")
    left_out: list[object] = []
    found = model.stream([broken, photos[0]], imgsz=64, unreadable=lambda source, error: left_out.append(source))
    assert [source for source, _ in found] == [photos[0]]
    assert left_out == [broken]
    with pytest.raises(UnreadableImageError, match=r"broken\.mp4"):
        list(model.stream(broken))


def test_a_device_or_runtime_that_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(UsageError, match="device 'cuda' is not available"):
        FastSAM(device="cuda")
    with pytest.raises(UsageError, match="unknown runtime 'tflite'"):
        FastSAM(runtime="tflite")
    with pytest.raises(UsageError, match="precision 'bf16' needs runtime='openvino'"):
        FastSAM(precision="bf16")


def test_large_photos_need_little_memory_beside_themselves(model: FastSAM, examples: Path) -> None:
    """Masks of 4512 x 4512 pixels as RLE: a bool array of one alone takes 20 MB."""
    import tracemalloc

    photo = cv2.resize(cv2.imread(str(examples / "coffee.png")), (4512, 4512))
    segments = model(photo)
    tracemalloc.start()
    packed = segments.to_rle()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(packed) == len(segments) > 5
    assert peak < 100e6


def test_what_came_before_a_source_that_raises_is_given_first() -> None:
    def source() -> Iterator[int]:
        yield from range(3)
        raise OSError("the camera is gone")

    answers = ordered(lambda k: k, source(), workers=2)
    assert [next(answers) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(OSError, match="the camera is gone"):
        next(answers)


def test_wrong_use_is_named_before_anything_runs(model: FastSAM) -> None:
    with pytest.raises(UsageError, match="conf must be a number between 0 and 1, not 7"):
        model.stream([], conf=7)
    with pytest.raises(UsageError, match=r"tile must be an integer of at least 32, not 500\.0"):
        model.stream([], tile=500.0)
    with pytest.raises(UsageError, match="threads must be an integer of at least 1, not 0"):
        FastSAM(threads=0)


def test_a_provider_that_does_not_start_is_an_error_and_no_slow_surprise(monkeypatch: pytest.MonkeyPatch) -> None:
    import onnxruntime

    class OnTheCpu:
        def __init__(self, *_: object, **__: object) -> None: ...

        def get_providers(self) -> list[str]:
            return ["CPUExecutionProvider"]

    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider"])
    monkeypatch.setattr(onnxruntime, "InferenceSession", OnTheCpu)
    with pytest.raises(UsageError, match="could not start 'CUDAExecutionProvider'"):
        FastSAM(device="cuda")
