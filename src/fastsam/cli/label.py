"""`fastsam label`: the page on a folder of photos, whose annotations are kept beside them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from fastsam.cli import flags
from fastsam.cli.serve import run
from fastsam.errors import UsageError

FORMAT = (
    "How annotations are kept: a file beside each photo, or one instances.json. Default: as the folder has it, else "
    "labelme."
)


def label(
    folder: Path,
    *,
    format: Annotated[Literal["labelme", "coco"] | None, Parameter(help=FORMAT)] = None,
    host: Annotated[str, flags.HOST] = "127.0.0.1",
    port: Annotated[int, flags.PORT] = 8000,
    browser: Annotated[bool, flags.BROWSER] = True,
    token: Annotated[str | None, flags.TOKEN] = None,
    model: Annotated[str | None, flags.MODEL] = None,
    threads: Annotated[int | None, flags.THREADS] = None,
    max_bytes: Annotated[int, flags.MAX_BYTES] = 64 << 20,
    max_pixels: Annotated[int, flags.MAX_PIXELS] = 100_000_000,
    allow_host: Annotated[list[str] | None, flags.ALLOW_HOST] = None,
) -> int:
    """Label the photos of a folder in the browser. Annotations are kept beside the photos, as labelme or COCO has them.

    Parameters
    ----------
    folder
        Folder of photos; the folders in it are included.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder: give the folder of your photos")

    def make(hosts: Sequence[str]) -> Any:
        from fastsam.serve.app import make_app
        from fastsam.serve.limits import Limits
        from fastsam.serve.projects.folder import Folder, is_coco

        root = folder.resolve()
        project = Folder(root, max_pixels, is_coco(root) if format is None else format == "coco")
        project.sweep()
        limits = Limits(max_bytes, max_pixels)
        return make_app(model, limits=limits, threads=threads, token=token, hosts=hosts, project=project)

    return run(make, host, port, browser, token, model, allow_host)
