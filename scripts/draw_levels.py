"""Draws docs/levels.jpg: parts, things and regions of some photos, side by side.

python scripts/draw_levels.py PHOTO... -o docs/levels.jpg
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

from fastsam import FastSAM
from fastsam.masks.levels import LEVELS

WIDTH, HEIGHT = 400, 270  # of one picture


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=Path, nargs="+")
    parser.add_argument("-o", "--out", type=Path, required=True)
    wanted = parser.parse_args()
    model = FastSAM()
    rows = []
    for photo in wanted.photos:
        segments = model(photo)
        shown = [segments.filter(level=level).picture() for level in LEVELS]
        rows.append(np.hstack([fitted(picture) for picture in shown]))
    cv2.imwrite(str(wanted.out), np.vstack(rows)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 80])


def fitted(picture: np.ndarray) -> np.ndarray:
    """The middle of a picture in the shape of a cell."""
    height, width = picture.shape[:2]
    scale = max(WIDTH / width, HEIGHT / height)
    small = cv2.resize(picture, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)
    top, left = (small.shape[0] - HEIGHT) // 2, (small.shape[1] - WIDTH) // 2
    return small[top : top + HEIGHT, left : left + WIDTH]


if __name__ == "__main__":
    main()
