"""Draws docs/prompts.jpg: every prompt, and every view of the result, on one photo.

    python scripts/draw_prompts.py

Needs the text extra and the MiniLM weights.
"""

from pathlib import Path

import cv2
import numpy as np

from fastsam import FastSAM, Prompt
from fastsam.formats.overlay import draw, write
from fastsam.masks.tinted import draw_labels, palette

ROOT = Path(__file__).parent.parent
WIDTH, COLUMNS, STRIP = 480, 3, 34


def panel(picture: np.ndarray, title: str) -> np.ndarray:
    """A picture in the sheet's width under its title."""
    height = round(picture.shape[0] * WIDTH / picture.shape[1])
    strip = np.full((STRIP, WIDTH, 3), 255, np.uint8)
    cv2.putText(strip, title, (6, 23), cv2.FONT_HERSHEY_SIMPLEX, 0.52, (20, 20, 20), 1, cv2.LINE_AA)
    return np.vstack((strip, cv2.resize(picture, (WIDTH, height), interpolation=cv2.INTER_AREA)))


def on_checks(cut: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A cut-out in the middle of a chessboard."""
    height, width = size
    checks = (np.indices(size).sum(0) // 16 % 2 * 30 + 210).astype(np.uint8)
    board = np.repeat(checks[..., None], 3, 2)
    h, w = min(cut.shape[0], height), min(cut.shape[1], width)
    y, x = (height - h) // 2, (width - w) // 2
    alpha = cut[:h, :w, 3:] / 255
    board[y : y + h, x : x + w] = np.rint(cut[:h, :w, :3] * alpha + board[y : y + h, x : x + w] * (1 - alpha))
    return board


def main() -> None:
    segments = FastSAM()(ROOT / "examples" / "coffee.png")
    photo = segments.photo
    assert photo is not None
    click = segments.select(points=[(290, 100)])
    box = segments.select(boxes=[(325, 235, 407, 328)])
    less = segments.select(points=[(100, 230), (365, 280)], labels=[1, 0])
    union = segments.select(points=[(290, 100), (365, 290)])
    drawn = np.zeros(segments.size, np.uint8)
    cv2.ellipse(drawn, (290, 125), (115, 105), 0, 0, 360, 255, -1)
    scribble = segments.select(masks=[drawn])
    words = segments.select(Prompt(text="cup"), encoder="offline")
    parts = segments.partition(fill=True)
    edges = np.repeat(255 - np.rint(np.sqrt(segments.edges()) * 255).astype(np.uint8)[..., None], 3, 2)
    nested = palette(8)[segments_depth(segments) % 8]
    masked = draw(photo, segments, scribble)
    contours, _ = cv2.findContours(drawn, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(masked, contours, -1, (255, 255, 255), 2)
    sheet = [
        ("everything", draw(photo, segments)),
        ("points=[(290, 100)]", draw(photo, segments, click)),
        ("boxes=[(325, 235, 407, 328)]", draw(photo, segments, box)),
        ("points=..., labels=[1, 0]: " + str(less[0].how), draw(photo, segments, less)),
        ("points=[...]: " + str(union[0].how), draw(photo, segments, union)),
        ("masks=[...] (white: what was drawn)", masked),
        ('texts=["cup"]', draw(photo, segments, words)),
        ("partition(fill=True)", draw_labels(photo, parts.labels)),
        ("edges()", edges),
        ("hierarchy(): how deep", cv2.addWeighted(photo, 0.4, nested, 0.6, 0)),
        (f"cutout({click[0].index})", on_checks(segments.cutout(click[0].index or 0), segments.size)),
        ("filter(area=(3000, None), inside=0.8)", draw(photo, segments.filter(area=(3000, None), inside=0.8))),
    ]
    panels = [panel(picture, title) for title, picture in sheet]
    rows = [np.hstack(panels[k : k + COLUMNS]) for k in range(0, len(panels), COLUMNS)]
    write(ROOT / "docs" / "prompts.jpg", np.vstack(rows))


def segments_depth(segments) -> np.ndarray:
    """(H, W) how many segments lie about one another at each pixel, by the hierarchy."""
    parents = segments.hierarchy()
    depth = np.zeros(segments.size, np.int64)
    for i in np.argsort(-segments.masks.areas):
        level, above = 1, parents[i]
        while above >= 0:
            level, above = level + 1, parents[above]
        segments.masks.crop(int(i)).paint(depth, level)
    return depth


if __name__ == "__main__":
    main()
