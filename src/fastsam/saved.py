"""Stores a result as the bytes of one npz file, and reads it back.

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
NOT_OURS = "is not a saved Segments file"
MOST = npz.UNPACKED  # maximum bytes of a file's arrays, unpacked
KINDS = {"format": "i8 0", "scores": "f4 1", "classes": "i8 1", "names": "U 1"}  # see `untrusted/npz`


def pack(masks: Masks, scores: Float, classes: Int, names: tuple[str, ...]) -> bytes:
    """The bytes of an npz file that `unpack` reads."""
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
    """Masks, scores, classes and names. Raises UsageError for anything that `pack` did not make.

    name: name of the file in errors; most: maximum bytes of its arrays
    """
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise UsageError(f"{name} must be bytes, not {show(data)}")
    try:
        arrays = npz.read(data, KINDS | store.KINDS, Budget(name, NOT_OURS), most)
        if int(arrays["format"]) != FORMAT:
            raise UsageError(f"{name} has format {arrays['format']}, but this version reads format {FORMAT}")
        masks = store.from_arrays(arrays)
        scores, classes = arrays["scores"], arrays["classes"]
        names = tuple(shown(str(n), 1000) for n in arrays["names"])
        if scores.shape != (len(masks),) or classes.shape != scores.shape:
            raise ValueError("it must have one score and one class per mask")
        if not ((scores >= 0) & (scores <= 1)).all():
            raise ValueError("scores must be between 0 and 1")
        if ((classes < 0) | (classes >= len(names))).any():
            raise ValueError(f"classes must be indices into its {len(names)} names")
        return masks, scores, classes, names
    except UsageError:
        raise
    except KeyError as error:
        raise UsageError(f"{name} {NOT_OURS}: {error.args[0]} is missing") from None
    except Exception as error:  # forged bytes can raise anything
        raise UsageError(f"{name} {NOT_OURS}: {reason(error)}") from None
