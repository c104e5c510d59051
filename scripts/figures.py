"""Every figure of a model that the README and the model card show, as Markdown.

    python scripts/figures.py DATA --boundaries DIR [--model NAME|FILE] [--refiner FILE] [-o DIR]

DATA holds the sets coco, coco-full, bsds, davis, grabcut and lvis; DIR what the annotators of BSDS500 drew. Runs the
evaluations of `fastsam eval` one after the other, everything mode plain and with every mask redrawn (some hours on two
cores), and keeps their JSON files in the output folder.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

RECALL, COVERAGE, PROMPTS = ("coco", "coco-full", "bsds"), ("bsds", "coco-full"), ("davis", "grabcut", "coco", "lvis")
TEXT, CLICKS = ("coco", "coco-full"), ("grabcut", "davis")
REDRAWN = "redrawn"
WAYS = ("plain", "refined")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--boundaries", type=Path, required=True)
    parser.add_argument("--model", default="fastsam-tiny")
    parser.add_argument("--refiner", type=Path, help="another second network than the bundled one")
    parser.add_argument("-o", "--output", type=Path, default=Path("figures"))
    given = parser.parse_args()
    given.output.mkdir(parents=True, exist_ok=True)

    second = ["--refiner", given.refiner] if given.refiner else []

    def measure(kind: str, *words: object, name: str | None = None) -> Any:
        file = given.output / f"{name or kind}.json"
        command = ["-m", "fastsam", "eval", kind, *map(str, words), "--model", given.model, "--json", str(file)]
        subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL)
        return json.loads(file.read_text())

    def both(kind: str, *words: object) -> tuple[Any, Any]:
        """As the first network has them, and with every mask redrawn."""
        return measure(kind, *words), measure(kind, *words, "--refine", *second, name=f"{kind}-{REDRAWN}")

    def sets(names: tuple[str, ...]) -> list[Path]:
        return [given.data / name for name in names]

    prompts = measure("prompts", *sets(PROMPTS), *second)
    print(prompts_table(prompts))
    print(calibration_table(prompts))
    print(clicks_table(measure("clicks", *sets(CLICKS), *second)))
    print(text_table(measure("text", *sets(TEXT))))
    print(coverage_table(beside(*both("coverage", *sets(COVERAGE)))))
    print(edges_table(*both("edges", given.data / "bsds", "--ground-truth", given.boundaries)))
    print(recall_table(beside(*both("recall", *sets(RECALL)))))


def beside(plain: dict[str, Any], redrawn: dict[str, Any]) -> dict[str, Any]:
    """The figures of each set, and under them those of its masks redrawn."""
    return {label: row for name in plain for label, row in ((name, plain[name]), (f"{name} {REDRAWN}", redrawn[name]))}


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
    head = ["set", "masks per photo", "area found at IoU 0.5", "at 0.7", "pixels covered"]
    rows = [
        [name, f"{row['masks']:.0f}", *(f"{v:.1f}%" for v in (*row["area_found"].values(), row["pixels"]))]
        for name, row in found.items()
    ]
    return table(head, rows)


def prompts_table(found: dict[str, Any]) -> str:
    """What clicks and boxes get, plain and refined."""
    head = ["set", "prompt", *(f"{figure}, {way}" for figure in ("mIoU", "IoU 0.5", "0.75", "0.9") for way in WAYS)]
    rows = []
    for name, answers in found.items():
        for kind in answers["plain"]:
            shares = [(row["miou"], *row["at"].values()) for row in (answers[way][kind] for way in WAYS)]
            rows.append([name, kind, *(f"{v:.1f}" for pair in zip(*shares, strict=True) for v in pair)])
    return table(head, rows)


def calibration_table(found: dict[str, Any]) -> str:
    """What refined answers were predicted to reach and reached."""
    head = ["set", "prompt", "drawn answers", "mean predicted IoU", "mean IoU reached", "calibration error"]
    rows = [
        [name, kind, str(row["all"]["count"]), *(f"{v:.3f}" for v in (row["all"]["predicted"], row["all"]["reached"])),
         f"{row['error']:.3f}"]
        for name, answers in found.items()
        for kind, row in answers["calibration"].items()
    ]  # fmt: skip
    return table(head, rows)


def clicks_table(found: dict[str, Any]) -> str:
    """How many clicks objects take."""
    head = ["set", "answers", "NoC@85", "NoC@90", "failed@85", "failed@90", *(f"mIoU after {k}" for k in (1, 3, 5))]
    rows = [
        [name, way, *(f"{v:.2f}" for v in row["noc"].values()), *(f"{v:.1f}%" for v in row["failed"].values()),
         *(f"{v:.1f}" for v in row["miou"].values())]
        for name, answers in found.items()
        for way, row in answers.items()
    ]  # fmt: skip
    return table(head, rows)


def edges_table(plain: dict[str, Any], redrawn: dict[str, Any]) -> str:
    """The boundary benchmark."""
    rows = [
        [f"{len(row['images'])} test photos{after}", *(f"{row[k]:.3f}" for k in ("ods", "ois", "ap", "r50"))]
        for row, after in ((plain, ""), (redrawn, f", {REDRAWN}"))
    ]
    return table(["BSDS500 edges", "ODS", "OIS", "AP", "R50"], rows)


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
