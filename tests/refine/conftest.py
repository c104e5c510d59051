"""A second network made by hand, which draws what is bright, and a photo with bright things on black."""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest

from fastsam.refine.network import Refiner

Draw = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, Any]]


class Session:
    """Stands in for ONNX Runtime. draw: (N, S, S, 3) uint8 and (N, 4, S / 2, S / 2) to logits and qualities."""

    def __init__(self, draw: Draw) -> None:
        self.draw = draw
        self.seen: list[dict[str, np.ndarray]] = []

    def run(self, names: list[str], feed: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        assert names == ["masks", "quality"]
        images, maps = feed["images"], feed["maps"]
        n, side = images.shape[:2]
        assert images.shape == (n, side, side, 3)
        assert images.dtype == np.uint8
        assert maps.shape == (n, 4, side // 2, side // 2)
        assert maps.dtype == np.float32
        self.seen.append(feed)
        logits, quality = self.draw(images, maps)
        return (
            np.broadcast_to(logits, (n, 4, side // 2, side // 2)).astype(np.float32),
            np.broadcast_to(quality, (n, 4)).astype(np.float32),
        )


def bright(images: np.ndarray) -> np.ndarray:
    """(N, 1, S / 2, S / 2) logits of -6 to 6: how bright a cell is."""
    grey = np.stack([cv2.resize(i, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA) for i in images]).mean(3)
    return ((grey - 190) / 10).clip(-6, 6)[:, None]


@pytest.fixture
def refiner_of() -> Callable[[Draw], Refiner]:
    def make(draw: Draw) -> Refiner:
        return Refiner(Session(draw))

    return make


@pytest.fixture
def bright_refiner(refiner_of: Callable[[Draw], Refiner]) -> Callable[..., Refiner]:
    def make(quality: Any = 0.9) -> Refiner:
        """Draws what is bright. quality: of the four answers to every look, or a function of the maps"""
        return refiner_of(lambda images, maps: (bright(images), quality(maps) if callable(quality) else quality))

    return make


@pytest.fixture
def things() -> np.ndarray:
    """Three discs, bool (3, 120, 160)."""
    masks = np.zeros((3, 120, 160), np.uint8)
    for mask, (x, y, r) in zip(masks, ((40, 50, 25), (110, 40, 18), (100, 95, 8)), strict=True):
        cv2.circle(mask, (x, y), r, 1, -1)
    return masks > 0


@pytest.fixture
def photo(things: np.ndarray) -> np.ndarray:
    """The discs in white on black."""
    return np.repeat(things.any(0)[..., None].astype(np.uint8) * 255, 3, 2)


def iou(a: np.ndarray | None, b: np.ndarray) -> float:
    assert a is not None
    return float((a & b).sum() / (a | b).sum())
