"""Segments that a client keeps and brings back, to whichever replica: the same answers, nothing in them believed."""

import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests

pytest.importorskip("fastapi", reason="the serve extra is not installed")

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from fastsam import Segments

NPZ = "application/vnd.fastsam.segments+npz"
SELECTIONS: list[dict[str, Any]] = [
    {"points": [[300, 200]]},
    {"points": [[300, 200], [30, 380]], "labels": [1, 0], "boxes": [[180, 10, 430, 250]]},
    {"points": [[300, 200]], "among": [2, 0, 1]},
]


@pytest.fixture(scope="module")
def packed(service: TestClient, examples: Path) -> bytes:
    files = {"image": ("coffee.png", (examples / "coffee.png").read_bytes())}
    answer = service.post("/v1/segment", files=files, headers={"Accept": NPZ})
    assert (answer.status_code, answer.headers["content-type"]) == (200, NPZ)
    return answer.content


def ask(service: TestClient, packed: bytes, selection: Any, **files: bytes) -> Any:
    data = {"selection": selection if isinstance(selection, str) else json.dumps(selection)}
    return service.post("/v1/select", files={"segments": packed, **files}, data=data)


def changed(packed: bytes, **arrays: Any) -> bytes:
    """The same file with other arrays, None for one that is missing."""
    with np.load(io.BytesIO(packed)) as z:
        kept = {name: z[name] for name in z.files} | arrays
    out = io.BytesIO()
    np.savez(out, **{name: array for name, array in kept.items() if array is not None})
    return out.getvalue()


def lying(packed: bytes, name: str, shape: tuple[int, ...], kind: str = "<f4") -> bytes:
    """The same file with an array whose head promises more than there is."""
    out = io.BytesIO(packed)
    with zipfile.ZipFile(io.BytesIO(packed)) as old, zipfile.ZipFile(out, "w") as new:
        for entry in old.infolist():
            if entry.filename != f"{name}.npy":
                new.writestr(entry.filename, old.read(entry))
        array = io.BytesIO()
        np.lib.format.write_array_header_1_0(array, {"shape": shape, "fortran_order": False, "descr": kind})
        new.writestr(f"{name}.npy", array.getvalue())
    return out.getvalue()


@pytest.mark.parametrize("refine", [{}, {"refine": True}, {"refine": False}])
@pytest.mark.parametrize("selection", SELECTIONS)
def test_the_answers_are_those_about_a_photo_that_is_kept(
    service: TestClient,
    coffee: dict[str, Any],
    packed: bytes,
    examples: Path,
    selection: dict[str, Any],
    refine: dict[str, bool],
) -> None:
    assert Segments.from_npz(packed).to_rle() == [row["segmentation"] for row in coffee["segments"]]
    selection = selection | refine
    kept = service.post(f"/v1/images/{coffee['id']}/select", json=selection).json()["picks"]
    brought = ask(service, packed, selection, image=(examples / "coffee.png").read_bytes()).json()["picks"]
    assert any(kept)
    for pick in kept:
        pick and pick.pop("box", None)  # the network's own, which only a kept photo's rows say
    assert brought == kept


def test_without_the_photo_nothing_is_drawn(service: TestClient, packed: bytes, detail: Callable[[Any], str]) -> None:
    plain = ask(service, packed, SELECTIONS[0]).json()["picks"]
    assert plain == ask(service, packed, {**SELECTIONS[0], "refine": False}).json()["picks"]
    assert plain[0]["how"] == "mask"
    answer = ask(service, packed, {**SELECTIONS[0], "refine": True})
    assert answer.status_code == 422
    assert "'image'" in detail(answer)


@pytest.fixture(scope="module")
def redrawn(service: TestClient, examples: Path) -> bytes:
    files = {"image": ("coffee.png", (examples / "coffee.png").read_bytes())}
    answer = service.post("/v1/segment", files=files, data={"refine": "true"}, headers={"Accept": NPZ})
    return answer.content


def test_redrawn_segments_are_taken_back(service: TestClient, redrawn: bytes, examples: Path) -> None:
    (plain,) = ask(service, redrawn, SELECTIONS[0]).json()["picks"]
    assert plain["segmentation"] == Segments.from_npz(redrawn).to_rle()[plain["index"]]
    (drawn,) = ask(service, redrawn, SELECTIONS[0], image=(examples / "coffee.png").read_bytes()).json()["picks"]
    assert drawn["how"] == "drawn"


@pytest.mark.parametrize(
    "arrays",
    [
        {"cells": np.full(3, 1 << 40)},
        {"squares": np.full((3, 3), np.nan)},
        {"squares": np.full((3, 3), 1e300)},
        {"squares": np.zeros((3, 3))},
        {"values": np.full(4, np.nan, np.float32)},
        {"values": np.zeros(2, np.float32)},
        {"cells": np.zeros(3, "m8[s]")},
        {"size": np.array([1 << 40, 1 << 40])},
    ],
)
def test_redrawn_segments_that_no_service_gave_are_refused(
    service: TestClient, redrawn: bytes, detail: Callable[[Any], str], arrays: dict[str, Any]
) -> None:
    with np.load(io.BytesIO(redrawn)) as z:
        n = len(z["cells"])
    sized = {k: np.resize(v, (n, *v.shape[1:])) if k in ("cells", "squares") else v for k, v in arrays.items()}
    answer = ask(service, changed(redrawn, **sized), SELECTIONS[0])
    assert answer.status_code == 422
    detail(answer)


def test_nothing_is_kept(service: TestClient, packed: bytes) -> None:
    memory = service.app.state.service.memory  # type: ignore[attr-defined]
    before = len(memory.photos)
    assert ask(service, packed, SELECTIONS[0]).status_code == 200
    assert len(memory.photos) == before


def test_words_need_the_photo(encoder: None, service: TestClient, packed: bytes, examples: Path, detail: Any) -> None:
    photo = (examples / "coffee.png").read_bytes()
    (pick,) = ask(service, packed, {"texts": ["the red cup"]}, image=photo).json()["picks"]
    assert pick["matches"]
    assert "photo" in detail(ask(service, packed, {"texts": ["the red cup"]}))
    other = (examples / "chelsea.png").read_bytes()
    assert "600 x 400" in detail(ask(service, packed, {"texts": ["cup"]}, image=other))


NAN = np.float32("nan")
HOSTILE: dict[str, Callable[[bytes], bytes]] = {
    "no zip": lambda packed: b"PK" + packed[10:],
    "cut short": lambda packed: packed[: len(packed) // 2],
    "another format": lambda packed: changed(packed, format=np.int64(99)),
    "no prototypes": lambda packed: changed(packed, prototypes=None),
    "objects": lambda packed: changed(packed, scores=np.array([{}, None], object)),
    "not a number": lambda packed: changed(packed, boxes=np.full((17, 4), NAN)),
    "scores of 7": lambda packed: changed(packed, scores=np.full(17, 7, np.float32)),
    "no such class": lambda packed: changed(packed, classes=np.full(17, 3)),
    "fewer boxes": lambda packed: changed(packed, boxes=np.zeros((3, 4), np.float32)),
    "a photo of no size": lambda packed: changed(packed, letterbox_photo=np.array([0, 600])),
    "a photo too large": lambda packed: changed(packed, letterbox_photo=np.array([1 << 40, 600])),
    "an endless scale": lambda packed: changed(packed, letterbox_scale=np.array([np.inf, 1.0])),
    "words for sizes": lambda packed: changed(packed, letterbox_pad=np.array(["a", "b"])),
    "names of nothing": lambda packed: changed(packed, names=np.zeros(3, "U0").astype("S0")),
    "words for scores": lambda packed: changed(packed, scores=np.array(["a"] * 17)),
    "scores in rows": lambda packed: changed(packed, scores=np.zeros((17, 2), np.float32)),
    "dates for classes": lambda packed: changed(packed, classes=np.zeros(17, "m8[s]")),
    "one coefficient": lambda packed: changed(packed, coefficients=np.float32(1)),
    "an array more": lambda packed: changed(packed, more=np.zeros(3)),
    "runs that are no numbers": lambda packed: changed(
        packed, size=np.array([10, 10]), table=np.full((1, 3), NAN), starts=np.array([0] * 17 + [1])
    ),
    "a head that lies": lambda packed: lying(packed, "scores", (10**15,)),
    "many names of nothing": lambda packed: lying(packed, "names", (500_000_000,), "<U0"),
    "runs outside": lambda packed: changed(
        packed, size=np.array([10, 10]), table=np.full((1, 3), 99, np.int32), starts=np.array([0] * 17 + [1])
    ),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_no_service_gave_is_refused(
    service: TestClient, packed: bytes, detail: Callable[[Any], str], what: str
) -> None:
    answer = ask(service, HOSTILE[what](packed), SELECTIONS[0])
    assert answer.status_code == 422
    detail(answer)


def test_a_bomb_is_not_unpacked(service: TestClient, packed: bytes, detail: Callable[[Any], str]) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("scores.npy", "w") as entry:
        for _ in range(300):
            entry.write(bytes(1 << 20))
    assert len(out.getvalue()) < 1 << 20
    assert "too large" in detail(ask(service, out.getvalue(), SELECTIONS[0]))


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=8)), max_size=5))
def test_damaged_bytes_never_break_it(service: TestClient, packed: bytes, damage: list[tuple[float, bytes]]) -> None:
    broken = bytearray(changed(packed, prototypes=Segments.from_npz(packed).masks.source.prototypes))  # not packed
    for where, what in damage:
        at = int(where * len(broken))
        broken[at : at + len(what)] = what
    assert ask(service, bytes(broken), SELECTIONS[0]).status_code in (200, 422)


@pytest.mark.parametrize(
    "selection", ["", "[]", '{"points": "x"}', '{"format": "coco"}', '{"points": [[1, 2]], "a": 1}']
)
def test_a_selection_that_makes_no_sense(service: TestClient, packed: bytes, selection: str) -> None:
    assert ask(service, packed, selection).status_code == 422
    assert service.post("/v1/select", json={}).status_code == 415
    assert service.post("/v1/select", data={"selection": "{}"}, files={"image": b""}).status_code == 422


def test_a_replica_that_is_killed_costs_no_wrong_answer_and_few_requests(packed: bytes, examples: Path) -> None:
    """Two replicas on Ray Serve, one of them killed while four clients ask without a pause."""
    psutil = pytest.importorskip("psutil", reason="ray is not installed")
    pytest.importorskip("ray.serve", reason="ray is not installed")
    wanted = Segments.from_npz(packed).select(points=[(300, 200)])[0].index
    answers: list[tuple[float, bool]] = []  # when each was asked, and whether it came

    def replicas() -> set[int]:
        named = (p for p in psutil.process_iter(["cmdline"]) if p.info["cmdline"])
        return {p.pid for p in named if "ray::ServeReplica:default:FastSAM" in p.info["cmdline"][0]}

    def ask_on(session: requests.Session, until: float) -> None:
        while (now := time.monotonic()) < until:
            try:
                files = {"segments": ("s.npz", packed)}
                data = {"selection": json.dumps(SELECTIONS[0])}
                answer = session.post(f"{address}/v1/select", files=files, data=data, timeout=60)
                if answer.status_code == 200:
                    assert [pick["index"] for pick in answer.json()["picks"]] == [wanted]
                answers.append((now, answer.status_code == 200))
            except requests.RequestException:
                answers.append((now, False))

    with served_by_ray() as address:
        assert len(replicas()) == 2
        before = replicas()
        with ThreadPoolExecutor(4) as pool:
            until = time.monotonic() + 30
            asking = [pool.submit(ask_on, requests.Session(), until) for _ in range(4)]
            time.sleep(10)
            killed = time.monotonic()
            psutil.Process(min(before)).kill()
            while len(replicas()) < 2 or replicas() == before:
                assert time.monotonic() < until, "no replica takes its place"
                time.sleep(0.1)
            back = time.monotonic()
            for one in asking:
                one.result()
        with requests.Session() as session:
            photo = (examples / "coffee.png").read_bytes()
            sent = session.post(f"{address}/v1/segment", files={"image": photo}, headers={"Accept": NPZ}, timeout=60)
        assert Segments.from_npz(sent.content).to_rle() == Segments.from_npz(packed).to_rle()
    failed = [when for when, came in answers if not came]
    print(f"{len(answers)} requests, {len(failed)} failed, a new replica after {back - killed:.1f} s")
    assert len(failed) <= max(4, len(answers) / 100)  # what it had in its hands when it died
    assert all(killed - 5 < when < back + 5 for when in failed)


@contextmanager
def served_by_ray() -> Iterator[str]:
    """Two replicas by `serve run`, as docs/scaling.md has it: their address."""
    env = os.environ | {"FASTSAM_REPLICAS": "2", "RAY_USAGE_STATS_ENABLED": "0"}
    command = [sys.executable, "-m", "ray.serve.scripts", "run", "fastsam.serve.replicas:app"]
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if "is ready at" in line:
            break
    else:
        raise AssertionError("".join(said[-30:]))
    threading.Thread(target=process.stdout.read, daemon=True).start()
    try:
        yield "http://127.0.0.1:8000"
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
