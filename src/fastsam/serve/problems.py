"""What a service refuses or cannot do, as HTTP knows it."""

from fastapi import HTTPException


class Problem(HTTPException):
    """An answer other than 200. detail: one line for a person; retry: seconds after which to try again"""

    def __init__(self, status: int, detail: str, retry: int | None = None) -> None:
        super().__init__(status, " ".join(detail.split()), None if retry is None else {"Retry-After": str(retry)})


def unknown(id_: str) -> Problem:
    """404 for a photo that is not, or no longer, kept."""
    return Problem(404, f"photo {id_[:60]!r} is not kept (any more): segment it again")
