"""HEIC and HEIF by pillow-heif, which the `heif` extra brings, or by pi-heif, the same without an encoder."""

from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt

from fastsam.errors import UnreadableImageError, UsageError, require
from fastsam.image.values import Alpha


def decode(data: bytes) -> tuple[npt.NDArray[Any], Alpha | None]:
    """The main picture's values (H, W, 3 or 4) uint8, turned, and what the fourth band is.

    Raises UnreadableImageError for a damaged file, and one that names the extra if it is not installed.
    """
    try:
        heif = require("pi_heif" if find_spec("pi_heif") is not None else "pillow_heif", "heif")
    except UsageError as error:
        raise UnreadableImageError(f"a HEIC file: {error}") from None
    try:
        picture = heif.open_heif(data, convert_hdr_to_8bit=True)
        values, mode = np.asarray(picture), picture.mode
    except Exception as error:  # of many kinds
        raise UnreadableImageError(f"the HEIC file cannot be read ({' '.join(str(error).split())[:200]})") from None
    return values, {"RGBA": "straight", "RGBa": "premultiplied", "LA": "straight"}.get(mode)  # type: ignore[return-value]
