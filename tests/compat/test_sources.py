"""What Ultralytics' call takes as its source, and how answers come."""

import types
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from fastsam import UsageError
from fastsam.compat import FastSAM, Results
from fastsam.compat.sources import photos
from fastsam.image.video import frames


@pytest.fixture(scope="module")
def port() -> FastSAM:
    return FastSAM()


def test_a_video_is_its_frames(port: FastSAM, clip: Path) -> None:
    results = port(str(clip), imgsz=64)
    assert len(results) == 4
    for result, frame in zip(results, frames(clip), strict=True):
        np.testing.assert_array_equal(result.orig_img, frame[..., ::-1])
        assert result.path == str(clip)
    assert len(port(clip, imgsz=64, vid_stride=2)) == 2
    with pytest.raises(UsageError, match="vid_stride must be an integer of at least 1, not 0"):
        port(clip, vid_stride=0)


def test_a_stream_segments_when_its_turn_comes(port: FastSAM, clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    inner = port.model
    monkeypatch.setattr(port, "model", Counting(inner, calls))
    stream = port(clip, stream=True, imgsz=64)
    assert isinstance(stream, types.GeneratorType)
    assert calls == []
    first = next(stream)
    assert isinstance(first, Results)
    assert len(calls) == 1
    assert len(list(stream)) == 3


def test_labels_have_their_frames_number(
    port: FastSAM, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, empty = port.model, [False, True, False, False]

    def all_but_the_second(pixels: np.ndarray, **named: object) -> object:
        segments = model(pixels, **named)
        return segments.take([]) if empty.pop(0) else segments

    monkeypatch.setattr(port, "model", Counting(all_but_the_second, []))
    monkeypatch.setattr(Counting, "settings", model.settings, raising=False)
    results = port(clip, imgsz=64, conf=0.01, save=True, save_txt=True, save_crop=True, project=tmp_path, name="p")
    assert [len(result) > 0 for result in results] == [True, False, True, True]
    assert {file.name for file in (tmp_path / "p").glob("*.jpg")} == {f"clip{k}.jpg" for k in ("", "-2", "-3", "-4")}
    labels = {file.stem: len(file.read_text().splitlines()) for file in (tmp_path / "p" / "labels").iterdir()}
    assert labels == {"clip": len(results[0]), "clip-3": len(results[2]), "clip-4": len(results[3])}
    crops = len(list((tmp_path / "p" / "crops").rglob("*.jpg")))
    assert crops == sum(len(result) for result in results)
    next_call = FastSAM(model)(clip, imgsz=64, conf=0.01, save_txt=True, project=tmp_path, name="p", exist_ok=True)
    assert len(next_call[0]) > 0
    assert (tmp_path / "p" / "labels" / "clip-2.txt").exists()  # the first name that is free
    assert (tmp_path / "p" / "labels" / "clip-5.txt").exists()


class Counting:
    """A model that notes its calls."""

    def __init__(self, inner: object, calls: list[object]) -> None:
        self.inner, self.calls = inner, calls

    def __call__(self, *args: object, **named: object) -> object:
        self.calls.append(args)
        return self.inner(*args, **named)  # type: ignore[operator]

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)


def test_a_folder_holds_photos_and_videos(clip: Path, examples: Path) -> None:
    bgr = cv2.imread(str(examples / "coffee.png"))
    cv2.imwrite(str(clip.parent / "a.png"), bgr)
    (clip.parent / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n torn IEND")
    with pytest.warns(UserWarning, match="left out: .*b.png"):
        found = list(photos(clip.parent))
    assert [Path(path).name for _, path in found] == ["a.png", *["clip.avi"] * 4]
    np.testing.assert_array_equal(found[0][0], bgr[..., ::-1])
    assert [Path(path).name for _, path in photos(str(clip.parent / "*.avi"))] == ["clip.avi"] * 4
    with pytest.raises(UsageError, match=r"b\.png"):
        list(photos(clip.parent / "b.png"))


@pytest.mark.parametrize("number", [0, "0", np.int64(0)])
def test_a_number_is_a_camera(clip: Path, monkeypatch: pytest.MonkeyPatch, number: object) -> None:
    real, asked = cv2.VideoCapture, []

    def standing_in(device: object) -> cv2.VideoCapture:
        asked.append(device)
        return real(str(clip) if device == 0 else "no camera")

    monkeypatch.setattr(cv2, "VideoCapture", standing_in)
    found = list(photos(number))
    assert asked == [0]
    assert [path for _, path in found] == ["0"] * 4
    for (pixels, _), frame in zip(found, frames_of(real, clip), strict=True):
        np.testing.assert_array_equal(pixels, frame[..., ::-1])
    assert len(list(photos(0, 3))) == 2
    with pytest.raises(UsageError, match="camera 7 gives no picture"):
        list(photos(7))
    with pytest.raises(UsageError, match="number must be an integer from 0 to 9999, not -1"):  # OpenCV crashes for some
        list(photos(-1))


def frames_of(real: Callable[[str], cv2.VideoCapture], file: Path) -> list[np.ndarray]:
    capture, found = real(str(file)), []
    while (read := capture.read())[0]:
        found.append(read[1])
    return found


def test_arrays_are_as_opencv_has_them() -> None:
    bgr = np.zeros((8, 9, 3), np.uint8)
    bgr[..., 0] = 255
    ((pixels, path),) = photos(bgr)
    assert (pixels[0, 0].tolist(), path) == ([0, 0, 255], "image0.jpg")
    ((pixels, _),) = photos(np.dstack((bgr, np.full((8, 9), 255, np.uint8))))
    assert pixels[0, 0].tolist() == [0, 0, 255]
    assert [path for _, path in photos(np.stack((bgr, bgr)))] == ["image0.jpg", "image1.jpg"]
    assert [path for _, path in photos([bgr, bgr[..., 0]])] == ["image0.jpg", "image1.jpg"]
    assert [path for _, path in photos(iter([bgr, bgr]))] == ["image0.jpg", "image1.jpg"]


def test_tensors_are_as_ultralytics_takes_them() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    red = torch.zeros((2, 3, 8, 9))
    red[:, 0] = 1.0
    found = list(photos(red))
    assert len(found) == 2
    assert found[0][0][0, 0].tolist() == [255, 0, 0]
    with pytest.raises(UsageError, match=r"a tensor must be RGB of shape .* not \(8, 9\)"):
        list(photos(torch.zeros((8, 9))))


@pytest.mark.parametrize(
    ("source", "line"),
    [
        (None, "no source given"),
        ("https://example.com/photo.jpg", "is not downloaded"),
        ("rtsp://127.0.0.1:9/none", "127.0.0.1:9/none gives no picture"),
        ("missing.jpg", "there is no such file"),
        (3.5, "cannot segment a float"),
        (np.zeros((4, 4, 2), np.uint8), "a photo must be an RGB array"),
        (np.full((4, 4, 3), -1.0, np.float32), "have no clear brightness"),
    ],
)
def test_what_is_no_source_is_an_error_of_one_line(port: FastSAM, source: object, line: str) -> None:
    with pytest.raises(UsageError, match=line) as error:
        port(source)
    assert "\n" not in str(error.value)


def test_a_call_writes_what_is_asked_for(
    port: FastSAM, examples: Path, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("predict", "predict2"):
        (result,) = port(examples / "coffee.png", imgsz=160, save=True, save_txt=True, save_conf=True, save_crop=True)
        home = tmp_path / "runs" / "segment" / folder
        assert Path(result.save_dir).resolve() == home
        np.testing.assert_array_equal(cv2.imread(str(home / "coffee.png")), result.plot())
        assert len((home / "labels" / "coffee.txt").read_text().splitlines()) == len(result)
        assert len(list((home / "crops" / "object").iterdir())) == len(result)
    (result,) = port(examples / "coffee.png", imgsz=160, save=True, project="p", name="n", show_boxes=False)
    np.testing.assert_array_equal(cv2.imread("p/n/coffee.png"), result.plot(boxes=False))
    port(clip, imgsz=64, save=True, project="p", name="clip")
    assert len(list(Path("p/clip").iterdir())) == 4
    assert port(examples / "coffee.png", imgsz=64)[0].save_dir is None
    assert not Path("runs/segment/predict3").exists()
