"""What is seen through a window is what lies there: against pixels averaged one block after the other."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastsam.refine.crop import GREY, LEAST_SIDE, SIZES, Window, about, look, pyramid, see, see_in

RNG = np.random.default_rng(0)
NOISE = RNG.integers(0, 256, (90, 120, 3)).astype(np.uint8)
SMOOTH = cv2.normalize(cv2.GaussianBlur(RNG.random((90, 120, 3)), (0, 0), 8), None, 0, 255, cv2.NORM_MINMAX)
SMOOTH = SMOOTH.astype(np.uint8)


def slow(picture: np.ndarray, x0: int, y0: int, times: int, size: int, beyond: int) -> np.ndarray:
    """(size, size, ...) means of blocks of `times` x `times` pixels; `beyond` is what lies off the picture."""
    shown = np.zeros((size, size, *picture.shape[2:]))
    for row in range(size):
        for column in range(size):
            for dy in range(times):
                for dx in range(times):
                    y, x = y0 + row * times + dy, x0 + column * times + dx
                    on = 0 <= y < picture.shape[0] and 0 <= x < picture.shape[1]
                    shown[row, column] += (picture[y, x] if on else beyond) / times**2
    return shown


@settings(max_examples=100, deadline=None)
@given(*[st.floats(-500, 500)] * 4, st.floats(1, 900), st.sampled_from(SIZES))
def test_places_and_indices_tell_of_the_same_pixel(
    x: float, y: float, x0: float, y0: float, side: float, size: int
) -> None:
    window = Window(x0, y0, side, size)
    across, down = window.point(x, y)
    assert across / size == pytest.approx((x - x0) / side, abs=1e-6)
    assert down / size == pytest.approx((y - y0) / side, abs=1e-6)
    there = window.matrix @ (across - 0.5, down - 0.5, 1)  # a pixel's index is its centre less a half
    np.testing.assert_allclose(there + 0.5, (x, y), atol=1e-6)
    assert window.box((x, y, x0, y0)) == (*window.point(x, y), 0, 0)


@settings(max_examples=100, deadline=None)
@given(*[st.floats(-100, 1000)] * 2, *[st.floats(0, 900)] * 2, st.floats(1, 3))
def test_a_window_is_a_square_about_its_box(x: float, y: float, w: float, h: float, context: float) -> None:
    window = about((x, y, x + w, y + h), context)
    assert window.side == pytest.approx(max(LEAST_SIDE, max(w, h) * context))
    assert window.x0 + window.side / 2 == pytest.approx(x + w / 2, abs=1e-6)
    assert window.y0 + window.side / 2 == pytest.approx(y + h / 2, abs=1e-6)
    assert window.scale == window.size / window.side
    assert window.size in SIZES
    if window.size > min(SIZES):  # no smaller one shows every pixel
        assert max(s for s in SIZES if s < window.size) < window.side
    if window.size < max(SIZES):
        assert window.size >= window.side


@pytest.mark.parametrize(("x0", "y0"), [(0, 0), (7, 30), (-20, -5), (100, 70), (-40, 60)])
def test_at_the_photos_own_scale_every_pixel_is_itself_and_grey_lies_beyond(x0: int, y0: int) -> None:
    shown = see(NOISE, Window(x0, y0, 32, 32))
    assert shown.dtype == np.uint8
    np.testing.assert_array_equal(shown, slow(NOISE, x0, y0, 1, 32, GREY))
    mask = NOISE[..., 0]
    np.testing.assert_array_equal(see(mask, Window(x0, y0, 32, 32)), slow(mask, x0, y0, 1, 32, 0))


@pytest.mark.parametrize("times", [2, 3, 4])
@pytest.mark.parametrize(("x0", "y0"), [(0, 0), (6, 9), (17, 5)])
def test_a_window_that_shrinks_averages(times: int, x0: int, y0: int) -> None:
    size = 72 // times
    expected = slow(SMOOTH, x0, y0, times, size, GREY)
    np.testing.assert_allclose(see(SMOOTH, Window(x0, y0, size * times, size)), expected, atol=4)
    stripes = np.zeros((90, 120, 3), np.uint8)
    stripes[:, ::2] = 200  # finer than what the crop can show: no pattern of its own may come out
    inner = see(stripes, Window(20, 20, 32 * times, 32))[2:8, 2:8].astype(int)
    assert np.abs(inner - 100).max() <= (12 if times % 2 == 0 else 40)


@pytest.mark.parametrize("times", [2, 5])
@pytest.mark.parametrize("start", [3, 10.25])
def test_what_is_seen_lies_where_it_is(times: int, start: float) -> None:
    """On a ramp every value tells its place, between pixels too, whether the window shrinks or enlarges."""
    ramp = np.repeat(np.arange(200, dtype=np.uint8)[None], 200, 0)
    for side in (16 * times, 64 / times):
        window = Window(start, start, side, 32)
        expected = start + (np.arange(32) + 0.5) * side / 32 - 0.5
        np.testing.assert_allclose(see(ramp, window), np.tile(expected, (32, 1)), atol=0.75)
        np.testing.assert_allclose(see(ramp.T, window), np.tile(expected[:, None], (1, 32)), atol=0.75)


def test_a_window_that_enlarges_interpolates() -> None:
    shown = see(NOISE, Window(10, 20, 16, 64)).astype(float)
    for row, column in ((0, 0), (5, 17), (40, 63), (63, 2)):
        x, y = 10 + (column + 0.5) / 4 - 0.5, 20 + (row + 0.5) / 4 - 0.5
        c, r = int(np.floor(x)), int(np.floor(y))
        corners = NOISE[r : r + 2, c : c + 2].astype(float)
        upper, lower = corners[:, 0] * (1 - x + c) + corners[:, 1] * (x - c)
        np.testing.assert_allclose(shown[row, column], upper * (1 - y + r) + lower * (y - r), atol=1.5)


@pytest.mark.parametrize("side", [12.0, 32.0, 500.0])
@pytest.mark.parametrize("corner", [(-900, 0), (0, -900), (500, 20), (20, 500), (-1e6, -1e6), (1e6, 1e6)])
def test_a_window_beside_the_photo_is_grey(side: float, corner: tuple[float, float]) -> None:
    assert (see(NOISE, Window(*corner, side, 32)) == GREY).all()
    assert (see(NOISE[..., 0], Window(*corner, side, 32)) == 0).all()


@pytest.mark.parametrize("shape", [(1, 1), (10, 20000), (20000, 10), (1, 300), (10, 40000)])
def test_photos_of_any_shape_are_seen(shape: tuple[int, int]) -> None:
    photo = np.full((*shape, 3), 200, np.uint8)
    whole = see(photo, about((0, 0, shape[1], shape[0]), 1.0))
    assert whole.shape == (len(whole), len(whole), 3)
    assert whole.min() >= GREY
    end = see(photo, about((shape[1] - 1, shape[0] - 1, shape[1], shape[0]), 1.35))
    assert end.min() == GREY
    assert 190 < end.max() <= 200


def test_the_picture_stays_as_it_is() -> None:
    photo = NOISE.copy()
    photo.flags.writeable = False
    for side in (12, 60, 300):
        see(photo, Window(-3, 2, side, 32))
        look(photo, Window(-3, 2, side, 32).matrix, 32)
    np.testing.assert_array_equal(photo, NOISE)


@pytest.mark.parametrize("size", [(1001, 777), (1024, 768), (403, 3001), (385, 386)])
def test_a_pyramid_shows_what_the_photo_does(size: tuple[int, int]) -> None:
    rows, columns = np.mgrid[: size[0], : size[1]].astype(np.float64)
    wave = 127 + 60 * np.sin(columns / 40) + 60 * np.cos(rows / 55)
    photo = np.repeat(wave[..., None], 3, 2).astype(np.uint8)
    levels = pyramid(photo)
    assert len(levels) > 1
    for window in (Window(3, 5, 380, 96), Window(-40, 17, 1100, 192), Window(size[1] - 300, size[0] - 300, 300, 128)):
        assert np.abs(see_in(levels, window).astype(int) - see(photo, window)).mean() < 2
