"""Routes of annotations: those of the folder that `fastsam label` was started with, and files for what a browser keeps.

Enters: requests. Leaves: JSON, photos, files. Put together by `app`.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import PurePosixPath
from typing import Annotated, Any

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import ConfigDict, Field

from fastsam.image.kinds import HEAD, kind_of
from fastsam.image.read import read_image
from fastsam.serve import bodies
from fastsam.serve.openapi import BINARY, attachment, body_of, problems
from fastsam.serve.problems import Problem
from fastsam.serve.projects import naming
from fastsam.serve.projects.export import Format, exported
from fastsam.serve.projects.folder import Folder
from fastsam.serve.projects.imports import read_any, read_files
from fastsam.serve.projects.labels import EXAMPLE, Labels, demand_fit, names_of
from fastsam.serve.routes import json_of
from fastsam.serve.schemas import Strict
from fastsam.serve.service import Own

Name = Annotated[str, Field(min_length=1, max_length=4096)]
Kind = Annotated[str, Field(min_length=1, max_length=200)]
PHOTOS = 100  # number of largest photos whose pixels may be exported at a time
SAVING = CapacityLimiter(4)  # threads that read and write annotations
NONE = "this server has no project: start it with `fastsam label FOLDER`"
TAGS = ["labels"]


WANTED: dict[str, Any] = {"format": "coco", "classes": ["cup"], "photos": [{"name": "a.jpg", **EXAMPLE}]}
LABELME: dict[str, Any] = {"imagePath": "a.jpg", "imageWidth": 3, "imageHeight": 2, "shapes": []}
FILES = {"application/zip": {"schema": BINARY}, "application/json": {"schema": {"type": "object"}}}
ANY_FILE = {"schema": {"type": "object", "examples": [LABELME]}}
FIELDS = {
    "file": {"type": "array", "items": BINARY, "description": "Files of annotations, or zips of them."},
    "sizes": {"type": "string", "contentMediaType": "application/json", "description": "[width, height] by name."},
}
ANY_FILES = {"multipart/form-data": {"schema": {"type": "object", "properties": FIELDS, "required": ["file"]}}}


class Classes(Strict):
    """Names of a project's classes, in order."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"classes": ["cup", "spoon"]}]})

    classes: Annotated[list[Kind], Field(max_length=1000)]


class Rename(Strict):
    """Another name for a class."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"old": "cup", "new": "mug"}]})

    old: Kind
    new: Kind


class Named(Labels):
    """What is kept of one photo, with its name."""

    name: Name


class Wanted(Strict):
    """What a browser keeps, to be written as a file."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [WANTED]})

    format: Format
    classes: Annotated[list[Kind], Field(default_factory=list, max_length=1000)]
    photos: Annotated[list[Named], Field(max_length=100_000)]


def folder_of(request: Request) -> Folder:
    """The server's project. Raises a problem (404) if it has none."""
    found: Folder | None = request.app.state.project
    if found is None:
        raise Problem(404, NONE)
    return found


Project = Annotated[Folder, Depends(folder_of)]
Photo = Annotated[str, Query(max_length=4096, description="A path that GET /v1/project gave.")]
router = APIRouter(tags=list(TAGS))


@router.get("/v1/project", responses=problems(404))
async def project(own: Project) -> Response:
    """The photos of the folder, the state of each, and the classes."""

    def look() -> dict[str, Any]:
        photos = [{"name": name, "state": state} for name, state in own.states()]
        return {"photos": photos, "classes": own.classes(), "name": own.root.name}

    return json_of(await within(look))


@router.get("/v1/project/photo", responses={200: {"content": {"image/*": {}}}, **problems(404, 413, 422)})
async def photo(photo: Photo, own: Project, service: Own) -> Response:
    """A photo's file."""

    def look() -> Response:
        file = own.path_of(photo)
        if file.stat().st_size > service.limits.bytes:
            raise Problem(413, f"{file.name} has more than {service.limits.bytes} bytes: --max-bytes allows more")
        data = file.read_bytes()
        return Response(data, media_type=f"image/{kind_of(data[:HEAD]) or 'octet-stream'}")

    found: Response = await within(look)
    return found


@router.get("/v1/project/labels", response_model=Labels, responses=problems(404, 422))
async def labels(photo: Photo, own: Project) -> Response:
    """What is kept of a photo."""
    found: Labels = await within(partial(own.read, photo))
    return json_of(found.model_dump())


@router.put(
    "/v1/project/labels",
    openapi_extra=body_of(("application/json", Labels)),
    responses=problems(404, 408, 409, 413, 415, 422, 507),
)
async def save(photo: Photo, request: Request, own: Project, service: Own) -> Response:
    """Keeps what is sent in place of the state `version`; 409 if somebody else has saved another one meanwhile."""
    made = await body(request, service, Labels)
    return json_of({"version": await within(partial(own.save, photo, made))})


@router.put(
    "/v1/project/classes",
    openapi_extra=body_of(("application/json", Classes)),
    responses=problems(404, 408, 413, 415, 422),
)
async def save_classes(request: Request, own: Project, service: Own) -> Response:
    """Keeps the names of the classes."""
    made = await body(request, service, Classes)
    await within(partial(own.save_classes, made.classes))
    return json_of({})


@router.post(
    "/v1/project/rename",
    openapi_extra=body_of(("application/json", Rename)),
    responses=problems(404, 408, 409, 413, 415, 422, 507),
)
async def rename(request: Request, own: Project, service: Own) -> Response:
    """Gives a class another name, in all photos; 409 if there is a class of that name already.

    The answer has each changed photo's version before and after.
    """
    made = await body(request, service, Rename)
    return json_of({"photos": await within(partial(naming.rename, own, made.old, made.new))})


@router.get("/v1/project/counts", responses=problems(404, 422))
async def counts(own: Project) -> Response:
    """How many objects of each class each photo has; photos without objects are left out."""
    return json_of({"photos": await within(partial(naming.counts, own))})


@router.get("/v1/project/export", responses={200: {"content": FILES}, **problems(404, 422)})
async def export(format: Format, own: Project) -> Response:
    """All that is kept of the folder, as one file."""

    def make() -> tuple[str, bytes]:
        kept = [(name, own.read(name)) for name, state in own.states() if state != "new"]
        classes = list(dict.fromkeys((*own.classes(), *names_of([one for _, one in kept]))))
        return exported(format, kept, classes, lambda name: read_image(own.path_of(name)))

    return file_of(*await within(make))


@router.post(
    "/v1/labels/export",
    openapi_extra=body_of(("application/json", Wanted)),
    responses={200: {"content": FILES}, **problems(408, 413, 415, 422)},
)
async def convert(request: Request, service: Own) -> Response:
    """What is sent, as one file; nothing is kept."""
    made = await body(request, service, Wanted)
    bound(made.photos, service.limits.pixels)
    kept = [(safe(one.name), one) for one in made.photos]
    classes = list(dict.fromkeys((*made.classes, *names_of(made.photos))))
    return file_of(*await within(partial(exported, made.format, kept, classes)))


def bound(photos: Sequence[Labels], pixels: int) -> None:
    """Raises a problem (413) for a photo with more than so many pixels, or photos that would take minutes to write."""
    for one in photos:
        demand_fit(one, pixels)
    whole = sum(one.width * one.height for one in photos)
    if whole > PHOTOS * pixels:
        raise Problem(413, f"the photos have {whole} pixels, more than {PHOTOS * pixels}: export fewer at a time")


@router.post(
    "/v1/labels/import",
    openapi_extra={"requestBody": {"required": True, "content": {"application/json": ANY_FILE, **ANY_FILES}}},
    responses=problems(400, 408, 413, 415, 422),
)
async def take(request: Request, service: Own) -> Response:
    """The objects of files of annotations, by photo; nothing is kept.

    A body of JSON is one file of COCO, labelme or Label Studio. A form has one or more fields `file`, zips too, which
    may also hold YOLO's labels and VOC's pictures. YOLO's labels need the sizes of their photos: the form's field
    `sizes` has them, by the names that an answer without them lists as `unsized`.
    """
    if bodies.kind_of(request) == "application/json":
        raw = await bodies.read_body(request, service.limits)
        found, unsized = await within(partial(read_any, raw, service.limits.pixels)), []
    else:
        given, sizes = await bodies.read_files(request, service.limits)
        own: Folder | None = request.app.state.project
        found, unsized = await within(partial(read_all, given, sizes, own, service.limits.pixels))
    return json_of({"photos": [{"name": name, **one.model_dump()} for name, one in found], "unsized": unsized})


def read_all(
    given: list[tuple[str, bytes]], sizes: dict[str, tuple[int, int]], own: Folder | None, pixels: int
) -> tuple[list[tuple[str, Labels]], list[str]]:
    """What files hold. A photo's size is that which was sent, else that of the folder's photo."""
    find = own.finder() if own else None

    def size_of(stem: str) -> tuple[int, int] | None:
        photo = find(stem) if find and stem not in sizes else None
        size = own.size(own.path_of(photo)) if own and photo else sizes.get(stem)
        return None if size is None else (size[1], size[0])

    return read_files(given, size_of, pixels)


async def body(request: Request, service: Any, model: Any) -> Any:
    """A request's JSON as a model, checked in a thread, since masks take a while."""
    bodies.demand_json(request)
    raw = await bodies.read_body(request, service.limits)
    return await within(partial(bodies.checked, model, raw))


async def within(work: Any) -> Any:
    """Runs work in a thread."""
    return await to_thread.run_sync(work, limiter=SAVING)


def safe(name: str) -> str:
    """A path that stays within any folder that it is unpacked in."""
    parts = [part for part in PurePosixPath(name.replace("\\", "/")).parts if part not in ("/", "..", ".")]
    return (
        "/".join("".join(c if c.isprintable() and c not in ':*?"<>|' else "_" for c in part) for part in parts)
        or "photo"
    )


def file_of(name: str, content: bytes) -> Response:
    """A file to download."""
    kind = "application/json" if name.endswith(".json") else "application/zip"
    return Response(content, media_type=kind, headers={"Content-Disposition": attachment(name)})
