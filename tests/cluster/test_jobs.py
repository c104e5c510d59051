"""A job ends with every photo of its input once in the output or among the failures, whatever dies on the way."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from fastsam import FastSAM
from fastsam.cluster.reading import read
from fastsam.cluster.storage import place_of

MANY = 304


@pytest.fixture(scope="module")
def many(draw_photos: Callable[[int], Path]) -> Path:
    return draw_photos(MANY - 1)  # and the broken one


def keys_in(folder: Path) -> set[str]:
    return {file.relative_to(folder).as_posix() for file in folder.rglob("*.jpg")}


def test_a_job_finds_what_one_call_finds(few: Path, tmp_path: Path, start: Any, outcome: Any, model: FastSAM) -> None:
    code, out, err = start(few, tmp_path / "out", "--workers", 1).end()
    assert (code, out) == (1, f"{tmp_path / 'out'}: 20 photos in 2 parts, 1 failed\n"), err
    rows, failed = outcome(place_of(str(tmp_path / "out")))
    assert failed == {"even/broken.jpg": "the image is cut short: download or copy it again"}
    assert {row["key"] for row in rows} == keys_in(few) - set(failed)
    found = 0
    for row in rows:
        segments = model(few / row["key"], imgsz=128, conf=0.05)
        again = read(str(tmp_path / "out"), row["key"])
        assert [rle["counts"] for rle in segments.to_rle()] == row["rle"]
        assert segments.masks.areas.tolist() == row["areas"] == again.masks.areas.tolist()
        np.testing.assert_array_equal(np.float32(row["boxes"]).reshape(-1, 4), segments.boxes)
        np.testing.assert_array_equal(again.scores, segments.scores)
        assert (row["height"], row["width"]) == segments.size == (96, 128)
        assert json.loads(row["settings"])["imgsz"] == 128
        assert len(row["model"]) == 64
        found += len(segments)
    assert found > 20


def test_a_job_draws_every_mask_on_demand(few: Path, tmp_path: Path, start: Any, outcome: Any, model: FastSAM) -> None:
    code, _, err = start(few, tmp_path / "out", "--workers", 1, "--refine").end()
    assert code == 1, err
    rows, failed = outcome(place_of(str(tmp_path / "out")))
    assert {row["key"] for row in rows} == keys_in(few) - set(failed)
    assert list(failed) == ["even/broken.jpg"]
    assert all(json.loads(row["settings"])["refine"] is True for row in rows)
    drawn = 0
    for row in rows:
        segments = model(few / row["key"], imgsz=128, conf=0.05, refine=True)
        assert [rle["counts"] for rle in segments.to_rle()] == row["rle"]
        np.testing.assert_allclose(np.float32(row["scores"]), segments.scores, rtol=1e-5)
        drawn += len(segments)
    assert drawn > 5
    code, _, err = start(few, tmp_path / "out", "--workers", 1).end()
    assert code == 2
    assert '{"refine": true}' in err


def test_a_job_whose_driver_is_killed_goes_on_where_it_was(
    many: Path, tmp_path: Path, start: Any, wait_for_parts: Any, outcome: Any
) -> None:
    output = tmp_path / "out"
    before = {p.pid for p in psutil.process_iter()}
    job = start(many, output)
    there = wait_for_parts(output, 3, job)
    job.kill()
    gone(before)
    kept = {file: file.stat().st_mtime_ns for file in output.glob("*.parquet")}
    assert there <= len(kept) < MANY // 16, "the kill came too late to say anything"
    code, out, _ = start(many, output).end()
    assert (code, out) == (1, f"{output}: {MANY - 1} photos in 19 parts, 1 failed\n")
    rows, failed = outcome(place_of(str(output)))
    assert {row["key"] for row in rows} | set(failed) == keys_in(many)
    assert all(file.stat().st_mtime_ns == at for file, at in kept.items()), "a part was made twice"
    assert not list(output.glob(".*")), "something half-written is left"


def workers() -> list[psutil.Process]:
    """The processes that segment."""
    every = psutil.process_iter(["cmdline"])
    return [p for p in every if any("MapWorker" in word for word in p.info["cmdline"] or ())]


def gone(before: set[int]) -> None:
    """Waits until the workers have followed their driver, so that none of them writes any more."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if not [p for p in workers() if p.pid not in before]:
            return
        time.sleep(0.2)
    raise AssertionError("workers outlive their driver")


def test_a_job_survives_a_worker_and_a_node(
    many: Path, tmp_path: Path, start: Any, wait_for_parts: Any, outcome: Any
) -> None:
    from ray.cluster_utils import Cluster

    output = tmp_path / "out"
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "object_store_memory": 80 << 20})
    try:
        node = cluster.add_node(num_cpus=1, object_store_memory=80 << 20)
        cluster.wait_for_nodes()
        job = start(many, output, "--address", cluster.address)
        wait_for_parts(output, 1, job)
        max(workers(), key=lambda process: process.create_time()).kill()
        there = wait_for_parts(output, 4, job)
        cluster.remove_node(node, allow_graceful=False)
        assert there < MANY // 16, "the kill came too late to say anything"
        code, out, err = job.end()
    finally:
        cluster.shutdown()
    assert code == 1, err
    assert out.endswith(f"{output}: {MANY - 1} photos in 19 parts, 1 failed\n")  # after Ray's word on the dead node
    rows, failed = outcome(place_of(str(output)))
    assert {row["key"] for row in rows} | set(failed) == keys_in(many)


def test_rays_client_leads_to_a_cluster_too(
    few: Path, tmp_path: Path, start: Any, outcome: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_CLIENT_SERVER_CHECK_CHANNEL_TIMEOUT_S", "45")  # a slow machine's
    from ray.cluster_utils import Cluster

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    head = {"num_cpus": 1, "object_store_memory": 80 << 20, "ray_client_server_port": port}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        host = cluster.address.rpartition(":")[0]
        job = start(few, tmp_path / "out", "--address", f"ray://{host}:{port}", env={"RAY_AUTH_MODE": "token"})
        code, out, err = job.end()
    finally:
        cluster.shutdown()
    assert (code, out) == (1, f"{tmp_path / 'out'}: 20 photos in 2 parts, 1 failed\n"), err
    rows, failed = outcome(place_of(str(tmp_path / "out")))
    assert {row["key"] for row in rows} | set(failed) == keys_in(few)


def test_photos_that_come_later_are_done_by_the_next_run(
    draw_photos: Callable[[int], Path], tmp_path: Path, start: Any, outcome: Any
) -> None:
    folder = draw_photos(40)
    held = [folder / "even" / f"{k:04d}.jpg" for k in (0, 18)]  # in the midst of parts that are made without them
    contents = [file.read_bytes() for file in held]
    for file in held:
        file.unlink()
    start(folder, tmp_path / "out").end()
    for file, content in zip(held, contents, strict=True):
        file.write_bytes(content)
    start(folder, tmp_path / "out").end()
    rows, failed = outcome(place_of(str(tmp_path / "out")))
    assert {row["key"] for row in rows} | set(failed) == keys_in(folder)


def test_an_output_belongs_to_one_job(few: Path, tmp_path: Path, start: Any) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "_job.json").write_text(json.dumps({"input": str(few), "model": "another"}))
    code, _, err = start(few, tmp_path / "out").end()
    assert code == 2
    assert 'was made with model "another", not' in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("{few}", "{few}/out"), "must not be inside"),
        (("{few}/odd/none*.jpg", "{out}"), "has no photos"),
        (("{few}/missing", "{out}"), "cannot be listed"),
        (("{few}", "{out}", "--format", "voc"), "unknown format 'voc'"),
        (("{few}", "{out}", "--batch", "0"), "batch must be at least 1, not 0"),
        (("{few}", "nowhere://there"), "on an unknown file system"),
        (("{few}", "{out}", "--address", "127.0.0.1:1"), "no Ray cluster answers"),
    ],
)
def test_wrong_use_is_told_in_a_line(few: Path, tmp_path: Path, start: Any, words: Any, said: str) -> None:
    code, _, err = start(*[word.format(few=few, out=tmp_path / "out") for word in words]).end()
    assert code == 2
    assert said in err
    assert "Traceback" not in err


DEADLY = """
import os, sys
from fastsam.cluster import actor, chunks
from fastsam.cluster.parts import Facts
from fastsam.cluster.storage import place_of
from fastsam.weights import catalogue

place, (chunk,) = chunks.find(sys.argv[1], 1000)
decode = actor.decode
actor.decode = lambda data: os._exit(9) if data == b"\\xff\\xd8\\xff nothing more" else decode(data)
weights = place_of(str(catalogue.locate()))
task = actor.Task(place, place_of(sys.argv[2]), Facts("{}", ""), weights, {"threads": 1}, {"imgsz": 64})
print(actor.Worker(task)(vars(chunk)))
"""


def test_a_photo_that_kills_whoever_opens_it_is_a_failure_in_the_end(few: Path, tmp_path: Path, outcome: Any) -> None:
    codes = []
    for _ in range(5):
        words = [sys.executable, "-c", DEADLY, str(few), str(tmp_path / "out")]
        codes.append(subprocess.run(words, capture_output=True, text=True).returncode)
    assert codes == [9, 9, 9, 9, 0]  # twice as ever, twice one by one, then without it
    rows, failed = outcome(place_of(str(tmp_path / "out")))
    assert failed == {"even/broken.jpg": "the process that opened it died twice"}
    assert {row["key"] for row in rows} == keys_in(few) - set(failed)
    assert not list((tmp_path / "out" / "_tries").iterdir())


def test_a_folder_of_other_tables_is_no_output(few: Path, tmp_path: Path, start: Any) -> None:
    (tmp_path / "sales.parquet").write_bytes(b"PAR1")
    code, _, err = start(few, tmp_path).end()
    assert code == 2
    assert "has other tables" in err
