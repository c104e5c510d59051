"""A very large photo in tiles: time, memory, and how many of its objects are found.

    python benchmarks/mosaic.py SET [--width 12000] [--height 9000] [--tile 1024] [--whole]

SET: a COCO-style folder, whose photos are laid side by side, each shrunk to `--cell` pixels at its longest side. Found:
share of the objects of at least 100 pixels that a mask covers with IoU 0.5; `--whole` measures the same without tiles.
"""

import argparse
import json
import time
from pathlib import Path

import cv2
import numpy as np

from fastsam import FastSAM
from fastsam.image.read import read_image
from fastsam.machine import peak_memory, processor
from fastsam.masks.annotations import decode
from fastsam.masks.runs import Runs, iou_of, of_pixels

LEAST_PIXELS = 100  # pixels of an object that counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", type=Path)
    parser.add_argument("--width", type=int, default=12000)
    parser.add_argument("--height", type=int, default=9000)
    parser.add_argument("--cell", type=int, default=300)
    parser.add_argument("--tile", type=int, default=1024)
    parser.add_argument("--imgsz", type=int, default=1024)
    parser.add_argument("--conf", type=float)
    parser.add_argument("--iou", type=float)
    parser.add_argument("--model")
    parser.add_argument("--whole", action="store_true", help="without tiles")
    a = parser.parse_args()
    pixels, objects = lay(a.set, a.width, a.height, a.cell)
    pixels.flags.writeable = False
    model = FastSAM(a.model)
    start = time.perf_counter()
    segments = model(pixels, imgsz=a.imgsz, conf=a.conf, iou=a.iou, tile=None if a.whole else a.tile)
    took = time.perf_counter() - start
    spent = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in segments.seconds.items())
    print(processor())
    print(f"{a.width} x {a.height} pixels, {len(objects)} objects: {len(segments)} masks in {took:.1f} s ({spent})")
    start = time.perf_counter()
    segments.to_rle()
    print(f"all masks as RLE in {time.perf_counter() - start:.2f} s")
    print(f"peak memory {peak_memory()} MB, of which the photo {pixels.nbytes // 1_000_000} MB")
    print(f"found at IoU 0.5: {100 * found(objects, list(segments.masks.all_runs()), a.height):.1f}%")


def lay(folder: Path, width: int, height: int, cell: int) -> tuple[np.ndarray, list[Runs]]:
    """The mosaic and its objects, photos repeated until it is full."""
    content = json.loads((folder / "instances.json").read_text())
    rows: dict[int, list[dict]] = {}
    for row in content["annotations"]:
        if not row.get("iscrowd"):
            rows.setdefault(row["image_id"], []).append(row)
    mosaic = np.full((height, width, 3), 114, np.uint8)
    objects: list[Runs] = []
    k = 0
    for y in range(0, height - cell + 1, cell):
        for x in range(0, width - cell + 1, cell):
            image = content["images"][k % len(content["images"])]
            k += 1
            photo = read_image(folder / "images" / image["file_name"])
            scale = cell / max(photo.shape[:2])
            w, h = (max(1, round(side * scale)) for side in photo.shape[1::-1])
            mosaic[y : y + h, x : x + w] = cv2.resize(photo, (w, h), interpolation=cv2.INTER_AREA)
            for row in rows.get(image["id"], ()):
                mask = decode(row["segmentation"], (photo.shape[0], photo.shape[1])).astype(np.uint8)
                small = cv2.resize(mask, (w, h), interpolation=cv2.INTER_NEAREST).view(bool)
                if small.sum() >= LEAST_PIXELS:
                    objects.append(of_pixels(small, (x, y)))
    return mosaic, objects


def found(objects: list[Runs], masks: list[Runs], height: int) -> float:
    """Share of objects that a mask covers with IoU 0.5."""
    bounds = np.array([m.bounds for m in masks]).reshape(-1, 4)
    areas = np.array([m.area for m in masks])
    hits = 0
    for one in objects:
        x0, y0, x1, y1 = one.bounds
        w = np.minimum(bounds[:, 2], x1) - np.maximum(bounds[:, 0], x0)
        h = np.minimum(bounds[:, 3], y1) - np.maximum(bounds[:, 1], y0)
        likely = (np.maximum(w, 0) * np.maximum(h, 0) >= one.area / 2) & (areas <= 2 * one.area)
        hits += any(iou_of(one, masks[i], height) >= 0.5 for i in np.flatnonzero(likely))
    return hits / max(1, len(objects))


if __name__ == "__main__":
    main()
