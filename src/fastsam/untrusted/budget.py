"""Limits on what reading one file may take, counted whenever something is created, whatever the file states.

All readers of a file share one budget. The largest published network takes a tenth of the instructions and of the
tensors, and two thirds of the bytes.
"""

from dataclasses import dataclass, field
from typing import NoReturn

from fastsam.errors import UsageError

LIMITS = {
    "instructions": 1_000_000,  # of its pickle
    "objects": 1_000_000,  # made by calls of its pickle, and their attributes
    "members": 20_000,  # of its zip
    "tensors": 20_000,
    "nodes": 100_000,  # of its graph
    "bytes": 640 << 20,  # of numbers, as stored and once more as float32
}
CLASSES = range(1, 10_001)  # allowed numbers of classes of a network
SIDES = range(32, 16385)  # allowed pixels along a side of a network's input


@dataclass
class Budget:
    """What is left for a file. file: its name in errors; verdict: text of errors; left: by the keys of `LIMITS`"""

    file: str
    verdict: str = "is refused"
    left: dict[str, int] = field(default_factory=lambda: dict(LIMITS))

    def spend(self, kind: str, amount: int = 1) -> None:
        """Takes an amount from the budget. Raises UsageError if less is left."""
        self.left[kind] -= amount
        if self.left[kind] < 0:
            self.refuse(f"it takes more than {LIMITS[kind]} {kind}")

    def refuse(self, reason: str) -> NoReturn:
        """Raises UsageError with the name of the file and the reason."""
        raise UsageError(f"{self.file} {self.verdict}: {reason}")
