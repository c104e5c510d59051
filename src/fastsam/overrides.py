"""Arguments of a call that override the settings stored with the weights: input size, thresholds, number of masks.

Enters: arguments as given, None for each that was left out. Leaves: checked values, or `Settings`.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fastsam.errors import UsageError
from fastsam.image.letterbox import STRIDE
from fastsam.runtimes.settings import Settings
from fastsam.values import integer, number, show

Size = int | tuple[int, int]  # of the network's input: its longest side, or the (height, width) it must fit into
LARGEST_INPUT = 8192  # maximum pixels per side of an input


@dataclass(frozen=True)
class Overrides:
    """Settings of one call. None means the setting stored with the weights.

    imgsz: longest side of the network's input in pixels, or the (height, width) it must fit into; conf: minimum score,
    0..1; iou: drop the lower-scored of two masks whose boxes overlap by more than this IoU, 0..1; max_det: maximum
    number of masks
    """

    imgsz: Size | None = None
    conf: float | None = None
    iou: float | None = None
    max_det: int | None = None

    def checked(self) -> "Overrides":
        """The same as plain numbers; two equal sides of `imgsz` become one. Raises UsageError for invalid values."""
        return Overrides(
            sides(self.imgsz),
            None if self.conf is None else number(self.conf, "conf"),
            None if self.iou is None else number(self.iou, "iou"),
            None if self.max_det is None else integer(self.max_det, "max_det", 1),
        )

    def over(self, settings: Settings) -> Settings:
        """The settings with these overrides; a pair `imgsz` becomes its longer side. Raises UsageError."""
        given = {name: value for name, value in vars(self.checked()).items() if value is not None}
        if isinstance(given.get("imgsz"), tuple):
            given["imgsz"] = max(given["imgsz"])
        return replace(settings, **given)

    def size(self, settings: Settings) -> Size:
        """The input size of these overrides, or else of the settings."""
        return settings.imgsz if self.imgsz is None else self.imgsz


def sides(imgsz: Any) -> Size | None:
    """Checks an input size: an integer, or (height, width). Two equal sides become one integer.

    Raises UsageError for anything else.
    """
    if imgsz is None:
        return None
    pair = imgsz.tolist() if isinstance(imgsz, np.ndarray) else imgsz
    if not isinstance(pair, (tuple, list)):
        return integer(pair, "imgsz", STRIDE, LARGEST_INPUT)
    if len(pair) not in (1, 2):
        raise UsageError(f"imgsz must be an integer or (height, width), not {show(imgsz)}")
    found = [integer(side, "imgsz", STRIDE, LARGEST_INPUT) for side in pair]
    return found[0] if found[0] == found[-1] else (found[0], found[1])
