"""Reads the first page of a TIFF, with OpenCV or else with tifffile (the `tiff` extra).

Enters: a file's bytes. Leaves: a `Page`; then the values of its first three bands, and alpha if the file declares it.
"""

import io
import struct
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.errors import UnreadableImageError
from fastsam.image.kinds import DAMAGED
from fastsam.image.rgb import Values
from fastsam.image.turn import turn

EXTRA = "tiff"
TAGS = 4096  # maximum tags per page: real ones have a few dozen
WANTED = {254, 256, 257, 258, 259, 262, 274, 277, 284, 322, 323, 330, 338, 339}
TILE = 64 << 20  # maximum bytes of a tile that is larger than the photo
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, CMYK, YCBCR, LAB = 0, 1, 2, 3, 5, 6, 8
COLOURS = {4: "transparency mask", CMYK: "CMYK", YCBCR: "YCbCr", LAB: "CIE L*a*b*", 32803: "a sensor's raw pixels"}
NUMBERS = {
    1: "unsigned integers",
    2: "signed integers",
    3: "floats",
    4: "undefined values",
    5: "complex numbers",
    6: "complex numbers",
}
NAMES = {
    34712: "JPEG 2000",
    34887: "LERC",
    34925: "LZMA",
    50000: "ZSTD",
    50001: "WebP",
    50002: "JPEG XL",
}
COMMON = {1, 2, 3, 4, 5, 7, 8, 32773, 32946}  # compressions that every OpenCV reads


@dataclass(frozen=True)
class Page:
    """Tags of a page.

    samples: number of bands; bits: per band; numbers: key of `NUMBERS`; extra: kinds of the bands beyond colour
    """

    width: int
    height: int
    samples: int
    bits: int
    numbers: int
    compression: int
    photometric: int
    planar: bool
    extra: tuple[int, ...]
    orientation: int

    @property
    def depth(self) -> int:
        """Bytes per pixel."""
        return max(1, self.samples * self.bits // 8)

    @property
    def has_alpha(self) -> bool:
        """Whether tag 338 declares the band after the colours as transparency."""
        colours = 3 if self.photometric == RGB else 1
        return self.photometric <= RGB and self.samples > colours and self.extra[:1] in ((1,), (2,))


def read_page(data: bytes) -> Page:
    """The first page. Raises UnreadableImageError for a file without a page, a camera's raw file, and invalid tiles."""
    order, big = ("<" if data[:2] == b"II" else ">"), data[2:4] in (b"+\0", b"\0+")
    tags = _tags(data, order, big)

    def one(tag: int, default: int) -> int:
        return tags.get(tag, (default,))[0]

    if 330 in tags and one(254, 0) & 1:
        raise UnreadableImageError("this is a camera's raw file: convert it to JPEG or TIFF first")
    bits = tags.get(258, (1,))
    page = Page(
        one(256, 0), one(257, 0), one(277, 1), bits[0] if len(set(bits)) == 1 else 0, one(339, 1), one(259, 1),
        one(262, -1), one(284, 1) == 2, tags.get(338, ()), one(274, 1),
    )  # fmt: skip
    tile = one(322, 0) * one(323, 0) * page.depth
    if tile > max(TILE, 4 * page.width * page.height * page.depth):
        raise UnreadableImageError(
            f"the image is damaged: its tiles of {one(322, 0)} x {one(323, 0)} pixels are larger than the image"
        )
    return page


def decode(data: bytes, page: Page) -> Values:
    """The page's values, turned the right way up.

    Raises UnreadableImageError for a damaged file, and for an unsupported feature, which the error names.
    """
    odd = unusual(page)
    if not odd or odd == [NAMES.get(page.compression)]:
        found = _by_opencv(data, page)
        if found is not None:
            return found
    if not odd:
        raise UnreadableImageError(DAMAGED)
    what = f"a TIFF with {' and '.join(odd)}"
    if page.photometric not in (WHITE_IS_ZERO, BLACK_IS_ZERO, RGB) or not page.bits or page.numbers > 3:
        raise UnreadableImageError(f"{what} is not supported: save it as RGB of 8 or 16 bits")
    if find_spec("tifffile") is None or find_spec("imagecodecs") is None:
        raise UnreadableImageError(f"{what} needs an extra: pip install 'fast-segment-anything[{EXTRA}]'")
    return _by_tifffile(data, page, what)


def unusual(page: Page) -> list[str]:
    """The features of a page that OpenCV does not read, or not correctly. LERC counts, which only some builds read."""
    odd = []
    grey, bits, numbers = page.photometric in (WHITE_IS_ZERO, BLACK_IS_ZERO), page.bits, page.numbers
    if page.photometric not in (WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, CMYK, YCBCR, LAB):
        odd.append(COLOURS.get(page.photometric, f"photometric {page.photometric}"))
    elif page.photometric in (CMYK, YCBCR, LAB, PALETTE) and not (bits <= 8 and numbers == 1):
        odd.append(f"{COLOURS.get(page.photometric, 'a palette')} of {bits} bits")
    if page.samples > 1 if grey or page.photometric == PALETTE else page.samples not in (3, 4):
        odd.append(f"{page.samples} {'grey ' * grey}band{'s' * (page.samples != 1)}")
    if bits not in {1: (1, 2, 4, 8, 10, 12, 14, 16, 32), 2: (8, 16, 32), 3: (32, 64)}.get(numbers, ()):
        odd.append(f"{NUMBERS.get(numbers, 'values')} of {bits or 'several'} bits")
    if page.compression not in COMMON:
        odd.append(NAMES.get(page.compression, f"compression {page.compression}"))
    return odd


def _by_opencv(data: bytes, page: Page) -> Values | None:
    try:
        raw: Any = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None
    if raw is None:
        return None
    if raw.ndim == 2:
        return Values((raw if raw.dtype == np.uint8 else _white_high(raw, page))[..., None])
    if not page.has_alpha or raw.shape[2] < 4:
        return Values(raw[..., 2::-1])
    ready = page.extra[0] == 1 or raw.dtype == np.uint8  # libtiff itself multiplies 8-bit colours by alpha
    return Values(raw[..., 2::-1], raw[..., 3:], ready)


def _by_tifffile(data: bytes, page: Page, what: str) -> Values:
    import tifffile

    try:
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            values = np.asarray(file.pages[0].asarray(maxworkers=1))
    except Exception as error:  # the library and its codecs raise many types
        raise UnreadableImageError(f"{what} cannot be read ({' '.join(str(error).split())[:200]})") from None
    shape = (page.height, page.width)
    if page.samples > 1 and page.planar:
        values = np.moveaxis(values, 0, -1)
    if values.shape != (shape if page.samples == 1 else (*shape, page.samples)):
        raise UnreadableImageError(f"{what} cannot be read (its pixels have the shape {values.shape})")
    layers = turn(_white_high(values, page).reshape(*shape, -1), page.orientation)
    colours = 1 if page.samples - page.has_alpha < 3 else 3
    opacity = layers[..., colours : colours + 1] if page.has_alpha else None
    return Values(layers[..., :colours], opacity, page.extra[:1] == (1,))


def _white_high(values: npt.NDArray[Any], page: Page) -> npt.NDArray[Any]:
    """The values, inverted if 0 means white, so that the largest is white."""
    if page.photometric != WHITE_IS_ZERO or page.numbers != 1:
        return values
    inverted: npt.NDArray[Any] = np.iinfo(values.dtype).max - values
    return inverted


def _tags(data: bytes, order: str, big: bool) -> dict[int, tuple[int, ...]]:
    """The integers of the first directory, up to 16 per tag."""
    word, count_of, entry = ("Q", "Q", 20) if big else ("I", "H", 12)
    (start,) = struct.unpack_from(order + word, data, 8 if big else 4)
    (count,) = struct.unpack_from(order + count_of, data, start)
    start += struct.calcsize(count_of)
    found: dict[int, tuple[int, ...]] = {}
    for at in range(start, start + min(count, TAGS) * entry, entry):
        tag, kind, many = struct.unpack_from(f"{order}HH{word}", data, at)
        letter = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}.get(kind)
        if letter is None or not many or tag not in WANTED:
            continue
        values, place = f"{order}{min(many, 16)}{letter}", at + (12 if big else 8)
        if many * struct.calcsize(letter) > struct.calcsize(word):
            (place,) = struct.unpack_from(order + word, data, place)
        found[tag] = struct.unpack_from(values, data, place)
    return found
