"""Count things

How many of each word a photo shows, or how many objects there are. Writes a picture with a number on each.

    python cookbook/count_things.py PHOTO [WORD...] [--conf 0.35] [-o counted.png]

With words it counts one mask per object: of parts and groups only the best counts. Without words it counts all
objects that are not parts of larger ones and cover at least 0.1% of the photo. A lower --conf finds fainter objects
and errs more often: look at the picture. Words need the `text` extra.
"""

import argparse
from collections import Counter
from pathlib import Path

import cv2

from fastsam import FastSAM

COFFEE = Path(__file__).parent.parent / "examples" / "coffee.png"

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("photo", nargs="?", default=COFFEE)
parser.add_argument("words", nargs="*")
parser.add_argument("--conf", type=float, default=0.35, help="least score of an object")
parser.add_argument("-o", "--output", type=Path, default=Path("counted.png"))
given = parser.parse_args()
if given.photo == COFFEE:
    given.words = ["cup", "spoon"]

segments = FastSAM()(given.photo, conf=given.conf, refine=True)
height, width = segments.size
if given.words:
    names = segments.name(given.words)
else:
    segments = segments.filter(area=(height * width / 1000, height * width / 2), inside=0.8)
    names = ["object"] * len(segments)

picture = cv2.cvtColor(segments.photo, cv2.COLOR_RGB2BGR)
counts: Counter[str] = Counter()
for segment, name in zip(segments, names, strict=True):
    if name is not None:
        counts[name] += 1
        outline, _ = cv2.findContours(segment.mask.astype("uint8"), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(picture, outline, -1, (0, 200, 255), 2)
        x1, y1, x2, y2 = segment.box
        place = (int(x1 + x2) // 2 - 8, int(y1 + y2) // 2 + 8)
        cv2.putText(picture, str(counts[name]), place, cv2.FONT_HERSHEY_DUPLEX, 0.8, (0, 0, 0), 4, cv2.LINE_AA)
        cv2.putText(picture, str(counts[name]), place, cv2.FONT_HERSHEY_DUPLEX, 0.8, (255, 255, 255), 1, cv2.LINE_AA)
for name in given.words or ["object"]:
    print(f"{counts[name]} {name}")
cv2.imwrite(str(given.output), picture)
print(given.output)
