"""A backend for Label Studio's machine learning: predictions, and what a clicked point or a drawn box means.

Enters: Label Studio's tasks. Leaves: its results. Mounted under /label-studio by `app`.

Its protocol: GET / and /health, POST /setup, /predict and /webhook (label-studio-ml 1.0). A task names its picture by
an address. Nothing of this server's is read for it: pictures come as data: addresses, or from the one Label Studio
whose address was given when the service was started.
"""

from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urljoin, urlsplit

import requests
from anyio import to_thread
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from fastsam.serve import bodies, studio
from fastsam.serve.limits import Limits
from fastsam.serve.problems import Problem
from fastsam.serve.routes import json_of
from fastsam.serve.service import Own

SECONDS = 20.0  # to fetch a picture
MOST_TASKS = 64


@dataclass(frozen=True)
class Studio:
    """The Label Studio whose pictures may be fetched, and the key that it wants."""

    address: str
    key: str | None


class Task(BaseModel):
    """A task's data by name, its picture's address among them."""

    data: dict[str, Any] = {}


class Context(BaseModel):
    """What a person clicked and drew so far, in Label Studio's results."""

    result: Annotated[list[dict[str, Any]], Field(max_length=1000)] | None = None


class Params(BaseModel):
    """What comes beside the tasks."""

    context: Context | None = None


class Ask(BaseModel):
    """The body of POST /predict."""

    tasks: Annotated[list[Task], Field(max_length=MOST_TASKS)]
    label_config: Annotated[str, Field(max_length=1_000_000)]
    params: Params | None = None


router = APIRouter(prefix="/label-studio", include_in_schema=False)


@router.get("")
@router.get("/")
@router.get("/health")
async def health() -> dict[str, str]:
    """Whether the backend lives."""
    return {"status": "UP", "model_class": "FastSAM"}


@router.post("/setup")
async def setup() -> dict[str, str]:
    """Called when a project connects."""
    return {"model_version": studio.VERSION}


@router.post("/webhook")
async def webhook(request: Request, service: Own) -> dict[str, str]:
    """Told what happens in a project. It is read and ignored, since nothing is trained here."""
    await bodies.read_body(request, service.limits)
    return {"status": "ok"}


@router.post("/predict")
async def predict(request: Request, service: Own) -> Response:
    """Finds everything in each task's picture; with a context, what its points and boxes mean. Masks are drawn."""
    bodies.demand_json(request)
    asked = bodies.checked(Ask, await bodies.read_body(request, service.limits))
    project = studio.read_project(asked.label_config)
    drawn = (asked.params and asked.params.context and asked.params.context.result) or []
    answers = []
    for task in asked.tasks:
        address = address_of(task, project)
        data = await to_thread.run_sync(picture, request.app.state.studio, service.limits, address)
        await to_thread.run_sync(bodies.check_photo, data, service.limits)
        answers.append(await service.jobs.run_for(request, studio.predict, service.use, data, project, drawn))
    return json_of({"results": answers, "model_version": studio.VERSION})


def address_of(task: Task, project: studio.Project) -> str:
    """The address of a task's picture: under the name that the project says, else the only one it has."""
    values = {k: v for k, v in task.data.items() if isinstance(v, str)}
    found = values.get(project.picture) or (next(iter(values.values())) if len(values) == 1 else None)
    if not found:
        raise Problem(422, "a task must name a picture in its data")
    return found


def picture(own: Studio | None, limits: Limits, address: str) -> bytes:
    """A picture's bytes. Raises a problem for an address that is not the given Label Studio's."""
    if address.startswith("data:"):
        return bodies.unpacked(address)
    if own is None:
        raise Problem(422, "pictures are not fetched: start with --label-studio ADDRESS, or send data: addresses")
    try:
        whole = urljoin(own.address.rstrip("/") + "/", address)
        places = [urlsplit(a)[:2] for a in (own.address, whole)]
    except ValueError:
        raise Problem(422, f"{address[:80]!r} is not an address") from None
    if places[0] != places[1]:
        raise Problem(422, f"{address[:80]} is not at {own.address}: nothing else is fetched")
    found = bytearray()
    try:
        headers = authorization(own)
        with requests.get(whole, headers=headers, timeout=SECONDS, stream=True, allow_redirects=False) as answer:
            answer.raise_for_status()
            for part in answer.iter_content(1 << 16):
                found += part
                if len(found) > limits.bytes:
                    raise Problem(413, f"a picture is larger than {limits.bytes} bytes")
    except (requests.RequestException, ValueError) as error:
        raise Problem(422, f"a picture cannot be fetched from {own.address} ({said(error)})") from None
    return bytes(found)


def authorization(own: Studio) -> dict[str, str]:
    """The header that Label Studio wants with its key.

    A personal access token, which has three parts, is first exchanged for one that lives for minutes; a legacy token is
    sent as it is. Raises requests' errors, and ValueError if the exchange answers something else.
    """
    if not own.key:
        return {}
    if own.key.count(".") != 2:
        return {"Authorization": f"Token {own.key}"}
    address = urljoin(own.address.rstrip("/") + "/", "api/token/refresh")
    with requests.post(address, json={"refresh": own.key}, timeout=SECONDS, allow_redirects=False) as answer:
        answer.raise_for_status()
        given = answer.json()
    if not isinstance(given, dict) or not isinstance(given.get("access"), str):
        raise ValueError("no access token")
    return {"Authorization": f"Bearer {given['access']}"}


def said(error: Exception) -> str:
    """What went wrong, without addresses: the status of an answer, else the kind of error."""
    answer = getattr(error, "response", None)
    if answer is None:
        return type(error).__name__
    return f"status {answer.status_code}" + (", check LABEL_STUDIO_API_KEY" if answer.status_code in (401, 403) else "")
