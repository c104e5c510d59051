"""Find what changed between two photos

Outlines what is new, gone or moved between two photos of one scene from one place.

    python cookbook/find_changes.py BEFORE AFTER [-o changes.png] [--least 25]

An object of either photo has changed if the colours within its mask differ by more than --least (0 to 441, the
median over its pixels). Green: it is an object afterwards; red: it was one before. The camera must not move: align
the photos first if it did, by `cv2.findTransformECC` for example.
"""

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np

from fastsam import FastSAM

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("before")
parser.add_argument("after")
parser.add_argument("-o", "--output", type=Path, default=Path("changes.png"))
parser.add_argument("--least", type=float, default=25)
given = parser.parse_args()

before, after = FastSAM()([given.before, given.after])
if before.size != after.size:
    sys.exit("the photos differ in size: align them first")
colours = [cv2.GaussianBlur(s.photo, (0, 0), 2).astype(np.float32) for s in (before, after)]
difference = np.linalg.norm(colours[0] - colours[1], axis=2)

picture = cv2.cvtColor(after.photo, cv2.COLOR_RGB2BGR)
for segments, colour, what in ((before, (0, 0, 230), "before"), (after, (0, 190, 0), "after")):
    height, width = segments.size
    candidates = segments.filter(area=(height * width / 5000, height * width / 4))
    changed = [i for i, s in enumerate(candidates) if np.median(difference[s.mask]) > given.least]
    for segment in candidates[changed].filter(inside=0.8):  # parts of what changed say nothing more
        x1, y1, x2, y2 = segment.box
        print(f"{what}: {x1:.0f},{y1:.0f},{x2:.0f},{y2:.0f}, {segment.area} pixels")
        outline, _ = cv2.findContours(segment.mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(picture, outline, -1, colour, 2, cv2.LINE_AA)
cv2.imwrite(str(given.output), picture)
print(given.output)
