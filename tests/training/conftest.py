"""A small set of drawn shapes: exact masks, made in a moment."""

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from fastsam.masks import rle


@pytest.fixture(scope="session")
def make_set(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    def make(n: int = 6, complete: bool = True, size: tuple[int, int] = (96, 128), seed: int = 0) -> Path:
        """Coloured rectangles and discs on grey, each with its mask."""
        folder = tmp_path_factory.mktemp("set")
        (folder / "images").mkdir()
        rng = np.random.default_rng(seed)
        images, annotations = [], []
        for k in range(n):
            pixels = np.full((*size, 3), 90, np.uint8)
            owner = np.zeros(size, np.uint8)
            for number in range(1, 5):
                colour = [int(v) for v in rng.integers(0, 256, 3)]
                x, y = (int(rng.integers(12, side - 12)) for side in (size[1], size[0]))
                r = int(rng.integers(8, 24))
                shape = np.zeros(size, np.uint8)
                if number % 2:
                    cv2.circle(shape, (x, y), r, 1, -1)
                else:
                    cv2.rectangle(shape, (x - r, y - r // 2), (x + r, y + r // 2), 1, -1)
                pixels[shape == 1] = colour
                owner[shape == 1] = number
            images.append({"id": k, "file_name": f"{k}.png", "width": size[1], "height": size[0]})
            cv2.imwrite(str(folder / "images" / f"{k}.png"), pixels)
            for number in np.unique(owner[owner > 0]):
                mask = owner == number
                annotations.append({"id": len(annotations), "image_id": k, "segmentation": rle.encode(mask)})
        content = {"info": {"complete": complete}, "images": images, "annotations": annotations}
        (folder / "instances.json").write_text(json.dumps(content))
        return folder

    return make
