"""`fastsam label`: the page on a folder of photos, whose annotations are kept beside them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from fastsam.cli.serve import run
from fastsam.errors import UsageError


def label(
    folder: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    browser: bool = True,
    token: Annotated[str | None, Parameter(env_var="FASTSAM_TOKEN")] = None,
    model: str | None = None,
    threads: int | None = None,
    max_bytes: int = 64 << 20,
    max_pixels: int = 100_000_000,
    allow_host: Annotated[list[str] | None, Parameter(negative="")] = None,
) -> int:
    """Label the photos of a folder in the browser. Annotations are kept beside each photo, in labelme's format.

    Parameters
    ----------
    folder
        Folder of photos; folders in it count too.
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
    max_bytes
        Most bytes of a photo's file.
    max_pixels
        Most pixels of a photo.
    allow_host
        Name of the server that requests may give beside loopback's and its address; * for any.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder: give the folder of your photos")

    def make(hosts: Sequence[str]) -> Any:
        from fastsam.serve.app import make_app
        from fastsam.serve.limits import Limits
        from fastsam.serve.projects.folder import Folder

        project = Folder(folder.resolve(), max_pixels)
        project.sweep()
        limits = Limits(max_bytes, max_pixels)
        return make_app(model, limits=limits, threads=threads, token=token, hosts=hosts, project=project)

    return run(make, host, port, browser, token, model, allow_host)
