"""What reading one file may take, counted where things are made, whatever the file says of itself.

One budget accompanies a file through all who read it. The largest published network takes a tenth of the instructions
and of the tensors, and two thirds of the bytes.
"""

from dataclasses import dataclass, field
from typing import NoReturn

from fastsam.errors import UsageError

LIMITS = {
    "instructions": 1_000_000,  # of its pickle
    "objects": 1_000_000,  # that its pickle's calls make, and attributes that it gives them
    "members": 20_000,  # of its zip
    "tensors": 20_000,
    "nodes": 100_000,  # of its graph
    "bytes": 640 << 20,  # of numbers: as they are stored, and once more as float32
}
CLASSES = range(1, 10_001)  # how many a network may name
SIDES = range(32, 16385)  # pixels that a network's input may have along a side


@dataclass
class Budget:
    """What is left for a file. file: what errors call it; verdict: of their lines; left: by the names in `LIMITS`"""

    file: str
    verdict: str = "is refused"
    left: dict[str, int] = field(default_factory=lambda: dict(LIMITS))

    def spend(self, kind: str, amount: int = 1) -> None:
        """Takes an amount. Raises UsageError if less is left."""
        self.left[kind] -= amount
        if self.left[kind] < 0:
            self.refuse(f"it takes more than {LIMITS[kind]} {kind}")

    def refuse(self, reason: str) -> NoReturn:
        """Raises UsageError, one line that names the file and the reason."""
        raise UsageError(f"{self.file} {self.verdict}: {reason}")
