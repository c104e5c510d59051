"""A striped ball that crosses a photo, in one part of it behind a wall, with its exact masks."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest

from fastsam import FastSAM

SIZE = (320, 240)  # width and height
RADIUS = 30


@dataclass(frozen=True)
class Film:
    """frames: (N, H, W, 3) uint8; masks: (N, H, W) bool of the ball"""

    frames: np.ndarray
    masks: np.ndarray


def ball() -> np.ndarray:
    """A striped ball, RGBA."""
    side = 2 * RADIUS + 1
    ys, xs = np.mgrid[:side, :side] - RADIUS
    stripes = (np.sin(0.35 * xs + 0.1 * ys) > 0)[..., None]
    colours = np.where(stripes, (235, 60, 40), (250, 230, 90)).astype(np.uint8)
    return np.dstack((colours, np.where(xs**2 + ys**2 <= RADIUS**2, 255, 0).astype(np.uint8)))


def film(ground: np.ndarray, count: int, wall: tuple[int, int] | None = None) -> Film:
    """The ball, 8 pixels a frame to the right. wall: columns of what it passes behind"""
    item, frames, masks = ball(), [], []
    for k in range(count):
        x, y = 10 + 8 * k, 90 + round(10 * np.sin(k / 3))
        frame, mask = ground.copy(), np.zeros(ground.shape[:2], bool)
        part = frame[y : y + len(item), x : x + len(item)]
        on = item[: part.shape[0], : part.shape[1], 3] > 0
        part[on] = item[: part.shape[0], : part.shape[1], :3][on]
        mask[y : y + len(item), x : x + len(item)] = on
        if wall is not None:
            frame[:, slice(*wall)] = (60, 70, 80)
            mask[:, slice(*wall)] = False
        frames.append(frame)
        masks.append(mask)
    return Film(np.stack(frames), np.stack(masks))


@pytest.fixture(scope="session")
def ground(examples: Path) -> np.ndarray:
    photo = cv2.imread(str(examples / "coffee.png"))[..., ::-1]
    return np.ascontiguousarray(cv2.resize(photo, SIZE, interpolation=cv2.INTER_AREA))


@pytest.fixture(scope="session")
def crossing(ground: np.ndarray) -> Film:
    return film(ground, 12)


@pytest.fixture(scope="session")
def behind(ground: np.ndarray) -> Film:
    return film(ground, 30, (110, 190))


@pytest.fixture(scope="session")
def model() -> FastSAM:
    return FastSAM()
