"""Square windows on a photo, and the crops that the second network sees through them.

Enters: a photo or a mask, boxes. Leaves: crops of a few fixed sizes. Training uses the same `look`.

A pixel's centre is half a pixel from its edges: crop pixel c is at photo pixel x0 + (c + 0.5) * side / size.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

UInt8 = npt.NDArray[np.uint8]
Float64 = npt.NDArray[np.float64]
Box = tuple[float, float, float, float]
GREY = 127  # value of pixels beyond a photo's border
SHARP = 1.5  # photo pixels per crop pixel; above this, pixels are averaged first
SIZES = (96, 128, 192)  # sides of crops, in crop pixels
LEAST_SIDE = 12.0  # minimum side of a window in photo pixels
CORNERS = ((0, 0), (1, 0), (0, 1), (1, 1))


@dataclass(frozen=True)
class Window:
    """A square of a photo, `side` photo pixels wide, with its top left corner at x0, y0.

    It is seen at `size` x `size` crop pixels.
    """

    x0: float
    y0: float
    side: float
    size: int

    @property
    def square(self) -> tuple[float, float, float]:
        """Left, top and side in photo pixels."""
        return self.x0, self.y0, self.side

    @property
    def scale(self) -> float:
        """Crop pixels per photo pixel."""
        return self.size / self.side

    def point(self, x: float, y: float) -> tuple[float, float]:
        """Converts a point from photo pixels to crop pixels."""
        return (x - self.x0) * self.scale, (y - self.y0) * self.scale

    def box(self, box: Box) -> Box:
        """Converts a box xyxy from photo pixels to crop pixels."""
        return *self.point(box[0], box[1]), *self.point(box[2], box[3])

    @property
    def matrix(self) -> Float64:
        """(2, 3) affine map from indices of crop pixels to indices of photo pixels."""
        step = self.side / self.size
        return np.array([[step, 0, self.x0 + step / 2 - 0.5], [0, step, self.y0 + step / 2 - 0.5]])


def about(box: Box, context: float, sizes: tuple[int, ...] = SIZES) -> Window:
    """The window around a box (xyxy in photo pixels), with a side `context` times the box's longer side.

    Its size is the smallest of `sizes` that shows every photo pixel, or else the largest.
    """
    x0, y0, x1, y1 = box
    side = max(LEAST_SIDE, max(x1 - x0, y1 - y0) * context)
    size = next((s for s in sorted(sizes) if s >= side), max(sizes))
    return Window((x0 + x1 - side) / 2, (y0 + y1 - side) / 2, side, size)


def see(picture: npt.NDArray[Any], window: Window) -> UInt8:
    """The uint8 crop that a window shows: (S, S, 3) of a photo (H, W, 3), or (S, S) of a mask (H, W)."""
    return look(picture, window.matrix, window.size)


def pyramid(photo: UInt8) -> list[UInt8]:
    """The photo (H, W, 3) and its halved copies, down to the smallest that a crop can need.

    An odd side first gets its last row or column twice: halving even sides is exact, and ten times faster.
    """
    levels = [photo]
    while min(levels[-1].shape[:2]) > 2 * max(SIZES):
        h, w = levels[-1].shape[:2]
        even = levels[-1]
        if h % 2 or w % 2:
            even = cv2.copyMakeBorder(even, 0, h % 2, 0, w % 2, cv2.BORDER_REPLICATE)
        half = cv2.resize(even, (even.shape[1] // 2, even.shape[0] // 2), interpolation=cv2.INTER_AREA)
        levels.append(np.asarray(half, np.uint8))
    return levels


def see_in(levels: Sequence[UInt8], window: Window) -> UInt8:
    """What `see` shows of the first level, from the smallest level that is fine enough. Faster for many windows."""
    k = min(max(int(math.log2(max(1.0, window.side / window.size))), 0), len(levels) - 1)
    return look(levels[k], shrunk(window.matrix, 0.5**k, 0.5**k), window.size)


def shrunk(matrix: Float64, fx: float, fy: float) -> Float64:
    """An affine map (2, 3) to a picture's indices, for the picture resized by fx and fy."""
    found: Float64 = matrix * np.array([[fx], [fy]])
    found[:, 2] = (matrix[:, 2] + 0.5) * (fx, fy) - 0.5
    return found


def look(picture: npt.NDArray[Any], matrix: Float64, size: int) -> UInt8:
    """The crop of a picture through an affine map (2, 3) from crop indices to picture indices. size: side of the crop

    Pixels are averaged if the picture shrinks, and interpolated bilinearly otherwise. Beyond the border a photo is
    grey, and a mask is 0.
    """
    (a, b, x), (c, d, y) = matrix.tolist()  # plain numbers: this runs for every mask, and takes half as long with them
    scale = math.sqrt(abs(a * d - b * c))
    xs = [x + size * (a * i + b * j) for i, j in CORNERS]
    ys = [y + size * (c * i + d * j) for i, j in CORNERS]
    reach = 2 * scale + 2
    x0, y0 = (min(max(0, int(min(v) - reach)), n - 1) for v, n in ((xs, picture.shape[1]), (ys, picture.shape[0])))
    x1, y1 = max(x0 + 1, int(max(xs) + reach)), max(y0 + 1, int(max(ys) + reach))
    picture = picture[y0:y1, x0:x1]  # the part that is seen, and a margin
    matrix = matrix - np.array([[0, 0, x0], [0, 0, y0]])
    if scale > SHARP:
        h, w = picture.shape[:2]
        small = cv2.resize(picture, (max(1, round(w / scale)), max(1, round(h / scale))), interpolation=cv2.INTER_AREA)
        matrix = shrunk(matrix, small.shape[1] / w, small.shape[0] / h)
        picture = small
    beyond = (GREY, GREY, GREY) if picture.ndim == 3 else 0
    shown = cv2.warpAffine(
        picture, matrix, (size, size), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderValue=beyond
    )
    return np.asarray(shown, np.uint8)
