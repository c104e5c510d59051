"""The published script `Inference.py`, flag for flag: `python -m fastsam.compat.inference`.

Differences: booleans accept false, no and 0; a single box may be a flat list; a box or point without a match is
reported; `--imgsz`, `--conf` and `--iou` default to the values stored with the weights, which are 1024, 0.4 and 0.9 for
FastSAM's own. `--refine` is an addition: it redraws the answers with the second network.
"""

import argparse
import ast
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fastsam.compat.published import FastSAMPrompt
from fastsam.compat.taken import nested
from fastsam.errors import UsageError
from fastsam.image.read import read_image
from fastsam.model import FastSAM

YES, NO = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


def main(words: Sequence[str] | None = None) -> int:
    """Segments one photo and writes its picture to the folder `--output` under the photo's own name."""
    given = parser().parse_args(words)
    try:
        print(run(given))
    except (ValueError, OSError) as error:
        print(f"Inference.py: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    return 0


def run(given: argparse.Namespace) -> Path:
    """Runs the script and returns the file of the picture. Raises UsageError."""
    boxes = [xyxy(b) for b in nested(given.box_prompt) if any(b)]
    asked = nested(given.point_prompt)
    points = asked if any(map(any, asked)) else []  # the default, one point at 0,0, means no point
    model = FastSAM(given.model_path, device=given.device)
    photo = read_image(given.img_path)
    redrawn = given.refine and not (boxes or points)  # words choose among redrawn masks
    segments = model(photo, imgsz=given.imgsz, conf=given.conf, iou=given.iou, refine=redrawn)
    prompt = FastSAMPrompt(photo, segments, refine=given.refine)
    drawn: dict[str, Any] = {}
    found: Any = segments
    if boxes:
        found, drawn = prompt.box_prompt(bboxes=boxes), {"bboxes": boxes}
    elif given.text_prompt:
        found = prompt.text_prompt(given.text_prompt)
    elif points:
        labels = given.point_label
        if len(labels) != len(points):
            raise UsageError(
                f"--point_label has {len(labels)} labels for the {len(points)} points of --point_prompt: "
                "give one label per point"
            )
        found, drawn = prompt.point_prompt(points, labels), {"points": points, "point_label": labels}
    if found is not segments:
        kind = "box" if boxes else "text" if given.text_prompt else "points"
        for number in sorted(set(range(len(boxes) or 1)) - set(found.prompts.tolist())):
            print(f"{kind} {number}: no match", file=sys.stderr)
    file = Path(given.output) / Path(given.img_path).name
    if file.exists() and file.resolve() == Path(given.img_path).resolve():
        raise UsageError(f"{file} would replace the photo itself: choose another folder with --output")
    options = {"better_quality": given.better_quality, "withContours": given.withContours}
    prompt.plot(found, file, mask_random_color=given.randomcolor, retina=given.retina, **options, **drawn)
    return file


def parser() -> argparse.ArgumentParser:
    """The flags of the published script, and `--refine`."""
    p = argparse.ArgumentParser("Inference.py", description="Segment everything in a photo, or what a prompt means.")
    p.add_argument("--model_path", default="./weights/FastSAM.pt", help="checkpoint (.pt, .safetensors, .onnx) or name")
    p.add_argument("--img_path", default="./images/dogs.jpg", help="photo")
    p.add_argument(
        "--imgsz", type=int, default=None, help="size of the network's input in pixels (default: the weights')"
    )
    p.add_argument("--iou", type=float, default=None, help="drop the lower-scored of two boxes that overlap by more")
    p.add_argument("--conf", type=float, default=None, help="minimum score (default: the weights', 0.4 for FastSAM.pt)")
    p.add_argument("--text_prompt", default=None, help="words")
    p.add_argument("--output", default="./output/", help="folder for the picture")
    p.add_argument("--point_prompt", type=values, default="[[0,0]]", help="[[x1,y1],[x2,y2]]")
    p.add_argument("--point_label", type=values, default="[0]", help="[1,0]: 1 foreground, 0 background")
    p.add_argument("--box_prompt", type=values, default="[[0,0,0,0]]", help="[[x,y,w,h],...], or one box alone")
    for name, default, about in (
        ("better_quality", False, "smooth each mask"),
        ("retina", True, "accepted and ignored: masks always have the photo's size"),
        ("withContours", False, "draw outlines"),
        ("randomcolor", True, "a colour of its own for each mask"),
        ("refine", False, "redraw answers with the second network; not a flag of the published script"),
    ):
        p.add_argument(f"--{name}", type=boolean, nargs="?", const=True, default=default, help=about)
    p.add_argument("--device", default=None, help="cpu, cuda, mps or a number")
    return p


def boolean(word: str) -> bool:
    """True or False as a person writes it."""
    if word.lower() not in YES + NO:
        raise argparse.ArgumentTypeError(f"must be true or false, not {word!r}")
    return word.lower() in YES


def values(word: str) -> Any:
    """A list of numbers, or of lists of them, written as in Python."""
    try:
        value = ast.literal_eval(word)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        value = None
    rows = value if isinstance(value, list) and value and isinstance(value[0], list) else [value]
    good = all(isinstance(r, list) and r and all(isinstance(v, (int, float)) for v in r) for r in rows)
    if not good or len({len(r) for r in rows}) != 1:
        raise argparse.ArgumentTypeError(f"must be a list of numbers such as [[1,2],[3,4]], not {word!r}")
    return value


def xyxy(box: Sequence[float]) -> tuple[float, float, float, float]:
    """x1, y1, x2, y2 of x, y, width, height."""
    if len(box) != 4:
        raise UsageError(f"--box_prompt must be x,y,w,h, not {list(box)}")
    x, y, w, h = box
    return x, y, x + w, y + h


if __name__ == "__main__":
    sys.exit(main())
