"""The routes of the service under /v1, and those by which it is watched.

Enters: requests. Leaves: JSON, files. Put together by `app`.
"""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from anyio import to_thread
from fastapi import APIRouter, Request, Response
from pydantic_core import to_json

from fastsam import __version__
from fastsam.formats import SEGMENTS
from fastsam.formats.content import Options, check
from fastsam.prompts import Prompt
from fastsam.serve import bodies, rows, schemas, work
from fastsam.serve.jobs import SMALLER
from fastsam.serve.memory import Kept
from fastsam.serve.openapi import BROUGHT, FILE_OR, KINDS, attachment, body_of, problems
from fastsam.serve.problems import Problem
from fastsam.serve.service import Id, Own, Service

FEW_PROMPTS = 16  # prompts of a request that the server answers itself: more are work for a process
MOST_WAITING = 256  # requests that may wait for it
FEWER, FEWER_PROMPTS = "send fewer words at a time", "send fewer prompts at a time"
router = APIRouter()


@router.post(
    "/v1/segment",
    tags=["photos"],
    responses={200: {"model": schemas.Segmented, **FILE_OR}, **problems(400, 408, 413, 415, 422, 503, 504)},
    openapi_extra=body_of(("multipart/form-data", schemas.Options), ("application/json", schemas.Photo)),
)
async def segment(request: Request, service: Own) -> Response:
    """Finds everything in a photo: a form's field `image`, or base64 in JSON. The photo is kept in memory for a while.

    With `Accept: application/vnd.fastsam.segments+npz` the answer is one file, which `POST /v1/select` takes on any
    replica, and nothing is kept.
    """
    service.jobs.admit()
    upload = await bodies.read_upload(request, service.limits)
    settings = upload.options.model_dump(exclude=schemas.NO_SETTINGS, exclude_none=True)
    wanted = wanted_of(upload.options)
    if SEGMENTS in request.headers.get("accept", ""):
        if wanted is not None:
            raise Problem(422, f"format {wanted.format} and {SEGMENTS} are two answers: ask for one")
        packed = await service.jobs.run_for(request, work.pack, service.use, upload.file, settings)
        return Response(packed, media_type=SEGMENTS)
    found = await service.jobs.run_for(request, work.find, service.use, upload.file, settings)
    kept = service.memory.keep(upload.name, upload.file, found.segments, found.rows, found.photo)
    if wanted is None:
        return json_of(described(kept))
    return await written(request, service, kept, [], list(range(len(kept.rows))), wanted)


@router.post(
    "/v1/select",
    tags=["prompts"],
    responses={200: {"model": schemas.Selected}, **problems(400, 408, 413, 415, 422, 503, 504)},
    openapi_extra=BROUGHT,
)
async def choose(request: Request, service: Own) -> Response:
    """Answers prompts about `segments`, a file of `POST /v1/segment`. Any replica answers, and nothing is kept. Answers
    are drawn if the request has the `image` too."""
    service.jobs.admit()
    packed, photo, asked = await bodies.read_brought(request, service.limits)
    remedy = FEWER if asks_words(asked) else FEWER_PROMPTS
    arguments = (service.use, packed, photo, asked)
    picks = await service.jobs.run_for(request, work.select_among, *arguments, remedy=remedy)
    return json_of({"picks": picks})


@router.get("/v1/images/{id_}", tags=["photos"], responses={200: {"model": schemas.Segmented}, **problems(404, 422)})
async def show(id_: Id, service: Own) -> Response:
    """Returns again what was found in a photo."""
    return json_of(described(service.memory.get(id_)))


@router.delete("/v1/images/{id_}", tags=["photos"], status_code=204, responses=problems(404, 422))
async def forget(id_: Id, service: Own) -> None:
    """Deletes a photo at once."""
    service.memory.drop(id_)


@router.post(
    "/v1/images/{id_}/select",
    tags=["prompts"],
    responses={200: {"model": schemas.Selected, **FILE_OR}, **problems(404, 408, 413, 415, 422, 503, 504)},
    openapi_extra=body_of(("application/json", schemas.Selection)),
)
async def select(id_: Id, request: Request, service: Own) -> Response:
    """Answers points, boxes, masks and words about a photo that was segmented: one answer per prompt, in order.

    To correct an answer, send all points so far and the mask of that answer: a prompt's `points`, `labels`, `mask`.
    """
    kept = service.memory.get(id_)
    bodies.demand_json(request)
    asked = bodies.checked(schemas.Selection, await bodies.read_body(request, service.limits))
    wanted = wanted_of(asked)
    among = bodies.indices_of(asked, len(kept.segments))
    masks = bool(asked.masks) or any(p.mask for p in asked.prompts)  # which take a while to read
    read = partial(bodies.prompts_of, asked, kept.segments.size)
    prompts = await to_thread.run_sync(read, limiter=service.selecting) if masks else read()
    if wanted is not None:
        return await written(request, service, kept, prompts, among, wanted)
    if len(prompts) <= FEW_PROMPTS and not any(prompt.text for prompt in prompts):
        if service.selecting.statistics().tasks_waiting >= MOST_WAITING:
            raise Problem(503, "too many prompts are waiting: try again in 1 s", 1)
        photo = kept.photo
        if asked.refine is not False and photo is None:  # its pixels made room for others'
            photo = await service.jobs.run_for(request, work.photo_of, service.use, kept.file)
            service.memory.hold(id_, photo)
        answer = partial(selected, service.use, kept, photo, prompts, among, asked.refine)
        return json_of(await to_thread.run_sync(answer, limiter=service.selecting))
    arguments = (service.use, kept.id, kept.file, kept.segments, prompts, among, asked.refine, asked.all)
    remedy = FEWER if asks_words(asked) else FEWER_PROMPTS
    return json_of({"picks": await service.jobs.run_for(request, work.select, *arguments, remedy=remedy)})


@router.post(
    "/v1/images/{id_}/name",
    tags=["prompts"],
    responses={200: {"model": schemas.Names}, **problems(404, 408, 413, 415, 422, 503, 504)},
    openapi_extra=body_of(("application/json", schemas.Vocabulary)),
)
async def name(id_: Id, request: Request, service: Own) -> Response:
    """Chooses the best of the words for each object, or for `all` masks. Files have these names from then on."""
    kept = service.memory.get(id_)
    bodies.demand_json(request)
    asked = bodies.checked(schemas.Vocabulary, await bodies.read_body(request, service.limits))
    among = bodies.indices_of(asked, len(kept.segments))
    arguments = (kept.id, kept.file, kept.segments, asked.words, among, asked.all)
    names = await service.jobs.run_for(request, work.name, *arguments, remedy=FEWER)
    segments = kept.segments.renamed(names, asked.words)
    kinds = zip(kept.rows, segments.classes.tolist(), strict=True)
    named = [{**row, "category_id": k + 1, "name": segments.names[k]} for row, k in kinds]
    service.memory.rename(kept.id, segments, named)
    return json_of({"names": names})


@router.get("/v1/about", tags=["service"], response_model=schemas.About, responses=problems(503))
async def about(service: Own) -> dict[str, Any]:
    """Returns the model and the settings stored with its weights."""
    own = ready_or_not(service)
    limits = {"bytes": service.limits.bytes, "pixels": service.limits.pixels}
    model = Path(service.use.weights or "fastsam-tiny").name  # no path of the server's
    return {"version": __version__, "model": model, **own, **limits}


@router.get("/healthz", tags=["service"], responses=problems())
async def health() -> dict[str, str]:
    """Whether the server lives."""
    return {"status": "alive"}


@router.get("/readyz", tags=["service"], responses=problems(503))
async def ready(service: Own) -> dict[str, str]:
    """Whether the network is loaded."""
    ready_or_not(service)
    return {"status": "ready"}


@router.get(
    "/metrics",
    tags=["service"],
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, **problems()},
)
async def metrics(service: Own) -> Response:
    """Counters for Prometheus."""
    return Response(service.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


def asks_words(asked: schemas.Selection) -> bool:
    """Whether any prompt has words, which take the most time."""
    return bool(asked.texts) or any(prompt.text for prompt in asked.prompts)


def ready_or_not(service: Service) -> dict[str, Any]:
    """The network's settings. Raises a problem (503) until it is loaded."""
    if service.broken is not None:
        raise Problem(503, service.broken)
    if service.about is None:
        raise Problem(503, "the network is being loaded: try again in 1 s", 1)
    return service.about


def described(kept: Kept) -> dict[str, Any]:
    """A photo as `Segmented`."""
    height, width = kept.segments.size
    facts = {"id": kept.id, "name": kept.name, "width": width, "height": height, "names": kept.segments.names}
    return {**facts, "seconds": dict(kept.segments.seconds), "segments": kept.rows}


def selected(
    use: work.Use,
    kept: Kept,
    photo: npt.NDArray[np.uint8] | None,
    prompts: list[Prompt],
    among: list[int],
    refine: bool | None,
) -> dict[str, Any]:
    """The answers of points, boxes and masks."""
    segments = work.taken(replace(kept.segments, photo=photo), among)
    picks = segments.select(prompts, refine=work.drawing(use, refine))
    return {"picks": rows.picks_of(segments, picks, among, kept.rows)}


def wanted_of(asked: schemas.Options | schemas.Selection) -> work.Wanted | None:
    """The file that is asked for, None for JSON. Raises UsageError for options that the format does not have."""
    options = Options(asked.tolerance, asked.polygons)
    check([] if asked.format is None else [asked.format], options)
    if asked.format is None:
        return None
    if isinstance(asked, schemas.Selection):
        return work.Wanted(asked.format, options, asked.rank, asked.refine, asked.all)
    return work.Wanted(asked.format, options)


async def written(
    request: Request,
    service: Service,
    kept: Kept,
    prompts: list[Prompt],
    among: list[int],
    wanted: work.Wanted,
) -> Response:
    """A file of a photo."""
    arguments = (kept.id, kept.file, kept.name, kept.segments, prompts, among, wanted)
    remedy = FEWER_PROMPTS if prompts else SMALLER
    name, made = await service.jobs.run_for(request, work.write, service.use, *arguments, remedy=remedy)
    headers = {"Content-Disposition": attachment(name), "Fastsam-Image-Id": kept.id}
    return Response(made, media_type=KINDS[name.rsplit(".", 1)[1]], headers=headers)


def json_of(value: Any) -> Response:
    """JSON, written by the same code that checks requests: several times faster than the standard library."""
    return Response(to_json(value), media_type="application/json")
