"""A result as the bytes of one npz file, and back.

Enters: masks, scores, classes, names. Leaves: bytes that hold them exactly.
"""

import io
from typing import Any

import numpy as np
import numpy.typing as npt

from fastsam.errors import UsageError
from fastsam.masks import store
from fastsam.masks.lazy import Masks
from fastsam.untrusted import npz
from fastsam.untrusted.budget import Budget
from fastsam.untrusted.shown import reason, shown
from fastsam.values import show

Float = npt.NDArray[np.float32]
Int = npt.NDArray[np.int64]
FORMAT = 4
NOT_OURS = "is no saved Segments"
MOST = npz.UNPACKED  # bytes of a file's arrays
KINDS = {"format": "i8 0", "scores": "f4 1", "classes": "i8 1", "names": "U 1"}  # see `untrusted/npz`


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


def unpack(data: bytes, name: str, most: int = MOST) -> tuple[Masks, Float, Int, tuple[str, ...]]:
    """Masks, scores, classes and names. Raises UsageError for anything but what `pack` gives.

    name: what errors call the file; most: bytes that its arrays may take
    """
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise UsageError(f"{name} must be bytes, not {show(data)}")
    try:
        arrays = npz.read(data, KINDS | store.KINDS, Budget(name, NOT_OURS), most)
        if int(arrays["format"]) != FORMAT:
            raise UsageError(f"{name} has format {arrays['format']}: this version reads format {FORMAT}")
        masks = store.from_arrays(arrays)
        scores, classes = arrays["scores"], arrays["classes"]
        names = tuple(shown(str(n), 1000) for n in arrays["names"])
        if scores.shape != (len(masks),) or classes.shape != scores.shape:
            raise ValueError("one score and one class for each mask are missing")
        if not ((scores >= 0) & (scores <= 1)).all():
            raise ValueError("scores are not from 0 to 1")
        if ((classes < 0) | (classes >= len(names))).any():
            raise ValueError(f"classes are not among the {len(names)} names")
        return masks, scores, classes, names
    except UsageError:
        raise
    except KeyError as error:
        raise UsageError(f"{name} {NOT_OURS}: it lacks {error.args[0]}") from None
    except Exception as error:  # of bytes that somebody made up
        raise UsageError(f"{name} {NOT_OURS}: {reason(error)}") from None
