"""Worker processes behind a bounded queue. A crash or hang in a worker never affects the server.

Enters: a function of `work` and its arguments. Leaves: its result, or a problem.
"""

import math
import time
from collections.abc import Callable
from typing import Any, TypeVar

from anyio import BrokenWorkerProcess, CapacityLimiter, create_task_group, fail_after, to_process
from fastapi import Request

from fastsam.serve.limits import Limits
from fastsam.serve.problems import Problem

Result = TypeVar("Result")
SMALLER = "send a smaller photo"


class Jobs:
    """Runs jobs in processes, one at a time in each, as many as `limits.workers`."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.turns = CapacityLimiter(limits.workers)
        self.processes = CapacityLimiter(limits.workers)
        self.pending = 0  # running or waiting
        self.usual = 1.0  # seconds of a job, a running mean

    def admit(self) -> None:
        """Raises a problem (503) if too many requests wait, before anything is read or done."""
        if self.pending >= self.limits.workers + self.limits.queue:
            retry = max(1, math.ceil(self.usual * self.pending / self.limits.workers))
            raise Problem(503, f"{self.pending} photos are waiting already: try again in {retry} s", retry)

    async def run(self, job: Callable[..., Result], *arguments: Any, remedy: str = SMALLER) -> Result:
        """The job's result. If it is cancelled, its process ends at once. remedy: what helps if it takes too long

        Raises a problem: 503 if too many wait, no process is free in time, or it dies; 504 if it takes too long. What
        the job itself raises comes through.
        """
        self.admit()
        self.pending += 1
        begun = math.inf  # seconds
        try:
            with fail_after(self.limits.seconds):
                async with self.turns:
                    begun = time.monotonic()
                    result = await to_process.run_sync(job, *arguments, cancellable=True, limiter=self.processes)
                    self.usual += 0.1 * ((time.monotonic() - begun) - self.usual)
        except TimeoutError:
            if time.monotonic() - begun < self.limits.seconds / 2:  # most of the time went by before it began
                retry = max(1, math.ceil(self.usual))
                waited = f"it waited for {self.limits.seconds:g} s behind others"
                raise Problem(503, f"{waited}: try again in {retry} s", retry) from None
            raise Problem(504, f"it took longer than {self.limits.seconds:g} s: {remedy}") from None
        except BrokenWorkerProcess:
            raise Problem(503, "the process at work on it died: try again, or send another photo", 1) from None
        finally:
            self.pending -= 1
        return result

    async def run_for(
        self, request: Request, job: Callable[..., Result], *arguments: Any, remedy: str = SMALLER
    ) -> Result:
        """`run` for a client: the job ends when the client disconnects. The request's body must have been read.

        Raises a problem (499, which nobody reads) then.
        """
        done: list[Result] = []
        failed: list[Exception] = []

        async def watch() -> None:
            while (await request.receive())["type"] != "http.disconnect":
                pass
            group.cancel_scope.cancel()

        async with create_task_group() as group:
            group.start_soon(watch)
            try:
                done.append(await self.run(job, *arguments, remedy=remedy))
            except Exception as error:
                failed.append(error)
            group.cancel_scope.cancel()
        if failed:
            raise failed[0]
        if not done:
            raise Problem(499, "the client has gone")
        return done[0]
