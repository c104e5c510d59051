"""A folder that is labelled into one COCO file: whole, without loss of what other programs wrote in it. And classes."""

import json
import signal
import subprocess
import sys
import threading
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
from fastsam.serve.projects.folder import Folder, is_coco
from fastsam.serve.projects.labels import Labels

HEIGHT, WIDTH = 40, 60


def square(x: int = 10, y: int = 5) -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[y : y + 12, x : x + 12] = True
    return mask


def kept(*names: str, version: str | None = None, **rest: Any) -> dict[str, Any]:
    objects = [{"name": name, "counts": rle.encode(square(10 + 5 * k))["counts"]} for k, name in enumerate(names)]
    return {"version": version, "width": WIDTH, "height": HEIGHT, "objects": objects} | rest


@pytest.fixture
def home(tmp_path: Path) -> Path:
    root = tmp_path / "photos"
    (root / "more").mkdir(parents=True)
    for name in ("a.jpg", "b.png", "more/a.jpg"):
        cv2.imwrite(str(root / name), np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    return root.resolve()


def client_of(home: Path, coco: bool) -> TestClient:
    return TestClient(make_app(threads=1, project=Folder(home, 1_000_000, coco)), base_url="http://127.0.0.1")


@pytest.fixture
def client(home: Path) -> TestClient:
    return client_of(home, coco=True)


def get(client: TestClient, photo: str) -> Any:
    return client.get("/v1/project/labels", params={"photo": photo})


def put(client: TestClient, photo: str, body: Any) -> Any:
    return client.put("/v1/project/labels", params={"photo": photo}, json=body)


def content_of(home: Path) -> Any:
    return json.loads((home / "instances.json").read_text())


def test_what_is_saved_comes_back_and_coco_tools_read_it(client: TestClient, home: Path) -> None:
    body = kept("cup", "spoon", done=True)
    body["objects"][1] |= {"hidden": True, "locked": True}
    version = put(client, "more/a.jpg", body).json()["version"]
    put(client, "a.jpg", kept("cup"))
    found = get(client, "more/a.jpg").json()
    assert found == {
        **body,
        "version": version,
        "objects": [{"hidden": False, "locked": False} | body["objects"][0], body["objects"][1]],
    }
    assert [one["state"] for one in client.get("/v1/project").json()["photos"]] == ["work", "new", "done"]
    assert sorted(file.name for file in home.iterdir()) == ["a.jpg", "b.png", "instances.json", "more"]
    coco = pytest.importorskip("pycocotools.coco").COCO(home / "instances.json")
    masks = {coco.imgs[one["image_id"]]["file_name"]: coco.annToMask(one) for one in coco.anns.values()}
    np.testing.assert_array_equal(masks["a.jpg"] > 0, square())
    assert [one["name"] for one in coco.cats.values()] == ["cup", "spoon"]
    assert client.get("/v1/project").json()["classes"] == ["cup", "spoon"]


def test_rows_of_other_programs_stay_as_they_are(client: TestClient, home: Path) -> None:
    polygon = [5, 5, 15, 5, 15, 20, 5, 20]
    rows = [
        {"id": 40, "image_id": 7, "category_id": 4, "segmentation": [polygon], "colour": "red", "iscrowd": 0},
        {"id": 41, "image_id": 7, "category_id": 9, "segmentation": dict(rle.encode(square())), "iscrowd": 0},
        {"id": 42, "image_id": 7, "category_id": 4, "keypoints": [1, 1, 2]},
        {"id": 43, "image_id": 8, "category_id": 4, "segmentation": [polygon]},
    ]
    old = {
        "info": {"year": 2020},
        "licenses": [{"id": 1}],
        "images": [{"id": 7, "file_name": "b.png", "coco_url": "x"}, {"id": 8, "file_name": "elsewhere.jpg"}],
        "annotations": rows,
        "categories": [{"id": 4, "name": "cup", "supercategory": "kitchen"}, {"id": 9, "name": "spoon"}],
    }
    (home / "instances.json").write_text(json.dumps(old))
    found = get(client, "b.png").json()
    assert [one["name"] for one in found["objects"]] == ["cup", "spoon"]
    found["objects"] = [found["objects"][0], *kept("cup", "fork")["objects"][1:]]
    assert put(client, "b.png", found).status_code == 200
    content = content_of(home)
    by_id = {one["id"]: one for one in content["annotations"]}
    assert [by_id[k] for k in (40, 42, 43)] == [rows[0], rows[2], rows[3]]
    assert set(by_id) == {40, 42, 43, 44}
    assert by_id[44]["category_id"] == 10
    assert content["categories"] == [*old["categories"], {"id": 10, "name": "fork"}]
    assert content["images"] == old["images"]
    assert (content["licenses"], content["info"]["year"]) == (old["licenses"], 2020)


def test_nobody_overwrites_what_he_has_not_seen_and_photos_do_not_disturb_each_other(client: TestClient) -> None:
    first = put(client, "a.jpg", kept("cup")).json()["version"]
    assert put(client, "b.png", kept("spoon")).status_code == 200
    assert put(client, "a.jpg", kept("table")).status_code == 409
    second = put(client, "a.jpg", kept("table", version=first)).json()["version"]
    assert put(client, "a.jpg", kept("cup", version=first)).status_code == 409
    assert get(client, "a.jpg").json()["version"] == second
    assert get(client, "b.png").json()["objects"][0]["name"] == "spoon"


def test_of_many_at_once_one_wins_and_of_others_none_is_lost(home: Path) -> None:
    """Two servers on one folder, too."""
    each, refused = [Folder(home, 1_000_000, True) for _ in range(2)], []

    def save(k: int) -> None:
        try:
            each[k % 2].save("a.jpg" if k < 6 else "b.png" if k == 6 else "more/a.jpg", Labels(**kept(f"by {k}")))
        except folders.Problem as problem:
            refused.append(problem.status_code)

    threads = [threading.Thread(target=save, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused == [409] * 5
    own = Folder(home, 1_000_000, True)
    assert [own.read(name).objects[0].name for name in ("b.png", "more/a.jpg")] == ["by 6", "by 7"]


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
    assert sorted(file.name for file in home.iterdir()) == ["a.jpg", "b.png", "instances.json", "more"]


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b'{"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": [{"image_id": 1, "segmentation": 3}]}'],
)
def test_a_damaged_file_is_said_and_left_alone(client: TestClient, home: Path, detail: Any, content: bytes) -> None:
    (home / "instances.json").write_bytes(content)
    for answer in (get(client, "a.jpg"), put(client, "a.jpg", kept("cup"))):
        assert answer.status_code in (409, 422)
        assert detail(answer)
    assert (home / "instances.json").read_bytes() == content


def test_the_folder_remembers_how_it_is_kept(home: Path) -> None:
    assert not is_coco(home)
    Folder(home, 1_000_000, True).save("a.jpg", Labels(**kept("cup")))
    assert is_coco(home)


def test_each_way_reads_what_the_other_kept(home: Path) -> None:
    put(client_of(home, coco=False), "a.jpg", kept("cup"))
    other = client_of(home, coco=True)
    assert [one["name"] for one in get(other, "a.jpg").json()["objects"]] == ["cup"]
    put(other, "b.png", kept("spoon"))
    assert [one["name"] for one in get(client_of(home, coco=False), "b.png").json()["objects"]] == ["spoon"]


@pytest.mark.parametrize("coco", [True, False])
def test_objects_of_a_class_are_counted_over_all_photos(home: Path, coco: bool) -> None:
    client = client_of(home, coco)
    put(client, "a.jpg", kept("cup", "cup", "spoon"))
    put(client, "more/a.jpg", kept("cup"))
    shapes = [{"label": "two parts", "points": [[1, 1], [9, 1], [9, 9]], "group_id": 1} for _ in range(2)]
    (home / "b.json").write_text(json.dumps({"shapes": shapes, "imageWidth": WIDTH, "imageHeight": HEIGHT}))
    counts = client.get("/v1/project/counts").json()["photos"]
    assert counts == {"a.jpg": {"cup": 2, "spoon": 1}, "b.png": {"two parts": 1}, "more/a.jpg": {"cup": 1}}


@pytest.mark.parametrize("coco", [True, False])
def test_a_class_gets_another_name_in_all_photos(home: Path, coco: bool, detail: Any) -> None:
    client = client_of(home, coco)
    client.put("/v1/project/classes", json={"classes": ["cup", "spoon"]})
    before = put(client, "a.jpg", kept("cup", "spoon")).json()["version"]
    put(client, "more/a.jpg", kept("cup", done=True))
    put(client, "b.png", kept("spoon"))
    changed = client.post("/v1/project/rename", json={"old": "cup", "new": "mug"}).json()["photos"]
    assert set(changed) == {"a.jpg", "more/a.jpg"}
    assert changed["a.jpg"] == [before, get(client, "a.jpg").json()["version"]]
    assert [one["name"] for one in get(client, "a.jpg").json()["objects"]] == ["mug", "spoon"]
    assert get(client, "more/a.jpg").json()["done"]
    assert client.get("/v1/project").json()["classes"] == ["mug", "spoon"]
    refused = client.post("/v1/project/rename", json={"old": "mug", "new": "spoon"})
    assert refused.status_code == 409
    assert "spoon" in detail(refused)
    assert client.post("/v1/project/rename", json={"old": "mug", "new": " "}).status_code == 422


KILLED = """
import sys
from pathlib import Path
from fastsam.serve.projects.folder import Folder
from fastsam.serve.projects.labels import Labels
own = Folder(Path(sys.argv[1]), 10**6, True)
print("ready", flush=True)
while True:
    labels = own.read("a.jpg")
    objects = [one.model_copy(update={"name": "x" * 200}) for one in labels.objects for _ in range(2)][:500]
    own.save("a.jpg", labels.model_copy(update={"objects": objects}))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_a_save_that_is_killed_leaves_the_old_state_or_the_new(home: Path) -> None:
    own = Folder(home, 1_000_000, True)
    own.save("a.jpg", Labels(**kept("cup")))
    own.save("b.png", Labels(**kept("spoon")))
    for wait in (0.0, 0.1):
        with subprocess.Popen([sys.executable, "-c", KILLED, str(home)], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            threading.Event().wait(wait)
            process.send_signal(signal.SIGKILL)
        assert own.read("a.jpg").objects
        assert own.read("b.png").objects[0].name == "spoon"
