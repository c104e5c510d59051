"""Every figure of a model that the README and the model card show, as Markdown.

    python scripts/figures.py DATA --boundaries DIR [--model NAME|FILE] [-o DIR]

DATA holds the sets coco, coco-full, bsds, davis, grabcut and lvis; DIR what the annotators of BSDS500 drew. Runs the
evaluations of `fastsam eval`
one after the other (more than half an hour on two cores) and keeps their JSON files in the output folder.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

RECALL, COVERAGE, PROMPTS = ("coco", "coco-full", "bsds"), ("bsds", "coco-full"), ("davis", "grabcut", "coco", "lvis")
TEXT = ("coco", "coco-full")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--boundaries", type=Path, required=True)
    parser.add_argument("--model", default="fastsam-tiny")
    parser.add_argument("-o", "--output", type=Path, default=Path("figures"))
    given = parser.parse_args()
    given.output.mkdir(parents=True, exist_ok=True)

    def measure(kind: str, *words: object) -> Any:
        file = given.output / f"{kind}.json"
        command = ["-m", "fastsam", "eval", kind, *map(str, words), "--model", given.model, "--json", str(file)]
        subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL)
        return json.loads(file.read_text())

    print(recall_table(measure("recall", *(given.data / name for name in RECALL))))
    print(coverage_table(measure("coverage", *(given.data / name for name in COVERAGE))))
    print(prompts_table(measure("prompts", *(given.data / name for name in PROMPTS))))
    print(text_table(measure("text", *(given.data / name for name in TEXT))))
    edges = measure("edges", given.data / "bsds", "--ground-truth", given.boundaries)
    values = [f"{edges[k]:.3f}" for k in ("ods", "ois", "ap", "r50")]
    print(table(["BSDS500 edges", "ODS", "OIS", "AP", "R50"], [["200 test photos", *values]]))


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def recall_table(found: dict[str, Any]) -> str:
    """Recall of all objects, then of masks by size with what became of the objects."""
    head = ["set", *(f"mask AR@{k}" for k in (1, 10, 100, 1000)), "box AR@100", "box AR@1000", "mask AUC"]
    rows = [
        [name, *(f"{v:.1f}" for v in row["masks"].values()), *(f"{row['boxes'][k]:.1f}" for k in ("100", "1000")),
         f"{row['auc'][0]:.1f}"]
        for name, row in found.items()
    ]  # fmt: skip
    why = ["set, size", "objects", "mask AR@100", "mask AR@1000", "box AR@1000"]
    fates = ("found", "badly ranked", "badly cut", "missed")
    sized = []
    for name, row in found.items():
        for size, counts in row["fates"].items():
            total = sum(counts.values())
            masks, boxes = row["masks_by_size"][size], row["boxes_by_size"][size]
            values = [f"{v:.1f}" for v in (masks["100"], masks["1000"], boxes["1000"])]
            shares = [f"{100 * counts.get(fate, 0) / total:.0f}" for fate in fates]
            sized.append([f"{name}, {size}", str(total), *values, *shares])
    return table(head, rows) + "\n" + table([*why, *fates], sorted(sized))


def coverage_table(found: dict[str, Any]) -> str:
    """What everything mode finds at the weights' own settings."""
    head = ["set", "masks a photo", "area found at IoU 0.5", "at 0.7", "pixels covered"]
    rows = [
        [name, f"{row['masks']:.0f}", *(f"{v:.1f}%" for v in (*row["area_found"].values(), row["pixels"]))]
        for name, row in found.items()
    ]
    return table(head, rows)


def prompts_table(found: dict[str, Any]) -> str:
    """What clicks and boxes get."""
    head = ["set", "prompt", "mIoU", "IoU 0.5", "0.75", "0.9"]
    rows = [
        [name, kind, *(f"{v:.1f}" for v in (row["miou"], *row["at"].values()))]
        for name, kinds in found.items()
        for kind, row in kinds.items()
    ]
    return table(head, rows)


def text_table(found: dict[str, Any]) -> str:
    """What the names of categories get."""
    head = ["set", "words asked", "best answer right", "precision", "recall"]
    rows = [
        [name, str(row["asked"]), *(f"{row[k]:.1f}%" for k in ("best", "precision", "recall"))]
        for name, row in found.items()
    ]
    return table(head, rows)


if __name__ == "__main__":
    main()
