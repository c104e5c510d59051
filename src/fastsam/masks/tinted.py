"""A photo with its masks tinted and outlined, each in a colour of its own.

Enters: pixels and a label map. Leaves: a picture.
"""

import colorsys

import cv2
import numpy as np
import numpy.typing as npt

UInt8 = npt.NDArray[np.uint8]
TINT = 0.5


def draw_labels(
    photo: UInt8, labels: npt.NDArray[np.int32], outlines: bool = True, colours: UInt8 | None = None
) -> UInt8:
    """The photo with each label above 0 tinted in its colour and, with `outlines`, outlined in a lighter one.

    colours: (labels + 1, 3), one of its own for each label where left out
    """
    colours = palette(int(labels.max())) if colours is None else colours
    tinted = cv2.addWeighted(photo, 1 - TINT, colours[labels], TINT, 0)
    picture: UInt8 = np.where((labels > 0)[..., None], tinted, photo)
    if not outlines:
        return picture
    edge = borders(labels)
    thickness = max(1, round(max(photo.shape) / 1000))
    if thickness > 1:
        edge = cv2.dilate(edge.astype(np.uint8), np.ones((thickness, thickness), np.uint8)) > 0
        edge &= labels > 0
    picture[edge] = 255 - (255 - colours[labels][edge]) // 2
    return picture


def borders(labels: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
    """(H, W) True where a labelled pixel has another label, or none, beside, above or below it."""
    across, down = labels[:, :-1] != labels[:, 1:], labels[:-1] != labels[1:]
    edge = np.zeros(labels.shape, bool)
    edge[:, :-1] |= across
    edge[:, 1:] |= across
    edge[:-1] |= down
    edge[1:] |= down
    return edge & (labels > 0)


def palette(n: int) -> UInt8:
    """(n + 1, 3) colours that differ between neighbours: hues a golden angle apart, 0 black."""
    steps = [(0.61803398875 * i % 1.0, (0.65, 0.9, 0.75)[i % 3], (0.95, 0.8, 0.9)[i % 3]) for i in range(n)]
    colours = [(0.0, 0.0, 0.0)] + [colorsys.hsv_to_rgb(*hsv) for hsv in steps]
    return np.round(np.array(colours) * 255).astype(np.uint8)
