"""Second networks that are as simple as rules, and a photo that they draw."""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest

from fastsam import Segments
from fastsam.refine import maps as m
from fastsam.refine.network import Refiner

WHITE = 200  # least value of a pixel that counts as white


class Rule:
    """What a `Refiner` runs instead of ONNX Runtime: draws white things.

    quality: what it thinks of each drawing, half of it if the crop's border cuts the drawing
    held: draws of each only the piece under its first foreground click
    believes: draws a rough mask as it is, and thinks 0.8 of that; blind: draws nothing
    """

    def __init__(self, quality: float = 0.9, held: bool = False, believes: bool = False, blind: bool = False) -> None:
        self.quality, self.held, self.believes, self.blind, self.seen = quality, held, believes, blind, 0

    def run(self, names: list[str], feed: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
        images, maps = feed["images"], feed["maps"]
        self.seen += len(images)
        drawn = (images[:, :: m.CELL, :: m.CELL].min(3) >= WHITE) & (not self.blind)
        judged = np.full((len(images), 4), self.quality, np.float32)
        for k, own in enumerate(maps):
            if self.believes and own[m.MASK].any():
                drawn[k], judged[k] = own[m.MASK] > 0, 0.8
            if self.held and own[m.POSITIVE].any():
                _, pieces = cv2.connectedComponents(drawn[k].astype(np.uint8))
                row, column = np.argwhere(own[m.POSITIVE] > 0)[0] + 2
                drawn[k] &= pieces == pieces[row, column]
        cut = drawn[:, [0, -1]].any((1, 2)) | drawn[:, :, [0, -1]].any((1, 2))
        judged[cut] /= 2
        return np.where(drawn[:, None].repeat(4, 1), np.float32(5), np.float32(-5)), judged


@pytest.fixture
def rule() -> Callable[..., Refiner]:
    """A second network that draws white things; see `Rule` for the options."""
    return lambda **options: Refiner(Rule(**options))


def disks(size: tuple[int, int], *places: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """A black photo with white disks (x, y, radius), and their mask."""
    mask = np.zeros(size, np.uint8)
    for x, y, radius in places:
        cv2.circle(mask, (x, y), radius, 1, -1)
    return np.ascontiguousarray(np.repeat(mask[..., None] * np.uint8(255), 3, 2)), mask > 0


@pytest.fixture
def disk() -> tuple[np.ndarray, np.ndarray]:
    """A photo of 160 x 120 pixels with a white disk about (60, 50) of radius 30, and its mask."""
    return disks((120, 160), (60, 50, 30))


@pytest.fixture
def pair() -> tuple[np.ndarray, np.ndarray]:
    """A photo of 160 x 100 pixels with two white disks of radius 20 about (35, 50) and (120, 50), and their mask."""
    return disks((100, 160), (35, 50, 20), (120, 50, 20))


@pytest.fixture
def nothing_found() -> Callable[[np.ndarray], Segments]:
    """A photo's segments if the first network found none."""
    return lambda photo: Segments.from_masks(photo, np.zeros((0, *photo.shape[:2]), bool))
