"""Run on a small device

Eight bits, one thread, a small input: what a single-board computer manages, measured on your photo.

    python cookbook/small_device.py PHOTO [--imgsz 320] [--calibrate FOLDER] [--fixed HEIGHT,WIDTH]

The bundled network comes in eight bits (`fastsam-tiny-int8`). --calibrate FOLDER quantises it anew on photos like
those that it will see (the `export` extra). --fixed also writes it for programs that want one input size, without
this library.
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
parser.add_argument("--imgsz", type=int, default=320)
parser.add_argument("--calibrate", type=Path)
parser.add_argument("--fixed")
given = parser.parse_args()


def export(source: str, file: str, *words: object) -> str:
    subprocess.run([sys.executable, "-m", "fastsam", "export", source, file, *map(str, words)], check=True)
    return file


small = "fastsam-tiny-int8"
if given.calibrate:
    small = export("fastsam-tiny", "small.onnx", "--int8", "--calibrate", given.calibrate, "--imgsz", given.imgsz)
if given.fixed:
    export(small, "fixed.onnx", "--fixed", given.fixed)

for name in ("fastsam-tiny", small):
    model = FastSAM(name, threads=1)
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        segments = model(given.photo, imgsz=given.imgsz)
        seconds.append(time.perf_counter() - start)
    print(f"{name}: {len(segments)} objects, {1000 * sorted(seconds)[2]:.0f} ms from file to masks on one thread")
