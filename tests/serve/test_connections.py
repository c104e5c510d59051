"""Clients that are slow on purpose, over real connections: they lose theirs, nobody else does."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the serve extra is not installed")

import uvicorn
from starlette.types import Receive, Scope, Send

from fastsam.serve import connections, intake
from fastsam.serve.connections import Connection
from fastsam.serve.intake import Intake
from fastsam.serve.limits import Limits
from fastsam.serve.problems import Problem

HALF = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "
WHOLE = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
CHUNKED = b"POST /refused HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK"
LARGE = 30 << 20


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Reads a body whole and says how long it is; /large: an answer of 30 MB; /refused: does not read."""
    if scope["type"] != "http":
        return
    status, answer = 200, bytes(LARGE) if scope["path"] == "/large" else b""
    try:
        while scope["path"] != "/refused":
            message = await receive()
            answer = answer or bytes(len(message.get("body", b"")))
            if not message.get("more_body"):
                break
    except Problem as problem:
        status, answer = problem.status_code, str(problem.detail).encode()
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"%d" % len(answer))]})
    await send({"type": "http.response.body", "body": answer})


@contextmanager
def listening(app: Any = echo) -> Iterator[tuple[int, uvicorn.Server]]:
    """The port of a server in this process, and the server."""
    server = uvicorn.Server(uvicorn.Config(app, http=Connection, ws="none", log_level="critical", lifespan="off"))
    with socket.create_server(("127.0.0.1", 0)) as own:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [own]})
        thread.start()
        try:
            yield own.getsockname()[1], server
        finally:
            server.should_exit = server.force_exit = True
            thread.join()


@pytest.fixture
def connect() -> Iterator[Callable[..., socket.socket]]:
    """Opens connections, each of which sends something; all are closed in the end."""
    with ExitStack() as stack:

        def one(port: int, sent: bytes = b"") -> socket.socket:
            made = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30))
            made.sendall(sent)
            return made

        yield one


def answer(connection: socket.socket) -> bytes:
    """What comes next; nothing if the connection was closed."""
    try:
        return connection.recv(1 << 16)
    except ConnectionError:
        return b""


def until(true: Callable[[], bool]) -> None:
    """Waits for it."""
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end, "it never came to be"
        time.sleep(0.01)


def post(length: int, path: bytes = b"/") -> bytes:
    return b"POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n" % (path, length)


Connect = Callable[..., socket.socket]


def test_half_a_head_is_told_so_and_closed(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "GRACE", 0.3)
    with listening() as (port, server):
        half, silent, again = connect(port, HALF), connect(port), connect(port, WHOLE)
        assert answer(again).startswith(ANSWER)
        again.sendall(HALF)  # a second request, after which uvicorn's own timer for idle connections is off
        for one in (half, again):
            assert answer(one).startswith(b"HTTP/1.1 408")
            assert answer(one) == b""
        assert answer(silent) == b""
        until(lambda: not server.server_state.connections)


def test_drops_of_a_head_do_not_prolong_it(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "GRACE", 0.5)
    with listening() as (port, server):
        one = connect(port, HALF)
        until(lambda: bool(server.server_state.connections))
        with pytest.raises(ConnectionError):  # noqa: PT012  # it ends in the midst
            for _ in range(3000):
                one.sendall(b"x")
                time.sleep(0.01)


def test_those_who_wait_make_room_for_those_who_ask(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MOST_CONNECTIONS", 20)
    with listening() as (port, server):
        first = [connect(port, HALF) for _ in range(10)]
        until(lambda: len(server.server_state.connections) == 10)
        time.sleep(0.05)
        for _ in range(20):
            connect(port, HALF)
        assert all(answer(one) == b"" for one in first)
        for _ in range(5):
            assert answer(connect(port, WHOLE)).startswith(ANSWER)
        assert len(server.server_state.connections) <= 20


def test_of_an_address_with_a_crowd_one_goes_before_others(monkeypatch: pytest.MonkeyPatch) -> None:
    made = [object.__new__(Connection) for _ in range(4)]
    gone: list[int] = []
    for k, one in enumerate(made):
        one.connections, one.since, one.client = set(made), float(k), ("10.0.0.1" if k else "10.0.0.2", 1)
        one.transport = type("T", (), {"abort": lambda _, k=k: gone.append(k)})()
    made[3]._make_room()
    assert gone == [1]  # 0 has waited longer, alone


def test_where_all_are_answered_one_more_is_told_to_come_back(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "MOST_CONNECTIONS", 3)
    with listening() as (port, server):
        busy = [connect(port, post(10)) for _ in range(3)]
        until(lambda: sum(getattr(c, "since", 0) is None for c in server.server_state.connections) == 3)
        said = answer(connect(port, WHOLE))
        assert said.startswith(b"HTTP/1.1 503")
        assert b"Retry-After: 1" in said
        busy[0].sendall(bytes(10))
        assert answer(busy[0]).startswith(ANSWER)
        assert answer(connect(port, WHOLE)).startswith(ANSWER)


@pytest.mark.parametrize(
    "sent",
    [
        HALF + bytes([120]) * 70_000,
        HALF + b"x" * 300_000 + b"\r\n\r\n",
        b"GET /" + b"x" * 70_000,
        b"".join([HALF, b"1\r\n", b"".join(b"A%d: 1\r\n" % k for k in range(20_000))]),
        CHUNKED + b"1;" + b"x" * 400_000,
        CHUNKED + b"0\r\nA: " + b"x" * 400_000,
    ],
    ids=["open header", "whole head", "path", "many headers", "chunk extension", "trailer"],
)
def test_a_head_is_bounded_and_what_surrounds_a_body_is(connect: Connect, sent: bytes) -> None:
    with listening() as (port, server):
        one = connect(port)
        try:
            one.sendall(sent)
            while (said := answer(one)) and b" 400 " not in said:
                pass
        except ConnectionError:  # it was closed before all was sent
            pass
        until(lambda: not server.server_state.connections)
        assert answer(connect(port, WHOLE)).startswith(ANSWER)


def test_requests_ahead_of_their_answers_are_few(connect: Connect) -> None:
    asked: list[str] = []

    async def counted(scope: Scope, receive: Receive, send: Send) -> None:
        asked.append(scope["path"])
        await echo(scope, receive, send)

    with listening(counted) as (port, server):
        one, said = connect(port, WHOLE * 4), b""
        while said.count(ANSWER) < 4:
            said += answer(one)
        asked.clear()
        with suppress(ConnectionError):
            connect(port, WHOLE * 5000)
        until(lambda: len(server.server_state.connections) <= 1)
        assert len(asked) <= connections.AHEAD + 2


def test_an_answer_must_be_taken(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "GRACE", 0.3)
    monkeypatch.setattr(connections, "SLOW", LARGE)
    with listening() as (port, server):
        connect(port, WHOLE.replace(b"/ ", b"/large "))
        until(lambda: bool(server.server_state.connections))
        until(lambda: not server.server_state.connections)
    monkeypatch.setattr(connections, "SLOW", LARGE // 30)
    with listening() as (port, _):  # slower than GRACE, but not too slow
        one, got = connect(port, WHOLE.replace(b"/ ", b"/large ")), 0
        time.sleep(1)
        while got < LARGE and (part := answer(one)):
            got += len(part)
        assert got >= LARGE


def test_a_body_that_is_not_read_has_as_long_as_a_head(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer is there; what still comes is thrown away, but not for ever."""
    monkeypatch.setattr(connections, "GRACE", 0.5)
    with listening() as (port, server):
        one = connect(port, post(1 << 40, b"/refused"))
        assert answer(one).startswith(ANSWER)
        with pytest.raises(ConnectionError):  # noqa: PT012  # it ends in the midst
            for _ in range(3000):
                one.sendall(b"x")
                time.sleep(0.01)
        until(lambda: not server.server_state.connections)


def test_a_body_must_come_at_a_least_rate(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "GRACE", 0.3)
    monkeypatch.setattr(intake, "SLOW", 10_000)
    with listening(Intake(echo, Limits())) as (port, _):
        slow, fast = connect(port, post(100_000)), connect(port, post(100_000))
        slow.sendall(b"x")
        for _ in range(20):  # 40,000 bytes a second
            time.sleep(0.05)
            fast.sendall(bytes(2000))
        fast.sendall(bytes(60_000))
        assert answer(fast).startswith(ANSWER)
        said = answer(slow) + answer(slow)
        assert said.startswith(b"HTTP/1.1 408")
        assert b"1 bytes of it" in said


def test_a_body_has_a_last_moment_however_fast_it_comes(connect: Connect) -> None:
    with listening(Intake(echo, Limits(seconds=0.4))) as (port, _):
        one = connect(port, post(1 << 40))
        said = b""
        for _ in range(3000):
            one.sendall(bytes(1000))
            one.settimeout(0.001)
            try:
                said = one.recv(100)
                break
            except TimeoutError:
                one.settimeout(30)
        assert said.startswith(b"HTTP/1.1 408")


def test_bytes_of_all_bodies_are_bounded_and_the_slowest_makes_room(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "NEW", 0.2)
    gate = Intake(echo, Limits(bytes=1000, bodies=100_000))
    with listening(gate) as (port, _):
        connect(port, post(60_000) + bytes(59_000))
        until(lambda: gate.bytes == 59_000)
        said = answer(connect(port, post(60_000) + bytes(59_000)))  # neither is slow yet
        assert said.startswith(b"HTTP/1.1 503")
        until(lambda: gate.bytes == 59_000)
        time.sleep(0.3)
        honest = connect(port, post(80_000) + bytes(80_000))
        assert answer(honest).startswith(ANSWER)
        until(lambda: gate.bytes == 0)


def test_bodies_that_come_are_counted_and_the_slowest_makes_room(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "MOST_BODIES", 5)
    monkeypatch.setattr(intake, "NEW", 0.1)
    gate = Intake(echo, Limits())
    with listening(gate) as (port, _):
        for _ in range(5):
            connect(port, post(100) + b"x")
        until(lambda: len(gate.coming) == 5)
        time.sleep(0.2)
        for _ in range(8):
            assert answer(connect(port, post(50) + bytes(50))).startswith(ANSWER)
        assert len(gate.coming) <= 5


def test_open_files_are_enough_for_the_connections() -> None:
    resource = pytest.importorskip("resource")
    assert connections.most_connections() > 0
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert soft == resource.RLIM_INFINITY or soft >= connections.most_connections() + connections.SPARE
