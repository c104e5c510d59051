"""Blur people

Makes people, or anything else that words or boxes name, unrecognisable.

    python cookbook/blur_people.py PHOTO [--word person]... [--box X1,Y1,X2,Y2]... [-o blurred.png]

Look at what comes out before you publish it: a person whom the words miss needs a box. Words need the `text` extra.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

from fastsam import FastSAM

COFFEE = Path(__file__).parent.parent / "examples" / "coffee.png"

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("photo", nargs="?", default=COFFEE)
parser.add_argument("--word", action="append", help="person, if neither words nor boxes are given")
parser.add_argument("--box", type=lambda text: [float(v) for v in text.split(",")], action="append", default=[])
parser.add_argument("-o", "--output", type=Path, default=Path("blurred.png"))
given = parser.parse_args()
words = given.word or ([] if given.box else ["person"])

segments = FastSAM()(given.photo)
names = segments.name(words) if words else []
named = [i for i, name in enumerate(names) if name is not None]
boxed = segments.select(boxes=given.box)
print(f"{len(named)} by words, {sum(map(bool, boxed))} of {len(boxed)} boxes")
hidden = segments.merge([*named, *boxed]).astype(np.uint8)

# Blocks of a twentieth of the photo's shorter side keep nothing of a face; a margin takes hair and edges along.
height, width = segments.size
block = max(8, min(height, width) // 20)
hidden = cv2.dilate(hidden, np.ones((block // 2, block // 2), np.uint8))
small = cv2.resize(segments.photo, (-(-width // block), -(-height // block)), interpolation=cv2.INTER_AREA)
blocks = cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST)
picture = np.where(hidden[..., None] > 0, blocks, segments.photo)
cv2.imwrite(str(given.output), picture[..., ::-1])
print(given.output)
