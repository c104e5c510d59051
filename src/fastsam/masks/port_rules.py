"""Boxes and masks as Ultralytics makes them from the same network output, for weights that were trained there.

Enters: coefficients, prototypes and boxes in photo pixels. Leaves: `Masks`.

Three rules differ from ours. First, the photo is taken to fill whole prototype cells; if padding makes it begin in the
middle of a cell, the prototypes are interpolated to half cells. Second, a pixel is in a box if its top left corner is.
Third, boxes are moved after the masks were cut: a side within 20 pixels of the photo's border moves to the border, and
a box that then overlaps the photo by more than 0.9 (IoU) becomes the whole photo.
"""

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.boxes import area
from fastsam.image.letterbox import Letterbox
from fastsam.masks.lazy import Masks, from_network

Float32 = npt.NDArray[np.float32]
CELL = 4  # input pixels per prototype cell
BORDER = 20  # photo pixels from the border within which a side moves to it
WHOLE_PHOTO_IOU = 0.9  # IoU with the photo above which a box becomes the whole photo


def as_the_port(coefficients: Float32, prototypes: Float32, boxes: Float32, letterbox: Letterbox) -> Masks:
    """Masks. coefficients: (N, 32); prototypes: (32, h, w); boxes: (N, 4) xyxy in photo pixels"""
    # A window takes the pixels whose centre is in it. Moved by half a pixel, it takes those whose corner is in the box.
    windows = boxes + np.float32(0.5)
    content = letterbox.on_cells(CELL)
    if content.pad[0] % CELL or content.pad[1] % CELL:
        prototypes = doubled(prototypes)
    return from_network(coefficients, prototypes, at_the_border(boxes, letterbox.photo), content, windows)


def doubled(prototypes: Float32) -> Float32:
    """Prototypes (32, h, w) interpolated bilinearly to (32, 2 h, 2 w)."""
    _, h, w = prototypes.shape
    return np.stack([cv2.resize(p, (2 * w, 2 * h), interpolation=cv2.INTER_LINEAR) for p in prototypes])


def at_the_border(boxes: Float32, photo: tuple[int, int]) -> Float32:
    """Boxes (N, 4) whose sides near the border of a photo (height, width) are moved to the border."""
    height, width = photo
    moved = boxes.copy()
    moved[:, :2][boxes[:, :2] < BORDER] = 0
    for side, length in ((2, width), (3, height)):
        moved[boxes[:, side] > length - BORDER, side] = length
    moved[area(moved) > WHOLE_PHOTO_IOU * height * width] = (0, 0, width, height)
    return moved
