"""The OpenAPI description says what the service does: requests drawn from it, good and bad, never break it."""

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the serve extra is not installed")
pytest.importorskip("schemathesis", reason="schemathesis is not installed")

import cv2
import numpy as np
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

from fastsam.client import Client

schemathesis.serializer.alias(["video/mp4", "video/webm", "video/x-msvideo"], "application/octet-stream")


@pytest.fixture(scope="session")
def api(address: str) -> Any:
    return schemathesis.openapi.from_url(f"{address}/openapi.json")


@pytest.fixture(scope="session")
def photo(address: str, examples: Path) -> str:
    """The id of a photo that is kept, so that requests about one reach further than 404."""
    return Client(address).segment(examples / "coffee.png").id


@pytest.fixture(scope="session")
def video(address: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The id of a video of three frames that is kept."""
    file = tmp_path_factory.mktemp("video") / "a.avi"
    out = cv2.VideoWriter(str(file), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
    for number in range(3):
        out.write(np.full((48, 64, 3), 60 * number, np.uint8))
    out.release()
    headers = {"Content-Type": "video/x-msvideo"}
    answer = requests.post(f"{address}/v1/videos", data=file.read_bytes(), headers=headers, timeout=300)
    return str(answer.json()["id"])


ROUTES = [
    *("segment", "choose", "show", "forget", "select", "name", "about", "health", "ready", "metrics"),
    *("project", "photo", "labels", "save", "save_classes", "rename", "counts", "export", "convert", "take"),
    *("send", "facts", "frame", "follow", "followed", "drop"),
]


@pytest.mark.parametrize("route", ROUTES)
def test_no_request_breaks_it(api: Any, photo: str, video: str, route: str) -> None:
    operations = [found.ok() for found in api.get_all_operations()]
    (operation,) = (
        o
        for o in operations
        if o.definition.raw["operationId"].startswith(f"{route}_v")
        or o.definition.raw["operationId"].startswith(f"{route}_{route[:4]}")
    )

    @given(operation.as_strategy())
    @settings(
        max_examples=30,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Any) -> None:
        if case.path_parameters and route not in ("forget", "drop"):
            case.path_parameters["id_"] = video if "/videos/" in case.path else photo
        # Some of what the schema allows makes no sense on this photo: 422.
        case.call_and_validate(timeout=300, excluded_checks=[schemathesis.checks.positive_data_acceptance])

    ask()


def test_all_routes_are_asked(api: Any) -> None:
    assert len(list(api.get_all_operations())) == len(ROUTES)


def test_every_route_is_described_and_every_json_body_has_an_example(api: Any) -> None:
    for path, operations in api.raw_schema["paths"].items():
        for method, operation in operations.items():
            assert operation["description"], f"{method} {path}"
            assert "401" in operation["responses"], f"{method} {path}"
            body = operation.get("requestBody", {}).get("content", {}).get("application/json")
            assert body is None or body["schema"]["examples"], f"{method} {path}"
