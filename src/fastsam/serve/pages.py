"""The page: a few files of this package, each under a name of its own. No other file can be asked for."""

from functools import cache
from pathlib import Path

from fastapi import APIRouter, Response

from fastsam.serve.problems import Problem

HOME = Path(__file__).parent / "page"
KINDS = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".jpg": "image/jpeg",
}
FILES = {file.relative_to(HOME).as_posix(): file for file in sorted(HOME.rglob("*")) if file.suffix in KINDS}

router = APIRouter(include_in_schema=False)


@router.get("/")
async def home() -> Response:
    """The page itself."""
    return answer("index.html")


@router.get("/page/{name:path}")
async def part(name: str) -> Response:
    """A file of the page."""
    return answer(name)


def answer(name: str) -> Response:
    """A file, or 404."""
    if name not in FILES:
        raise Problem(404, f"there is no {name[:60]!r} here")
    return Response(read(name), media_type=KINDS[FILES[name].suffix], headers={"Cache-Control": "no-cache"})


@cache
def read(name: str) -> bytes:
    """A file's content."""
    return FILES[name].read_bytes()
