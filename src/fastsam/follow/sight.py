"""Where a thing was seen, as a grid of shares on a window, and how the picture moved since (OpenCV's DIS).

Enters: two frames, a `Seen` of the first. Leaves: the `Seen` as the picture moved it.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.refine.crop import Box, Window, about, see

Float = npt.NDArray[np.float32]
UInt8 = npt.NDArray[np.uint8]
WIDE = 2.2  # side of the window in which motion is measured, relative to the thing's box
REDUCED = 128  # its size in pixels


@dataclass(frozen=True)
class Seen:
    """A mask on a window: shares (n, n) float32, 0..1, of its cells that the thing covers."""

    window: Window
    shares: Float

    @property
    def box(self) -> Box | None:
        """Bounds of the cells that are more than half covered, xyxy in photo pixels; None if there are none."""
        on = self.shares > 0.5
        columns, rows = np.flatnonzero(on.any(0)), np.flatnonzero(on.any(1))
        if not len(columns):
            return None
        w, step = self.window, self.window.side / len(self.shares)
        left, top = w.x0 + float(columns[0]) * step, w.y0 + float(rows[0]) * step
        return left, top, w.x0 + float(columns[-1] + 1) * step, w.y0 + float(rows[-1] + 1) * step

    @property
    def area(self) -> float:
        """Area of the mask in photo pixels."""
        return float(np.count_nonzero(self.shares > 0.5)) * (self.window.side / len(self.shares)) ** 2

    def through(self, window: Window, cells: int) -> Float:
        """The shares (cells, cells) on another window; 0 beyond this one."""
        step = len(self.shares) / self.window.side
        pitch = window.side / cells * step
        x, y = (window.x0 - self.window.x0) * step, (window.y0 - self.window.y0) * step
        matrix = np.array([[pitch, 0, x + (pitch - 1) / 2], [0, pitch, y + (pitch - 1) / 2]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return np.asarray(cv2.warpAffine(self.shares, matrix, (cells, cells), flags=flags), np.float32)


def moved(seen: Seen, before: UInt8, now: UInt8) -> Seen:
    """A mask of the frame `before`, moved as the picture (H, W, 3) moved until `now`; itself if it moved away."""
    box = seen.box
    if box is None:
        return seen
    window = about(box, WIDE, (REDUCED,))
    old, new = (cv2.cvtColor(see(frame, window), cv2.COLOR_RGB2GRAY) for frame in (before, now))
    back = flow().calc(new, old, None)
    columns, rows = places()
    shares = cv2.remap(seen.through(window, REDUCED), columns + back[..., 0], rows + back[..., 1], cv2.INTER_LINEAR)
    found = Seen(window, np.asarray(shares, np.float32))
    return seen if found.box is None else found


@lru_cache(maxsize=1)
def places() -> tuple[Float, Float]:
    """Columns and rows (REDUCED, REDUCED) of the pixels of a reduced window."""
    columns, rows = np.meshgrid(np.arange(REDUCED, dtype=np.float32), np.arange(REDUCED, dtype=np.float32))
    return columns, rows


def flow() -> Any:
    """OpenCV's optical flow (Kroeger et al. 2016, arXiv 1603.03590). New for each use: one holds state."""
    made: Any = cv2  # its stubs lack the class
    return made.DISOpticalFlow_create(made.DISOPTICAL_FLOW_PRESET_FAST)
