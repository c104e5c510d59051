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

from fastsam.errors import UsageError, require
from fastsam.weights import catalogue


def serve(
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    browser: bool = True,
    token: Annotated[str | None, Parameter(env_var="FASTSAM_TOKEN")] = None,
    model: str | None = None,
    threads: int | None = None,
    workers: int = 1,
    queue: int = 32,
    timeout: float = 60.0,
    max_bytes: int = 32 << 20,
    max_pixels: int = 100_000_000,
    photos: int = 256,
    memory: int = 1 << 30,
    age: float = 3600.0,
    allow_host: Annotated[list[str] | None, Parameter(negative="")] = None,
    allow_origin: Annotated[list[str] | None, Parameter(negative="")] = None,
    label_studio: str | None = None,
) -> int:
    """Open the page, and serve it and the API that it uses.

    Parameters
    ----------
    host
        Address to listen on; 0.0.0.0 for every one of this machine.
    port
        Port to listen on; 0 for any that is free.
    browser
        Open the page in this machine's browser.
    token
        What every request must carry. In the environment's FASTSAM_TOKEN nobody sees it in a list of processes.
    model
        Name of a model, or a file (.onnx, .pt, .safetensors).
    threads
        Of all workers together; all cores by default.
    workers
        Processes that run the network side by side; several for many users at a time, one for the fastest answer.
    queue
        Photos that may wait.
    timeout
        Seconds a photo's work may take, waiting included.
    max_bytes
        Most bytes of a request.
    max_pixels
        Most pixels of a photo.
    photos
        Photos that are kept in memory for prompts.
    memory
        Bytes that they may take together.
    age
        Seconds that each is kept.
    allow_host
        Name of the server that requests may give beside loopback's and its address; * for any.
    allow_origin
        Other site whose pages may use the service.
    label_studio
        Address of the Label Studio whose pictures its backend, at /label-studio, may fetch; the environment's
        LABEL_STUDIO_API_KEY is the key for them.
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
        raise UsageError("a token is one or more printable ASCII characters, without spaces about it")
    if not 0 <= port <= 65535:
        raise UsageError(f"port {port} is none: choose 1 to 65535, or 0 for any")
    with catalogue.opened(model):
        pass  # an error of the weights comes before the server
    everywhere = host in ("0.0.0.0", "::")
    own = f"[{host}]" if ":" in host else host
    app = make(("*",) if everywhere and not allow_host else (*LOOPBACK, own, *(allow_host or ())))
    server = uvicorn.Server(
        uvicorn.Config(app, host, port, http=Connection, ws="none", log_level="error", timeout_graceful_shutdown=5)
    )
    listening = listen(host, port)
    place = "127.0.0.1" if everywhere else own
    address = f"http://{place}:{listening.getsockname()[1]}/"
    threading.Thread(target=announce, args=(server, address, token, browser), daemon=True).start()
    if everywhere and token is None:
        print("Anyone who reaches this machine may use it: --token T asks for one.", flush=True)
    server.run(sockets=[listening])
    return 0 if server.started else 1


def listen(host: str, port: int) -> socket.socket:
    """A socket on that address. Raises UsageError where it cannot be had."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise UsageError(f"cannot listen on {host} port {port} ({error.strerror}): choose another --port") from None


def announce(server: object, address: str, token: str | None, browser: bool) -> None:
    """Says where the page is as soon as it is there, and opens it. The token is shown to a person alone, in no log."""
    while not getattr(server, "started", False):
        time.sleep(0.05)
        if getattr(server, "should_exit", False):
            return
    whole = address + (f"?token={quote(token)}" if token else "")
    print(f"Segment at {whole if sys.stdout.isatty() else address} (Ctrl-C ends it)", flush=True)
    if browser:
        webbrowser.open(whole)
