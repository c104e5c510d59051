"""Measure areas

Area, length and width of each object, from one distance in the photo that you know.

    python cookbook/measure_areas.py PHOTO --from X,Y --to X,Y --length 120 [--unit mm] [-o areas.csv]

The photo must show the objects straight from above, all as far from the camera as what you measured: a leaning camera
or a nearer object changes the scale. By default the coffee's saucer (77,220 to 480,220) is taken to be 150 mm wide.
"""

import argparse
import csv
from math import dist
from pathlib import Path

import cv2
import numpy as np

from fastsam import FastSAM

COFFEE = Path(__file__).parent.parent / "examples" / "coffee.png"


def point(text: str) -> list[float]:
    return [float(v) for v in text.split(",")]


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("photo", nargs="?", default=COFFEE)
parser.add_argument("--from", dest="start", type=point, default=[77, 220])
parser.add_argument("--to", dest="end", type=point, default=[480, 220])
parser.add_argument("--length", type=float, default=150, help="distance between the two points")
parser.add_argument("--unit", default="mm")
parser.add_argument("-o", "--output", type=Path, default=Path("areas.csv"))
given = parser.parse_args()
scale = given.length / dist(given.start, given.end)  # units per pixel

segments = FastSAM()(given.photo).refine()
height, width = segments.size
segments = segments.filter(area=(height * width / 1000, None))
x1, y1, x2, y2 = segments.boxes.T
segments = segments[(x1 > 1) & (y1 > 1) & (x2 < width - 1) & (y2 < height - 1)]  # others go on beyond the photo
picture = cv2.cvtColor(segments.photo, cv2.COLOR_RGB2BGR)
rows = []
for k, segment in enumerate(segments, 1):
    pixels = np.argwhere(segment.mask)[:, ::-1].astype(np.float32)
    around = cv2.minAreaRect(pixels)  # the smallest rectangle around it, turned as it lies
    sides = sorted(((side + 1) * scale for side in around[1]), reverse=True)
    rows.append([k, round(segment.area * scale**2, 1), round(sides[0], 1), round(sides[1], 1)])
    cv2.drawContours(picture, [cv2.boxPoints(around).astype(int)], -1, (0, 200, 255), 1, cv2.LINE_AA)
    x, y = pixels[len(pixels) // 2].astype(int)
    cv2.putText(picture, str(k), (int(x) - 6, int(y) + 6), cv2.FONT_HERSHEY_DUPLEX, 0.6, (0, 0, 0), 3, cv2.LINE_AA)
    cv2.putText(picture, str(k), (int(x) - 6, int(y) + 6), cv2.FONT_HERSHEY_DUPLEX, 0.6, (255,) * 3, 1, cv2.LINE_AA)

with given.output.open("w", newline="") as file:
    head = ["object", f"area ({given.unit}2)", f"length ({given.unit})", f"width ({given.unit})"]
    csv.writer(file).writerows([head, *rows])
print(given.output.read_text(), end="")
cv2.imwrite(str(given.output.with_suffix(".png")), picture)
