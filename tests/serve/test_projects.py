"""What is labelled in a folder: kept whole, beside the photos, and nowhere else."""

import base64
import io
import json
import os
import signal
import subprocess
import sys
import threading
import zipfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("fastapi", reason="the serve extra is not installed")

from starlette.testclient import TestClient

from fastsam.masks import rle
from fastsam.serve.app import make_app
from fastsam.serve.projects import folder as folders
from fastsam.serve.projects.folder import Folder
from fastsam.serve.projects.labels import Labels, Object

HEIGHT, WIDTH = 40, 60


def square(x: int = 10, y: int = 5, side: int = 12) -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[y : y + side, x : x + side] = True
    mask[y + 3 : y + 6, x + 3 : x + 6] = False  # a hole
    return mask


def kept(*names: str, version: str | None = None, **rest: Any) -> dict[str, Any]:
    objects = [{"name": name, "counts": rle.encode(square(10 + 5 * k))["counts"]} for k, name in enumerate(names)]
    return {"version": version, "width": WIDTH, "height": HEIGHT, "objects": objects} | rest


@pytest.fixture
def home(tmp_path: Path) -> Path:
    root = tmp_path / "photos"
    (root / "more").mkdir(parents=True)
    photo = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
    for name in ("a.jpg", "b.png", "more/a.jpg"):
        cv2.imwrite(str(root / name), photo)
    return root.resolve()


@pytest.fixture
def client(home: Path) -> TestClient:
    """Annotations need no network: the application is not started."""
    return TestClient(make_app(threads=1, project=Folder(home, 1_000_000)), base_url="http://127.0.0.1")


def get(client: TestClient, photo: str) -> Any:
    return client.get("/v1/project/labels", params={"photo": photo})


def put(client: TestClient, photo: str, body: Any) -> Any:
    return client.put("/v1/project/labels", params={"photo": photo}, json=body)


def test_the_photos_of_a_folder_and_their_states(client: TestClient, home: Path) -> None:
    put(client, "b.png", kept("cup"))
    put(client, "more/a.jpg", kept("cup", done=True))
    (home / ".hidden.jpg").write_bytes(b"")
    found = client.get("/v1/project").json()
    states = [(one["name"], one["state"]) for one in found["photos"]]
    assert states == [("a.jpg", "new"), ("b.png", "work"), ("more/a.jpg", "done")]
    assert client.get("/v1/project/photo", params={"photo": "a.jpg"}).content == (home / "a.jpg").read_bytes()


def test_what_is_saved_comes_back_to_the_pixel(client: TestClient, home: Path) -> None:
    body = kept("cup", 'a "quoted"\nname', done=True)
    body["objects"][1] |= {"hidden": True, "locked": True}
    version = put(client, "a.jpg", body).json()["version"]
    found = get(client, "a.jpg").json()
    assert found["version"] == version
    assert found["done"]
    assert found["objects"][1]["hidden"]
    assert found["objects"][1]["locked"]
    assert [one["name"] for one in found["objects"]] == ["cup", 'a "quoted"\nname']
    assert [one["counts"] for one in found["objects"]] == [one["counts"] for one in body["objects"]]


def test_the_file_is_labelmes(client: TestClient, home: Path) -> None:
    put(client, "a.jpg", kept("cup"))
    content = json.loads((home / "a.json").read_text())
    (shape,) = content["shapes"]
    assert content["imagePath"] == "a.jpg"
    assert (content["imageHeight"], content["imageWidth"]) == (HEIGHT, WIDTH)
    assert shape["shape_type"] == "mask"
    (x0, y0), (x1, y1) = shape["points"]
    pixels = cv2.imdecode(np.frombuffer(base64.b64decode(shape["mask"]), np.uint8), cv2.IMREAD_UNCHANGED)
    whole = np.zeros((HEIGHT, WIDTH), bool)
    whole[y0 : y1 + 1, x0 : x1 + 1] = pixels > 0
    np.testing.assert_array_equal(whole, square())


def test_what_labelme_wrote_is_read_and_what_is_not_understood_stays(client: TestClient, home: Path) -> None:
    shapes = [
        {"label": "cup", "points": [[2, 2], [20, 2], [20, 20], [2, 20]], "shape_type": "polygon", "group_id": 3},
        {"label": "cup", "points": [[30, 2], [40, 2], [40, 9]], "shape_type": "polygon", "group_id": 3},
        {"label": "box", "points": [[5, 30], [1, 25]], "shape_type": "rectangle"},
        {"label": "ball", "points": [[50, 30], [53, 30]], "shape_type": "circle", "group_id": None},
        {"label": "nose", "points": [[3, 3]], "shape_type": "point"},
    ]
    old = {"version": "5.0", "flags": {"blurred": True}, "shapes": shapes, "imageHeight": HEIGHT, "imageWidth": WIDTH}
    (home / "a.json").write_text(json.dumps(old | {"weather": "rain"}))
    found = get(client, "a.jpg").json()
    masks = [rle.decode({"size": [HEIGHT, WIDTH], "counts": one["counts"]}) for one in found["objects"]]
    assert [one["name"] for one in found["objects"]] == ["cup", "box", "ball"]
    assert masks[0][2:21, 2:21].all()
    assert masks[0][3, 38]
    assert masks[1].sum() == 5 * 6
    assert masks[2][30, 53]
    assert not masks[2][30, 54]
    assert put(client, "a.jpg", kept("cup", version=found["version"])).status_code == 200
    content = json.loads((home / "a.json").read_text())
    assert content["weather"] == "rain"
    assert content["flags"] == {"done": False, "blurred": True}
    assert [shape["label"] for shape in content["shapes"]] == ["cup", "nose"]


def test_a_coco_file_of_the_folder_is_a_starting_point(client: TestClient, home: Path) -> None:
    rows = [
        {"image_id": 7, "category_id": 4, "segmentation": dict(rle.encode(square()))},
        {"image_id": 7, "category_id": 4, "segmentation": [[1, 1, 9, 1, 9, 9, 1, 9]]},
    ]
    content = {
        "images": [{"id": 7, "file_name": "b.png"}],
        "annotations": rows,
        "categories": [{"id": 4, "name": "cup"}],
    }
    (home / "instances.json").write_text(json.dumps(content))
    assert {one["state"] for one in client.get("/v1/project").json()["photos"]} == {"new", "work"}
    found = get(client, "b.png").json()
    assert found["version"] is None
    assert [one["name"] for one in found["objects"]] == ["cup", "cup"]
    assert rle.area({"size": [HEIGHT, WIDTH], "counts": found["objects"][1]["counts"]}) == 64


def test_two_photos_of_one_stem_have_files_of_their_own(client: TestClient, home: Path) -> None:
    cv2.imwrite(str(home / "a.png"), np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    put(client, "a.jpg", kept("cup"))
    put(client, "a.png", kept("spoon"))
    assert [get(client, name).json()["objects"][0]["name"] for name in ("a.jpg", "a.png")] == ["cup", "spoon"]


def test_a_photo_keeps_its_file_when_another_of_its_stem_comes(client: TestClient, home: Path) -> None:
    put(client, "a.jpg", kept("cup"))
    cv2.imwrite(str(home / "a.png"), np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    assert [one["name"] for one in get(client, "a.jpg").json()["objects"]] == ["cup"]
    assert get(client, "a.png").json()["objects"] == []


def test_nobody_overwrites_what_he_has_not_seen(client: TestClient, detail: Any) -> None:
    first = put(client, "a.jpg", kept("cup")).json()["version"]
    assert put(client, "a.jpg", kept("spoon")).status_code == 409  # thinks that there is none
    second = put(client, "a.jpg", kept("spoon", version=first)).json()["version"]
    answer = put(client, "a.jpg", kept("table", version=first))
    assert answer.status_code == 409
    assert "somebody else" in detail(answer)
    assert get(client, "a.jpg").json()["version"] == second


def test_of_many_at_once_one_wins(home: Path) -> None:
    own, won, refused = Folder(home, 1_000_000), [], []

    def save(k: int) -> None:
        try:
            own.save("a.jpg", Labels(**kept(f"by {k}")))
            won.append(k)
        except folders.Problem as problem:
            refused.append(problem.status_code)

    threads = [threading.Thread(target=save, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused == [409] * 7
    assert [f"by {k}" for k in won] == [own.read("a.jpg").objects[0].name]


@pytest.mark.parametrize(
    "name",
    ["../secret.jpg", "more/../a.jpg", "./a.jpg", "/etc/passwd", "a.jpg/", "more//a.jpg", ".a.jpg", "a.json",
     "none.jpg", "link.jpg", "out/secret.jpg", "a\0.jpg", "x" * 4000 + ".jpg", "loop.jpg", "a.jpg\n", "..", ""],
)  # fmt: skip
def test_no_file_but_a_photo_of_the_folder(client: TestClient, home: Path, name: str) -> None:
    secret = home.parent / "secret.jpg"
    secret.write_bytes((home / "a.jpg").read_bytes())
    (home / "link.jpg").symlink_to(secret)
    (home / "loop.jpg").symlink_to(home / "loop.jpg")
    (home / "out").symlink_to(home.parent)
    for answer in (
        client.get("/v1/project/photo", params={"photo": name}),
        get(client, name),
        put(client, name, kept("cup")),
    ):
        assert answer.status_code == 404, name
    assert sorted(home.parent.glob("*.json")) == []
    assert {one["name"] for one in client.get("/v1/project").json()["photos"]} == {"a.jpg", "b.png", "more/a.jpg"}


def test_annotations_that_are_a_link_are_neither_read_nor_followed(client: TestClient, home: Path, detail: Any) -> None:
    secret = home.parent / "secret.json"
    secret.write_text('{"shapes": []}')
    (home / "a.json").symlink_to(secret)
    assert get(client, "a.jpg").status_code == 422
    assert put(client, "a.jpg", kept("cup")).status_code == 422
    assert secret.read_text() == '{"shapes": []}'


def test_odd_names_are_names(client: TestClient, home: Path) -> None:
    for name in ('new\nline "quoted".jpg', "ünï<b>.jpg", "100%25.jpg", "a?b#c&d.jpg"):
        (home / name).write_bytes((home / "a.jpg").read_bytes())
        assert put(client, name, kept("cup")).status_code == 200, name
        assert get(client, name).json()["objects"][0]["name"] == "cup"
    assert len(client.get("/v1/project").json()["photos"]) == 7
    if sys.platform == "linux":
        (Path(os.fsdecode(os.fsencode(home) + b"/\xff.jpg"))).write_bytes(b"")
        assert len(client.get("/v1/project").json()["photos"]) == 7


@pytest.mark.parametrize(
    "change",
    [
        {"width": 61}, {"width": 0}, {"width": 10**9}, {"height": -1}, {"objects": [{"name": "cup", "counts": "0"}]},
        {"objects": [{"name": "", "counts": ""}]}, {"objects": [{"name": "cup", "counts": "ooooooooooooooooooooo"}]},
        {"objects": [{"name": "cup", "counts": "€"}]}, {"objects": [{"name": "x" * 201, "counts": ""}]}, {"more": 1},
        {"width": 60_000, "height": 60_000, "objects": []},
    ],
)  # fmt: skip
def test_lies_about_sizes_and_masks_are_refused(client: TestClient, home: Path, detail: Any, change: Any) -> None:
    answer = put(client, "a.jpg", kept("cup") | change)
    assert answer.status_code in (413, 422)
    assert detail(answer)
    assert not (home / "a.json").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"[]", b"[" * 100_000, b'{"shapes": [{"points": [[1, 2]]}], "imageWidth": 60, "imageHeight": 40}',
        b'{"shapes": [], "imageWidth": 60000, "imageHeight": 60000}',
        b'{"shapes": [{"label": "a", "points": [[0,0],[59,39]], "shape_type": "mask", "mask": "AAAA"}]}',
        b'{"shapes": [{"label": "a", "points": [[1e300,0],[59,39],[3,3]]}]}',
    ],
)  # fmt: skip
def test_damaged_annotations_are_said_and_left_alone(
    client: TestClient, home: Path, detail: Any, content: bytes
) -> None:
    (home / "a.json").write_bytes(content)
    answer = get(client, "a.jpg")
    assert answer.status_code == 422
    assert "a.json" in detail(answer)
    assert (home / "a.json").read_bytes() == content


def test_a_mask_that_says_another_size_than_its_picture_is_not_decoded(client: TestClient, home: Path) -> None:
    _, png = cv2.imencode(".png", np.zeros((5000, 5000), np.uint8))
    shape = {
        "label": "a",
        "points": [[0, 0], [9, 9]],
        "shape_type": "mask",
        "mask": base64.b64encode(png.tobytes()).decode(),
    }
    (home / "a.json").write_text(json.dumps({"shapes": [shape], "imageWidth": WIDTH, "imageHeight": HEIGHT}))
    assert get(client, "a.jpg").status_code == 422


def test_a_huge_file_of_annotations_is_not_read(client: TestClient, home: Path, detail: Any) -> None:
    with (home / "a.json").open("wb") as file:
        file.truncate(200 << 20)
    assert "MB" in detail(get(client, "a.jpg"))
    assert put(client, "a.jpg", kept("cup")).status_code == 422


def test_a_photo_that_vanishes_is_said(client: TestClient, home: Path, detail: Any) -> None:
    version = put(client, "a.jpg", kept("cup")).json()["version"]
    (home / "a.jpg").unlink()
    answer = put(client, "a.jpg", kept("spoon", version=version))
    assert answer.status_code == 404
    assert "no longer" in detail(answer)
    assert b"cup" in (home / "a.json").read_bytes()


def test_a_full_disk_leaves_what_was_there(
    client: TestClient, home: Path, monkeypatch: Any, fill_disk: Any, detail: Any
) -> None:
    version = put(client, "a.jpg", kept("cup")).json()["version"]
    fill_disk()
    answer = put(client, "a.jpg", kept("spoon", version=version))
    assert answer.status_code == 507
    assert "No space left" in detail(answer)
    monkeypatch.undo()
    assert get(client, "a.jpg").json()["version"] == version
    assert sorted(file.name for file in home.iterdir()) == ["a.jpg", "a.json", "b.png", "more"]


KILLED = """
import sys
from pathlib import Path
from fastsam.serve.projects.folder import Folder
from fastsam.serve.projects.labels import Labels
own, version = Folder(Path(sys.argv[1]), 10**6), None
print("ready", flush=True)
while True:
    labels = own.read("a.jpg")
    objects = [one.model_copy(update={"name": "x" * 200}) for one in labels.objects for _ in range(2)][:500]
    own.save("a.jpg", labels.model_copy(update={"objects": objects}))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_a_save_that_is_killed_leaves_the_old_state_or_the_new(home: Path) -> None:
    own = Folder(home, 1_000_000)
    own.save("a.jpg", Labels(**kept("cup")))
    for wait in (0.0, 0.03, 0.1):
        with subprocess.Popen([sys.executable, "-c", KILLED, str(home)], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            threading.Event().wait(wait)
            process.send_signal(signal.SIGKILL)
        assert own.read("a.jpg").objects
    (home / ".0123456789abcdef.json").write_text("{")
    own.sweep()
    assert sorted(file.name for file in home.iterdir()) == ["a.jpg", "a.json", "b.png", "more"]


def test_classes_are_kept_and_those_of_others_too(client: TestClient, home: Path) -> None:
    client.put("/v1/project/classes", json={"classes": ["cup", "a\nb"]})
    client.put("/v1/project/classes", json={"classes": ["spoon"]})
    assert client.get("/v1/project").json()["classes"] == ["spoon", "cup", "a b"]


def test_without_a_folder_there_is_no_project(service: TestClient, detail: Any) -> None:
    answer = service.get("/v1/project")
    assert answer.status_code == 404
    assert "fastsam label" in detail(answer)


@pytest.mark.parametrize("format_", ["coco", "coco-polygons", "yolo", "labelme", "labelstudio", "voc", "cutouts"])
def test_exports(client: TestClient, home: Path, format_: str) -> None:
    put(client, "a.jpg", kept("cup", "a spoon"))
    put(client, "more/a.jpg", kept("cup"))
    answer = client.get("/v1/project/export", params={"format": format_})
    assert answer.status_code == 200, answer.text
    read = {} if answer.content[:2] != b"PK" else unzipped(answer.content)
    if format_.startswith("coco"):
        content = answer.json()
        assert [image["file_name"] for image in content["images"]] == ["a.jpg", "more/a.jpg"]
        assert [kind["name"] for kind in content["categories"]] == ["cup", "a spoon"]
        assert [row["category_id"] for row in content["annotations"]] == [1, 2, 1]
        if format_ == "coco":
            np.testing.assert_array_equal(rle.decode(content["annotations"][0]["segmentation"]), square())
    elif format_ == "yolo":
        assert set(read) == {"labels/a.txt", "labels/more/a.txt", "classes.txt", "data.yaml"}
        assert read["classes.txt"] == b"cup\na spoon\n"
        assert [line.split()[0] for line in read["labels/a.txt"].decode().splitlines()] == ["0", "1"]
        yaml = pytest.importorskip("yaml")
        assert yaml.safe_load(read["data.yaml"])["names"] == {0: "cup", 1: "a spoon"}
    elif format_ == "labelme":
        assert {shape["label"] for shape in json.loads(read["a.json"])["shapes"]} == {"cup", "a spoon"}
    elif format_ == "labelstudio":
        assert answer.json()[0]["predictions"][0]["result"][1]["value"]["brushlabels"] == ["a spoon"]
    elif format_ == "voc":
        kinds = cv2.imdecode(np.frombuffer(read["SegmentationClass/more/a.png"], np.uint8), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(kinds == 1, square())
    else:
        assert len([name for name in read if name.startswith("a/")]) == 2


def unzipped(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_what_a_browser_keeps_is_exported_and_no_name_leads_out_of_its_folder(client: TestClient) -> None:
    photo = {key: value for key, value in kept("cup").items() if key != "version"}
    body = {"format": "yolo", "photos": [photo | {"name": "../../x\n.jpg"}, photo | {"name": "C:\\y.jpg"}]}
    answer = client.post("/v1/labels/export", json=body)
    assert set(unzipped(answer.content)) == {"labels/x_.txt", "labels/C_/y.txt", "classes.txt", "data.yaml"}
    assert client.post("/v1/labels/export", json=body | {"format": "cutouts"}).status_code == 422


@pytest.mark.parametrize("format_", ["coco", "coco-polygons", "yolo", "labelme", "labelstudio", "voc"])
def test_an_export_of_photos_that_say_they_are_huge_is_refused(client: TestClient, detail: Any, format_: str) -> None:
    """A picture of 65,535 x 65,535 pixels would take 8 GB: it ended the server."""
    huge = {"name": "a.jpg", "width": 65_535, "height": 65_535}
    answer = client.post("/v1/labels/export", json={"format": format_, "photos": [huge]})
    assert answer.status_code == 413
    assert "65535 x 65535" in detail(answer)
    many = [{"name": f"{k}.jpg", "width": 10_000, "height": 10_000} for k in range(101)]
    answer = client.post("/v1/labels/export", json={"format": format_, "photos": many})
    assert answer.status_code == 413


@pytest.mark.parametrize("format_", ["coco", "coco-polygons", "labelme"])
def test_exports_come_back(client: TestClient, format_: str) -> None:
    photo = {key: value for key, value in kept("cup", "spoon").items() if key != "version"} | {"name": "a.jpg"}
    file = client.post("/v1/labels/export", json={"format": format_, "photos": [photo]}).content
    if format_ == "labelme":
        file = unzipped(file)["a.json"]
    answer = client.post("/v1/labels/import", content=file, headers={"Content-Type": "application/json"})
    (back,) = answer.json()["photos"]
    assert back["name"] == "a.jpg"
    for one, wanted in zip(back["objects"], photo["objects"], strict=True):
        assert one["name"] == wanted["name"]
        mask, other = (rle.decode({"size": [HEIGHT, WIDTH], "counts": o["counts"]}) for o in (one, wanted))
        assert (mask != other).sum() == 0


def test_an_import_of_anything_else_is_refused(client: TestClient, detail: Any) -> None:
    for content in (
        b"{}",
        b"x",
        b'{"shapes": [], "imageWidth": 99999999, "imageHeight": 1}',
        b'{"annotations": 3, "images": [{}]}',
    ):
        answer = client.post("/v1/labels/import", content=content, headers={"Content-Type": "application/json"})
        assert answer.status_code == 422
        assert detail(answer)


def test_an_object_without_a_pixel_is_not_written(client: TestClient, home: Path) -> None:
    empty = Object(name="nothing", counts=rle.encode(np.zeros((HEIGHT, WIDTH), bool))["counts"])
    put(client, "a.jpg", kept("cup") | {"objects": [empty.model_dump()]})
    assert get(client, "a.jpg").json()["objects"] == []
