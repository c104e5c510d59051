"""DAVIS's measures of following an object through a video (Perazzi et al. 2016): J of its regions, F of its contours.

Enters: found and true masks. Leaves: figures 0..1.

J is the IoU. F is the harmonic mean of precision and recall of the mask's boundary pixels: a pixel is matched if one of
the other boundary is at most `REACH` of the picture's diagonal away, rounded up to whole pixels. A mask without pixels
is right if the true one has none either, and wrong otherwise. Both are means over all frames but the first, in which
the object was shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.errors import UsageError

Bool = npt.NDArray[np.bool_]
REACH = 0.008  # of the diagonal
PHOTOS = (".webp", ".jpg", ".jpeg")


@dataclass(frozen=True)
class Clip:
    """One annotated video. frames: files of its photos; masks: files of its true masks, PNG, one per photo"""

    name: str
    frames: tuple[Path, ...]
    masks: tuple[Path, ...]

    def mask(self, k: int) -> Bool:
        """The true mask (H, W) of frame k. Raises UsageError."""
        pixels = cv2.imread(str(self.masks[k]), cv2.IMREAD_GRAYSCALE)
        if pixels is None:
            raise UsageError(f"{self.masks[k]} cannot be read as a mask")
        return np.asarray(pixels > 0)


def read_sequences(folder: Path) -> list[Clip]:
    """The sequences of a folder: each a folder with photos and a PNG mask of the same name for each.

    Raises UsageError if there are none, or a mask is missing.
    """
    found = []
    for one in sorted(p for p in folder.glob("*/") if p.is_dir()):
        frames = tuple(sorted(f for f in one.iterdir() if f.suffix in PHOTOS))
        masks = tuple(f.with_suffix(".png") for f in frames)
        if missing := [mask for mask in masks if not mask.is_file()]:
            raise UsageError(f"{missing[0]} not found: a sequence has a mask for each of its photos")
        if len(frames) > 1:
            found.append(Clip(one.name, frames, masks))
    if not found:
        raise UsageError(f"{folder} holds no sequences: folders with 00000.jpg, 00000.png and so on")
    return found


def region(found: Bool, truth: Bool) -> float:
    """J of a frame: the IoU of two masks (H, W)."""
    union = int(np.count_nonzero(found | truth))
    return 1.0 if union == 0 else int(np.count_nonzero(found & truth)) / union


def contour(found: Bool, truth: Bool) -> float:
    """F of a frame: how well the boundaries of two masks (H, W) match."""
    ours, theirs = boundary(found), boundary(truth)
    if not ours.any() or not theirs.any():
        return 1.0 if not ours.any() and not theirs.any() else 0.0
    reach = int(np.ceil(REACH * np.hypot(*found.shape)))
    precision = float(near(theirs, reach)[ours].mean())
    recall = float(near(ours, reach)[theirs].mean())
    return 0.0 if precision + recall == 0 else 2 * precision * recall / (precision + recall)


def boundary(mask: Bool) -> Bool:
    """(H, W) the pixels that differ from the pixel to the right, below, or below to the right of them."""
    edge = np.zeros(mask.shape, bool)
    edge[:, :-1] |= mask[:, 1:] != mask[:, :-1]
    edge[:-1] |= mask[1:] != mask[:-1]
    edge[:-1, :-1] |= mask[1:, 1:] != mask[:-1, :-1]
    return edge


def near(pixels: Bool, reach: int) -> Bool:
    """(H, W) whether one of the pixels is at most `reach` pixels away."""
    away = cv2.distanceTransform((~pixels).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(away <= reach + 1e-3)


def centre(mask: Bool) -> tuple[float, float]:
    """x, y of the middle of the pixel that lies deepest in a mask."""
    depth = cv2.distanceTransform(np.pad(mask.astype(np.uint8), 1), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1]
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    return float(column) + 0.5, float(row) + 0.5


def mean(values: Sequence[float]) -> float:
    """The mean over all frames but the first."""
    return float(np.mean(values[1:]))
