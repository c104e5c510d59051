"""Incoming bodies of requests: how slow they may be, how many at the same time, how many bytes.

Enters and leaves: ASGI messages. Bytes count from when they come until their request is answered.
"""

import math

from anyio import CancelScope, current_time
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fastsam.serve.limits import GRACE, SLOW, Limits
from fastsam.serve.problems import Problem

MOST_BODIES = 256  # maximum number of incoming bodies
NEW = 1.0  # seconds before a body can count as slow
RECENT = 5.0  # seconds over which a body's speed is measured
RETRY = 2  # seconds after which a refused client may try again


class Intake:
    """Gives the application each request's body, within bounds.

    If there are too many bodies, or too many bytes of them, the one that comes slowest is sent away: a client that is
    slow on purpose cannot keep others out.
    """

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self.app, self.limits = app, limits
        self.coming: set[Body] = set()
        self.bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body = Body(self, receive)
        try:
            await self.app(scope, body.receive, send)
        finally:
            self.release(body)

    def begin(self, body: "Body") -> None:
        """Counts an incoming body. Raises a problem (503) if there are too many."""
        if len(self.coming) >= MOST_BODIES:
            self.send_one_away(f"{MOST_BODIES} requests are coming already")
        self.coming.add(body)

    def add(self, body: "Body", size: int) -> None:
        """Counts bytes that arrived. Raises a problem (503) if there are too many."""
        body.held += size
        self.bytes += size
        most = max(self.limits.bodies, self.limits.bytes)
        while self.bytes > most:
            self.send_one_away(f"requests of {most} bytes are being answered already")

    def send_one_away(self, why: str) -> None:
        """Ends the slowest body. Raises a problem (503) if all are new: then the latest one is refused."""
        now = current_time()
        old = [body for body in self.coming if now - body.since > NEW]
        problem = Problem(503, f"{why}: try again in {RETRY} s", RETRY)
        if not old:
            raise problem
        slowest = min(old, key=lambda body: body.rate(now))
        self.release(slowest)
        slowest.end(problem)

    def release(self, body: "Body") -> None:
        """Stops counting a body."""
        self.coming.discard(body)
        self.bytes -= body.held
        body.held = 0


class Body:
    """The body of one request, and how fast it arrives.

    since: when it was first asked for, seconds; held: its bytes that count
    """

    def __init__(self, intake: Intake, source: Receive) -> None:
        self.intake, self.source = intake, source
        self.since, self.held, self.total = math.nan, 0, 0
        self.recent, self.seen = 0.0, 0.0
        self.whole = False
        self.problem: Problem | None = None
        self.scope: CancelScope | None = None

    async def receive(self) -> Message:
        """The next part. Raises a problem: 408 if it is too slow, 503 if it must make room."""
        if self.whole:
            return await self.source()
        if math.isnan(self.since):
            self.since = self.seen = current_time()
            self.intake.begin(self)
        message: Message | None = None
        if self.problem is None:
            with CancelScope(deadline=self.deadline()) as self.scope:
                message = await self.source()
        if self.problem is not None:
            raise self.problem
        if message is None:
            taken = current_time() - self.since
            raise Problem(408, f"the request did not come whole: {self.total} bytes of it in {taken:.0f} s")
        self.came(message)
        return message

    def deadline(self) -> float:
        """Time by which the next part must arrive."""
        return self.since + min(self.intake.limits.seconds, GRACE + self.total / SLOW)

    def came(self, message: Message) -> None:
        """Counts a part."""
        size, now = len(message.get("body", b"")), current_time()
        self.recent, self.seen = self.rate(now) + size, now
        self.total += size
        self.whole = message["type"] != "http.request" or not message.get("more_body", False)
        if self.whole:
            self.intake.coming.discard(self)
        self.intake.add(self, size)

    def rate(self, now: float) -> float:
        """Recent speed: bytes received, older ones weighted less."""
        return self.recent * math.exp((self.seen - now) / RECENT)

    def end(self, problem: Problem) -> None:
        """Makes `receive` raise that problem, at once if it is waiting."""
        self.problem = problem
        if self.scope is not None:
            self.scope.cancel()
