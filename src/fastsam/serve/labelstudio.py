"""A backend for Label Studio's machine learning: predictions, and what a clicked point or a drawn box means.

Enters: Label Studio's tasks. Leaves: its results. Mounted under /label-studio by `app`.

Its protocol: GET /health, POST /setup, POST /predict (label-studio-ml 1.0). A task names its picture by an address.
Nothing of this server's is read for it: pictures come as data: addresses, or from the one Label Studio whose address
was given when the service was started.
"""

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any
from urllib.parse import urljoin, urlsplit
from xml.etree import ElementTree

import numpy as np
import requests
from anyio import to_thread
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from fastsam import __version__
from fastsam.masks import rle
from fastsam.masks.polygons import joined, polygons, through_centres
from fastsam.prompts import Prompt
from fastsam.serve import bodies, work
from fastsam.serve.jobs import unless_gone
from fastsam.serve.problems import Problem
from fastsam.serve.routes import Own, Service, json_of

TAGS = {"BrushLabels": "brushlabels", "PolygonLabels": "polygonlabels", "RectangleLabels": "rectanglelabels"}
SECONDS = 20.0  # to fetch a picture
MOST_TASKS = 64


@dataclass(frozen=True)
class Studio:
    """The Label Studio whose pictures may be fetched, and the key that it wants."""

    address: str
    key: str | None


@dataclass(frozen=True)
class Control:
    """What a project labels with. kind: its tag; name: of the control; to: of the picture; label: the first one"""

    kind: str
    name: str
    to: str
    field: str
    label: str


class Ask(BaseModel):
    """POST /predict."""

    tasks: Annotated[list[dict[str, Any]], Field(max_length=MOST_TASKS)]
    label_config: str | None = None
    params: dict[str, Any] = {}


router = APIRouter(prefix="/label-studio", include_in_schema=False)


@router.get("/health")
async def health() -> dict[str, str]:
    """Whether the backend lives."""
    return {"status": "UP", "model_class": "FastSAM"}


@router.post("/setup")
async def setup() -> dict[str, str]:
    """Called when a project connects."""
    return {"model_version": version()}


@router.post("/predict")
async def predict(request: Request, service: Own) -> Response:
    """Everything in each task's picture; with a context, what its points and boxes mean."""
    asked = bodies.checked(Ask, await bodies.read_body(request, service.limits))
    control = control_of(asked.label_config)
    answers = []
    for task in asked.tasks:
        data = await to_thread.run_sync(
            picture, request.app.state.studio, service, address_of(task, asked.label_config)
        )
        bodies.check_photo(data, service.limits)
        found = await unless_gone(request, partial(service.jobs.run, work.find, service.use, data, {}))
        context = asked.params.get("context") or {}
        answers.append(prediction(found, control, prompt_of(context, found.segments.size)))
    return json_of({"results": answers, "model_version": version()})


def version() -> str:
    """What predictions are attributed to."""
    return f"fastsam-{__version__}"


def control_of(config: str | None) -> Control:
    """The first control of a configuration that masks can fill. Raises a problem (422) where there is none."""
    root = parsed(config)
    for node in root.iter():
        if node.tag in TAGS:
            labels = [child.get("value", "object") for child in node]
            first = labels[0] if labels else "object"
            return Control(node.tag, node.get("name", "label"), node.get("toName", "image"), TAGS[node.tag], first)
    raise Problem(422, f"the project labels with none of {', '.join(TAGS)}")


def address_of(task: dict[str, Any], config: str | None) -> str:
    """The address of a task's picture: under the name that the configuration's Image says, else the only one."""
    values = {k: v for k, v in (task.get("data") or {}).items() if isinstance(v, str)}
    image = next((node for node in parsed(config).iter("Image")), None)
    key = "" if image is None else image.get("value", "").lstrip("$")
    found = values.get(key) or (next(iter(values.values())) if len(values) == 1 else None)
    if not found:
        raise Problem(422, "a task names no picture in its data")
    return found


def parsed(config: str | None) -> ElementTree.Element:
    """A labelling configuration. Raises a problem (422) for what is none."""
    text = config or "<View/>"
    if "<!" in text:  # no entities: nothing a configuration needs
        raise Problem(422, "the labelling configuration declares entities")
    try:
        return ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise Problem(422, f"the labelling configuration is no XML ({error})") from None


def picture(studio: Studio | None, service: Service, address: str) -> bytes:
    """A picture's bytes. Raises a problem for an address that is not the given Label Studio's."""
    if address.startswith("data:"):
        return bodies.unpacked(address)
    if studio is None:
        raise Problem(
            422, "pictures are fetched from no address: start with --label-studio ADDRESS, or send data: addresses"
        )
    whole = urljoin(studio.address.rstrip("/") + "/", address)
    own, theirs = urlsplit(studio.address), urlsplit(whole)
    if (own.scheme, own.netloc) != (theirs.scheme, theirs.netloc):
        raise Problem(422, f"{address[:80]} is not at {studio.address}: nothing else is fetched")
    headers = {"Authorization": f"Token {studio.key}"} if studio.key else {}
    try:
        with requests.get(whole, headers=headers, timeout=SECONDS, stream=True, allow_redirects=False) as answer:
            answer.raise_for_status()
            found = bytearray()
            for part in answer.iter_content(1 << 16):
                found += part
                if len(found) > service.limits.bytes:
                    raise Problem(413, f"a picture is larger than {service.limits.bytes} bytes")
    except requests.RequestException as error:
        raise Problem(422, f"a picture cannot be fetched from {studio.address} ({type(error).__name__})") from None
    return bytes(found)


def prompt_of(context: dict[str, Any], size: tuple[int, int]) -> Prompt | None:
    """The prompt of what a person clicked and drew so far, None where that is nothing."""
    points: list[tuple[float, float]] = []
    labels: list[int] = []
    box = None
    for result in context.get("result") or []:
        value = result.get("value") or {}
        try:
            x, y = float(value["x"]) * size[1] / 100, float(value["y"]) * size[0] / 100
            if result.get("type") == "keypointlabels":
                points.append((min(x, size[1] - 0.01), min(y, size[0] - 0.01)))
                labels.append(int(bool(result.get("is_positive", 1))))
            elif result.get("type") == "rectanglelabels":
                box = (x, y, x + float(value["width"]) * size[1] / 100, y + float(value["height"]) * size[0] / 100)
        except (KeyError, TypeError, ValueError):
            raise Problem(422, "a point or a box of the context has no numbers x and y") from None
    return Prompt(points=points, labels=labels or None, box=box) if points or box else None


def prediction(found: work.Found, control: Control, prompt: Prompt | None) -> dict[str, Any]:
    """Label Studio's results of a picture."""
    segments = found.segments
    if prompt is None:
        rows = found.rows
    else:
        pick = segments.select(prompt)[0]
        rows = [] if not pick else [{"segmentation": rle.encode(pick.mask), "score": pick.score}]  # type: ignore[arg-type]
    height, width = segments.size
    whole = {"original_width": width, "original_height": height, "image_rotation": 0}
    results = [
        {
            "id": f"mask{k}",
            "from_name": control.name,
            "to_name": control.to,
            "type": control.field,
            "score": row["score"],
            "value": {**value, control.field: [control.label]},
            **whole,
        }
        for k, row in enumerate(rows)
        for value in values_of(rle.decode(row["segmentation"]), control)
    ]
    score = max((float(row["score"]) for row in rows), default=0.0)
    return {"result": results, "score": score, "model_version": version()}


def values_of(mask: Any, control: Control) -> list[dict[str, Any]]:
    """A mask as the control's values: one, or a polygon for each of its parts; places in percent."""
    height, width = mask.shape
    if control.kind == "BrushLabels":
        return [{"format": "rle", "rle": brush(mask)}]
    found: list[dict[str, Any]] = []
    if control.kind == "PolygonLabels":
        for polygon in polygons(mask, (0, 0)):
            corners = joined([through_centres(polygon)]) * (100 / width, 100 / height)
            if len(corners) > 2:
                found.append({"points": corners.tolist(), "closed": True})
        return found
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return []
    x, y = 100 * columns[0] / width, 100 * rows[0] / height
    w, h = 100 * (columns[-1] + 1 - columns[0]) / width, 100 * (rows[-1] + 1 - rows[0]) / height
    return [{"x": float(x), "y": float(y), "width": float(w), "height": float(h), "rotation": 0}]


def brush(mask: Any) -> list[int]:
    """A mask in Label Studio's brush encoding: RGBA pixels row by row, packed as the JavaScript package rle-pack does.

    32 bits: number of values; 5 bits: bits a value, less one (7); four times 4 bits: bits of a length, less one, of
    which four sizes there are; then runs: one bit 1 for a run of equal values, 0 for differing ones; two bits: which
    size; the length, less one; and the value, or the values.
    """
    flat = np.repeat(mask.reshape(-1).astype(np.uint8) * 255, 4)
    sizes = (3, 4, 8, 16)
    bits = [f"{len(flat):032b}", f"{7:05b}", *(f"{size - 1:04b}" for size in sizes)]
    starts = np.concatenate(([0], np.flatnonzero(np.diff(flat)) + 1))
    lengths = np.diff(np.concatenate((starts, [len(flat)])))
    for value, length in zip(flat[starts].tolist(), lengths.tolist(), strict=True):
        rest = length
        while rest:
            part = min(rest, 1 << sizes[-1])
            which = next(k for k, size in enumerate(sizes) if part <= 1 << size)
            bits.append(f"1{which:02b}{part - 1:0{sizes[which]}b}{value:08b}")
            rest -= part
    string = "".join(bits)
    string += "0" * (-len(string) % 8)
    return np.packbits(np.frombuffer(string.encode(), np.uint8) - 48).tolist()
