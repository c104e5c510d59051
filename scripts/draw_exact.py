"""Draws docs/exact.jpg: a box, a click, a correction and everything, chosen among the first network's masks and drawn.

python scripts/draw_exact.py
"""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from draw_prompts import panel

from fastsam import FastSAM, Prompt, Segments
from fastsam.formats.overlay import draw, write

ROOT = Path(__file__).parent.parent
BOX = (20.0, 85.0, 520.0, 385.0)  # the saucer
CLICK = Prompt(points=[(240, 90)])  # the cat's face
SPOON = Prompt(box=(345.0, 60.0, 460.0, 350.0))


def main() -> None:
    model = FastSAM()
    coffee, cat = (model(ROOT / "examples" / name) for name in ("coffee.png", "chelsea.png"))
    sheet = []
    for title, segments, prompt in (("box", coffee, SPOON), ("click", cat, CLICK)):
        for refine in (False, None):
            picks = segments.select([prompt], refine=refine)
            said = "chosen" if refine is False else f"drawn, {100 * (picks[0].quality or 0):.0f}%"
            sheet.append(panel(shown(segments, picks), f"{title}: {said}"))
    first = Prompt(points=[(400, 200)])
    (before,) = coffee.select([first])
    more = replace(first, points=[*first.points, (290, 100), (110, 250)], labels=[1, 0, 1], mask=before.mask)
    (after,) = coffee.select([more])
    sheet.append(panel(shown(coffee, [before]), "one click"))
    sheet.append(panel(shown(coffee, [after]), "corrected by two more"))
    sheet.append(panel(shown(coffee), "everything"))
    sheet.append(panel(shown(coffee.refine()), "everything, refine=True"))
    height = max(p.shape[0] for p in sheet)
    sheet = [np.pad(p, ((0, height - p.shape[0]), (0, 0), (0, 0)), constant_values=255) for p in sheet]
    rows = [np.hstack(sheet[k : k + 4]) for k in range(0, len(sheet), 4)]
    write(ROOT / "docs" / "exact.jpg", np.vstack(rows))


def shown(segments: Segments, picks: list | None = None) -> np.ndarray:
    """The photo with masks, or with picks and their prompts."""
    assert segments.photo is not None
    return draw(cv2.copyTo(segments.photo, None), segments, picks)


if __name__ == "__main__":
    main()
