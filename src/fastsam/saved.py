"""A result as the bytes of one npz file, and back.

Enters: masks, scores, classes, names. Leaves: bytes that hold them exactly.
"""

import io
import zipfile
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

from fastsam.errors import UsageError
from fastsam.masks import store
from fastsam.masks.lazy import Masks
from fastsam.values import show

Float = npt.NDArray[np.float32]
Int = npt.NDArray[np.int64]
FORMAT = 4
# What NumPy, zipfile and the masks' own checks raise for bytes that hold something else.
BROKEN = (
    OSError, KeyError, ValueError, TypeError, AttributeError, EOFError, IndexError, MemoryError, OverflowError,
    RuntimeError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


def pack(masks: Masks, scores: Float, classes: Int, names: tuple[str, ...]) -> bytes:
    """An npz file that `unpack` reads."""
    arrays: dict[str, Any] = {
        "format": np.int64(FORMAT),
        "scores": scores,
        "classes": classes,
        "names": np.array(names),
        **store.to_arrays(masks),
    }
    out = io.BytesIO()
    np.savez_compressed(out, **arrays)
    return out.getvalue()


def unpack(data: bytes, name: str) -> tuple[Masks, Float, Int, tuple[str, ...]]:
    """Masks, scores, classes and names. name: what errors call the file. Raises UsageError."""
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise UsageError(f"{name} must be bytes, not {show(data)}")
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as z:
            if int(z["format"]) != FORMAT:
                raise UsageError(f"{name} has format {int(z['format'])}: this version reads format {FORMAT}")
            masks, names = store.from_arrays(z), tuple(str(n) for n in z["names"])
            scores, classes = z["scores"], z["classes"]
            if scores.shape != (len(masks),) or classes.shape != scores.shape:
                raise ValueError("one score and one class for each mask are missing")
            if scores.dtype != np.float32 or not ((scores >= 0) & (scores <= 1)).all():
                raise ValueError("scores are not float32 from 0 to 1")
            if classes.dtype.kind not in "iu" or ((classes < 0) | (classes >= len(names))).any():
                raise ValueError(f"classes are not among the {len(names)} names")
            return masks, scores, classes.astype(np.int64), names
    except UsageError:
        raise
    except BROKEN as error:
        raise UsageError(f"{name} is no saved Segments: {' '.join(str(error).split())}") from None
