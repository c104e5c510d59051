"""What a service allows itself."""

from dataclasses import dataclass

from fastsam.errors import UsageError

GRACE = 10.0  # seconds that the head of a request, its body, and an answer may take whatever they hold
SLOW = 16 << 10  # bytes a second at which a body must come, and an answer be taken, beyond them


@dataclass(frozen=True)
class Limits:
    """Bounds of a service.

    bytes: of a request's body; pixels: of a photo, checked before it is decoded
    photos, memory, age: photos that are kept, their bytes in all, and seconds after which one goes
    workers: processes that run the network; queue: requests that may wait for them
    seconds: of a request, waiting included
    bodies: bytes of the bodies of all unanswered requests together; one request of `bytes` always fits
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
                raise UsageError(f"{name} {value} lets nothing through: the least is {least}")
