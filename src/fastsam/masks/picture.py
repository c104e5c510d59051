"""The picture of a photo's masks: tinted or outlined, with their boxes and names if asked for.

Enters: pixels, masks, names. Leaves: a picture.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fastsam.masks.captions import draw_boxes, write_names
from fastsam.masks.lazy import Masks
from fastsam.masks.tinted import choose, draw_labels, standing, strength

UInt8 = npt.NDArray[np.uint8]
FEW_MASKS = 5  # maximum number of masks that all stand out, such as answers


def draw(photo: UInt8, masks: Masks, names: Sequence[str], *, outline: bool = False, boxes: bool = False) -> UInt8:
    """The photo (H, W, 3) RGB with all masks, small ones on large ones; named ones on the others, which are pale.

    names: one per mask, written into the picture unless it is empty
    outline: lines alone, the photo stays as it is between them
    boxes: the boxes too, those of named masks alone if there are any
    """
    out = np.array([bool(name) for name in names], bool)
    labels = masks.label_map(on_top=out)
    strong = strength(labels, len(masks))
    if out.any() or len(masks) <= FEW_MASKS:
        strong = standing(strong, np.array([False, *(out if out.any() else ~out)]))
    colours = choose(labels, len(masks), photo, strong)
    picture = draw_labels(photo, labels, colours=colours, tint=not outline, strong=strong)
    if boxes:
        shown = np.flatnonzero(out) if out.any() else np.arange(len(masks))
        draw_boxes(picture, masks.boxes[shown], colours[[0, *(shown + 1)]])
    write_names(picture, labels, names, colours)
    return picture
