"""Reads the header of a photo's file (kind, size, depth, scans), and refuses files beyond the limits.

Enters: a file's bytes. Leaves: a `Header`, or an error of one line. Nothing is decoded or unpacked here.
"""

import os
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass

from fastsam.errors import UnreadableImageError, UsageError
from fastsam.image import isobmff, tiff
from fastsam.image.kinds import CUT, DAMAGED, HEAD, MANY, NAMED, kind_of

PIXELS = 200_000_000  # maximum pixels of a photo, unless FASTSAM_MAX_PIXELS sets another number
SCANS = 100  # maximum scans of a JPEG: each touches every pixel, and encoders write 10 to 15
DEEP = 8  # maximum bytes per pixel for a photo with the maximum number of pixels
WORK = 20  # maximum scans for a photo with the maximum number of pixels
VARIABLE = "FASTSAM_MAX_PIXELS"
PART = 1 << 10  # minimum average bytes per segment or chunk of a large file: encoders write 8 KiB


@dataclass(frozen=True)
class Header:
    """Facts about a photo's file.

    kind: one of `kinds.PHOTOS`; width, height: in pixels, before the photo is turned
    bits: per sample; depth: bytes per pixel; scans: number of passes over all pixels
    orientation: 1..8 if something other than EXIF states it
    tags: of a TIFF's first page
    """

    kind: str
    width: int
    height: int
    bits: int = 8
    depth: int = 4
    scans: int = 1
    orientation: int | None = None
    tags: tiff.Page | None = None


def most_pixels() -> int:
    """The maximum number of pixels per photo. Raises UsageError if FASTSAM_MAX_PIXELS is not a number."""
    given = os.environ.get(VARIABLE, "").strip()
    if not given:
        return PIXELS
    if not given.isdecimal() or int(given) < 1:
        raise UsageError(f"{VARIABLE} must be a number of pixels such as {PIXELS}, not {given!r}")
    return int(given)


def read_header(data: bytes) -> Header:
    """The header of a file. Raises UnreadableImageError if it is not a photo, or its header is not whole."""
    kind = kind_of(data[:HEAD])
    if kind is None or kind == "video":
        what = "a video, not a photo" if kind else "not an image that can be read"
        raise UnreadableImageError(f"{what}: use {NAMED}")
    try:
        found = _READERS[kind](data)
    except (struct.error, IndexError, OverflowError):
        raise UnreadableImageError(CUT) from None
    if found is None or min(found.width, found.height) < 1:
        raise UnreadableImageError(DAMAGED)
    return found


def check(found: Header, most: int | None = None) -> None:
    """Raises UnreadableImageError for a photo that would take too much memory or time. most: maximum pixels"""
    limit = most_pixels() if most is None else most
    pixels = found.width * found.height
    if pixels > limit:
        hint = f"set {VARIABLE}={pixels} to read it" if most is None else "send a smaller one"
        raise UnreadableImageError(f"{found.width} x {found.height} pixels are more than {limit:,}: {hint}")
    if pixels * found.depth > limit * DEEP:
        raise UnreadableImageError(
            f"{found.width} x {found.height} pixels of {found.depth} bytes each take too much memory: save fewer bits"
        )
    if found.scans > SCANS or found.scans * pixels > max(limit, PIXELS) * WORK:
        raise UnreadableImageError(f"a JPEG of {found.scans} scans takes too long: save it again with fewer scans")


def _steps(data: bytes) -> range:
    """A range as long as the number of segments or chunks of a file that may be read."""
    return range(max(isobmff.MOST_BOXES, len(data) // PART))


def _jpeg(data: bytes) -> Header | None:
    """Walks the segments (ITU T.81, annex B). Only the end marker of the main picture counts, not a thumbnail's."""
    position, scans = 2, 0
    size: tuple[int, int, int] | None = None  # height, width, bits
    for _ in _steps(data):
        found = _MARKER.search(data, position)
        if found is None:
            raise UnreadableImageError(CUT)
        marker, at = data[found.start() + 1], found.end()
        if marker == 0xD9:
            return None if size is None else Header("jpeg", size[1], size[0], size[2], scans=scans)
        if marker in (0x01, 0xD8):  # these have no content
            position = at
            continue
        (length,) = struct.unpack_from(">H", data, at)
        if marker in _FRAMES:
            bits, height, width = struct.unpack_from(">BHH", data, at + 2)
            size = max(size or (0, 0, 0), (height, width, bits), key=lambda s: s[0] * s[1])
        scans += marker == 0xDA
        position = at + length
    raise UnreadableImageError(MANY)


_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def _png(data: bytes) -> Header | None:
    """Walks the chunks. A decoder would allocate whatever length a chunk states, and fill missing pixels with grey."""
    name, width, height, bits = struct.unpack_from(">4sIIB", data, 12)
    at = 8
    for _ in _steps(data):
        length, chunk = struct.unpack_from(">I4s", data, at)
        if at + 12 + length > len(data):
            raise UnreadableImageError(CUT)
        if chunk == b"fcTL" and any(a > b for a, b in zip(_frame(data, at), (width, height), strict=True)):
            return None
        if chunk == b"IEND":
            return Header("png", width, height, max(8, bits)) if name == b"IHDR" else None
        at += 12 + length
    raise UnreadableImageError(MANY)


def _frame(data: bytes, at: int) -> tuple[int, int]:
    width, height = struct.unpack_from(">II", data, at + 12)
    return width, height


def _webp(data: bytes) -> Header | None:
    (size,) = struct.unpack_from("<I", data, 4)
    if len(data) < size + 8:
        raise UnreadableImageError(CUT)
    name = data[12:16]
    if name == b"VP8X":
        width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
    elif name == b"VP8L":
        (packed,) = struct.unpack_from("<I", data, 21)
        width, height = (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
    elif name == b"VP8 ":
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", data, 26))
    else:
        return None
    return Header("webp", width, height)


def _gif(data: bytes) -> Header:
    return Header("gif", *struct.unpack_from("<HH", data, 6))


def _bmp(data: bytes) -> Header:
    (size,) = struct.unpack_from("<I", data, 14)
    width, height = struct.unpack_from("<HH" if size == 12 else "<ii", data, 18)
    return Header("bmp", width, abs(height))


def _pnm(data: bytes) -> Header | None:
    words = re.sub(rb"#[^\r\n]*", b" ", data[:4096]).split(maxsplit=4)
    wanted = 3 if words[0] in (b"P1", b"P4") else 4
    if len(words) < wanted or not all(word.isdigit() and len(word) < 10 for word in words[1:wanted]):
        return None
    width, height = int(words[1]), int(words[2])
    return Header("pnm", width, height, max(8, int(words[3]).bit_length()) if wanted == 4 else 8)


def _jp2(data: bytes) -> Header | None:
    found = isobmff.jpeg2000(data)
    if found is not None and found[3] > 4:
        raise UnreadableImageError(f"a JPEG 2000 must have 1, 3 or 4 bands, not {found[3]}")
    return None if found is None else Header("jp2", *found[:3], depth=4 * found[3])


def _boxed(kind: str) -> Callable[[bytes], Header | None]:
    def read(data: bytes) -> Header | None:
        found = isobmff.still(data)
        return None if found is None else Header(kind, *found.size, max(8, found.bits), orientation=found.orientation)

    return read


def _tiff(data: bytes) -> Header:
    page = tiff.read_page(data)
    return Header("tiff", page.width, page.height, page.bits, page.depth, tags=page)


_READERS: dict[str, Callable[[bytes], Header | None]] = {
    "jpeg": _jpeg,
    "png": _png,
    "webp": _webp,
    "gif": _gif,
    "bmp": _bmp,
    "pnm": _pnm,
    "jp2": _jp2,
    "avif": _boxed("avif"),
    "heif": _boxed("heif"),
    "tiff": _tiff,
}
