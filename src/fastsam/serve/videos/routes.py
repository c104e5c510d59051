"""The routes of videos: a video is sent once, shown frame by frame, and followed.

Enters: requests. Leaves: JSON, pictures, files. Put together by `app`.
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic_core import to_json
from starlette.types import Receive, Scope, Send

from fastsam.errors import UnreadableImageError, UsageError
from fastsam.follow.follower import State
from fastsam.serve import bodies, schemas
from fastsam.serve.openapi import BINARY, attachment, body_of, problems
from fastsam.serve.problems import Problem
from fastsam.serve.service import Own, Service
from fastsam.serve.videos import work
from fastsam.serve.videos.store import Objects, Video

AT_ONCE = 48  # frames of an object that are followed in one job
HELD = 64 << 20  # bytes of frames in one job
SHORTER = "send a smaller or shorter video"
LINES = "application/x-ndjson"
KINDS = ("video/mp4", "video/webm", "video/x-msvideo")  # of bodies, as examples: the content decides
CONTENT = {"schema": BINARY}
Id = Annotated[str, Path(max_length=64, description="Of POST /v1/videos.")]
router = APIRouter(tags=["videos"])


@router.post(
    "/v1/videos",
    response_model=schemas.Video,
    responses=problems(408, 413, 415, 422, 503, 504, 507),
    openapi_extra={"requestBody": {"required": True, "content": dict.fromkeys(KINDS, CONTENT)}},
)
async def send(request: Request, service: Own, name: Annotated[str, Query(max_length=200)] = "video") -> dict[str, Any]:
    """Keeps a video for a while: the body is its file, of type video/*."""
    service.jobs.admit()
    if not bodies.kind_of(request).startswith("video/"):
        raise Problem(415, "send the video's file as the body, of type video/mp4 or the like")
    file = service.videos.write(await bodies.read_body(request, service.limits))
    try:
        facts = await service.jobs.run_for(request, work.probe, service.use, file, remedy=SHORTER)
    except UnreadableImageError as error:
        file.unlink(missing_ok=True)
        raise Problem(422, str(error)) from None
    except BaseException:
        file.unlink(missing_ok=True)
        raise
    return described(service.videos.keep(bodies.file_name(name), file, facts))


@router.get("/v1/videos/{id_}", response_model=schemas.Video, responses=problems(404, 422))
async def facts(id_: Id, service: Own) -> dict[str, Any]:
    """Returns a video's facts."""
    return described(service.videos.get(id_))


@router.delete("/v1/videos/{id_}", status_code=204, responses=problems(404, 422))
async def drop(id_: Id, service: Own) -> None:
    """Deletes a video at once."""
    service.videos.drop(id_)


@router.get(
    "/v1/videos/{id_}/frames/{number}",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": CONTENT}}, **problems(404, 422, 503, 504)},
)
async def frame(id_: Id, number: Annotated[int, Path(ge=0)], request: Request, service: Own) -> Response:
    """Returns a frame as JPEG."""
    video = found(service, id_, number)
    shot = await service.jobs.run_for(request, work.frame, video.file, video.facts, number, remedy=SHORTER)
    return Response(shot, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=3600"})


@router.post(
    "/v1/videos/{id_}/follow",
    response_class=StreamingResponse,
    responses={
        200: {"content": {LINES: {"schema": schemas.FollowedFrame.model_json_schema()}}},
        **problems(404, 408, 409, 413, 415, 422, 503, 504),
    },
    openapi_extra=body_of(("application/json", schemas.Following)),
)
async def follow(id_: Id, request: Request, service: Own) -> Response:
    """Follows objects from one frame on, forwards to the end, then backwards to the first frame.

    Each line of the answer is a frame; a line with `detail` says why it ends early. It is kept with the video.
    """
    bodies.demand_json(request)
    asked = bodies.checked(schemas.Following, await bodies.read_body(request, service.limits))
    video = found(service, id_, asked.frame)
    prompts = bodies.prompts_of(
        schemas.Selection.model_validate({"prompts": asked.prompts}), (video.facts.height, video.facts.width)
    )
    if video.busy:
        raise Problem(409, f"video {video.name!r} is being followed already: wait until that has ended")
    video.busy = True
    try:
        arguments = (service.use, video.file, video.facts, asked.frame, prompts)
        state, objects = await service.jobs.run_for(request, work.begin, *arguments, remedy=SHORTER)
    except BaseException:
        video.busy = False
        raise
    video.clear(0 if asked.backwards else asked.frame)
    return Following(video, lines(service, video, asked, state, objects))


class Following(StreamingResponse):
    """The lines of a video that is being followed. However it ends, even before its first line, the video is free."""

    def __init__(self, video: Video, content: AsyncIterator[bytes]) -> None:
        super().__init__(content, media_type=LINES)
        self.video = video

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self.video.busy = False


async def lines(
    service: Service, video: Video, asked: schemas.Following, state: State, objects: Objects
) -> AsyncIterator[bytes]:
    """What is followed, a line per frame."""
    most = max(2, min(AT_ONCE, HELD // max(1, state.frame.nbytes)) // len(objects))
    try:
        yield line(video, asked.frame, objects)
        for back in (False, True) if asked.backwards else (False,):
            now = state
            for first, count in stretches(asked.frame, video.facts.frames, most, back):
                arguments = (service.use, video.file, video.facts, now, first, count, back)
                now, some = await service.jobs.run(work.go_on, *arguments, remedy=SHORTER)
                numbers = range(first, first + len(some))
                for number, them in zip(reversed(numbers) if back else numbers, some, strict=True):
                    yield line(video, number, them)
    except (Problem, UsageError, UnreadableImageError) as error:
        yield to_json({"detail": error.detail if isinstance(error, Problem) else str(error)}) + b"\n"


def stretches(frame: int, frames: int, most: int, back: bool) -> Iterator[tuple[int, int]]:
    """Numbers and counts of stretches of at most `most` frames: all after a frame, or all before it, the last first."""
    if back:
        for end in range(frame, 0, -most):
            yield max(0, end - most), min(most, end)
    else:
        for first in range(frame + 1, frames, most):
            yield first, min(most, frames - first)


def line(video: Video, number: int, objects: Objects) -> bytes:
    """A frame's line; it is kept with the video. Raises a problem (413) if its masks are too much."""
    video.note(number, objects)
    return to_json({"frame": number, "objects": objects}) + b"\n"


@router.get(
    "/v1/videos/{id_}/followed",
    response_class=Response,
    responses={
        200: {"content": {"video/mp4": CONTENT, "application/json": {"schema": {"type": "object"}}}},
        **problems(404, 422, 503, 504),
    },
)
async def followed(
    id_: Id,
    request: Request,
    service: Own,
    format_: Annotated[Literal["overlay", "coco"], Query(alias="format")] = "overlay",
) -> Response:
    """Returns what was followed as a file: the video with the objects tinted, or COCO with `track_id`."""
    video = service.videos.get(id_)
    if not video.followed:
        raise Problem(422, f"nothing was followed in {video.name!r} yet: POST /v1/videos/ID/follow first")
    arguments = (video.file, video.facts, video.name, dict(video.followed), format_)
    name, made = await service.jobs.run_for(request, work.made, *arguments, remedy=SHORTER)
    kind = "application/json" if format_ == "coco" else "video/mp4"
    return Response(made, media_type=kind, headers={"Content-Disposition": attachment(name)})


def found(service: Service, id_: str, number: int) -> Video:
    """A kept video that has this frame. Raises a problem: 404 if it is not kept, 422 if it has no such frame."""
    video = service.videos.get(id_)
    if number >= video.facts.frames:
        raise Problem(422, f"{video.name!r} has no frame {number}: its last is {video.facts.frames - 1}")
    return video


def described(video: Video) -> dict[str, Any]:
    """A video as `schemas.Video`."""
    return {"id": video.id, "name": video.name, **asdict(video.facts)}
