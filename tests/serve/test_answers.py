"""What the service answers is what the library says."""

import base64
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("fastapi", reason="the serve extra is not installed")

from starlette.testclient import TestClient

from fastsam import FastSAM, Prompt, Segments
from fastsam.masks import rle


def test_everything_in_a_photo_is_what_the_library_finds(
    coffee: dict[str, Any], model: FastSAM, examples: Path
) -> None:
    segments = model(examples / "coffee.png")
    assert (coffee["height"], coffee["width"]) == segments.size
    assert coffee["name"] == "coffee.png"
    assert [row["segmentation"] for row in coffee["segments"]] == segments.to_rle()
    np.testing.assert_allclose([row["score"] for row in coffee["segments"]], segments.scores, atol=1e-5)
    np.testing.assert_allclose([row["box"] for row in coffee["segments"]], segments.boxes, atol=1e-3)


def test_base64_in_json_is_the_same_photo(service: TestClient, coffee: dict[str, Any], examples: Path) -> None:
    packed = base64.b64encode((examples / "coffee.png").read_bytes()).decode()
    for image in (packed, f"data:image/png;base64,{packed}"):
        answer = service.post("/v1/segment", json={"image": image, "name": "x.png", "max_det": 3})
        assert answer.json()["segments"] == coffee["segments"][:3]


def test_settings_are_the_librarys(service: TestClient, model: FastSAM, examples: Path) -> None:
    use = {"imgsz": 320, "conf": 0.2, "iou": 0.5, "max_det": 5}
    image = {"image": (examples / "coffee.png").read_bytes()}
    rows = service.post("/v1/segment", files=image, data=use).json()["segments"]
    assert [row["segmentation"] for row in rows] == model(examples / "coffee.png", **use).to_rle()


@pytest.mark.parametrize("refine", [None, True, False])
@pytest.mark.parametrize("some", [False, True])
def test_prompts_pick_what_the_library_picks(
    service: TestClient, coffee: dict[str, Any], model: FastSAM, examples: Path, some: bool, refine: bool | None
) -> None:
    segments = model(examples / "coffee.png")
    among = [k for k in range(len(segments)) if k % 2 == 0] if some else None
    taken = segments if among is None else segments.take(np.array(among))
    mask = segments.masks[2]
    body = {
        "prompts": [{"points": [[300, 100]], "box": [150, 0, 430, 330]}],
        "points": [[300, 200], [30, 380]],
        "labels": [1, 0],
        "boxes": [[180, 10, 430, 250], [590, 390, 599, 399]],
        "masks": [rle.encode(mask)],
        "among": among,
        "refine": refine,
    }
    answer = service.post(f"/v1/images/{coffee['id']}/select", json=body)
    assert answer.status_code == 200, answer.text
    own = False if refine is False else model.refiner
    picks = taken.select([Prompt(points=[(300, 100)], box=(150, 0, 430, 330))], refine=own)
    picks += taken.select(points=body["points"], labels=[1, 0], boxes=body["boxes"], masks=[mask], refine=own)
    assert {pick.how for pick in picks if pick} == ({"drawn"} if own else {"mask"})
    rows = answer.json()["picks"]
    assert len(rows) == len(picks) == 5
    for row, pick in zip(rows, picks, strict=True):
        if not pick:
            assert row is None
            continue
        np.testing.assert_array_equal(rle.decode(row["segmentation"]), pick.mask)
        indices = [c.index if among is None or c.index is None else among[c.index] for c in pick.candidates]
        assert [c["index"] for c in row["candidates"]] == indices
        assert row["score"] == pytest.approx(pick.score, abs=1e-5)
        assert row["how"] == pick.how
        assert row.get("quality") == (pytest.approx(pick.quality, abs=1e-5) if own else None)
        for told, candidate in zip(row["candidates"], pick.candidates, strict=True):
            assert told["score"] == pytest.approx(candidate.score, abs=1e-5)
            if own:  # no other answer has its mask
                np.testing.assert_array_equal(rle.decode(told["segmentation"]), candidate.mask)
                assert told["quality"] == pytest.approx(candidate.quality, abs=1e-5)
                assert (told["area"], told["how"]) == (candidate.runs.area, "drawn")


def test_a_click_corrects_the_mask_before(
    service: TestClient, coffee: dict[str, Any], model: FastSAM, examples: Path
) -> None:
    segments, where = model(examples / "coffee.png"), f"/v1/images/{coffee['id']}/select"
    (first,) = service.post(where, json={"points": [[300, 200]]}).json()["picks"]
    further = {"points": [[300, 200], [30, 380]], "labels": [1, 0]}
    (corrected,) = service.post(where, json={"prompts": [{**further, "mask": first["segmentation"]}]}).json()["picks"]
    prompt = Prompt(points=further["points"], labels=[1, 0], mask=rle.decode(first["segmentation"]))
    (pick,) = segments.select(prompt, refine=model.refiner)
    np.testing.assert_array_equal(rle.decode(corrected["segmentation"]), pick.mask)
    (anew,) = service.post(where, json=further).json()["picks"]
    assert corrected["segmentation"] not in (first["segmentation"], anew and anew["segmentation"])


def test_everything_may_be_redrawn(service: TestClient, model: FastSAM, examples: Path) -> None:
    data, want = (examples / "coffee.png").read_bytes(), model(examples / "coffee.png", refine=True)
    packed = {"image": base64.b64encode(data).decode(), "refine": True}
    for sent in ({"files": {"image": data}, "data": {"refine": "true"}}, {"json": packed}):
        answer = service.post("/v1/segment", **sent).json()
        assert [row["segmentation"] for row in answer["segments"]] == want.to_rle()
        np.testing.assert_allclose([row["score"] for row in answer["segments"]], want.scores, atol=1e-5)
        assert answer["seconds"]["refine"] > 0
    (row,) = service.post(f"/v1/images/{answer['id']}/select", json={"points": [[300, 200]]}).json()["picks"]
    (pick,) = want.select(points=[(300, 200)], refine=model.refiner)
    np.testing.assert_array_equal(rle.decode(row["segmentation"]), pick.mask)


def test_a_photo_in_which_nothing_was_found_answers_all_the_same(service: TestClient, examples: Path) -> None:
    data = {"image": (examples / "coffee.png").read_bytes()}
    found = service.post("/v1/segment", files=data, data={"conf": 1, "refine": "true"}).json()
    assert found["segments"] == []
    where = f"/v1/images/{found['id']}/select"
    (pick,) = service.post(where, json={"boxes": [[168, 16, 426, 320]]}).json()["picks"]
    assert (pick["how"], pick["index"]) == ("drawn", None)
    assert service.post(where, json={"boxes": [[168, 16, 426, 320]], "refine": False}).json()["picks"] == [None]


def test_many_prompts_are_drawn_as_few_are(service: TestClient, coffee: dict[str, Any]) -> None:
    """Beyond some they are work for a process."""
    where, box = f"/v1/images/{coffee['id']}/select", [180, 10, 430, 250]
    (one,) = service.post(where, json={"boxes": [box], "among": [1, 0]}).json()["picks"]
    picks = service.post(where, json={"boxes": [box] * 20, "among": [1, 0]}).json()["picks"]
    assert len(picks) == 20
    one.pop("box", None)
    assert all(pick["candidates"] == one["candidates"] for pick in picks)


def test_a_union_comes_with_its_parts(
    service: TestClient, coffee: dict[str, Any], model: FastSAM, examples: Path
) -> None:
    segments = model(examples / "coffee.png")
    small = [i for i in np.argsort(segments.masks.areas) if segments.masks.areas[i] > 200]
    points = []
    for i in (small[0], small[1]):
        rows, columns = np.nonzero(segments.masks[i])
        points.append((float(columns[len(columns) // 2]) + 0.5, float(rows[len(rows) // 2]) + 0.5))
    (pick,) = segments.select(points=points, refine=False)
    body = {"points": points, "refine": False}
    (row,) = service.post(f"/v1/images/{coffee['id']}/select", json=body).json()["picks"]
    assert row["how"] == pick.how
    np.testing.assert_array_equal(rle.decode(row["segmentation"]), pick.mask)


def test_words_find_and_name(service: TestClient, coffee: dict[str, Any], encoder: None, examples: Path) -> None:
    segments = FastSAM(threads=1)(examples / "coffee.png")
    (pick,) = segments.select(texts=["cup"])
    (row,) = service.post(f"/v1/images/{coffee['id']}/select", json={"texts": ["cup"]}).json()["picks"]
    assert [m["index"] for m in row["matches"]] == [m.index for m in pick.matches]
    words = ["cup", "spoon", "table"]
    names = service.post(f"/v1/images/{coffee['id']}/name", json={"words": words}).json()["names"]
    assert names == segments.name(words)
    shown = service.get(f"/v1/images/{coffee['id']}").json()
    assert [row["name"] for row in shown["segments"]] == [name or "object" for name in names]
    saved = service.post(f"/v1/images/{coffee['id']}/select", json={"format": "coco"}).json()
    assert {kind["name"] for kind in saved["categories"]} == {"object", *words}


@pytest.mark.parametrize(
    ("format_", "kind", "name"),
    [
        ("overlay", "image/png", "coffee.png"),
        ("coco", "application/json", "coffee.json"),
        ("npz", "application/octet-stream", "coffee.npz"),
        ("labelme", "application/json", "coffee.json"),
        ("yolo", "text/plain; charset=utf-8", "coffee.txt"),
        ("polygons", "application/geo+json", "coffee.geojson"),
        ("png", "image/png", "coffee-labels.png"),
        ("partition", "image/png", "coffee-partition.png"),
        ("edges", "image/png", "coffee-edges.png"),
        ("cutouts", "application/zip", "coffee-cutouts.zip"),
    ],
)
def test_files_are_those_of_the_command_line(
    service: TestClient, coffee: dict[str, Any], examples: Path, tmp_path: Path, format_: str, kind: str, name: str
) -> None:
    answer = service.post(f"/v1/images/{coffee['id']}/select", json={"format": format_})
    assert answer.headers["content-type"] == kind
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
    words = ["segment", str(examples / "coffee.png"), "-o", str(tmp_path), "--format", format_, "--level", "parts"]
    words += ["--threads", "1"]
    subprocess.run([sys.executable, "-m", "fastsam", *words], check=True, capture_output=True)
    if format_ == "cutouts":
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            made = {inner: archive.read(inner) for inner in archive.namelist()}
        assert made == {file.name: file.read_bytes() for file in (tmp_path / "coffee-cutouts").iterdir()}
        return
    written = tmp_path / ("instances.json" if format_ == "coco" else name)
    if format_ == "labelme":
        own, theirs = answer.json(), json.loads(written.read_text())
        assert own.pop("imagePath") == "coffee.png"
        assert theirs.pop("imagePath").endswith("coffee.png")
        assert own == theirs
    elif format_ == "npz":
        own_masks, their_masks = Segments.from_npz(answer.content), Segments.load(written)
        assert own_masks.to_rle() == their_masks.to_rle()
    else:
        assert answer.content == written.read_bytes()


def test_a_files_outlines_are_simplified_and_polygons_if_asked(
    service: TestClient, coffee: dict[str, Any], examples: Path
) -> None:
    where = f"/v1/images/{coffee['id']}/select"
    exact, near = (
        service.post(where, json={"format": "coco", "polygons": True, "tolerance": t}).json() for t in (0, 1)
    )
    assert [len(f["annotations"]) for f in (exact, near)] == [len(coffee["segments"])] * 2
    for one, other, row in zip(exact["annotations"], near["annotations"], coffee["segments"], strict=True):
        assert (one["area"], one["bbox"]) == (row["area"], row["bbox"])
        assert sum(map(len, other["segmentation"])) <= sum(map(len, one["segmentation"]))
    form = {"format": "coco", "polygons": "true", "tolerance": "1"}
    sent = service.post("/v1/segment", files={"image": (examples / "coffee.png").read_bytes()}, data=form)
    assert sent.json()["annotations"] == near["annotations"]
    for body in (
        {"format": "png", "tolerance": 1},
        {"format": "yolo", "polygons": True},
        {"format": "yolo", "tolerance": -1},
    ):
        assert service.post(where, json=body).status_code == 422


def test_a_file_may_hold_what_answers_or_some_masks(service: TestClient, coffee: dict[str, Any]) -> None:
    where = f"/v1/images/{coffee['id']}/select"
    for how in ({}, {"refine": False}):
        (pick,) = service.post(where, json={"points": [[300, 200]], **how}).json()["picks"]
        picked = service.post(where, json={"format": "coco", "points": [[300, 200]], **how}).json()
        assert [(a["prompt"], a["segmentation"]) for a in picked["annotations"]] == [(0, pick["segmentation"])]
    (pick,) = service.post(where, json={"points": [[300, 200]]}).json()["picks"]
    second = service.post(where, json={"format": "coco", "points": [[300, 200]], "rank": 1}).json()["annotations"]
    assert [a["segmentation"] for a in second] == [c["segmentation"] for c in pick["candidates"][1:2]]
    some = service.post(where, json={"format": "coco", "among": [1, 0]}).json()
    assert [a["segmentation"] for a in some["annotations"]] == [coffee["segments"][k]["segmentation"] for k in (1, 0)]
    cut = service.post(where, json={"format": "cutouts", "among": [0]})
    assert cut.headers["content-type"] == "image/png"
    assert cv2.imdecode(np.frombuffer(cut.content, np.uint8), cv2.IMREAD_UNCHANGED).shape[2] == 4


def test_the_first_answer_may_be_a_file(service: TestClient, examples: Path) -> None:
    image = {"image": ("my photo.png", (examples / "coffee.png").read_bytes())}
    answer = service.post("/v1/segment", files=image, data={"format": "yolo"})
    assert answer.headers["content-disposition"] == 'attachment; filename="my_photo.txt"'
    assert service.get(f"/v1/images/{answer.headers['fastsam-image-id']}").status_code == 200


def test_a_photo_is_forgotten_when_asked(
    detail: Callable[[Any], str], service: TestClient, coffee: dict[str, Any]
) -> None:
    assert service.delete(f"/v1/images/{coffee['id']}").status_code == 204
    for answer in (service.get(f"/v1/images/{coffee['id']}"), service.delete(f"/v1/images/{coffee['id']}")):
        assert answer.status_code == 404
        assert "segment it again" in detail(answer)
