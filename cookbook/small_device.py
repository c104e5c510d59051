"""Run on a small device

Eight bits, one thread, one input size: what a single-board computer manages, measured on your photo.

    python cookbook/small_device.py PHOTO [--fixed 320,320] [--calibrate FOLDER] [-o small.onnx]

The bundled network comes in eight bits (`fastsam-tiny-int8`). With --calibrate FOLDER of photos like those it will see
it is quantised anew, for exactly one input size, which other programs need (the `export` extra).
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

from fastsam import FastSAM

COFFEE = Path(__file__).parent.parent / "examples" / "coffee.png"

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("photo", nargs="?", default=COFFEE)
parser.add_argument("--fixed", default="320,320", help="HEIGHT,WIDTH of the input")
parser.add_argument("--calibrate", type=Path)
parser.add_argument("-o", "--output", type=Path, default=Path("small.onnx"))
given = parser.parse_args()

small = "fastsam-tiny-int8"
if given.calibrate:
    words = ["export", "fastsam-tiny", given.output, "--int8", "--calibrate", given.calibrate, "--fixed", given.fixed]
    subprocess.run([sys.executable, "-m", "fastsam", *map(str, words)], check=True)
    small = str(given.output)

size = tuple(int(v) for v in given.fixed.split(","))
for name in ("fastsam-tiny", small):
    model = FastSAM(name, threads=1)
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        segments = model(given.photo, imgsz=size)
        seconds.append(time.perf_counter() - start)
    print(f"{name}: {len(segments)} objects, {1000 * sorted(seconds)[2]:.0f} ms from file to masks on one thread")
