"""Boxes and masks as the popular port makes them from the same network output, for weights that were trained with it.

Enters: coefficients, prototypes and boxes in photo pixels. Leaves: `Masks`. Called by `model`.

Three rules differ from ours. Masks are laid on the photo as if it filled whole cells of the prototypes, which are
interpolated to half cells first where the padding makes it begin in the middle of one. A pixel lies in a box when its
top left corner does. And only after masks were cut, boxes are moved: a side within 20 pixels of the
photo's border goes to it, and a box that then overlaps the photo by more than 0.9 (IoU) becomes all of it.
"""

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.image.letterbox import Letterbox
from fastsam.masks.lazy import Masks, from_network

Float = npt.NDArray[np.float32]
CELL = 4  # input pixels a cell of the prototypes
NEAR = 20  # photo pixels
ALL = 0.9


def as_the_port(coefficients: Float, prototypes: Float, boxes: Float, letterbox: Letterbox) -> Masks:
    """The masks of boxes (N, 4) xyxy in photo pixels."""
    # Windows take pixels whose centre lies in them: half a pixel further, those whose corner lies in the box.
    windows = boxes + np.float32(0.5)
    content = letterbox.on_cells(CELL)
    if content.pad[0] % CELL or content.pad[1] % CELL:
        prototypes = doubled(prototypes)
    return from_network(coefficients, prototypes, at_the_border(boxes, letterbox.photo), content, windows)


def doubled(prototypes: Float) -> Float:
    """Prototypes (32, h, w) interpolated bilinearly to (32, 2 h, 2 w)."""
    _, h, w = prototypes.shape
    return np.stack([cv2.resize(p, (2 * w, 2 * h), interpolation=cv2.INTER_LINEAR) for p in prototypes])


def at_the_border(boxes: Float, photo: tuple[int, int]) -> Float:
    """Boxes with sides near the border of a photo (height, width) moved to it."""
    height, width = photo
    moved = boxes.copy()
    moved[:, :2][boxes[:, :2] < NEAR] = 0
    for side, length in ((2, width), (3, height)):
        moved[boxes[:, side] > length - NEAR, side] = length
    area = (moved[:, 2:] - moved[:, :2]).prod(1)
    moved[area > ALL * height * width] = (0, 0, width, height)
    return moved
