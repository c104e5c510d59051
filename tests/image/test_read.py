"""Photos are read as a viewer shows them, whatever the file."""

import io
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from fastsam import PhotoWarning, UnreadableImageError, UsageError, read_image
from fastsam.image.read import decode


@pytest.fixture
def photo() -> Image.Image:
    rows, columns = np.mgrid[0:48, 0:64]
    return Image.fromarray(np.stack((columns * 4, rows * 5, 255 - columns * 2), 2).astype(np.uint8))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["jpeg", "png", "rgba png", "webp", "animated webp", "tiff", "avif", "rgba avif"])
def test_exif_orientation_is_honoured(photo: Image.Image, tmp_path: Path, orientation: int, kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    if "rgba" in kind:
        photo = photo.convert("RGBA")
    more = {"save_all": True, "append_images": [photo.rotate(180)]} if "animated" in kind else {}
    file = tmp_path / "photo"
    photo.save(file, kind.split()[-1], exif=exif, **more)
    expected = np.asarray(ImageOps.exif_transpose(Image.open(file)).convert("RGB"))
    for source in (file, Image.open(file)):
        got = read_image(source)
        assert got.shape == expected.shape
        assert np.abs(got.astype(int) - expected).max() <= 3  # two JPEG decoders may round differently


@pytest.mark.parametrize("mode", ["L", "P", "1", "LA", "RGBA", "RGB"])
def test_png_modes_become_rgb(photo: Image.Image, tmp_path: Path, mode: str) -> None:
    picture = photo.convert(mode)
    picture.save(tmp_path / "photo.png")
    expected = np.asarray(picture.convert("RGB"))
    np.testing.assert_array_equal(read_image(tmp_path / "photo.png"), expected)
    np.testing.assert_array_equal(read_image(picture), expected)


def test_cmyk_jpeg_becomes_rgb(photo: Image.Image, tmp_path: Path) -> None:
    photo.convert("CMYK").save(tmp_path / "photo.jpg", quality=98)
    expected = np.asarray(photo).astype(int)
    assert np.abs(read_image(tmp_path / "photo.jpg") - expected).mean() < 6


def test_sixteen_bit_grey_keeps_its_upper_bits(tmp_path: Path) -> None:
    values = np.linspace(0, 65535, 64 * 48).reshape(48, 64).astype(np.uint16)
    Image.fromarray(values).save(tmp_path / "photo.png")
    got = read_image(tmp_path / "photo.png")
    assert got.shape == (48, 64, 3)
    assert np.abs(got[..., 0].astype(int) - (values >> 8)).max() <= 1
    assert np.abs(read_image(Image.open(tmp_path / "photo.png"))[..., 0].astype(int) - (values >> 8)).max() <= 1


def test_transparency_is_laid_on_white(tmp_path: Path) -> None:
    pixels = np.zeros((4, 4, 4), np.uint8)
    pixels[0, 0] = (200, 0, 0, 255)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    got = read_image(tmp_path / "photo.png")
    assert got[0, 0].tolist() == [200, 0, 0]
    assert got[3, 3].tolist() == [255, 255, 255]


def test_content_decides_the_type_and_not_the_suffix(photo: Image.Image, tmp_path: Path) -> None:
    photo.save(tmp_path / "photo.jpg", "png")
    np.testing.assert_array_equal(read_image(tmp_path / "photo.jpg"), np.asarray(photo))


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "bmp", "tiff", "gif"])
@pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 0.6, 0.97])
def test_a_truncated_file_is_an_error_that_names_it(
    photo: Image.Image, tmp_path: Path, kind: str, share: float
) -> None:
    data = io.BytesIO()
    photo.resize((640, 480)).save(data, kind)
    file = tmp_path / "cut.img"
    file.write_bytes(data.getvalue()[: int(share * len(data.getvalue()))])
    with pytest.raises(UnreadableImageError, match=r"cut\.img"):
        read_image(file)


def test_a_jpeg_with_a_thumbnail_and_trailing_bytes_is_whole(photo: Image.Image, tmp_path: Path) -> None:
    thumbnail = io.BytesIO()
    photo.resize((16, 12)).save(thumbnail, "jpeg")
    exif = Image.Exif()
    exif[0x9286] = thumbnail.getvalue()
    data = io.BytesIO()
    photo.save(data, "jpeg", exif=exif, progressive=True)
    (tmp_path / "whole.jpg").write_bytes(data.getvalue() + b"\xff\xda trailing")
    assert read_image(tmp_path / "whole.jpg").shape == (48, 64, 3)
    (tmp_path / "cut.jpg").write_bytes(data.getvalue()[:-200])
    with pytest.raises(UnreadableImageError):
        read_image(tmp_path / "cut.jpg")


def test_a_file_that_is_no_image_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "notes.jpg").write_text("not an image")
    with pytest.raises(UnreadableImageError, match=r"notes\.jpg: not an image"):
        read_image(tmp_path / "notes.jpg")
    with pytest.raises(UnreadableImageError, match="no such file"):
        read_image(tmp_path / "missing.jpg")
    with pytest.raises(UnreadableImageError, match="cannot be read"):
        read_image(tmp_path)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (300, 1)])
@pytest.mark.parametrize("kind", ["png", "jpeg", "webp", "bmp", "tiff", "gif"])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_photos_of_one_pixel_width_are_read(tmp_path: Path, shape: tuple[int, int], kind: str, mode: str) -> None:
    Image.fromarray(np.full((*shape, 3), 90, np.uint8)).convert(mode).save(tmp_path / "photo", kind)
    assert read_image(tmp_path / "photo").shape == (*shape, 3)


@pytest.mark.parametrize("mode", ["LAB", "HSV", "YCbCr", "CMYK", "RGBX", "RGBa", "PA", "F", "I", "1"])
def test_pil_modes_are_converted_as_pillow_does(photo: Image.Image, mode: str) -> None:
    picture = photo.convert("RGBA").convert("RGBa") if mode == "RGBa" else photo.convert(mode)
    expected = np.asarray(picture.convert("RGBA").convert("RGB") if mode == "RGBa" else picture.convert("RGB"))
    assert np.abs(read_image(picture).astype(int) - expected).max() <= 1  # Pillow cuts fractions off, we round


def test_a_pil_image_of_floats_from_0_to_1_is_no_black_one() -> None:
    light = np.linspace(0, 1, 256, dtype=np.float32).reshape(16, 16)
    np.testing.assert_array_equal(read_image(Image.fromarray(light))[..., 0], np.arange(256).reshape(16, 16))


def test_a_pil_image_that_is_cut_is_an_error_of_one_line(photo: Image.Image) -> None:
    data = io.BytesIO()
    photo.resize((640, 480)).save(data, "jpeg")
    with pytest.raises(UnreadableImageError, match="PIL image"):
        read_image(Image.open(io.BytesIO(data.getvalue()[:6000])))


COLOURS = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3) * 4


@pytest.mark.parametrize(
    "source",
    [
        COLOURS.astype(np.int64),
        COLOURS.astype(np.float32),
        COLOURS / 255,
        COLOURS.astype(np.float16) / 255,
        COLOURS.astype(np.uint16) * 257,
        COLOURS.astype(">u2") * 257,
        np.asfortranarray(COLOURS),
        np.repeat(COLOURS, 2, axis=1)[:, ::2],
        np.dstack((COLOURS, np.full((4, 5), 255, np.uint8))),
        np.ma.masked_array(COLOURS),
    ],
)
def test_arrays_that_mean_the_same_are_the_same(source: np.ndarray) -> None:
    got = read_image(source)
    np.testing.assert_array_equal(got, COLOURS)
    assert got.flags.c_contiguous
    assert got.dtype == np.uint8


def test_the_fourth_channel_of_an_array_is_transparency_on_white() -> None:
    half = np.dstack((COLOURS, np.full((4, 5), 51, np.uint8)))
    expected = np.round(COLOURS * 0.2 + 255 * 0.8)
    np.testing.assert_array_equal(read_image(half), expected)
    np.testing.assert_array_equal(read_image(half.astype(np.uint16) * 257), expected)


@pytest.mark.parametrize(
    "source",
    [
        np.zeros((4, 4, 3), bool),
        np.zeros((4, 4, 3), complex),
        np.zeros((4, 4, 3), object),
        np.full((4, 4, 3), np.nan),
        np.full((4, 4, 3), 9000.0),
        np.full((4, 4, 3), -1, np.int16),
        np.full((4, 4, 3), 70000, np.int32),
        np.zeros((4, 4, 2), np.uint8),
        np.zeros((3, 40, 40), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros((4, 4, 3, 1), np.uint8),
        np.zeros(4, np.uint8),
        7,
        b"photo.jpg",
        None,
    ],
)
def test_what_is_no_photo_is_refused_in_one_line(source: object) -> None:
    with pytest.raises(UsageError) as error:
        read_image(source)
    assert "\n" not in str(error.value)


def test_arrays_pass_unchanged() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 6, 3), np.uint8)
    np.testing.assert_array_equal(read_image(pixels), pixels)
    np.testing.assert_array_equal(read_image(pixels[..., 0])[..., 2], pixels[..., 0])


def test_twelve_bits_in_sixteen_are_named_and_stretched() -> None:
    deep = (np.arange(64 * 64, dtype=np.uint16).reshape(64, 64)) % 4096
    with pytest.warns(PhotoWarning, match=r"nearly black.*uint16.*--stretch"):
        plain = read_image(deep)
    assert plain.max() == 15
    light = read_image(deep, stretch=True)[..., 0].astype(float)
    np.testing.assert_allclose(light, np.clip((deep - 40.95) / (4054.05 - 40.95) * 255, 0, 255), atol=0.51)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.int16, np.float32, np.float64])
def test_stretching_takes_numbers_of_any_kind(kind: type) -> None:
    values = np.linspace(0, 100, 10_000).reshape(100, 100).astype(kind)
    light = read_image(values, stretch=True)
    assert (light.min(), light.max()) == (0, 255)
    assert abs(float(light.mean()) - 127.5) < 3


def test_stretching_keeps_colours_and_leaves_what_is_no_number_black() -> None:
    values = np.random.default_rng(0).uniform(-3000, 9000, (50, 50, 3))
    values[7, 7] = np.nan
    light = read_image(values, stretch=True)
    assert light[7, 7].tolist() == [0, 0, 0]
    low, high = np.nanpercentile(values, (1, 99))
    expected = np.clip((values[9, 9] - low) / (high - low) * 255, 0, 255)
    np.testing.assert_allclose(light[9, 9], expected, atol=0.51)


@pytest.mark.parametrize("value", [0, 7, 255])
def test_a_flat_photo_is_stretched_to_black_and_warns_of_nothing(value: int) -> None:
    assert read_image(np.full((8, 8), value, np.uint16), stretch=True).max() == 0


@pytest.mark.parametrize("bits", [10, 12])
def test_avif_of_more_than_8_bits_is_read(bits: int) -> None:
    import cv2

    deep = (np.arange(48 * 64 * 3).reshape(48, 64, 3) % 200 * (1 << (bits - 8))).astype(np.uint16)
    flags = [cv2.IMWRITE_AVIF_DEPTH, bits, cv2.IMWRITE_AVIF_QUALITY, 100]
    done, data = cv2.imencode(".avif", deep, flags)
    assert done
    expected = cv2.imdecode(data, cv2.IMREAD_COLOR_RGB).astype(int)
    assert np.abs(decode(data.tobytes()) - expected).max() <= 1


def test_heic_is_read_turned(fixtures: Path) -> None:
    pytest.importorskip("pillow_heif", reason="the heif extra is not installed")
    pixels = read_image(fixtures / "turned.heic").astype(int)
    assert pixels.shape == (96, 64, 3)
    assert np.abs(pixels[5, 60] - (220, 40, 30)).max() < 8  # the upper left corner, turned to the right
    assert np.abs(pixels[90, 5] - (40, 200, 60)).max() < 8


def test_heic_without_its_extra_is_an_error_that_names_it(fixtures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("pillow_heif", "pi_heif"):
        monkeypatch.setitem(sys.modules, name, None)  # as Python sees a package that is not there
    with pytest.raises(UnreadableImageError, match=r"turned\.heic: .*fast-segment-anything\[heif\]"):
        read_image(fixtures / "turned.heic")
