"""Loops that track, as people write them for Ultralytics and supervision: only the import differs."""

from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np
import pytest

from fastsam import UsageError
from fastsam.compat import FastSAM


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> list[np.ndarray]:
    """BGR: a dark disc that goes from left to right over a light ground."""
    made = []
    for k in range(8):
        frame = np.full((160, 256, 3), 215, np.uint8)
        cv2.circle(frame, (40 + 24 * k, 80), 26, (40, 30, 160), -1)
        made.append(frame)
    return made


def disc(result: object, k: int) -> int:
    """Which row is the disc of frame k."""
    centres = np.asarray(result.boxes.xywh)[:, :2]
    widths = np.asarray(result.boxes.xywh)[:, 2]
    far = np.hypot(*(centres - (40 + 24 * k, 80)).T) + np.abs(widths - 52)
    assert far.min() < 12
    return int(far.argmin())


def test_trails_grow_frame_by_frame(frames: list[np.ndarray]) -> None:
    """As in Ultralytics' guide: one call per frame, with `persist`."""
    model = FastSAM()
    track_history: dict[int, list[tuple[float, float]]] = defaultdict(list)
    mine = []
    for k, frame in enumerate(frames):
        results = model.track(frame, persist=True, tracker="bytetrack.yaml", imgsz=256)
        assert results[0].boxes.is_track
        boxes = results[0].boxes.xywh.cpu()
        track_ids = results[0].boxes.id.int().cpu().tolist()
        for box, track_id in zip(boxes, track_ids, strict=True):
            x, y, _, _ = box
            track_history[track_id].append((float(x), float(y)))
        mine.append(track_ids[disc(results[0], k)])
    assert len(set(mine)) == 1
    trail = np.array(track_history[mine[0]])
    np.testing.assert_allclose(trail[:, 0], 40 + 24 * np.arange(8), atol=8)


def test_without_persist_ids_begin_again(frames: list[np.ndarray]) -> None:
    model = FastSAM()
    first = model.track(frames[0], imgsz=256)[0].boxes.id.tolist()
    assert model.track(frames[7], imgsz=256)[0].boxes.id.min() == 1
    assert first[0] >= 1


def test_rows_and_tables_have_the_id(frames: list[np.ndarray]) -> None:
    result = FastSAM().track(frames[0], imgsz=256)[0]
    boxes = result.boxes
    assert boxes.shape == (len(result), 7)
    np.testing.assert_array_equal(boxes.data[:, 4], boxes.id)
    np.testing.assert_array_equal(boxes.data[:, 5], boxes.conf)
    np.testing.assert_array_equal(boxes.data[:, 6], boxes.cls)
    assert boxes[0].id.item() == boxes.id[0]
    assert [row["track_id"] for row in result.summary()] == boxes.id.int().tolist()
    assert result.to_csv().splitlines()[0] == "name,class,confidence,box,track_id,segments"


def test_a_line_is_crossed_once(frames: list[np.ndarray], tmp_path: Path) -> None:
    """supervision's LineZone and TraceAnnotator on the results."""
    sv = pytest.importorskip("supervision", reason="supervision is not installed")
    model, trace = FastSAM(), sv.TraceAnnotator()
    line = sv.LineZone(start=sv.Point(128, 0), end=sv.Point(128, 160), triggering_anchors=[sv.Position.CENTER])
    for k, frame in enumerate(frames):
        results = model.track(frame, persist=True, imgsz=256)[0]
        detections = sv.Detections.from_ultralytics(results)
        assert detections.tracker_id.tolist() == results.boxes.id.int().tolist()
        line.trigger(detections[[disc(results, k)]])
        assert trace.annotate(frame.copy(), detections).shape == frame.shape
    assert line.in_count + line.out_count == 1


def test_a_video_is_followed_in_one_call(frames: list[np.ndarray], tmp_path: Path) -> None:
    file = tmp_path / "disc.avi"
    writer = cv2.VideoWriter(str(file), cv2.VideoWriter.fourcc(*"MJPG"), 5, (256, 160))
    for frame in frames:
        writer.write(frame)
    writer.release()
    results = FastSAM().track(source=str(file), stream=True, imgsz=256)
    assert len({result.boxes.id[disc(result, k)] for k, result in enumerate(results)}) == 1


def test_prompts_are_refused(frames: list[np.ndarray]) -> None:
    with pytest.raises(UsageError, match="track follows every object and takes no bboxes: use predict for prompts"):
        FastSAM().track(frames[0], bboxes=[1, 1, 50, 50])
