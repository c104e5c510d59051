"""TIFF: the first page, its colours, alpha only if tag 338 says so; a line for what is not read."""

import io
import sys
from typing import Any

import numpy as np
import pytest

from fastsam import UnreadableImageError
from fastsam.image.read import decode

tifffile = pytest.importorskip("tifffile", reason="the tiff extra is not installed")

ROWS, COLUMNS = np.mgrid[0:24, 0:32]
COLOURS = np.stack((COLUMNS * 7, ROWS * 10, 255 - COLUMNS * 5), 2).astype(np.uint8)
INFRARED = np.full((24, 32, 1), 51, np.uint8)
FOUR = np.concatenate((COLOURS, INFRARED), 2)
FIVE = np.concatenate((FOUR, INFRARED), 2)
ON_WHITE = np.round(COLOURS * 0.2 + 255 * 0.8)


def tiff(pixels: np.ndarray, **options: Any) -> bytes:
    data = io.BytesIO()
    tifffile.imwrite(data, pixels, **options)
    return data.getvalue()


@pytest.fixture
def codecs() -> None:
    """Skips if the codecs of the tiff extra are not installed."""
    pytest.importorskip("imagecodecs", reason="the tiff extra is not installed")


@pytest.mark.parametrize("scale", [1, 257])
def test_a_fourth_band_that_says_nothing_is_left_out(scale: int) -> None:
    pixels = FOUR.astype(np.uint8 if scale == 1 else np.uint16) * scale
    np.testing.assert_array_equal(decode(tiff(pixels, photometric="rgb", extrasamples=["unspecified"])), COLOURS)


@pytest.mark.parametrize("scale", [1, 257])
def test_alpha_that_the_file_names_is_laid_on_white(scale: int) -> None:
    kind = np.uint8 if scale == 1 else np.uint16
    straight = tiff(FOUR.astype(kind) * scale, photometric="rgb", extrasamples=["unassalpha"])
    assert np.abs(decode(straight) - ON_WHITE).max() <= 1
    ready = np.concatenate(((COLOURS * 0.2).round(), INFRARED), 2).astype(kind) * scale
    assert np.abs(decode(tiff(ready, photometric="rgb", extrasamples=["assocalpha"])) - ON_WHITE).max() <= 1


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("order", ["<", ">"])
def test_floats_from_0_to_1_are_scaled(kind: type, order: str) -> None:
    np.testing.assert_array_equal(
        decode(tiff((COLOURS / 255).astype(kind), photometric="rgb", byteorder=order)), COLOURS
    )


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_grey_whose_zero_is_white_is_inverted(kind: type) -> None:
    grey = COLOURS[..., 0].astype(kind) * (1 if kind == np.uint8 else 257)
    np.testing.assert_array_equal(decode(tiff(grey, photometric="miniswhite"))[..., 0], 255 - COLOURS[..., 0])


@pytest.mark.parametrize(
    "options",
    [{}, {"bigtiff": True}, {"byteorder": ">"}, {"tile": (16, 16), "compression": "zlib"}, {"compression": "zlib"}],
)
def test_layouts_are_all_one(options: dict[str, Any]) -> None:
    np.testing.assert_array_equal(decode(tiff(COLOURS, photometric="rgb", **options)), COLOURS)


def test_the_first_of_several_pages_is_taken() -> None:
    np.testing.assert_array_equal(decode(tiff(np.stack((COLOURS, 255 - COLOURS)), photometric="rgb")), COLOURS)


@pytest.mark.usefixtures("codecs")
@pytest.mark.parametrize("compression", [None, "zlib", "zstd", "lzma", "lzw"])
@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_of_more_than_four_bands_the_first_three_are_taken(compression: str | None, planar: str) -> None:
    pixels = FIVE if planar == "contig" else FIVE.transpose(2, 0, 1)
    data = tiff(pixels, photometric="rgb", planarconfig=planar, compression=compression)
    np.testing.assert_array_equal(decode(data), COLOURS)


@pytest.mark.usefixtures("codecs")
def test_zstd_half_floats_and_grey_bands_are_read() -> None:
    np.testing.assert_array_equal(decode(tiff(COLOURS, photometric="rgb", compression="zstd")), COLOURS)
    np.testing.assert_array_equal(decode(tiff((COLOURS / 255).astype(np.float16), photometric="rgb")), COLOURS)
    np.testing.assert_array_equal(decode(tiff(FOUR, photometric="minisblack", planarconfig="contig")), COLOURS)
    grey = np.concatenate((COLOURS[..., :1], INFRARED), 2)
    found = decode(tiff(grey, photometric="minisblack", planarconfig="contig", extrasamples=["unassalpha"]))
    assert np.abs(found - ON_WHITE[..., :1]).max() <= 1


@pytest.mark.usefixtures("codecs")
@pytest.mark.parametrize("bits", [10, 12, 14])
def test_packed_bits_fill_the_range(bits: int) -> None:
    deep = (COLOURS[..., 0].astype(np.uint16) * 257) >> (16 - bits)
    np.testing.assert_array_equal(
        decode(tiff(deep, photometric="minisblack", bitspersample=bits))[..., 0], COLOURS[..., 0]
    )


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("pixels", [COLOURS, FOUR, COLOURS.astype(np.float32) / 255, FIVE])
def test_every_kind_is_turned(orientation: int, pixels: np.ndarray) -> None:
    if pixels.shape[2] == 5:
        pytest.importorskip("imagecodecs", reason="the tiff extra is not installed")
    turned = {
        1: lambda p: p, 2: np.fliplr, 3: lambda p: np.rot90(p, 2), 4: np.flipud, 5: lambda p: p.transpose(1, 0, 2),
        6: lambda p: np.rot90(p, -1), 7: lambda p: np.rot90(p, 2).transpose(1, 0, 2), 8: np.rot90,
    }[orientation]  # fmt: skip
    more = ["unspecified"] * (pixels.shape[2] - 3)
    data = tiff(pixels, photometric="rgb", extrasamples=more, extratags=[(274, 3, 1, orientation, True)])
    np.testing.assert_array_equal(decode(data), turned(COLOURS))


@pytest.mark.parametrize(
    ("pixels", "options", "said"),
    [
        (FIVE, {"photometric": "rgb"}, "5 bands"),
        (COLOURS, {"photometric": "rgb", "compression": "lzma"}, "LZMA"),
        ((COLOURS / 255).astype(np.float16), {"photometric": "rgb"}, "floats of 16 bits"),
    ],
)
def test_without_the_extra_a_line_says_what_is_not_read(
    monkeypatch: pytest.MonkeyPatch, pixels: np.ndarray, options: dict[str, Any], said: str
) -> None:
    data = tiff(pixels, **options)
    monkeypatch.setitem(sys.modules, "imagecodecs", None)  # as Python sees a package that is not there
    with pytest.raises(
        UnreadableImageError, match=rf"{said} needs an extra: pip install 'fast-segment-anything\[tiff\]'"
    ):
        decode(data)


@pytest.mark.parametrize(
    ("pixels", "options", "said"),
    [
        (COLOURS.astype(np.complex64)[..., 0], {"photometric": "minisblack"}, "complex numbers"),
        (COLOURS[..., 0].astype(np.int16) - 300, {"photometric": "minisblack"}, "int16 values from -300"),
        (FOUR.astype(np.uint16), {"photometric": "separated"}, "CMYK of 16 bits"),
    ],
)
def test_what_is_no_photo_is_named(pixels: np.ndarray, options: dict[str, Any], said: str) -> None:
    with pytest.raises(UnreadableImageError, match=said):
        decode(tiff(pixels, **options))


def test_a_cameras_raw_file_is_named_and_its_preview_not_taken() -> None:
    data = io.BytesIO()
    with tifffile.TiffWriter(data) as file:
        file.write(COLOURS, photometric="rgb", subfiletype=1, subifds=1)
        file.write(np.zeros((240, 320), np.uint16), photometric="cfa")
    with pytest.raises(UnreadableImageError, match="a camera's raw file"):
        decode(data.getvalue())


def test_tiles_that_dwarf_the_photo_are_refused_before_they_are_made() -> None:
    data = bytearray(tiff(np.zeros((16, 16, 3), np.uint8), photometric="rgb", tile=(16, 16), compression="zlib"))
    for tag in (322, 323):
        at = data.index(tag.to_bytes(2, "little") + b"\4\0\1\0\0\0")
        data[at + 8 : at + 12] = (65520).to_bytes(4, "little")
    with pytest.raises(UnreadableImageError, match="tiles of 65520 x 65520"):
        decode(bytes(data))
