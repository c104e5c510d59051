"""Connections: a slow client must not keep others out.

Enters: bytes from anyone. Leaves: requests whose heads are whole. A layer over uvicorn's own protocol, which does
not limit the time for a head or for an answer that the client does not read.
"""

import asyncio
from collections import Counter
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from fastsam.serve.limits import GRACE, SLOW

MOST_CONNECTIONS = 1024  # maximum number at the same time
SPARE = 128  # open files that the process needs beside them
HEAD = 64 << 10  # bytes of a request's head, or of what surrounds its body's chunks
CHUNK = 8  # bytes around a chunk that each of its bytes may bring
AHEAD = 8  # requests that a connection may send before it has its answers
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
LATE = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def most_connections() -> int:
    """Maximum number of connections. Raises the process's limit of open files if it is too low and may be raised."""
    try:
        import resource
    except ImportError:  # Windows, which has no such limit
        return MOST_CONNECTIONS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + SPARE
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return MOST_CONNECTIONS if soft == resource.RLIM_INFINITY else max(1, min(MOST_CONNECTIONS, soft - SPARE))


class Connection(HttpToolsProtocol):
    """One connection.

    While it waits for a request it may be closed: after `GRACE` seconds, or at once if there are too many. What it
    sends beside bodies is bounded, and so is the time in which it takes an answer.
    """

    since: float | None = None  # when it began to wait for a request; None while a request is answered
    unpaid = 0  # bytes that came and were part of no body
    waiting: asyncio.TimerHandle | None = None
    writing: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """A client connects. If there are too many, the one that waits longest is closed."""
        super().connection_made(transport)
        self._wait()
        if len(self.connections) > most_connections():
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._stop()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes arrived."""
        self.unpaid += len(data)
        super().data_received(data)
        if self.unpaid > HEAD and not self.transport.is_closing():
            self.send_400_response(f"a request may have {HEAD} bytes besides its body")

    def on_body(self, body: bytes) -> None:
        """Part of a body arrived."""
        self.unpaid = max(0, self.unpaid - CHUNK * len(body))
        super().on_body(body)

    def on_headers_complete(self) -> None:
        """A head is complete. An error raised here becomes 400."""
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if size > HEAD or len(self.pipeline) >= AHEAD:
            raise ValueError("too much at a time")
        self.unpaid = 0
        self._stop()
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """An answer is written. Unless another request arrived meanwhile, the connection waits for the next."""
        super().on_response_complete()
        if self.cycle.response_complete:
            self._wait()

    def pause_writing(self) -> None:
        """The client reads its answer more slowly than it is written. It must read the rest at a minimum rate."""
        super().pause_writing()
        if self.writing is None:
            seconds = GRACE + self.transport.get_write_buffer_size() / SLOW
            self.writing = self.loop.call_later(seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """The client has read nearly all of it."""
        super().resume_writing()
        if self.writing is not None:
            self.writing.cancel()
            self.writing = None

    def _wait(self) -> None:
        self._stop()
        self.since = self.loop.time()
        self.waiting = self.loop.call_later(GRACE, self._late)

    def _stop(self) -> None:
        self.since = None
        if self.waiting is not None:
            self.waiting.cancel()
            self.waiting = None

    def _late(self) -> None:
        if self.flow.write_paused:  # an answer is on its way, which has a time limit of its own
            return
        if self.unpaid and not self.transport.is_closing():
            self.transport.write(LATE)
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            self.transport.close()

    def _make_room(self) -> None:
        """Closes the connection that has waited longest, of the address with most waiting connections."""
        waiting: list[Connection] = [c for c in self._others() if c.since is not None]
        if not waiting:
            self.transport.write(BUSY)
            self.transport.close()
            return
        crowds = Counter(c.address for c in waiting)
        worst = max(waiting, key=lambda c: (crowds[c.address], -(c.since or 0)))
        self.connections.discard(worst)  # those that come in the same moment find another
        worst.transport.abort()

    def _others(self) -> list[Any]:
        return [c for c in self.connections if c is not self]

    @property
    def address(self) -> str:
        """Where it comes from; empty if it has no address."""
        return self.client[0] if self.client else ""
