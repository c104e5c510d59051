"""Segments that a client brings: an npz from outside, in which nothing is believed.

Enters: bytes. Leaves: `Segments`, or UsageError.
"""

import numpy as np
import numpy.typing as npt

from fastsam.errors import UsageError
from fastsam.segments import Segments

FIELD = "the field 'segments'"
UNPACKED, MOST = 256 << 20, 10_000  # bytes of all arrays; segments and names


def read(packed: bytes, pixels: int, photo: npt.NDArray[np.uint8] | None) -> Segments:
    """The segments, with their photo if there is one. pixels: of the largest photo

    Raises UsageError for anything that a service cannot have given, whatever it is.
    """
    segments = Segments.from_npz(packed, photo, name=FIELD, most=UNPACKED)
    height, width = segments.size
    if height * width > pixels or max(len(segments), len(segments.names)) > MOST:
        raise UsageError(f"{FIELD} holds {len(segments)} segments of {width} x {height} pixels: too many or too large")
    return segments
