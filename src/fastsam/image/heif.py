"""Reads HEIC and HEIF with pillow-heif (the `heif` extra), or with pi-heif, the same without an encoder."""

from importlib.util import find_spec

import numpy as np

from fastsam.errors import UnreadableImageError, UsageError, require
from fastsam.image.rgb import Values


def decode(data: bytes) -> Values:
    """The values of the main picture, turned the right way up.

    Raises UnreadableImageError for a damaged file; if the extra is not installed, the error names it.
    """
    try:
        heif = require("pi_heif" if find_spec("pi_heif") is not None else "pillow_heif", "heif")
    except UsageError as error:
        raise UnreadableImageError(f"this is a HEIC file, and {error}") from None
    try:
        picture = heif.open_heif(data, convert_hdr_to_8bit=True)
        values = np.asarray(picture)
        mode = str(picture.mode)
    except Exception as error:  # the library raises many types
        raise UnreadableImageError(f"the HEIC file cannot be read ({' '.join(str(error).split())[:200]})") from None
    layers = values.reshape(*values.shape[:2], -1)
    if mode not in ("LA", "RGBA", "RGBa"):
        return Values(layers)
    return Values(layers[..., :-1], layers[..., -1:], mode == "RGBa")
