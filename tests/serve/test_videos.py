"""Videos of the service: sent once, shown frame by frame, followed, and saved."""

import json
import struct
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import anyio
import cv2
import numpy as np
import pytest

pytest.importorskip("fastapi", reason="the serve extra is not installed")

from starlette.testclient import TestClient

from fastsam.masks import rle
from fastsam.serve.limits import Limits
from fastsam.serve.problems import Problem
from fastsam.serve.videos import store
from fastsam.serve.videos.routes import Following, stretches
from fastsam.serve.videos.store import Facts, Videos
from fastsam.video.read import read

pytestmark = pytest.mark.service
FRAMES, SIDE = 9, 40  # frames of the video, side of the square that moves in it
Detail = Callable[[Any], str]


def square(number: int) -> tuple[int, int]:
    """Left and top of the square in a frame."""
    return 40 + 12 * number, 60


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory, examples: Path) -> bytes:
    """An orange square that goes to the right over a grey table."""
    file = tmp_path_factory.mktemp("film") / "film.mp4"
    out = cv2.VideoWriter(str(file), cv2.VideoWriter.fourcc(*"mp4v"), 10, (240, 160))
    rng = np.random.default_rng(0)
    ground = cv2.GaussianBlur(rng.integers(90, 150, (160, 240, 3), np.uint8), (0, 0), 3)
    for number in range(FRAMES):
        x, y = square(number)
        frame = ground.copy()
        frame[y : y + SIDE, x : x + SIDE] = (30, 140, 250)
        out.write(frame)
    out.release()
    return file.read_bytes()


@pytest.fixture
def sent(service: TestClient, film: bytes) -> dict[str, Any]:
    answer = service.post("/v1/videos?name=film.mp4", content=film, headers={"Content-Type": "video/mp4"})
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def follow(service: TestClient, id_: str, **asked: Any) -> list[dict[str, Any]]:
    answer = service.post(f"/v1/videos/{id_}/follow", json=asked)
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def middle(number: int) -> list[int]:
    x, y = square(number)
    return [x + SIDE // 2, y + SIDE // 2]


def overlap(row: dict[str, Any], number: int) -> float:
    """IoU of a followed object with the square."""
    mask, truth = rle.decode(row["segmentation"]), np.zeros((160, 240), bool)
    x, y = square(number)
    truth[y : y + SIDE, x : x + SIDE] = True
    return float((mask & truth).sum() / (mask | truth).sum())


def test_a_video_is_described_and_its_frames_are_shown(service: TestClient, sent: dict[str, Any]) -> None:
    assert {**sent, "id": ""} == {
        "id": "", "name": "film.mp4", "width": 240, "height": 160, "frames": FRAMES, "rate": 10.0,
    }  # fmt: skip
    assert service.get(f"/v1/videos/{sent['id']}").json() == sent
    for number in (5, 0, 6, 7):
        shot = service.get(f"/v1/videos/{sent['id']}/frames/{number}")
        assert shot.headers["Content-Type"] == "image/jpeg"
        pixels = cv2.imdecode(np.frombuffer(shot.content, np.uint8), cv2.IMREAD_COLOR)
        x, y = middle(number)
        assert abs(pixels[y, x].astype(int) - (30, 140, 250)).max() < 30
        assert abs(pixels[y, x - SIDE].astype(int) - (30, 140, 250)).max() > 60


def test_a_click_is_followed_forwards_then_backwards(service: TestClient, sent: dict[str, Any]) -> None:
    rows = follow(service, sent["id"], frame=4, prompts=[{"points": [middle(4)]}])
    assert [row["frame"] for row in rows] == [4, 5, 6, 7, 8, 3, 2, 1, 0]
    for row in rows:
        (one,) = row["objects"]
        assert overlap(one, row["frame"]) > 0.8
        assert 0 < one["quality"] <= 1


def test_a_later_correction_keeps_what_came_before(service: TestClient, sent: dict[str, Any], tmp_path: Path) -> None:
    """What was followed last is what is saved: COCO has each frame once."""
    follow(service, sent["id"], frame=0, prompts=[{"points": [middle(0)]}])
    rows = follow(
        service, sent["id"], frame=6, backwards=False, prompts=[{"box": [0, 0, 30, 30]}, {"points": [middle(6)]}]
    )
    assert [row["frame"] for row in rows] == [6, 7, 8]
    coco = service.get(f"/v1/videos/{sent['id']}/followed?format=coco").json()
    assert [image["frame_id"] for image in coco["images"]] == list(range(FRAMES))
    ids = {image["id"]: image["frame_id"] for image in coco["images"]}
    square_ids = {(ids[a["image_id"]], a["track_id"]) for a in coco["annotations"] if a["bbox"][0] > 30}
    assert {track for frame, track in square_ids if frame < 6} == {1}
    assert {track for frame, track in square_ids if frame >= 6} == {2}


def test_the_followed_video_has_every_frame_and_the_object_tinted(
    service: TestClient, sent: dict[str, Any], tmp_path: Path
) -> None:
    follow(service, sent["id"], prompts=[{"points": [middle(0)]}])
    answer = service.get(f"/v1/videos/{sent['id']}/followed")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="film-followed.mp4"'
    file = tmp_path / "out.mp4"
    file.write_bytes(answer.content)
    shots = list(read(file).frames)
    assert len(shots) == FRAMES
    x, y = middle(5)
    assert abs(shots[5][1][y, x].astype(int) - (250, 140, 30)).max() > 30  # tinted
    assert abs(shots[5][1][150, 10].astype(int) - 120).max() < 40  # as it was


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"frame": FRAMES, "prompts": [{"points": [[1, 1]]}]}, f"has no frame {FRAMES}: its last is {FRAMES - 1}"),
        ({"prompts": []}, "prompts"),
        ({"prompts": [{"points": [[500, 20]]}]}, "500"),
        ({"prompts": [{"points": [[5, 5]]}] * 17}, "prompts"),
        ({"frame": -1, "prompts": [{"points": [[5, 5]]}]}, "frame"),
    ],
)
def test_what_cannot_be_followed_is_said(
    asked: dict[str, Any], said: str, service: TestClient, sent: dict[str, Any], detail: Detail
) -> None:
    answer = service.post(f"/v1/videos/{sent['id']}/follow", json=asked)
    assert answer.status_code == 422
    assert said in detail(answer)
    assert not service.post(f"/v1/videos/{sent['id']}/follow", json={"prompts": [{"points": [middle(0)]}]}).is_error


def test_a_video_is_followed_once_at_a_time(service: TestClient, sent: dict[str, Any], detail: Detail) -> None:
    video = service.app.state.service.videos.get(sent["id"])  # type: ignore[attr-defined]  # any ASGI application, to the types
    video.busy = True
    answer = service.post(f"/v1/videos/{sent['id']}/follow", json={"prompts": [{"points": [middle(0)]}]})
    assert answer.status_code == 409
    assert "being followed already" in detail(answer)
    video.busy = False
    follow(service, sent["id"], prompts=[{"points": [middle(0)]}])
    assert not video.busy


def test_a_client_that_goes_before_the_first_line_leaves_the_video_free(tmp_path: Path) -> None:
    video = store.Video("a", "a", tmp_path, Facts(4, 4, 9, 1.0), 0.0, busy=True)

    async def nothing() -> AsyncIterator[bytes]:
        yield b""

    async def gone(_: Any) -> None:
        raise OSError("the client has gone")

    async def receive() -> dict[str, str]:
        return {"type": "http.disconnect"}

    with pytest.raises(Exception):  # noqa: B017, PT011  # whatever the server makes of it
        anyio.run(Following(video, nothing()), {"type": "http", "asgi": {"spec_version": "2.4"}}, receive, gone)
    assert not video.busy


def test_nothing_is_saved_before_something_was_followed(
    service: TestClient, sent: dict[str, Any], detail: Detail
) -> None:
    answer = service.get(f"/v1/videos/{sent['id']}/followed")
    assert answer.status_code == 422
    assert "nothing was followed" in detail(answer)


PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n/etc/passwd\n#EXT-X-ENDLIST\n"


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", "video/mp4", 422),
        (b"no video at all", "video/mp4", 422),
        (PLAYLIST, "video/mp4", 422),  # it would open other files
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "video/mp4", 422),
        (struct.pack(">I4s4sI", 16, b"ftyp", b"isom", 0) + b"\0" * 4000, "video/mp4", 422),
        (b"\x1a\x45\xdf\xa3" + b"\xff" * 4000, "video/webm", 422),
        (b"x" * 4_000_001, "video/mp4", 413),
        (b"x", "image/jpeg", 415),
    ],
)
def test_what_is_no_video_is_refused(body: bytes, kind: str, status: int, service: TestClient, detail: Detail) -> None:
    answer = service.post("/v1/videos", content=body, headers={"Content-Type": kind})
    assert answer.status_code == status
    assert detail(answer)


def test_a_video_that_is_cut_is_followed_as_far_as_it_goes(service: TestClient, film: bytes) -> None:
    """Its index says nine frames; half of the pictures are damaged or gone."""
    start = film.index(b"mdat")
    broken = bytearray(film)
    broken[start + (len(film) - start) // 3 : len(film) - (len(film) - start) // 3] = b"\0" * (
        len(film) - (len(film) - start) // 3 - start - (len(film) - start) // 3
    )
    answer = service.post("/v1/videos", content=bytes(broken), headers={"Content-Type": "video/mp4"})
    if answer.status_code == 200:
        rows = follow(service, answer.json()["id"], prompts=[{"points": [middle(0)]}])
        assert rows[0]["frame"] == 0
    else:
        assert answer.status_code == 422


def test_a_deleted_video_is_gone(service: TestClient, sent: dict[str, Any], detail: Detail) -> None:
    assert service.delete(f"/v1/videos/{sent['id']}").status_code == 204
    for answer in (service.get(f"/v1/videos/{sent['id']}"), service.get(f"/v1/videos/{sent['id']}/frames/0")):
        assert answer.status_code == 404
        assert "not kept" in detail(answer)


def test_videos_make_room_for_others(tmp_path: Path) -> None:
    now = [0.0]
    videos = Videos(Limits(memory=250), lambda: now[0])
    facts = Facts(4, 4, 1, 1.0)
    first, second = (videos.keep(name, videos.write(b"x" * 100), facts) for name in "ab")
    videos.get(first.id)  # used last: the other one goes first
    third = videos.keep("c", videos.write(b"x" * 100), facts)
    assert set(videos.videos) == {first.id, third.id}
    assert not second.file.exists()
    now[0] = 4000
    with pytest.raises(Problem, match="not kept"):
        videos.get(first.id)
    assert not first.file.exists()
    videos.close()


def test_masks_that_are_kept_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MASKS", 1000)
    video = store.Video("a", "a", Path("a"), Facts(4, 4, 9, 1.0), 0.0)
    row = {"segmentation": {"size": [4, 4], "counts": "x" * 250}}
    for _ in range(5):
        video.note(0, [row])  # the same frame again
    video.note(1, [row])
    with pytest.raises(Problem, match="masks take more"):
        video.note(2, [row])


@pytest.mark.parametrize(("frame", "frames", "most"), [(0, 1, 3), (4, 9, 3), (8, 9, 2), (5, 6, 100)])
def test_stretches_are_all_frames_after_and_before(frame: int, frames: int, most: int) -> None:
    after = [n for first, count in stretches(frame, frames, most, False) for n in range(first, first + count)]
    before = [n for first, count in stretches(frame, frames, most, True) for n in reversed(range(first, first + count))]
    assert after == list(range(frame + 1, frames))
    assert before == list(range(frame - 1, -1, -1))
