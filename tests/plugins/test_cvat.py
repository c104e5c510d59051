"""CVAT's functions answer events as CVAT sends them.

Nuclio needs Docker, which these tests do without: its context is a stand-in with what the functions use of it.
"""

import base64
import importlib.util
import json
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from fastsam import FastSAM
from fastsam.masks.annotations import fill

ROOT = Path(__file__).parent.parent.parent
FUNCTIONS = ROOT / "deploy" / "cvat"


class Context:
    """Nuclio's context, as far as a function sees it."""

    def __init__(self) -> None:
        self.user_data, self.warnings = SimpleNamespace(), []
        self.logger = SimpleNamespace(info=print, warn=self.warnings.append)

    class Response(SimpleNamespace):
        """Nuclio's response."""


def entry(kind: str) -> ModuleType:
    """The module that nuclio starts."""
    spec = importlib.util.spec_from_file_location(f"cvat_{kind}", FUNCTIONS / kind / "main.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Function:
    """A function that nuclio has started."""

    def __init__(self, kind: str) -> None:
        self.module, self.context = entry(kind), Context()
        self.module.init_context(self.context)

    def __call__(self, body: Any, status: int = 200) -> Any:
        answer = self.module.handler(self.context, SimpleNamespace(body=body))
        assert answer.status_code == status, answer.body
        assert answer.content_type == "application/json"
        return json.loads(answer.body)


@pytest.fixture(scope="module")
def interactor() -> Function:
    return Function("interactor")


@pytest.fixture(scope="module")
def detector() -> Function:
    return Function("detector")


@pytest.fixture(scope="module")
def image(examples: Path) -> str:
    return base64.b64encode((examples / "coffee.png").read_bytes()).decode()


def test_points_and_a_box_mean_what_the_library_says(
    interactor: Function, model: FastSAM, examples: Path, image: str
) -> None:
    segments = model(examples / "coffee.png")
    box, boxed = [[180, 10], [430, 250]], segments.select(boxes=[(180, 10, 430, 250)])
    for places, (pick,) in (
        ({"pos_points": [[300, 100]], "neg_points": [[30, 380]], "obj_bbox": None},
         segments.select(points=[(300, 100), (30, 380)], labels=[1, 0])),
        ({"pos_points": [], "neg_points": [], "obj_bbox": box}, boxed),
        ({"pos_points": [], "neg_points": [], "obj_bbox": box[::-1]}, boxed),
    ):  # fmt: skip
        mask = np.array(interactor({"image": image, **places})["mask"])
        np.testing.assert_array_equal(mask, pick.mask * 255)


def test_the_body_may_come_as_bytes(interactor: Function, image: str) -> None:
    body = {"image": image, "pos_points": [[300, 100]]}
    assert interactor(json.dumps(body).encode()) == interactor(body)


def test_points_beyond_the_border_are_moved_to_it(interactor: Function, image: str) -> None:
    assert np.shape(interactor({"image": image, "pos_points": [[9000, -3]]})["mask"]) == (400, 600)


def test_every_thing_is_a_mask_with_its_box_and_a_polygon(detector: Function, model: FastSAM, image: str) -> None:
    found = detector({"image": image})
    segments = model(ROOT / "examples" / "coffee.png").filter(level="things").refine()
    assert len(found) == len(segments) > 3
    for one, mask in zip(found, segments.masks, strict=True):
        assert (one["type"], one["label"]) == ("mask", "object")
        x0, y0, x1, y1 = one["mask"][-4:]
        pixels = np.zeros((400, 600), int)
        pixels[y0 : y1 + 1, x0 : x1 + 1] = np.reshape(one["mask"][:-4], (y1 + 1 - y0, x1 + 1 - x0))
        np.testing.assert_array_equal(pixels, mask)
        drawn = fill(one["points"], (400, 600))
        assert (drawn & mask).sum() / (drawn | mask).sum() > 0.85
    assert len(detector({"image": image, "threshold": 0.9})) < len(found)


def test_a_picture_without_things_has_no_masks(detector: Function) -> None:
    empty = base64.b64encode(cv2.imencode(".png", np.full((64, 64, 3), 90, np.uint8))[1]).decode()
    assert isinstance(detector({"image": empty, "threshold": 1.0}), list)


TINY = base64.b64encode(cv2.imencode(".png", np.zeros((8, 8, 3), np.uint8))[1]).decode()


@pytest.mark.parametrize(
    ("body", "about"),
    [
        (None, "must be a JSON object"),
        (b"{", "must be a JSON object"),
        (b"\xff\xfe", "must be a JSON object"),
        (b"[" * 100_000, "must be a JSON object"),
        ([], "must be a JSON object"),
        ({}, "image must be the file of a picture"),
        ({"image": 7}, "image must be the file of a picture"),
        ({"image": "%%%"}, "not base64"),
        ({"image": "é"}, "not base64"),
        ({"image": "aGVsbG8="}, "not an image"),
        ({"image": TINY[: len(TINY) // 2 // 4 * 4], "pos_points": [[1, 1]]}, ""),
        ({"image": TINY}, "nothing says where the object is"),
        ({"image": TINY, "neg_points": [[1, 1]]}, "nothing says where the object is"),
        ({"image": TINY, "pos_points": [1, 2]}, "pos_points must be a list of finite [x, y]"),
        ({"image": TINY, "pos_points": [[1, 2, 3]]}, "pos_points must be a list"),
        ({"image": TINY, "pos_points": [[1, 2], [3]]}, "pos_points must be a list"),
        ({"image": TINY, "pos_points": {"x": 1}}, "pos_points must be a list"),
        ({"image": TINY, "pos_points": [["a", "b"]]}, "pos_points must be a list"),
        ({"image": TINY, "pos_points": [[float("nan"), 1]]}, "finite"),
        ({"image": TINY, "obj_bbox": [[1, 1]]}, "obj_bbox must be two corners"),
        ({"image": TINY, "obj_bbox": [[1, 1], [1, 5]]}, "has no area"),
    ],
)
def test_events_that_make_no_sense_are_one_line(interactor: Function, body: Any, about: str) -> None:
    ((name, text),) = interactor(body, status=400).items()
    assert name == "error"
    assert about in text
    assert "\n" not in text
    assert interactor.context.warnings[-1] == text


@pytest.mark.parametrize("threshold", [2, -1, "high", True, float("nan")])
def test_a_threshold_is_a_share(detector: Function, threshold: Any) -> None:
    assert (
        "threshold must be a number between 0 and 1" in detector({"image": TINY, "threshold": threshold}, 400)["error"]
    )


@pytest.mark.parametrize("kind", ["interactor", "detector"])
def test_nuclio_is_told_what_to_build(kind: str) -> None:
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    content = yaml.safe_load((FUNCTIONS / kind / "function.yaml").read_text())
    assert content["metadata"]["annotations"]["type"] == kind
    assert content["spec"]["handler"] == "main:handler"
    if kind == "detector":
        (label,) = json.loads(content["metadata"]["annotations"]["spec"])
        assert label["name"] == importlib.import_module("fastsam.plugins.cvat").LABEL
