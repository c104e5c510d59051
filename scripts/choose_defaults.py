"""What everything mode shows at each score threshold, to choose the defaults that are stored with weights.

    python scripts/choose_defaults.py MODEL --only configs/dev-split.txt FOLDER...

Prints, for each overlap and score threshold, the masks a photo (10th percentile, median, 90th percentile), the share
of photos with 30 to 150 masks, and the share of pixels under some mask. Use training images, never evaluation sets.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from fastsam import FastSAM

CONFS = (0.015, 0.018, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2)
IOUS = (0.5, 0.6, 0.7, 0.8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--only", type=Path, help="file of set/file lines")
    parser.add_argument("--imgsz", type=int)
    parser.add_argument("--threads", type=int)
    arguments = parser.parse_args()
    lines = set(arguments.only.read_text().splitlines()) if arguments.only else None
    model = FastSAM(arguments.model, threads=arguments.threads)
    files = [
        folder / "images" / image["file_name"]
        for folder in arguments.folders
        for image in json.loads((folder / "instances.json").read_text())["images"]
        if lines is None or f"{folder.name}/{image['file_name']}" in lines
    ]
    counts = np.zeros((len(IOUS), len(CONFS), len(files)))
    covered = np.zeros_like(counts)
    for k, file in enumerate(files):
        every = model(file, imgsz=arguments.imgsz, conf=min(CONFS), iou=max(IOUS), max_det=1000)
        for i, iou in enumerate(IOUS):
            kept = every.filter(iou=iou)
            union = np.zeros(kept.size, np.float32)
            for m in np.argsort(kept.scores):  # the best score over each pixel
                kept.masks.crop(int(m)).paint(union, kept.scores[m])
            for j, conf in enumerate(CONFS):
                counts[i, j, k] = (kept.scores > conf).sum()
                covered[i, j, k] = (union > conf).mean()
    print(f"{len(files)} photos")
    print("  iou   conf   masks a photo (10%, 50%, 90%)   30 to 150   pixels covered")
    for i, iou in enumerate(IOUS):
        for j, conf in enumerate(CONFS):
            low, middle, high = np.percentile(counts[i, j], [10, 50, 90])
            usual = ((counts[i, j] >= 30) & (counts[i, j] <= 150)).mean()
            share = covered[i, j].mean()
            print(f"{iou:5.2f}  {conf:5.3f}   {low:8.0f} {middle:5.0f} {high:5.0f} {usual:20.0%} {share:14.1%}")


if __name__ == "__main__":
    main()
