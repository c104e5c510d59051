"""Fits the lines by which a second network's predicted IoU becomes the IoU to expect, and stores them in its file.

    python scripts/calibrate_refiner.py refine.onnx SET... --only configs/dev-split.txt

Asks for the box, the middle and three random points of annotated objects (10 per photo at most) of held-out photos.
Boxes give one line, clicks the other (see `refine/rank.py`): logistic regression of the IoU that was reached (Platt
1999).
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
from onnx import helper

from fastsam import FastSAM, Prompt
from fastsam.evaluation.prompts import box, central, clicks, iou
from fastsam.evaluation.sets import read_sets
from fastsam.files import whole
from fastsam.refine import draw
from fastsam.refine.network import load

MOST_OBJECTS = 10  # objects per photo
LEAST_PIXELS = 40  # pixels of an object


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("sets", type=Path, nargs="+")
    parser.add_argument("--only", type=Path)
    given = parser.parse_args()
    refiner = replace(load(given.file), told=(0.0, 1.0), meant=(0.0, 1.0))
    draw.LEAST_QUALITY = 0.0  # every answer counts
    model = FastSAM()
    rng = np.random.default_rng(0)
    told: list[tuple[float, float]] = []
    meant: list[tuple[float, float]] = []
    for one in read_sets(given.sets, only=given.only):
        for photo in one.photos:
            segments = model(one.file(photo))
            drawn = zip(one.masks(photo, segments.size), one.annotations(photo), strict=True)
            masks = [mask for mask, annotation in drawn if "score" not in annotation and mask.sum() >= LEAST_PIXELS]
            masks = [masks[k] for k in rng.permutation(len(masks))[:MOST_OBJECTS]]
            asked = [
                (told, [Prompt(box=box(mask)) for mask in masks]),
                (meant, [Prompt(points=[central(mask)]) for mask in masks]),
                (meant, [Prompt(points=clicks(mask, 3, rng)) for mask in masks]),
            ]
            for found, prompts in asked:
                picks = segments.select(prompts, refine=refiner)
                found += [(p.quality, iou(p.mask, m)) for p, m in zip(picks, masks, strict=True) if p.quality]
    lines = {"told": line(told), "meant": line(meant)}
    network = onnx.load(given.file)
    helper.set_model_props(network, {"fastsam": json.dumps(lines)})
    with whole(given.file) as part:
        part.write_bytes(network.SerializeToString())
    print(lines)


def line(pairs: list[tuple[float, float]]) -> tuple[float, float]:
    """Shift and slope of the logistic line from predicted to reached IoU, by Newton's method."""
    predicted, reached = np.array(pairs).T
    x = np.log(predicted / (1 - predicted))
    ones = np.stack((np.ones_like(x), x), 1)
    found = np.array([0.0, 1.0])
    for _ in range(50):
        p = 1 / (1 + np.exp(-ones @ found))
        slope = ones.T @ (p - reached)
        curve = (ones * (p * (1 - p))[:, None]).T @ ones
        found = found - np.linalg.solve(curve, slope)
    return round(float(found[0]), 3), round(float(found[1]), 3)


if __name__ == "__main__":
    main()
