"""Draws photos before and after: every mask as the first network gives it, and things with redrawn masks.

    python scripts/draw_gallery.py PHOTO... -o docs/gallery.jpg [--before MODEL]

A row has two photos, each with its two pictures side by side.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

from fastsam import FastSAM

WIDTH, HEIGHT = 330, 230  # of one picture
PER_ROW = 2  # photos
GAP = 8  # pixels between photos


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=Path, nargs="+")
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--before", help="the first network of the pictures on the left; by default the bundled one")
    wanted = parser.parse_args()
    old, model = FastSAM(wanted.before), FastSAM()
    cells = []
    for photo in wanted.photos:
        before, after = old(photo), model(photo, refine=True).filter(level="things")
        print(f"{photo.name}: {len(before)} masks, {len(after)} things")
        cells.append(np.hstack([fitted(before.picture()), fitted(after.picture()), paper(HEIGHT, GAP)]))
    cells += [paper(HEIGHT, 2 * WIDTH + GAP)] * (-len(cells) % PER_ROW)
    rows = [np.hstack(cells[k : k + PER_ROW]) for k in range(0, len(cells), PER_ROW)]
    spaced = [part for row in rows for part in (row, paper(GAP, row.shape[1]))]
    cv2.imwrite(str(wanted.out), np.vstack(spaced)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 80])


def fitted(picture: np.ndarray) -> np.ndarray:
    """A whole picture in the middle of a white cell."""
    scale = min(WIDTH / picture.shape[1], HEIGHT / picture.shape[0])
    size = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
    cell, small = paper(HEIGHT, WIDTH), cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    top, left = (HEIGHT - size[1]) // 2, (WIDTH - size[0]) // 2
    cell[top : top + size[1], left : left + size[0]] = small
    return cell


def paper(height: int, width: int) -> np.ndarray:
    """White pixels."""
    return np.full((height, width, 3), 255, np.uint8)


if __name__ == "__main__":
    main()
