"""The backend speaks Label Studio's protocol, and fetches nothing that it should not."""

import base64
import http.server
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("fastapi", reason="the serve extra is not installed")

from starlette.testclient import TestClient

from fastsam import FastSAM, UsageError
from fastsam.masks.annotations import fill
from fastsam.serve.app import make_app
from fastsam.serve.labelstudio import Studio
from fastsam.serve.studio import VERSION, asked, brush, read_project

PERSONAL = "header.claims.signature"  # the form of a personal access token
CONFIG = (
    '<View><Image name="photo" value="$picture"/><{0} name="tag" toName="photo"><Label value="Thing"/></{0}></View>'
)


def unpack(values: list[int]) -> np.ndarray:
    """Label Studio's brush encoding, read bit by bit as the JavaScript package rle-pack does."""
    bits = "".join(f"{v:08b}" for v in values)
    place = 0

    def take(n: int) -> int:
        nonlocal place
        place += n
        return int(bits[place - n : place], 2)

    total, word = take(32), take(5) + 1
    sizes = [take(4) + 1 for _ in range(4)]
    out: list[int] = []
    while len(out) < total:
        same = take(1)
        count = take(sizes[take(2)]) + 1
        out += [take(word)] * count if same else [take(word) for _ in range(count)]
    return np.array(out, np.uint8)


@pytest.mark.parametrize("seed", range(5))
def test_brushes_are_read_back(seed: int) -> None:
    mask = np.random.default_rng(seed).random((37, 1 + 53 * seed)) < 0.2 * seed
    np.testing.assert_array_equal(unpack(brush(mask)).reshape(*mask.shape, 4), np.repeat(mask[..., None], 4, 2) * 255)
    assert not unpack(brush(np.zeros((400, 600), bool))).any()


@pytest.fixture
def task(examples: Path) -> dict[str, Any]:
    packed = base64.b64encode((examples / "coffee.png").read_bytes()).decode()
    return {"id": 1, "data": {"picture": f"data:image/png;base64,{packed}", "other": "x"}}


def ask(client: TestClient, task: dict[str, Any], kind: str, context: dict[str, Any] | None = None) -> Any:
    body = {"tasks": [task], "label_config": CONFIG.format(kind), "params": {"context": context}}
    return client.post("/label-studio/predict", json=body)


@pytest.mark.parametrize("kind", ["BrushLabels", "PolygonLabels", "RectangleLabels"])
def test_everything_is_predicted(
    service: TestClient, task: dict[str, Any], model: FastSAM, examples: Path, kind: str
) -> None:
    segments = model(examples / "coffee.png", refine=True).filter(level="things")
    answer = ask(service, task, kind)
    assert answer.status_code == 200, answer.text
    (prediction,) = answer.json()["results"]
    groups: dict[str, np.ndarray] = {}
    for result in prediction["result"]:
        assert (result["from_name"], result["to_name"], result["type"]) == ("tag", "photo", kind.lower())
        value = result["value"]
        assert value[kind.lower()] == ["Thing"]
        mask = groups.setdefault(result["id"].split("-")[0], np.zeros((400, 600), bool))
        if kind == "BrushLabels":
            mask |= unpack(value["rle"]).reshape(400, 600, 4)[..., 3] > 0
        elif kind == "PolygonLabels":
            mask |= fill((np.array(value["points"]) * (6, 4)).reshape(-1).tolist(), (400, 600))
        else:
            x, y, w, h = (round(value[k] * s) for k, s in (("x", 6), ("y", 4), ("width", 6), ("height", 4)))
            mask[y : y + h, x : x + w] = True
    assert len({result["id"] for result in prediction["result"]}) == len(prediction["result"])
    assert prediction["score"] == pytest.approx(segments.scores[0], abs=1e-4)
    if kind == "BrushLabels":
        assert len(groups) == len(segments)
        for k in range(len(segments)):
            np.testing.assert_array_equal(groups[f"mask{k}"], segments.masks[k])
    elif kind == "PolygonLabels":
        overlap = [(groups[f"mask{k}"] & m).sum() / m.sum() for k, m in enumerate(segments.masks) if m.sum() > 2000]
        assert min(overlap) > 0.9  # within a pixel of the border
    else:
        assert all((groups[f"mask{k}"] & m).sum() == m.sum() for k, m in enumerate(segments.masks))


def test_clicks_and_boxes_are_prompts(
    service: TestClient, task: dict[str, Any], model: FastSAM, examples: Path
) -> None:
    segments = model(examples / "coffee.png")
    click = {"type": "keypointlabels", "value": {"x": 50, "y": 25}, "is_positive": 1}
    against = {"type": "keypointlabels", "value": {"x": 5, "y": 95}, "is_positive": 0}
    box = {"type": "rectanglelabels", "value": {"x": 28, "y": 4, "width": 43, "height": 76}}
    for results, pick in (
        (
            [click, against],
            segments.select(points=[(300, 100), (30, 380)], labels=[1, 0], refine=model.refiner)[0],
        ),
        ([box], segments.select(boxes=[(168, 16, 426, 320)], refine=model.refiner)[0]),
    ):
        assert pick.how == "drawn"
        answer = ask(service, task, "BrushLabels", {"result": results}).json()
        (result,) = answer["results"][0]["result"]
        np.testing.assert_array_equal(unpack(result["value"]["rle"]).reshape(400, 600, 4)[..., 0] > 0, pick.mask)


def test_a_comment_in_the_configuration_does_no_harm(service: TestClient) -> None:
    body = {"tasks": [], "label_config": CONFIG.format("BrushLabels") + "<!-- made by hand -->", "params": None}
    assert service.post("/label-studio/predict", json=body).json()["results"] == []


def test_the_label_in_hand_is_used(service: TestClient, task: dict[str, Any]) -> None:
    config = CONFIG.format("BrushLabels").replace(
        '<Label value="Thing"/>', '<Label value="Thing"/><Label value="Cup"/>'
    )
    click = {"type": "keypointlabels", "value": {"x": 50, "y": 25, "keypointlabels": ["Cup"]}, "is_positive": 1}
    body = {"tasks": [task], "label_config": config, "params": {"context": {"result": [click]}}}
    (result,) = service.post("/label-studio/predict", json=body).json()["results"][0]["result"]
    assert result["value"]["brushlabels"] == ["Cup"]


def test_it_lives_and_connects(service: TestClient) -> None:
    for address in ("/label-studio", "/label-studio/", "/label-studio/health"):
        assert service.get(address).json()["status"] == "UP"
    assert "model_version" in service.post("/label-studio/setup", json={"project": "1"}).json()
    told = service.post("/label-studio/webhook", json={"action": "ANNOTATION_CREATED", "annotation": {"result": []}})
    assert (told.status_code, told.json()) == (200, {"status": "ok"})


def project(*controls: str, pictures: str = '<Image name="photo" value="$picture"/>') -> str:
    return f"<View>{''.join(controls)}{pictures}</View>"


def control(tag: str, name: str = "", label: str = "Thing", to: str = "photo") -> str:
    inner = f'<Label value="{label}"/>' if tag.endswith("Labels") else ""
    return f'<{tag} name="{name or tag}" toName="{to}">{inner}</{tag}>'


@pytest.mark.parametrize(
    ("tags", "kind"),
    [
        (["KeyPointLabels", "RectangleLabels", "BrushLabels"], "BrushLabels"),
        (["BrushLabels", "RectangleLabels"], "BrushLabels"),
        (["RectangleLabels", "PolygonLabels", "KeyPointLabels"], "PolygonLabels"),
        (["PolygonLabels", "BrushLabels"], "BrushLabels"),
        (["KeyPointLabels", "RectangleLabels"], "RectangleLabels"),
        (["Choices", "Rectangle", "Labels", "Brush"], "Brush"),
    ],
)
def test_masks_go_where_the_project_takes_them(tags: list[str], kind: str) -> None:
    found = read_project(project(*(control(tag) for tag in tags)))
    assert (found.kind, found.name, found.to, found.picture) == (kind, kind, "photo", "picture")
    assert found.labels == (("Thing",) if kind.endswith("Labels") else ())


def test_of_several_pictures_the_controls_own_is_taken() -> None:
    pictures = '<Image name="before" value="$old"/><Image name="after" value="$new"/><Text name="note" value="$t"/>'
    found = read_project(
        project(
            control("BrushLabels", to="note"), control("RectangleLabels", to="before"),
            control("PolygonLabels", to="after"), pictures=pictures,
        )
    )  # fmt: skip
    assert (found.kind, found.to, found.picture) == ("PolygonLabels", "after", "new")
    with pytest.raises(UsageError, match="must label a picture"):
        read_project(project(control("BrushLabels", to="note"), pictures=pictures))
    with pytest.raises(UsageError, match="must label with one of BrushLabels"):
        read_project(project(control("EllipseLabels"), control("KeyPointLabels")))


def test_labels_of_any_text_come_back_as_they_are(service: TestClient, task: dict[str, Any]) -> None:
    label = "Übung &amp; &quot;Katze&quot;, groß"
    config = project(control("RectangleLabels"), control("BrushLabels", label=label))
    click = {"type": "keypointlabels", "value": {"x": 50, "y": 25}, "is_positive": 1}
    body = {"tasks": [task], "label_config": config, "params": {"context": {"result": [click]}}}
    (result,) = service.post("/label-studio/predict", json=body).json()["results"][0]["result"]
    assert (result["type"], result["value"]["brushlabels"]) == ("brushlabels", ['Übung & "Katze", groß'])


@pytest.mark.parametrize(
    "drawn",
    [
        {"type": "keypointlabels", "value": {"x": 50, "y": 25}, "is_positive": 0},
        {"type": "rectanglelabels", "value": {"x": 50, "y": 25, "width": 0, "height": 0}},
        {"type": "brushlabels", "value": {"format": "rle", "rle": []}},
    ],
)
def test_what_says_nothing_of_what_is_meant_has_an_empty_answer(
    service: TestClient, task: dict[str, Any], drawn: dict[str, Any]
) -> None:
    answer = ask(service, task, "BrushLabels", {"result": [drawn]})
    assert answer.status_code == 200, answer.text
    assert answer.json()["results"] == [{"result": [], "score": 0.0, "model_version": VERSION}]


def test_points_beyond_the_border_are_moved_to_it() -> None:
    drawn = [{"type": "keypoint", "value": {"x": x, "y": y}} for x, y in ((-3, 50), (101, 100))]
    (prompt,) = asked(drawn, (100, 200))
    assert prompt.points == ((0.0, 50.0), (199.99, 99.99))
    assert asked([], (100, 200)) is None


@pytest.mark.parametrize(
    ("body", "about"),
    [
        (
            {"tasks": [{"data": {"picture": "/etc/passwd"}}], "label_config": CONFIG.format("BrushLabels")},
            "not fetched",
        ),
        ({"tasks": [{"data": {}}], "label_config": CONFIG.format("BrushLabels")}, "must name a picture"),
        ({"tasks": [], "label_config": "<View>"}, "not XML"),
        ({"tasks": [], "label_config": "<!DOCTYPE x [<!ENTITY a 'b'>]><View/>"}, "entities"),
        ({"tasks": [], "label_config": "<View/>"}, "must label with one of"),
        ({"tasks": [{"data": [1]}], "label_config": CONFIG.format("BrushLabels")}, "tasks.0.data"),
        ({"tasks": [], "label_config": CONFIG.format("BrushLabels"), "params": {"context": "x"}}, "context"),
        ({"tasks": [], "label_config": CONFIG.format("BrushLabels"), "params": {"context": {"result": [1]}}}, "result"),
        ({"tasks": 7}, "tasks"),
    ],
)
def test_what_makes_no_sense_is_refused(service: TestClient, body: dict[str, Any], about: str) -> None:
    answer = service.post("/label-studio/predict", json=body)
    assert answer.status_code == 422
    assert about in answer.json()["detail"]


@pytest.fixture
def studio(examples: Path) -> Iterator[tuple[str, list[Any]]]:
    """A server that has one picture for those who bring the key."""
    asked: list[Any] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.path, self.headers.get("Authorization")))
            if self.path == "/away.png":
                self.send_response(302)
                self.send_header("Location", "http://127.0.0.1:9/secret.png")
                self.end_headers()
                return
            self.send_response(200)
            self.end_headers()
            self.wfile.write((examples / "coffee.png").read_bytes())

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            known = (self.path, body) == ("/api/token/refresh", {"refresh": PERSONAL})
            asked.append((self.path, self.headers.get("Authorization")))
            self.send_response(200 if known else 401)
            self.end_headers()
            self.wfile.write(b'{"access": "for minutes"}' if known else b"{}")

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()


def test_pictures_come_from_the_one_studio_alone(serving: Callable[..., Any], studio: tuple[str, list[Any]]) -> None:
    address, asked = studio
    with serving(make_app(threads=1, studio=Studio(address, "key"))) as client:
        for name in ("/data/upload/1/coffee.png", f"{address}/data/upload/1/coffee.png"):
            answer = ask(client, {"data": {"picture": name}}, "RectangleLabels")
            assert answer.status_code == 200, answer.text
            assert answer.json()["results"][0]["result"]
        assert asked == [("/data/upload/1/coffee.png", "Token key")] * 2
        elsewhere = [
            "http://127.0.0.1:9/x.png",
            "file:///etc/passwd",
            "//evil.example/x.png",
            f"{address}.evil.example/x.png",
        ]
        for name in (*elsewhere, "/away.png"):
            assert ask(client, {"data": {"picture": name}}, "RectangleLabels").status_code == 422
        assert len(asked) == 3  # the one that was sent away is not followed


def test_a_personal_access_token_is_exchanged(serving: Callable[..., Any], studio: tuple[str, list[Any]]) -> None:
    """Label Studio takes it only to give another one, which pictures are fetched with."""
    address, asked = studio
    with serving(make_app(threads=1, studio=Studio(address, PERSONAL))) as client:
        assert ask(client, {"data": {"picture": "/data/upload/1/coffee.png"}}, "RectangleLabels").status_code == 200
    assert asked == [("/api/token/refresh", None), ("/data/upload/1/coffee.png", "Bearer for minutes")]
    with serving(make_app(threads=1, studio=Studio(address, "a.wrong.token"))) as client:
        answer = ask(client, {"data": {"picture": "/data/upload/1/coffee.png"}}, "RectangleLabels")
    assert answer.status_code == 422
    assert answer.json()["detail"].endswith("(status 401, check LABEL_STUDIO_API_KEY)")


def test_a_polygon_of_a_hole_is_kept_in_percent(task: dict[str, Any], service: TestClient) -> None:
    ring = np.full((200, 200, 3), 30, np.uint8)
    cv2.circle(ring, (100, 100), 80, (200, 40, 40), -1)
    packed = base64.b64encode(cv2.imencode(".png", ring)[1]).decode()
    answer = ask(service, {"data": {"picture": f"data:image/png;base64,{packed}"}}, "PolygonLabels").json()
    for result in answer["results"][0]["result"]:
        assert all(-0.5 <= v <= 100.5 for point in result["value"]["points"] for v in point)
