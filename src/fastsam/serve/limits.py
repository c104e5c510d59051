"""Bounds of a service."""

from dataclasses import dataclass

from fastsam.errors import UsageError

GRACE = 10.0  # seconds that the head of a request, its body, and an answer may take whatever they hold
SLOW = 16 << 10  # bytes a second at which a body must come, and an answer be taken, beyond them


@dataclass(frozen=True)
class Limits:
    """Maximum values of a service.

    Parameters
    ----------
    bytes : int
        Bytes of a request's body.
    pixels : int
        Pixels of a photo, checked before it is decoded.
    photos : int
        Number of photos that are kept.
    memory : int
        Bytes of all kept photos together.
    age : float
        Seconds after which a kept photo is dropped.
    workers : int
        Number of processes that run the network.
    queue : int
        Number of requests that may wait for them.
    seconds : float
        Seconds that a request may take, waiting included.
    bodies : int
        Bytes of the bodies of all unanswered requests together. One request of `bytes` always fits.

    Raises
    ------
    UsageError
        If a value is too small.

    Examples
    --------
    >>> Limits(workers=2).pixels
    100000000
    """

    bytes: int = 32 << 20
    pixels: int = 100_000_000
    photos: int = 256
    memory: int = 1 << 30
    age: float = 3600.0
    workers: int = 1
    queue: int = 32
    seconds: float = 60.0
    bodies: int = 256 << 20

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            least = 0 if name == "queue" else 1 if isinstance(value, int) else 0.001
            if value < least:
                raise UsageError(f"{name} must be at least {least}, not {value}")
