"""Fixtures: small masks made by hand, the bundled weights, and the shared material where it is there."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fastsam import FastSAM, Segments
from fastsam.image.letterbox import fit
from fastsam.masks.lazy import Masks

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    if not SHARED.is_dir():
        pytest.skip("the shared material is not beside this checkout")
    return SHARED


@pytest.fixture(scope="session")
def examples() -> Path:
    return ROOT / "examples"


@pytest.fixture(scope="session")
def model() -> FastSAM:
    return FastSAM(threads=1)


@pytest.fixture
def make_segments() -> Callable[..., Segments]:
    """Segments whose masks are discs or anything else drawn on the prototypes: one prototype a mask."""

    def make(
        photo: tuple[int, int], boxes: list[tuple[float, float, float, float]], scores: list[float], imgsz: int = 128
    ) -> Segments:
        """Each mask fills its box: logit +4 within, -4 outside."""
        letterbox = fit(photo, imgsz)
        h, w = (side // 4 for side in letterbox.input)
        prototypes = np.full((32, h, w), -4.0, np.float32)
        for prototype, (x0, y0, x1, y1) in zip(prototypes, boxes, strict=False):
            (sx, sy), (px, py) = letterbox.scale, letterbox.pad
            rows, columns = np.arange(h)[:, None] + 0.5, np.arange(w)[None] + 0.5
            inside = (columns * 4 > x0 * sx + px) & (columns * 4 < x1 * sx + px)
            inside = inside & (rows * 4 > y0 * sy + py) & (rows * 4 < y1 * sy + py)
            prototype[inside] = 4.0
        n = len(boxes)
        masks = Masks(np.eye(n, 32, dtype=np.float32), prototypes, np.array(boxes, np.float32).reshape(n, 4), letterbox)
        return Segments(masks, np.array(scores, np.float32), np.zeros(n, np.int64))

    return make
