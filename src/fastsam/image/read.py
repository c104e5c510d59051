"""Photos from files, PIL images and arrays, as RGB uint8 (H, W, 3) the way a viewer shows them.

The content decides the type, not the suffix. What turns a photo (EXIF, or AVIF's and HEIC's own marks) is applied,
transparency is laid on white, of several pages or frames the first is taken, of more than 8 bits the upper 8 are kept
(`values`); grey, palette and CMYK pixels become RGB. Size and scans are read first and bounded (`header`).
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
from fastsam.image.turn import ORIENTATION, from_exif, turn
from fastsam.image.values import Values, from_array, to_rgb

__all__ = ["Source", "UnreadableImageError", "decode", "from_array", "read_image", "read_own"]

UInt8 = npt.NDArray[np.uint8]
Source: TypeAlias = "str | os.PathLike[str] | npt.NDArray[Any] | Any"
BYTES = 8  # of a file, for every pixel that a photo may have
DEEP = ("I;16", "I;16L", "I;16B", "I;16N", "I", "F")  # PIL's modes of more than 8 bits
TRANSPARENT = ("LA", "La", "PA", "RGBA", "RGBa")


def read_image(source: Source, stretch: bool = False) -> UInt8:
    """The photo as RGB uint8 (H, W, 3).

    source: a path, a PIL image, or an array (H, W, 3) RGB, (H, W, 4) RGBA, (H, W) or (H, W, 1) grey of uint8, uint16,
    or numbers that stand for brightness without doubt (`image/values.py`)
    stretch: the percentiles 1 and 99 of all values become black and white: for 10- and 12-bit data, heights, floats

    Raises UnreadableImageError for a file that is missing, empty, truncated or no image, and for one of more than
    200 million pixels (the environment variable FASTSAM_MAX_PIXELS sets another number); UsageError for anything else
    that is no photo. Warns with PhotoWarning if a photo of more than 8 bits is nearly black.

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
    """The same, in memory that the caller does not write into: a result may keep it."""
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
    """A photo's bytes. Raises UnreadableImageError for what is no regular file, no photo, or too large for one."""
    try:
        if not stat.S_ISREG(os.stat(file).st_mode):
            what = "a folder" if file.is_dir() else "no regular file"
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
        raise UnreadableImageError(f"{file}: a file of more than {most:,} bytes is too large")
    return data


def decode(data: bytes, most: int | None = None, stretch: bool = False, name: str = "the photo") -> UInt8:
    """Decodes an image file's bytes. Raises UnreadableImageError.

    most: pixels, where the caller has a limit of its own; stretch, warnings: see `read_image`; name: for warnings
    """
    found = read_header(data)
    check(found, most)
    try:
        pixels = _decoded(data, found, stretch, name)
    except cv2.error as error:
        raise UnreadableImageError(f"the image cannot be decoded ({error.err})") from None
    except MemoryError:
        raise UnreadableImageError(f"{found.width} x {found.height} pixels need more memory than there is") from None
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
    if found.kind != "jpeg":  # which has neither alpha nor more than 8 bits
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
    """What OpenCV decoded: grey, BGR or BGRA. AVIF, JPEG 2000 and PNM say how many bits theirs have, others fill 16."""
    bits = min(found.bits, 16) if found.kind in ("avif", "jp2", "pnm") else 16
    if raw.ndim == 2:
        return Values(raw[..., None], bits=bits)
    if raw.shape[2] == 4:
        return Values(raw[..., 2::-1], raw[..., 3:], bits=bits)
    return Values(cv2.cvtColor(raw, cv2.COLOR_BGR2RGB, dst=raw), bits=bits)


def from_pil(image: Any, stretch: bool = False) -> UInt8:
    """RGB uint8 (H, W, 3) from a PIL image, which need not be installed for anything else."""
    try:
        image.load()  # Pillow turns a TIFF then, and says so in its EXIF
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
