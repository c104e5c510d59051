"""Adds masks that a machine draws to sets that people annotated in part: what is there, and nobody drew.

    python scripts/complete_sets.py SET... -o runs/completed --model open.onnx [--backgrounds FOLDER]
        [--licences "CC BY" ...] [--holdout configs/dev-split.txt] [--clicks 12] [--threads N]

The first network finds masks, and a grid of clicks more of them; the second network draws each, and redraws what
another machine made (annotations with a `score`). Those stay that it is sure of and that are no copy of a drawn or a
better one. Their predicted IoU is the annotation's `score`, so that the trainer knows how far to believe them. If it is
not sure of another machine's mask, that one stays as it was, unless it is a copy. Photos that are complete stay too.

FOLDER holds photos without masks and their index.json ({"file", "licence", "copyleft", "kind", "source"}): its photos
become a set too. Leaves: a set (docs/training.md) of the same name for each set.
"""

import argparse
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fastsam import FastSAM, Prompt, Segments
from fastsam.boxes import xywh
from fastsam.evaluation.prompts import iou
from fastsam.image.read import read_image
from fastsam.masks import rle
from fastsam.masks.runs import of_pixels
from fastsam.refine.everything import redraw
from fastsam.refine.network import Refiner, shared
from fastsam.training.data import allowed, annotation_mask, read_holdout

Bool = npt.NDArray[np.bool_]
Scored = tuple[Bool, float]  # a mask, and how sure its maker is

SURE = 0.8  # least predicted IoU of a mask that is added
COPY = 0.6  # IoU with a better mask from which a mask is no other thing
LEAST_SHARE = 0.001  # of the photo's pixels
MOST = 40  # masks added per photo


@dataclass(frozen=True)
class Finder:
    """model: the first network; refiner: the second; clicks: per side of the grid"""

    model: FastSAM
    refiner: Refiner
    clicks: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", type=Path, nargs="+")
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--model", required=True, help="the first network")
    parser.add_argument("--backgrounds", type=Path, help="folder of photos without masks")
    parser.add_argument("--licences", nargs="*", default=[], help="what a photo's licence may begin with")
    parser.add_argument("--holdout", type=Path, help="file of set/file lines to leave out")
    parser.add_argument("--clicks", type=int, default=12, help="per side of the grid; 0: none")
    parser.add_argument("--threads", type=int, help="of the processor")
    wanted = parser.parse_args()
    held = read_holdout(wanted.holdout)
    finder = Finder(FastSAM(wanted.model, threads=wanted.threads), shared(wanted.threads), wanted.clicks)
    for folder in wanted.sets:
        coco = json.loads((folder / "instances.json").read_text())
        coco["images"] = allowed(coco, folder.name, held, wanted.licences)
        complete(coco, folder / "images", wanted.out / folder.name, finder)
    if wanted.backgrounds:
        complete(bare(wanted.backgrounds), wanted.backgrounds, wanted.out / wanted.backgrounds.name, finder)


def bare(folder: Path) -> dict[str, Any]:
    """The photos of a folder of backgrounds that are not copyleft, as a set without masks."""
    kept = [one for one in json.loads((folder / "index.json").read_text()) if not one["copyleft"]]
    images = [
        {"id": k, "file_name": one["file"], "licence": one["licence"], "source": one["source"]}
        for k, one in enumerate(kept)
        if one["kind"] != "texture"
    ]
    return {
        "info": {"complete": False},
        "images": images,
        "annotations": [],
        "categories": [{"id": 1, "name": "object"}],
    }


def complete(coco: dict[str, Any], photos: Path, out: Path, finder: Finder) -> None:
    """Writes a set with the masks of people and what a machine adds to each photo that is not complete."""
    (out / "images").mkdir(parents=True, exist_ok=True)
    ids = {record["id"] for record in coco["images"]}
    rows = [row for row in coco["annotations"] if row["image_id"] in ids]
    free = max((row["id"] for row in rows), default=0) + 1
    kind = coco["categories"][0]["id"]
    for number, record in enumerate(coco["images"]):
        file = photos / record["file_name"]
        shutil.copyfile(file, out / "images" / record["file_name"])
        if record.get("complete", coco["info"].get("complete", False)):
            continue
        own = [row for row in rows if row["image_id"] == record["id"] and not row.get("iscrowd")]
        machine = [row for row in own if "score" in row]
        drawn = [annotation_mask(row) for row in own if "score" not in row]
        rough = [(annotation_mask(row), row["score"]) for row in machine]
        made = [
            annotation(free + k, record["id"], kind, *one)
            for k, one in enumerate(added(finder, read_image(file), drawn, rough))
        ]
        replaced = {row["id"] for row in machine}
        rows = [row for row in rows if row["id"] not in replaced] + made
        free += len(made)
        print(f"{out.name} {number + 1}/{len(ids)}: {len(drawn)} drawn, {len(made)} added", flush=True)
    (out / "instances.json").write_text(json.dumps(coco | {"annotations": rows}))


# ------------------------------------------------------------------------------------------------------ masks


def added(
    finder: Finder, pixels: npt.NDArray[np.uint8], drawn: Sequence[Bool], rough: Sequence[Scored]
) -> Iterator[Scored]:
    """Masks of a photo that nobody drew, the surest first, each with its predicted IoU; then what is left of `rough`.

    rough: masks that another machine made
    """
    found = sorted(proposed(finder, pixels, rough), key=lambda one: -one[1])
    kept: list[Bool] = list(drawn)
    for mask, quality in [*found, *sorted(rough, key=lambda one: -one[1])]:
        if len(kept) - len(drawn) == MOST:
            return
        if mask.mean() >= LEAST_SHARE and all(iou(mask, other) < COPY for other in kept):
            kept.append(mask)
            yield mask, quality


def proposed(finder: Finder, pixels: npt.NDArray[np.uint8], rough: Sequence[Scored]) -> Iterator[Scored]:
    """What the second network is sure of: drawings of the first network's masks, of `rough` and of a grid of clicks."""
    segments = finder.model(pixels, conf=0.02)
    both = [segments]
    if rough:
        both.append(Segments.from_masks(pixels, [mask for mask, _ in rough]))
    for own in both:
        redrawn = redraw(pixels, own.masks, np.asarray(own.scores, np.float32), finder.refiner)
        for i, quality in enumerate(redrawn.qualities.tolist()):
            if quality >= SURE:
                yield redrawn.masks[i], quality
    height, width = pixels.shape[:2]
    steps = (np.arange(finder.clicks) + 0.5) / max(finder.clicks, 1)
    clicks = [Prompt(points=[(x * width, y * height)]) for y in steps for x in steps]
    for pick in segments.select(clicks) if clicks else []:
        if pick.mask is not None and pick.quality is not None and pick.quality >= SURE:
            yield pick.mask, pick.quality


def annotation(number: int, image: int, kind: int, mask: Bool, score: float) -> dict[str, Any]:
    """A COCO annotation that a machine made."""
    return {
        "id": number, "image_id": image, "category_id": kind, "iscrowd": 0, "bbox": xywh(of_pixels(mask).bounds),
        "area": int(mask.sum()), "segmentation": rle.encode(mask), "score": round(score, 3),
    }  # fmt: skip


if __name__ == "__main__":
    main()
