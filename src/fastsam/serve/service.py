"""`Service`: what the routes of one server share.

Enters: a request. Leaves: the server's own jobs, memory and bounds.
"""

from dataclasses import dataclass
from typing import Annotated, Any

from anyio import CapacityLimiter
from fastapi import Depends, Request
from fastapi import Path as InPath

from fastsam.serve import work
from fastsam.serve.jobs import Jobs
from fastsam.serve.limits import Limits
from fastsam.serve.memory import Memory
from fastsam.serve.metrics import Metrics
from fastsam.serve.videos.store import Videos


@dataclass(eq=False)
class Service:
    """What the routes of one server share.

    about: the network's settings, None until it is loaded; broken: why it never will be
    """

    use: work.Use
    limits: Limits
    jobs: Jobs
    memory: Memory
    videos: Videos
    metrics: Metrics
    selecting: CapacityLimiter
    about: dict[str, Any] | None = None
    broken: str | None = None


def service_of(request: Request) -> Service:
    """The server's own."""
    found: Service = request.app.state.service
    return found


Own = Annotated[Service, Depends(service_of)]

Id = Annotated[str, InPath(max_length=64, description="Of POST /v1/segment.")]
