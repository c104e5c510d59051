"""Photos are read as a viewer shows them, whatever the file."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from fastsam import UnreadableImageError, UsageError
from fastsam.image.read import read_image


@pytest.fixture
def photo() -> Image.Image:
    rows, columns = np.mgrid[0:48, 0:64]
    return Image.fromarray(np.stack((columns * 4, rows * 5, 255 - columns * 2), 2).astype(np.uint8))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["jpeg", "png", "rgba png"])
def test_exif_orientation_is_honoured(photo: Image.Image, tmp_path: Path, orientation: int, kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    if kind == "rgba png":
        photo = photo.convert("RGBA")
    file = tmp_path / "photo"
    photo.save(file, kind.split()[-1], exif=exif)
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


@pytest.mark.parametrize(
    "source", [np.zeros((4, 4, 3), bool), np.zeros((4, 4, 2), np.uint8), np.zeros((0, 4, 3), np.uint8), 7]
)
def test_what_is_no_photo_is_refused(source: object) -> None:
    with pytest.raises(UsageError):
        read_image(source)


def test_arrays_pass_unchanged() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 6, 3), np.uint8)
    np.testing.assert_array_equal(read_image(pixels), pixels)
    np.testing.assert_array_equal(read_image(pixels[..., 0])[..., 2], pixels[..., 0])
