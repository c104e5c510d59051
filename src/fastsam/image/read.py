"""Photos from files, PIL images and arrays, as RGB uint8 (H, W, 3) the way a viewer shows them.

The content decides the type, not the suffix. EXIF orientation is applied, transparency is laid on white, 16-bit
pixels keep their upper 8 bits; grey, palette and CMYK pixels become RGB.
"""

import os
import re
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.errors import UsageError

UInt8 = npt.NDArray[np.uint8]
JPEG = b"\xff\xd8\xff"
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".jp2", ".ppm", ".pgm", ".avif"}
SIGNATURES = (JPEG, b"\x89PNG", b"RIFF", b"II*\0", b"MM\0*", b"BM", b"GIF8")
Source: TypeAlias = "str | os.PathLike[str] | npt.NDArray[Any] | Any"


class UnreadableImageError(UsageError):
    """A file that holds no whole image."""


def read_image(source: Source) -> UInt8:
    """The photo as RGB uint8 (H, W, 3).

    source: a path, a PIL image, or an array (H, W, 3) RGB, (H, W, 4) RGBA or (H, W) grey of uint8 or uint16

    Raises UnreadableImageError for a file that is missing, empty, truncated or no image, and UsageError for anything
    else that is no photo.
    """
    if isinstance(source, (str, os.PathLike)):
        return read_file(Path(source))
    if isinstance(source, np.ndarray):
        return from_array(source)
    if hasattr(source, "convert") and hasattr(source, "getexif"):
        return from_pil(source)
    raise UsageError(f"cannot segment a {type(source).__name__}: give a path, a PIL image or an RGB uint8 array")


def read_own(source: Source) -> UInt8:
    """The same, in memory that the caller does not write into: a result may keep it."""
    pixels = read_image(source)
    return pixels.copy() if isinstance(source, np.ndarray) and np.shares_memory(pixels, source) else pixels


def read_file(file: Path) -> UInt8:
    """Reads and decodes a file."""
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        raise UnreadableImageError(f"{file}: there is no such file") from None
    except OSError as error:
        raise UnreadableImageError(f"{file}: cannot be read ({error.strerror})") from None
    if not data:
        raise UnreadableImageError(f"{file}: the file is empty")
    try:
        return decode(data)
    except UnreadableImageError as error:
        raise UnreadableImageError(f"{file}: {error}") from None


def decode(data: bytes) -> UInt8:
    """Decodes an image file's bytes. Raises UnreadableImageError."""
    if is_truncated(data):
        raise UnreadableImageError("the image is cut short: fetch or copy it again")
    buffer = np.frombuffer(data, np.uint8)
    try:
        if not data.startswith(JPEG):  # no JPEG has an alpha channel
            raw, kinds, blocks = cv2.imdecodeWithMetadata(buffer, flags=cv2.IMREAD_UNCHANGED)
            if raw is not None and raw.ndim == 3 and raw.shape[2] == 4:
                return turn(from_array(raw[..., [2, 1, 0, 3]]), orientation(kinds, blocks))
        pixels = cv2.imdecode(buffer, cv2.IMREAD_COLOR_RGB)
    except cv2.error as error:
        raise UnreadableImageError(f"the image cannot be decoded ({error.err})") from None
    if pixels is None and data.startswith(SIGNATURES):
        raise UnreadableImageError("the image is damaged or cut short: fetch or copy it again")
    if pixels is None:
        raise UnreadableImageError("not an image that can be read: use JPEG, PNG, WebP, TIFF, BMP or GIF")
    return np.ascontiguousarray(pixels, np.uint8)


def from_array(pixels: npt.NDArray[Any]) -> UInt8:
    """RGB uint8 (H, W, 3) from an array of grey, RGB or RGBA pixels in uint8 or uint16."""
    shape, dtype = pixels.shape, pixels.dtype
    if pixels.ndim not in (2, 3) or 0 in shape or (pixels.ndim == 3 and shape[2] not in (1, 3, 4)):
        raise UsageError(f"an array of shape {shape} is no photo: give (H, W, 3) RGB")
    if dtype == np.uint16:
        pixels = (pixels >> 8).astype(np.uint8)
    elif dtype != np.uint8:
        raise UsageError(f"an array of {dtype} is no photo: give uint8 values 0 to 255")
    if pixels.ndim == 2 or shape[2] == 1:
        return np.repeat(pixels.reshape(shape[0], shape[1], 1), 3, axis=2)
    if shape[2] == 4:
        alpha = pixels[..., 3:].astype(np.uint16)
        pixels = ((pixels[..., :3] * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)
    return np.ascontiguousarray(pixels)


def from_pil(image: Any) -> UInt8:
    """RGB uint8 (H, W, 3) from a PIL image, which need not be installed for anything else."""
    turned = image.getexif().get(0x0112, 1)
    if image.mode in ("I;16", "I;16B", "I;16L"):
        return turn(from_array(np.asarray(image).astype(np.uint16)), turned)
    if image.mode in ("I", "F"):
        values = np.clip(np.asarray(image), 0, 65535)
        return turn(from_array((values / (256 if values.max() > 255 else 1)).astype(np.uint8)), turned)
    transparent = "A" in image.mode or "transparency" in image.info
    return turn(from_array(np.asarray(image.convert("RGBA" if transparent else "RGB"))), turned)


def turn(pixels: UInt8, exif_orientation: int) -> UInt8:
    """Applies an EXIF orientation 1..8 (others are ignored)."""
    if exif_orientation in (5, 6, 7, 8):
        pixels = pixels.transpose(1, 0, 2)
    if exif_orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if exif_orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


def orientation(kinds: Sequence[int], blocks: Sequence[UInt8]) -> int:
    """The EXIF orientation among an image's metadata as OpenCV lists it, 1 where there is none."""
    for kind, block in zip(kinds, blocks, strict=True):
        if kind == cv2.IMAGE_METADATA_EXIF:
            return _exif_orientation(block.tobytes())
    return 1


def is_truncated(data: bytes) -> bool:
    """Whether a JPEG, PNG or WebP ends before its own end mark. Decoders fill the rest with grey and say nothing."""
    if data.startswith(JPEG):
        return not _jpeg_ends(data)
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return b"IEND" not in data
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return len(data) < int(struct.unpack("<I", data[4:8])[0]) + 8
    return False


_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def _jpeg_ends(data: bytes) -> bool:
    """Walks the segments (ITU T.81, annex B): only the main image's own end mark counts, not a thumbnail's."""
    position = 2
    while position + 2 <= len(data):
        found = _MARKER.search(data, position)
        if found is None:
            return False
        marker = data[found.start() + 1]
        if marker == 0xD9:
            return True
        if found.end() + 2 > len(data):
            return False
        position = found.end() + int(struct.unpack(">H", data[found.end() : found.end() + 2])[0])
    return False


def _exif_orientation(exif: bytes) -> int:
    """Tag 0x0112 of the first directory of a TIFF block (EXIF 2.3, section 4.6)."""
    start = 6 if exif[:6] == b"Exif\0\0" else 0
    order = {b"II": "<", b"MM": ">"}.get(exif[start : start + 2])
    if order is None:
        return 1
    try:
        (offset,) = struct.unpack_from(order + "I", exif, start + 4)
        (entries,) = struct.unpack_from(order + "H", exif, start + offset)
        for i in range(entries):
            tag, _, _, value = struct.unpack_from(order + "HHIH", exif, start + offset + 2 + 12 * i)
            if tag == 0x0112:
                return int(value)
    except struct.error:
        pass
    return 1
