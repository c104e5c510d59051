"""`fastsam serve`: the page and the service on this machine."""

import os
import socket
import sys
import threading
import time
import webbrowser
from collections.abc import Callable, Sequence
from typing import Annotated, Any
from urllib.parse import quote

from cyclopts import Parameter

from fastsam.cli import flags
from fastsam.errors import UsageError, require
from fastsam.weights import catalogue


def serve(
    *,
    host: Annotated[str, flags.HOST] = "127.0.0.1",
    port: Annotated[int, flags.PORT] = 8000,
    browser: Annotated[bool, flags.BROWSER] = True,
    token: Annotated[str | None, flags.TOKEN] = None,
    model: Annotated[str | None, flags.MODEL] = None,
    threads: Annotated[int | None, flags.THREADS] = None,
    workers: int = 1,
    queue: int = 32,
    timeout: float = 60.0,
    max_bytes: Annotated[int, flags.MAX_BYTES] = 32 << 20,
    max_pixels: Annotated[int, flags.MAX_PIXELS] = 100_000_000,
    photos: int = 256,
    memory: int = 1 << 30,
    age: float = 3600.0,
    allow_host: Annotated[list[str] | None, flags.ALLOW_HOST] = None,
    allow_origin: Annotated[list[str] | None, Parameter(negative="")] = None,
    label_studio: str | None = None,
) -> int:
    """Open the page, and serve it and its API.

    Parameters
    ----------
    workers
        Number of processes that run the network: several for many users at a time, one for the fastest answer.
    queue
        Maximum number of photos that wait.
    timeout
        Maximum time in seconds to work on a photo, waiting included.
    photos
        Maximum number of photos to keep in memory for prompts.
    memory
        Maximum size in bytes of all photos in memory.
    age
        Time in seconds to keep a photo.
    allow_origin
        Other site whose pages may use the service; may be repeated.
    label_studio
        Address of the Label Studio whose pictures the backend at /label-studio may fetch, with the key in the
        environment (LABEL_STUDIO_API_KEY).
    """

    def make(hosts: Sequence[str]) -> Any:
        from fastsam.serve.app import make_app
        from fastsam.serve.labelstudio import Studio
        from fastsam.serve.limits import Limits

        limits = Limits(max_bytes, max_pixels, photos, memory, age, workers, queue, timeout)
        studio = None if label_studio is None else Studio(label_studio, os.environ.get("LABEL_STUDIO_API_KEY"))
        origins = allow_origin or ()
        return make_app(model, limits=limits, threads=threads, token=token, hosts=hosts, origins=origins, studio=studio)

    return run(make, host, port, browser, token, model, allow_host)


def run(
    make: Callable[[Sequence[str]], Any],
    host: str,
    port: int,
    browser: bool,
    token: str | None,
    model: str | None,
    allow_host: Sequence[str] | None,
) -> int:
    """Serves the application that `make` gives for the names of hosts, until it is ended."""
    require("uvicorn", "serve")
    require("httptools", "serve")
    require("fastapi", "serve")
    import uvicorn

    from fastsam.serve.app import LOOPBACK
    from fastsam.serve.connections import Connection

    if token is not None and not (token.isascii() and token.isprintable() and token.strip() == token != ""):
        raise UsageError("--token must be printable ASCII characters, without spaces around them")
    if not 0 <= port <= 65535:
        raise UsageError(f"--port must be 0 to 65535 (0 picks a free one), not {port}")
    with catalogue.opened(model):
        pass  # invalid weights are an error before the server starts
    everywhere = host in ("0.0.0.0", "::")
    own = f"[{host}]" if ":" in host else host
    app = make(("*",) if everywhere and not allow_host else (*LOOPBACK, own, *(allow_host or ())))
    server = uvicorn.Server(
        uvicorn.Config(app, host, port, http=Connection, ws="none", log_level="error", timeout_graceful_shutdown=5)
    )
    listening = listen(host, port)
    shown = "127.0.0.1" if everywhere else own
    address = f"http://{shown}:{listening.getsockname()[1]}/"
    threading.Thread(target=announce, args=(server, address, token, browser), daemon=True).start()
    if everywhere and token is None:
        print("Anyone who can reach this machine can use it: set a token with --token T.", flush=True)
    server.run(sockets=[listening])
    return 0 if server.started else 1


def listen(host: str, port: int) -> socket.socket:
    """A socket on that address. Raises UsageError if the address cannot be used."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise UsageError(f"cannot listen on {host} port {port} ({error.strerror}): choose another --port") from None


def announce(server: object, address: str, token: str | None, browser: bool) -> None:
    """Prints where the page is once it is served, and opens it. The token is printed only on a terminal."""
    while not getattr(server, "started", False):
        time.sleep(0.05)
        if getattr(server, "should_exit", False):
            return
    whole = address + (f"?token={quote(token)}" if token else "")
    print(f"Segment at {whole if sys.stdout.isatty() else address} (Ctrl-C to stop)", flush=True)
    if browser:
        webbrowser.open(whole)
