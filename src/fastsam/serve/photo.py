"""A photo's file as a client sent it, and its pixels, decoded in bounded memory.

Enters: bytes. Leaves: RGB uint8 (H, W, 3). A header may say one size to us and another to a decoder, whose memory is
therefore bounded by the size that the header says.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fastsam.image.header import read_header
from fastsam.image.read import decode

BASE, CORE = 256 << 20, 16 << 20  # bytes that any decoder may take, and more for the threads of each core
PIXEL = 64  # maximum bytes of memory per pixel: AVIF takes 16, TIFFs of many bands take more
STATUS = Path("/proc/self/status")


@dataclass(frozen=True, eq=False)
class File:
    """A photo's file. stretch: as `read_image` has it"""

    data: bytes
    stretch: bool = False

    def pixels(self, most: int | None = None) -> npt.NDArray[np.uint8]:
        """RGB uint8 (H, W, 3). most: pixels. Raises UnreadableImageError; to be called in a worker process."""
        found = read_header(self.data)
        with at_most(BASE + CORE * (os.cpu_count() or 1) + PIXEL * found.width * found.height):
            return decode(self.data, most, self.stretch)


@contextmanager
def at_most(extra: int) -> Iterator[None]:
    """Within this block, the process takes at most `extra` more bytes of memory. On Linux only.

    It holds for all threads. What asks for more gets none, as on a machine whose memory is full.
    """
    if not STATUS.exists():
        yield
        return
    import resource

    taken = re.search(r"VmData:\s+(\d+)", STATUS.read_text())
    old = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = extra + (int(taken[1]) << 10 if taken else 0)
    lower = taken is not None and (old[0] == resource.RLIM_INFINITY or wanted < old[0])
    if lower:
        resource.setrlimit(resource.RLIMIT_DATA, (wanted, old[1]))
    try:
        yield
    finally:
        if lower:
            resource.setrlimit(resource.RLIMIT_DATA, old)
