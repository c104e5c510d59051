"""What the classifier sees of a mask: its crop with some context, and a few numbers about its place.

Enters: a photo and a mask. Leaves: a square picture and a vector.
"""

from collections.abc import Iterable, Iterator
from itertools import islice

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.masks.runs import Crop

UInt8 = npt.NDArray[np.uint8]
Float32 = npt.NDArray[np.float32]
SIDE = 224
BATCH = 16
CONTEXT = 1.3  # side of the crop, relative to the mask's longest side
DIMMED = 0.35  # share of the background's contrast that stays, around grey
GREY = 127
DIM = (DIMMED * np.arange(256) + (1 - DIMMED) * GREY).astype(np.uint8)  # what a value of the background becomes


def crop(photo: UInt8, mask: Crop, pixels: int = SIDE) -> UInt8:
    """(pixels, pixels, 3) RGB: the mask, which must have a pixel, and what is around it, dimmed."""
    x0, y0, x1, y1 = mask.bounds
    side = max(y1 - y0, x1 - x0) * CONTEXT
    left, top = (x0 + x1 - side) / 2, (y0 + y1 - side) / 2
    # Only what the crop shows is dimmed: photos may be large.
    a, b = max(0, int(left) - 1), max(0, int(top) - 1)
    part = photo[b : int(top + side) + 2, a : int(left + side) + 2]
    dimmed = DIM[part]
    inside = np.s_[y0 - b : y1 - b, x0 - a : x1 - a]
    np.copyto(dimmed[inside], part[inside], where=mask.tight[..., None])
    if side > 2 * pixels:  # so that no detail is skipped
        shrink = pixels / side
        size = (max(1, round(part.shape[1] * shrink)), max(1, round(part.shape[0] * shrink)))
        dimmed = np.asarray(cv2.resize(dimmed, size, interpolation=cv2.INTER_AREA), np.uint8)
        scale = (size[0] / part.shape[1], size[1] / part.shape[0])
    else:
        scale = (1.0, 1.0)
    step = (side / pixels * scale[0], side / pixels * scale[1])
    place = np.array([[step[0], 0, (left - a) * scale[0]], [0, step[1], (top - b) * scale[1]]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(dimmed, place, (pixels, pixels), flags=flags, borderValue=(GREY,) * 3), np.uint8)


def batches(photo: UInt8, masks: Iterable[Crop], pixels: int = SIDE) -> Iterator[tuple[list[Crop], UInt8]]:
    """Some masks at a time, and their crops (n, pixels, pixels, 3)."""
    every = iter(masks)
    while some := list(islice(every, BATCH)):
        yield some, np.stack([crop(photo, mask, pixels) for mask in some])


def to_input(pictures: UInt8) -> Float32:
    """(N, 3, H, W) float32 in 0..1 of pictures (N, H, W, 3)."""
    return np.asarray(pictures.transpose(0, 3, 1, 2).astype(np.float32) / 255, np.float32)


def describe(photo: UInt8, mask: Crop) -> Float32:
    """(15,) place, size and colour of a mask, all about 0..1.

    Mean row and column, share of the photo, height and width, share of each border that it covers (top, bottom, left,
    right), mean and deviation of red, green and blue.
    """
    height, width = photo.shape[:2]
    x0, y0, x1, y1 = mask.bounds
    tight = mask.tight
    rows, columns = tight.sum(1), tight.sum(0)
    area = rows.sum()
    means, deviations = cv2.meanStdDev(photo[y0:y1, x0:x1], mask=tight.astype(np.uint8))
    at_border = ((y0 == 0, tight[0]), (y1 == height, tight[-1]), (x0 == 0, tight[:, 0]), (x1 == width, tight[:, -1]))
    lengths = (width, width, height, height)
    return np.array(
        [
            (rows * np.arange(y0, y1)).sum() / area / height,
            (columns * np.arange(x0, x1)).sum() / area / width,
            area / (height * width),
            (y1 - y0) / height,
            (x1 - x0) / width,
            *(touches * line.sum() / length for (touches, line), length in zip(at_border, lengths, strict=True)),
            *(means[:, 0] / 255),
            *(deviations[:, 0] / 255),
        ],
        np.float32,
    )
