"""Bounds of memory, queue and time; and a process that dies."""

import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pytest

pytest.importorskip("fastapi", reason="the serve extra is not installed")

from starlette.testclient import TestClient

from fastsam import Segments
from fastsam.refine import network
from fastsam.serve.app import make_app
from fastsam.serve.jobs import SMALLER, Jobs
from fastsam.serve.limits import Limits
from fastsam.serve.memory import Memory
from fastsam.serve.photo import File
from fastsam.serve.problems import Problem

FILE = File(b"x" * 1000)


def kept(memory: Memory, segments: Segments, n: int) -> list[str]:
    return [memory.keep(f"{k}", FILE, segments, []).id for k in range(n)]


def test_memory_is_bounded_by_count_bytes_and_age(make_segments: Any) -> None:
    segments = make_segments((100, 100), [(10, 10, 50, 50)], [0.9])
    now = [0.0]
    memory = Memory(Limits(photos=3), lambda: now[0])
    ids = kept(memory, segments, 3)
    memory.get(ids[0])  # used last: the next goes first
    kept(memory, segments, 1)
    assert ids[1] not in memory.photos
    assert ids[0] in memory.photos
    each = memory.photos[ids[0]].bytes
    assert memory.bytes == 3 * each
    now[0] = 3601
    with pytest.raises(Problem):
        memory.get(ids[0])
    assert memory.bytes == 0
    small = Memory(Limits(memory=int(2.5 * each)), lambda: now[0])
    kept(small, segments, 5)
    assert len(small.photos) == 2
    assert len(set(ids)) == 3
    assert all(len(id_) >= 20 for id_ in ids)


def test_pixels_make_room_before_photos_do(make_segments: Any) -> None:
    segments, pixels = make_segments((100, 100), [(10, 10, 50, 50)], [0.9]), np.zeros((100, 100, 3), np.uint8)
    bare = Memory(Limits()).keep("x", FILE, segments, []).bytes
    memory = Memory(Limits(memory=3 * bare + 2 * pixels.nbytes))
    ids = [memory.keep(f"{k}", FILE, segments, [], pixels).id for k in range(3)]
    assert [memory.photos[id_].photo is None for id_ in ids] == [True, False, False]
    assert memory.bytes == memory.limits.memory == sum(kept.bytes for kept in memory.photos.values())
    memory.hold(ids[0], pixels)
    assert list(memory.photos) == [ids[1], ids[2], ids[0]]
    assert [memory.photos[id_].photo is None for id_ in ids] == [False, True, False]
    memory.hold("gone", pixels)
    memory.hold(ids[0], pixels)  # has them
    assert memory.bytes == memory.limits.memory == sum(kept.bytes for kept in memory.photos.values())
    for id_ in ids:
        memory.drop(id_)
    assert memory.bytes == 0


def test_a_photo_whose_pixels_made_room_answers_as_before(service: TestClient, coffee: dict[str, Any]) -> None:
    memory, where = service.app.state.service.memory, f"/v1/images/{coffee['id']}/select"
    before = service.post(where, json={"points": [[300, 200]]}).json()
    kept_photo = memory.photos[coffee["id"]]
    assert kept_photo.photo.shape == (400, 600, 3)
    memory.photos[coffee["id"]] = replace(kept_photo, photo=None, bytes=kept_photo.bytes - kept_photo.photo.nbytes)
    memory.bytes -= kept_photo.photo.nbytes
    counted = memory.bytes
    plain = service.post(where, json={"points": [[300, 200]], "refine": False})
    assert plain.status_code == 200
    assert memory.photos[coffee["id"]].photo is None  # what draws nothing needs none
    assert service.post(where, json={"points": [[300, 200]]}).json() == before
    np.testing.assert_array_equal(memory.photos[coffee["id"]].photo, kept_photo.photo)
    assert memory.bytes == counted + kept_photo.photo.nbytes


def test_a_click_asks_no_process(service: TestClient, coffee: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The photo is where clicks are answered: nothing is decoded again."""
    monkeypatch.setattr(service.app.state.service.jobs, "run", lambda *_: pytest.fail("a process was asked"))
    monkeypatch.setattr("fastsam.serve.photo.decode", lambda _: pytest.fail("the photo was decoded"))
    (pick,) = service.post(f"/v1/images/{coffee['id']}/select", json={"points": [[300, 200]]}).json()["picks"]
    assert pick["how"] == "drawn"


def test_the_second_network_is_loaded_once_before_the_first_click(
    serving: Callable[..., Any], examples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded, own = [], network.load
    network.shared.cache_clear()
    monkeypatch.setattr(network, "load", lambda file, threads: loaded.append(threads) or own(file, threads))
    with serving(make_app(threads=6, limits=Limits(workers=2))) as client:
        assert loaded == [3]  # threads are shared among workers
        photo = client.post("/v1/segment", files={"image": (examples / "coffee.png").read_bytes()}).json()
        for _ in range(2):
            answer = client.post(f"/v1/images/{photo['id']}/select", json={"points": [[300, 200]]})
            assert answer.json()["picks"][0]["how"] == "drawn"
    assert loaded == [3]
    network.shared.cache_clear()


def test_what_prompts_make_is_not_kept(service: TestClient, coffee: dict[str, Any]) -> None:
    """A mask prompt decodes every mask: what that leaves behind would count against no bound."""
    kept_photo = service.app.state.service.memory.photos[coffee["id"]]
    before = set(vars(kept_photo.segments.masks.source))
    masks = [coffee["segments"][0]["segmentation"]]
    assert service.post(f"/v1/images/{coffee['id']}/select", json={"masks": masks}).status_code == 200
    assert set(vars(kept_photo.segments.masks.source)) == before


def test_too_many_at_once_are_told_to_come_back(
    detail: Callable[[Any], str], serving: Callable[..., Any], examples: Path
) -> None:
    image = (examples / "coffee.png").read_bytes()
    with serving(make_app(threads=1, limits=Limits(queue=1))) as client:
        answers: list[Any] = []

        def call_once() -> None:
            answers.append(client.post("/v1/segment", files={"image": image}, data={"tile": 256}))

        calls = [threading.Thread(target=call_once) for _ in range(8)]
        for call in calls:
            call.start()
        for call in calls:
            call.join()
        codes = sorted(answer.status_code for answer in answers)
        assert set(codes) == {200, 503}
        busy = next(answer for answer in answers if answer.status_code == 503)
        assert int(busy.headers["retry-after"]) >= 1
        assert "try again" in detail(busy)
        assert client.post("/v1/segment", files={"image": image}).status_code == 200


def test_what_takes_too_long_is_ended_and_the_next_is_served(serving: Callable[..., Any], examples: Path) -> None:
    image = (examples / "coffee.png").read_bytes()
    with serving(make_app(threads=1)) as client:
        client.app.state.service.jobs.limits = Limits(seconds=0.3)
        late = client.post("/v1/segment", files={"image": image}, data={"imgsz": 2048})  # a second or more
        assert late.status_code == 504
        client.app.state.service.jobs.limits = Limits()
        assert client.post("/v1/segment", files={"image": image}).status_code == 200


@pytest.mark.parametrize(
    ("path", "body", "remedy"),
    [
        ("select", {"texts": ["cup"]}, "fewer words"),
        ("select", {"prompts": [{"text": "cup"}]}, "fewer words"),
        ("select", {"points": [[1, 1]], "boxes": [[1, 1, 9, 9]] * 20}, "fewer prompts"),
        ("select", {"format": "coco"}, "smaller photo"),
        ("name", {"words": ["long words"] * 256}, "fewer words"),
    ],
)
def test_what_takes_too_long_is_told_what_would_help(
    detail: Callable[[Any], str],
    service: TestClient,
    coffee: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    body: dict[str, Any],
    remedy: str,
) -> None:
    async def late(_request: Any, _job: Any, *_arguments: Any, remedy: str = SMALLER) -> None:
        raise Problem(504, remedy)

    monkeypatch.setattr(service.app.state.service.jobs, "run_for", late)
    answer = service.post(f"/v1/images/{coffee['id']}/{path}", json=body)
    assert answer.status_code == 504
    assert remedy in detail(answer)


def test_what_waited_is_told_to_come_back_and_what_worked_what_would_help() -> None:
    async def refusal(jobs: Jobs) -> Problem:
        with pytest.raises(Problem) as caught:
            await jobs.run(time.sleep, 600, remedy="sleep less")
        return caught.value

    async def behind_others() -> Problem:
        jobs = Jobs(Limits(seconds=0.01))
        await jobs.turns.acquire_on_behalf_of("another")
        return await refusal(jobs)

    waited, worked = anyio.run(behind_others), anyio.run(refusal, Jobs(Limits(seconds=2)))
    assert waited.status_code == 503
    assert "behind others" in waited.detail
    assert int((waited.headers or {})["Retry-After"]) >= 1
    assert worked.status_code == 504
    assert worked.detail == "it took longer than 2 s: sleep less"


def ticks() -> int:
    """Hundredths of a second that the workers have computed."""
    stats = [(Path("/proc") / str(pid) / "stat").read_text() for pid in workers()]
    return sum(int(stat.rsplit(")", 1)[1].split()[11]) for stat in stats)


def workers() -> list[int]:
    """This process's worker processes."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            if parent == os.getpid() and b"anyio.to_process" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except (OSError, IndexError, ValueError):
            continue
    return found


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no /proc to find processes in")
def test_a_process_that_dies_takes_nobody_with_it(
    detail: Callable[[Any], str], service: TestClient, coffee: dict[str, Any], examples: Path
) -> None:
    image = {"image": (examples / "coffee.png").read_bytes()}
    answers: list[Any] = []

    def call_once() -> None:
        answers.append(service.post("/v1/segment", files=image, data={"imgsz": 2048}))

    before = ticks()
    call = threading.Thread(target=call_once)
    call.start()
    while ticks() < before + 10:  # a tenth of a second of work, of which there is a second or more
        time.sleep(0.01)
    for pid in workers():
        os.kill(pid, signal.SIGKILL)
    call.join()
    assert answers[0].status_code == 503
    assert "died" in detail(answers[0])
    assert service.post("/v1/segment", files=image).status_code == 200
    assert service.get(f"/v1/images/{coffee['id']}").status_code == 200
