"""Annotations of other programs come in: what we write ourselves, and what those programs write."""

import io
import json
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
from fastsam.serve.limits import Limits
from fastsam.serve.projects.folder import Folder

HEIGHT, WIDTH = 40, 60


def square(x: int = 10) -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[5:17, x : x + 12] = True
    mask[8:11, x + 3 : x + 6] = False  # a hole
    return mask


@pytest.fixture(scope="module")
def client() -> TestClient:
    """Annotations need no network: the application is not started."""
    return TestClient(make_app(threads=1, limits=Limits(1_000_000, 4_000_000)), base_url="http://127.0.0.1")


def take(client: TestClient, *files: tuple[str, bytes], sizes: Any = None) -> Any:
    data = {} if sizes is None else {"sizes": json.dumps(sizes)}
    return client.post("/v1/labels/import", files=[("file", one) for one in files], data=data)


def objects_of(photo: Any) -> list[tuple[str, np.ndarray]]:
    size = [photo["height"], photo["width"]]
    return [(one["name"], rle.decode({"size": size, "counts": one["counts"]})) for one in photo["objects"]]


def zipped(**files: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/").replace("_dot_", "."), content)
    return packed.getvalue()


@pytest.mark.parametrize("format_", ["coco", "coco-polygons", "labelme", "yolo", "voc", "labelstudio"])
def test_what_is_exported_comes_back_to_the_pixel(client: TestClient, format_: str) -> None:
    objects = [{"name": name, "counts": rle.encode(square(x))["counts"]} for name, x in (("cup", 10), ("a spoon", 25))]
    photos = [{"name": name, "width": WIDTH, "height": HEIGHT, "objects": objects} for name in ("a.jpg", "more/b.jpg")]
    answer = client.post("/v1/labels/export", json={"format": format_, "photos": photos})
    name = "x.zip" if answer.content[:2] == b"PK" else "x.json"
    sizes = {"a": [WIDTH, HEIGHT], "more/b": [WIDTH, HEIGHT]} if format_ == "yolo" else None
    back = take(client, (name, answer.content), sizes=sizes).json()
    assert back["unsized"] == []
    plain = format_ in ("yolo", "voc")
    names = [one["name"] for one in back["photos"]]
    assert names == (["a", "more/b"] if plain else ["a.jpg", "b.jpg" if format_ == "labelme" else "more/b.jpg"])
    for photo in back["photos"]:
        assert [kind for kind, _ in objects_of(photo)] == ["cup", "a spoon"]
        for (_, mask), x in zip(objects_of(photo), (10, 25), strict=True):
            np.testing.assert_array_equal(mask, square(x))


def test_yolos_labels_ask_for_sizes(client: TestClient) -> None:
    line = b"1 0.1 0.1 0.5 0.1 0.5 0.5\n0 0.5 0.5 0.2 0.5\n"
    files = [("data.yaml", b"path: .\nnames: [cup, 'a spoon']\n"), ("train/labels/a.txt", line)]
    first = take(client, *files).json()
    assert (first["photos"], first["unsized"]) == ([], ["a"])
    (photo,) = take(client, *files, sizes={"a": [100, 40]}).json()["photos"]
    (spoon, triangle), (cup, box) = objects_of(photo)
    assert (spoon, cup) == ("a spoon", "cup")
    assert triangle[4, 10]
    assert triangle[4, 49]
    assert not triangle[19, 11]
    np.testing.assert_array_equal(np.argwhere(box)[[0, -1]], [[10, 40], [29, 59]])


@pytest.mark.parametrize(
    "yaml",
    [
        "names: [cup, spoon]",
        "names:\n- cup\n- spoon\nnc: 2",
        "names:\n  0: cup\n  1: 'spoon'\nval: x",
        "names: {0: cup, 1: spoon}",
    ],
)
def test_names_of_classes_are_read_from_any_data_yaml(client: TestClient, yaml: str) -> None:
    files = [("data.yaml", yaml.encode()), ("a.txt", b"1 0.1 0.1 0.5 0.1 0.5 0.5")]
    (photo,) = take(client, *files, sizes={"a": [100, 40]}).json()["photos"]
    assert [name for name, _ in objects_of(photo)] == ["spoon"]


def test_the_folders_photos_say_their_sizes(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    for name, size in (("a.jpg", (40, 60)), ("more/b.jpg", (20, 30))):
        cv2.imwrite(str(tmp_path / name), np.zeros((*size, 3), np.uint8))
    own = TestClient(make_app(threads=1, project=Folder(tmp_path.resolve(), 1_000_000)), base_url="http://127.0.0.1")
    line = b"0 0 0 0.5 0 0.5 1"
    answer = take(own, ("labels/train/a.txt", line), ("labels/train/more/b.txt", line), ("labels/c.txt", line)).json()
    assert answer["unsized"] == ["c"]
    assert [(one["name"], one["width"], one["height"]) for one in answer["photos"]] == [
        ("train/a", 60, 40),
        ("train/more/b", 30, 20),
    ]


def test_pictures_with_vocs_palette_are_read(client: TestClient) -> None:
    """As VOC has them: a palette, 255 about each object, names that no file has."""
    image = pytest.importorskip("PIL.Image")
    palette = [value for k in range(256) for value in colour_of(k)]

    def picture(numbers: np.ndarray) -> bytes:
        made, stream = image.fromarray(numbers.astype(np.uint8), "P"), io.BytesIO()
        made.putpalette(palette)
        made.save(stream, "PNG")
        return stream.getvalue()

    kinds, each = (np.zeros((HEIGHT, WIDTH), int) for _ in range(2))
    kinds[2:9, 2:9], each[2:9, 2:9] = 255, 255
    for k, left in ((1, 3), (2, 20)):
        kinds[3:8, left : left + 5], each[3:8, left : left + 5] = 15, k
    files = [
        (f"VOC2012/{folder}/2007_000001.png", picture(values))
        for folder, values in (("SegmentationClass", kinds), ("SegmentationObject", each))
    ]
    (photo,) = take(client, *files).json()["photos"]
    assert photo["name"] == "2007_000001"
    found = objects_of(photo)
    assert [name for name, _ in found] == ["person", "person"]
    np.testing.assert_array_equal(found[1][1], each == 2)


def colour_of(k: int) -> tuple[int, int, int]:
    """VOC's colour of a number: its bits, dealt to red, green and blue in turn, the highest first."""
    parts = [0, 0, 0]
    for shift in range(7, -1, -1):
        for channel in range(3):
            parts[channel] |= (k >> channel & 1) << shift
        k >>= 3
    return parts[0], parts[1], parts[2]


def task(result: list[Any], key: str = "annotations") -> bytes:
    data = {"image": "/data/upload/1/0123abcd-a.jpg"}
    return json.dumps([{"id": 1, "data": data, key: [{"result": result}]}]).encode()


def result(kind: str, value: Any, **rest: Any) -> dict[str, Any]:
    return {"type": kind, "value": value, "original_width": WIDTH, "original_height": HEIGHT, **rest}


BOX = {"x": 1, "y": 1, "width": 9, "height": 9}


def test_what_people_draw_in_label_studio_is_read(client: TestClient) -> None:
    corners = [[0, 0], [50, 0], [50, 50], [0, 50]]
    box = {"x": 50, "y": 50, "width": 25, "height": 10, "rotation": 90}
    drawn = [
        result("polygonlabels", {"points": corners, "polygonlabels": ["cup"]}),
        result("rectangle", box, id="r"),
        result("labels", {**box, "labels": ["box"]}, id="r"),
        result("choices", {"choices": ["good"]}),
    ]
    (photo,) = take(client, ("x.json", task(drawn))).json()["photos"]
    assert photo["name"].endswith("0123abcd-a.jpg")
    (cup, polygon), (kind, turned) = objects_of(photo)
    assert (cup, kind) == ("cup", "box")
    np.testing.assert_array_equal(np.argwhere(polygon)[[0, -1]], [[0, 0], [19, 29]])
    rows, columns = np.argwhere(turned).T
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (20, 34, 26, 29)  # 15 wide and 4 high, turned


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.zip", b"PK\x03\x04" + b"damaged" * 9),
        ("x.zip", zipped(readme_dot_md=b"nothing")),
        ("a.txt", b"0 0.1 0.2 0.3"),
        ("a.txt", b"0 nan 0.2 0.3 0.4 0.5 0.6"),
        ("a.txt", b"0 1e300 0.2 0.3 0.4 0.5 0.6"),
        ("SegmentationClass/a.png", b"no picture"),
        ("SegmentationClass/a.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\xff\xff\0\0\xff\xff" + b"\0" * 20),
        ("x.json", task([result("brushlabels", {"rle": [0, 0], "brushlabels": ["a"]})])),
        ("x.json", task([result("polygonlabels", {"points": "x"})])),
        ("x.json", task([result("polygonlabels", {"points": []}) | {"original_width": 10**9}])),
        ("x.json", b'[{"data": 3, "annotations": [4]}]'),
        ("x.json", json.dumps([{"data": {}, "predictions": [{"result": [result("rectangle", BOX)]}]}]).encode()),
    ],
)
def test_anything_else_is_refused_in_one_line(client: TestClient, name: str, content: bytes, detail: Any) -> None:
    answer = take(client, (name, content), sizes={"a": [WIDTH, HEIGHT]})
    assert answer.status_code == 422, answer.text
    assert detail(answer)


def test_a_zip_that_unpacks_to_very_much_is_refused(client: TestClient, detail: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("fastsam.serve.projects.imports.UNPACKED", 1 << 20)
    answer = take(client, ("x.zip", zipped(labels__a_dot_txt=b"\n" * (2 << 20))))
    assert answer.status_code == 422
    assert "too large" in detail(answer)


def test_sizes_must_be_sizes(client: TestClient) -> None:
    files = ("a.txt", b"0 0.1 0.1 0.5 0.1 0.5 0.5")
    for sizes in ({"a": [0, 5]}, {"a": [10**9, 5]}, {"a": 3}, [1], {"a": [60_000, 60_000]}):
        assert take(client, files, sizes=sizes).status_code == 422
