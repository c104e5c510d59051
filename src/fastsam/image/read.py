"""Reads photos from files, PIL images and arrays, as uint8 RGB (H, W, 3), the way a viewer shows them.

The content decides the type, not the suffix. Photos are turned as their EXIF, AVIF or HEIC data says. Transparent
photos get a white background. Of several pages or frames the first is read. Of more than 8 bits the upper 8 are kept
(`values.py`). Grey, palette and CMYK pixels become RGB. Size and scans are checked before decoding (`header.py`).
"""

import os
import stat
import struct
from pathlib import Path
from typing import Any, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.errors import UnreadableImageError, UsageError
from fastsam.image import heif, tiff
from fastsam.image.header import Header, check, most_pixels, read_header
from fastsam.image.kinds import DAMAGED, HEAD, NAMED, kind_of
from fastsam.image.rgb import Values, from_array, to_rgb
from fastsam.image.turn import ORIENTATION, from_exif, turn

__all__ = ["Source", "UnreadableImageError", "decode", "from_array", "read_image", "read_own"]

UInt8 = npt.NDArray[np.uint8]
Source: TypeAlias = "str | os.PathLike[str] | npt.NDArray[Any] | Any"
BYTES = 8  # maximum bytes of a file, per pixel of the largest allowed photo
DEEP = ("I;16", "I;16L", "I;16B", "I;16N", "I", "F")  # PIL's modes of more than 8 bits
TRANSPARENT = ("LA", "La", "PA", "RGBA", "RGBa")


def read_image(source: Source, stretch: bool = False) -> UInt8:
    """Reads a photo.

    Parameters
    ----------
    source : str, path, PIL image or array
        A file; a PIL image; or an array: RGB (H, W, 3), RGBA (H, W, 4), or grey (H, W) or (H, W, 1). Its dtype may be
        uint8, uint16, or another whose brightness is clear (`image/rgb.py`).
    stretch : bool
        True maps the percentiles 1 and 99 of all values to black and white. For 10- and 12-bit data, heights, floats.

    Returns
    -------
    uint8 array (H, W, 3)
        The photo in RGB.

    Raises
    ------
    UnreadableImageError
        If a file is missing, empty, truncated or not an image, or has more than 200 million pixels. The environment
        variable FASTSAM_MAX_PIXELS sets another limit.
    UsageError
        If the source is of another type, or an array is not a photo.

    Warns
    -----
    PhotoWarning
        If a photo of more than 8 bits is nearly black.

    Examples
    --------
    >>> pixels = read_image(photo)
    >>> pixels.shape, pixels.dtype.name
    ((400, 600, 3), 'uint8')
    >>> read_image("nowhere.jpg")
    Traceback (most recent call last):
    fastsam.errors.UnreadableImageError: nowhere.jpg: there is no such file
    """
    if isinstance(source, (str, os.PathLike)):
        return read_file(Path(source), stretch)
    if isinstance(source, np.ndarray):
        return from_array(source, stretch)
    if hasattr(source, "convert") and hasattr(source, "getexif"):
        return from_pil(source, stretch)
    raise UsageError(f"cannot segment a {type(source).__name__}: give a path, a PIL image or an RGB uint8 array")


def read_own(source: Source) -> UInt8:
    """Reads a photo as `read_image` does, without sharing memory with `source`, so that a result can keep it."""
    pixels = read_image(source)
    return pixels.copy() if isinstance(source, np.ndarray) and np.shares_memory(pixels, source) else pixels


def read_file(file: Path, stretch: bool = False) -> UInt8:
    """Reads and decodes a file."""
    data = read_bytes(file)
    try:
        return decode(data, stretch=stretch, name=str(file))
    except UsageError as error:
        raise UnreadableImageError(f"{file}: {error}") from None


def read_bytes(file: Path) -> bytes:
    """The bytes of a file. Raises UnreadableImageError if it is not a regular file, not a photo, or too large."""
    try:
        if not stat.S_ISREG(os.stat(file).st_mode):
            what = "a folder" if file.is_dir() else "not a regular file"
            raise UnreadableImageError(f"{file}: cannot be read ({what})")
        with file.open("rb") as stream:
            head = stream.read(HEAD)
            if head and kind_of(head) is None:
                raise UnreadableImageError(f"{file}: not an image that can be read: use {NAMED}")
            most = most_pixels() * BYTES
            data = head + stream.read(max(0, most - len(head)) + 1)
    except UsageError:
        raise
    except FileNotFoundError:
        raise UnreadableImageError(f"{file}: there is no such file") from None
    except OSError as error:
        raise UnreadableImageError(f"{file}: cannot be read ({error.strerror})") from None
    except ValueError as error:
        raise UnreadableImageError(f"{file}: cannot be read ({error})") from None
    if not data:
        raise UnreadableImageError(f"{file}: the file is empty")
    if len(data) > most:
        raise UnreadableImageError(f"{file}: the file is too large: the maximum is {most:,} bytes")
    return data


def decode(data: bytes, most: int | None = None, stretch: bool = False, name: str = "the photo") -> UInt8:
    """Decodes the bytes of an image file to uint8 RGB (H, W, 3). Raises UnreadableImageError.

    most: maximum pixels, None for the default; stretch: see `read_image`; name: name of the photo in warnings
    """
    found = read_header(data)
    check(found, most)
    try:
        pixels = _decoded(data, found, stretch, name)
    except cv2.error as error:
        raise UnreadableImageError(f"the image cannot be decoded ({error.err})") from None
    except MemoryError:
        raise UnreadableImageError(f"not enough memory for {found.width} x {found.height} pixels") from None
    except UnreadableImageError:
        raise
    except UsageError as error:
        raise UnreadableImageError(str(error)) from None
    if pixels.shape[0] * pixels.shape[1] > found.width * found.height:
        check(Header(found.kind, pixels.shape[1], pixels.shape[0]), most)
    return pixels


def _decoded(data: bytes, found: Header, stretch: bool, name: str) -> UInt8:
    if found.tags is not None:
        return to_rgb(tiff.decode(data, found.tags), stretch, name)
    if found.kind == "heif":
        return to_rgb(heif.decode(data), stretch, name)
    buffer = np.frombuffer(data, np.uint8)
    if found.kind != "jpeg":  # JPEG has neither alpha nor more than 8 bits
        raw, kinds, blocks = cv2.imdecodeWithMetadata(buffer, flags=cv2.IMREAD_UNCHANGED)
        if raw is not None:
            exif = dict(zip(map(int, kinds), blocks, strict=True)).get(cv2.IMAGE_METADATA_EXIF)
            orientation = found.orientation or (1 if exif is None else from_exif(exif.tobytes()))
            return turn(to_rgb(_stored(raw, found), stretch, name), orientation)
    pixels = cv2.imdecode(buffer, cv2.IMREAD_COLOR_RGB)
    if pixels is None:
        raise UnreadableImageError(DAMAGED)
    return to_rgb(Values(pixels), stretch, name)


def _stored(raw: npt.NDArray[Any], found: Header) -> Values:
    """Values from what OpenCV decoded: grey, BGR or BGRA. AVIF, JPEG 2000 and PNM state their bits, others use 16."""
    bits = min(found.bits, 16) if found.kind in ("avif", "jp2", "pnm") else 16
    if raw.ndim == 2:
        return Values(raw[..., None], bits=bits)
    if raw.shape[2] == 4:
        return Values(raw[..., 2::-1], raw[..., 3:], bits=bits)
    return Values(cv2.cvtColor(raw, cv2.COLOR_BGR2RGB, dst=raw), bits=bits)


def from_pil(image: Any, stretch: bool = False) -> UInt8:
    """uint8 RGB (H, W, 3) from a PIL image. PIL is not imported here."""
    try:
        image.load()  # this makes Pillow turn a TIFF, and note that in its EXIF
        orientation = int(image.getexif().get(ORIENTATION, 1))
        if image.mode in DEEP:
            values = np.asarray(image)
            return turn(from_array(values, stretch, name="the PIL image"), orientation)
        transparent = image.mode in TRANSPARENT or "transparency" in image.info
        known = image.convert("LA") if image.mode == "La" else image
        values = np.asarray(known.convert("RGBA" if transparent else "RGB"))
    except UsageError:
        raise
    except (OSError, ValueError, TypeError, SyntaxError, struct.error) as error:
        raise UnreadableImageError(f"the PIL image of mode {image.mode} cannot be read ({error})") from None
    return turn(from_array(values, stretch, name="the PIL image"), orientation)
