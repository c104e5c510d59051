"""The application: routes, guard, and what they share."""

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from anyio import CapacityLimiter, create_task_group, sleep, to_thread
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from fastsam import __version__
from fastsam.errors import UsageError
from fastsam.machine import cores
from fastsam.refine.network import Refiner
from fastsam.serve import labelstudio, pages, routes, schemas, work
from fastsam.serve.guard import Guard
from fastsam.serve.intake import Intake
from fastsam.serve.jobs import Jobs
from fastsam.serve.limits import Limits
from fastsam.serve.memory import Memory
from fastsam.serve.metrics import Metrics
from fastsam.serve.problems import Problem
from fastsam.serve.projects import routes as projects
from fastsam.serve.projects.folder import Folder
from fastsam.serve.projects.labels import Labels
from fastsam.serve.service import Service
from fastsam.serve.videos import routes as videos
from fastsam.serve.videos.store import Videos

SELECTING = 2  # threads that answer points, boxes and masks
SWEEP = 10.0  # seconds between two looks for photos that are too old
LOOPBACK = ("localhost", "127.0.0.1", "[::1]", "::1")
LABEL = "Segments everything in a photo, then picks what points, boxes, masks and words mean."


def make_app(
    weights: str | None = None,
    *,
    limits: Limits = Limits(),  # noqa: B008  # frozen
    threads: int | None = None,
    token: str | None = None,
    hosts: Sequence[str] = LOOPBACK,
    origins: Sequence[str] = (),
    studio: labelstudio.Studio | None = None,
    project: Folder | None = None,
) -> FastAPI:
    """Makes the service as an ASGI application.

    Parameters
    ----------
    weights : str, optional
        A file or the name of a model. Default: the bundled weights.
    limits : Limits
        Bounds on sizes, times and numbers.
    threads : int, optional
        Number of CPU threads of all workers together, at least 1. Default: all cores.
    token : str, optional
        Requests without this token are refused. Default: all requests are answered.
    hosts : sequence of str
        Names of the server that requests may use, "*" for any.
    origins : sequence of str
        Other sites whose pages may call the service.
    studio : Studio, optional
        The Label Studio whose pictures may be fetched.
    project : Folder, optional
        The folder whose photos are labelled.

    Returns
    -------
    FastAPI
        The application; it loads the network when it starts.

    Raises
    ------
    UsageError
        If `threads` is below 1.

    Examples
    --------
    >>> from fastsam.serve.app import make_app
    >>> from fastsam.serve.limits import Limits
    >>> app = make_app(limits=Limits(workers=2), token="secret")  # run it with uvicorn
    >>> app.title
    'Fast Segment Anything'
    """
    if threads is not None and threads < 1:
        raise UsageError(f"threads must be at least 1, not {threads}; leave it out for all cores")
    each = max(1, (threads or cores()) // limits.workers)
    jobs, memory, kept = Jobs(limits), Memory(limits), Videos(limits)
    metrics = Metrics(jobs, memory)
    use = work.Use(weights, each, limits.pixels)
    service = Service(use, limits, jobs, memory, kept, metrics, CapacityLimiter(SELECTING))

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        loaded: list[dict[str, Any]] = []
        own: list[Refiner] = []

        async def load() -> None:
            try:
                loaded.append(await jobs.run(work.start, use))
            except (UsageError, Problem) as error:
                service.broken = error.detail if isinstance(error, Problem) else str(error)
            settle()

        async def warm() -> None:  # in this process, which answers clicks
            try:
                own.append(await to_thread.run_sync(work.warmed, each))
            except UsageError as error:
                service.broken = str(error)
            settle()

        def settle() -> None:
            if own and len(loaded) == limits.workers:
                service.about = loaded[0]

        async def sweep() -> None:
            while True:
                await sleep(SWEEP)
                memory.expire()
                kept.expire()

        # Workers inherit it: a decoder's own check, in case a header says one size to us and another to it.
        os.environ["OPENCV_IO_MAX_IMAGE_PIXELS"] = str(limits.pixels)
        async with create_task_group() as group:
            for _worker in range(limits.workers):
                group.start_soon(load)
            group.start_soon(warm)
            group.start_soon(sweep)
            yield
            group.cancel_scope.cancel()
        kept.close()

    app = FastAPI(
        title="Fast Segment Anything",
        version=__version__,
        description=LABEL,
        lifespan=life,
        docs_url=None,  # its pages come from foreign hosts
        redoc_url=None,
    )
    app.state.service, app.state.studio, app.state.project = service, studio, project
    app.include_router(pages.router)
    app.include_router(routes.router)
    app.include_router(labelstudio.router)
    app.include_router(projects.router)
    app.include_router(videos.router)
    app.add_exception_handler(RequestValidationError, wrong)
    app.add_exception_handler(UsageError, wrong)
    describe(app)
    app.add_middleware(Intake, limits=limits)
    app.add_middleware(Guard, token=token, metrics=metrics, origins=origins)
    if origins:  # outside the guard: a browser asks whether it may call before it sends a token
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(origins),
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=["Content-Disposition", "Fastsam-Image-Id", "Retry-After"],
        )
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False)
    return app


async def wrong(_: Request, error: Exception) -> JSONResponse:
    """422: the request has invalid values."""
    if isinstance(error, RequestValidationError):
        first = error.errors()[0]
        detail = f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
    else:
        detail = " ".join(str(error).split())
    return JSONResponse({"detail": detail}, 422)


def describe(app: FastAPI) -> None:
    """Adds to the OpenAPI description what bodies that are read by hand refer to."""
    make = app.openapi

    def openapi() -> dict[str, object]:
        known = app.openapi_schema is not None
        found = make()
        if not known:
            parts = found["components"]["schemas"]
            for model in (
                schemas.Selection,
                schemas.Photo,
                schemas.Vocabulary,
                schemas.Following,
                Labels,
                projects.Wanted,
            ):
                parts.update(model.model_json_schema(ref_template="#/components/schemas/{model}").get("$defs", {}))
        return found

    app.openapi = openapi  # type: ignore[method-assign]  # as FastAPI's own documentation has it
