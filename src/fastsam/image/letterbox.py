"""Scales a photo into the network's input, and maps coordinates back.

Coordinates are continuous: the origin is the outer corner of the top left pixel, and pixel i covers [i, i + 1).
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.errors import UsageError

PADDING = 114
STRIDE = 32
Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Letterbox:
    """Where a photo is in the network's input.

    photo: (height, width) of the photo; input: (height, width) of the input
    scale: (x, y) input pixels per photo pixel; pad: (left, top) input pixels before the photo
    content: (width, height) of the scaled photo in the input
    """

    photo: tuple[int, int]
    input: tuple[int, int]
    scale: tuple[float, float]
    pad: tuple[int, int]
    content: tuple[int, int]

    def on_cells(self, cell: int) -> "Letterbox":
        """The same with the content rounded to whole cells of `cell` input pixels, centred."""
        (height, width), (h, w) = self.photo, (side // cell for side in self.input)
        gain = min(h / height, w / width)
        across, down = max(1, round(width * gain)), max(1, round(height * gain))
        pad = ((w - across) * cell // 2, (h - down) * cell // 2)
        scale = (across * cell / width, down * cell / height)
        return Letterbox(self.photo, self.input, scale, pad, (across * cell, down * cell))

    def to_photo(self, boxes: Float32) -> Float32:
        """Converts boxes (N, 4) xyxy from input pixels to photo pixels, clipped to the photo."""
        height, width = self.photo
        scale = np.array(self.scale * 2, np.float32)
        pad = np.array(self.pad * 2, np.float32)
        limits = np.array([width, height, width, height], np.float32)
        clipped: Float32 = np.clip((boxes - pad) / scale, 0, limits).astype(np.float32)
        return clipped


def fit(photo: tuple[int, int], imgsz: int | tuple[int, int]) -> Letterbox:
    """The letterbox of a photo (height, width).

    imgsz: longest side of the input in pixels, or the (height, width) that the input must fit into

    The photo keeps its aspect ratio, is centred, and is padded to the next multiple of 32, as in Ultralytics. Raises
    UsageError for a size below 32.
    """
    sides = (imgsz, imgsz) if isinstance(imgsz, int) else imgsz
    if min(sides) < STRIDE:
        raise UsageError(f"imgsz must be at least {STRIDE}, not {imgsz}")
    most = [-(-side // STRIDE) * STRIDE for side in sides]
    height, width = photo
    ratio = min(most[0] / height, most[1] / width)
    w, h = max(1, round(width * ratio)), max(1, round(height * ratio))
    spare_w, spare_h = -w % STRIDE, -h % STRIDE
    left, top = round(spare_w / 2 - 0.1), round(spare_h / 2 - 0.1)
    return Letterbox(photo, (h + spare_h, w + spare_w), (w / width, h / height), (left, top), (w, h))


def letterbox(pixels: npt.NDArray[np.uint8], box: Letterbox) -> npt.NDArray[np.uint8]:
    """The input (h, w, 3) uint8: `pixels` resized bilinearly and padded with grey 114."""
    resized = pixels
    if (pixels.shape[1], pixels.shape[0]) != box.content:
        resized = cv2.resize(pixels, box.content, interpolation=cv2.INTER_LINEAR)
    (left, top), (w, h) = box.pad, box.content
    canvas = np.full((*box.input, 3), PADDING, np.uint8)
    canvas[top : top + h, left : left + w] = resized
    return canvas


def prepare(pixels: npt.NDArray[np.uint8], imgsz: int | tuple[int, int]) -> tuple[Letterbox, Float32]:
    """The letterbox of a photo (H, W, 3) at `imgsz` (see `fit`), and the network's input (1, 3, h, w)."""
    box = fit((pixels.shape[0], pixels.shape[1]), imgsz)
    return box, to_tensor(letterbox(pixels, box))


def to_tensor(canvas: npt.NDArray[np.uint8]) -> Float32:
    """(1, 3, h, w) float32, 0..1, from an input (h, w, 3) uint8."""
    tensor: Float32 = cv2.dnn.blobFromImage(canvas, 1 / 255)
    return tensor
