"""Names and boxes written into a picture, in place.

Enters: a picture, boxes, names, colours. Leaves: nothing; the picture has changed.
"""

import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

UInt8 = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int32]
Place = tuple[int, int, int, int]
LEAST_LETTER, LETTER_SHARE = 13, 1 / 55  # pixels of a letter's height, and its share of the picture's shorter side
LONGEST = 40  # maximum letters of a name; the rest is cut off
TRIES = (0, -1, 1, -2, 2, -3, 3)  # lines by which a name moves to a free place


def draw_boxes(picture: UInt8, boxes: npt.NDArray[np.floating[Any]], colours: UInt8) -> None:
    """Outlines boxes (N, 4) xyxy, each in its colour of (N + 1, 3), black first; the first one comes last, on top."""
    thick = max(1, round(max(picture.shape) / 600))
    for i in range(len(boxes) - 1, -1, -1):
        x0, y0, x1, y1 = (int(v) for v in np.rint(boxes[i]))
        colour = tuple(int(v) for v in colours[i + 1])
        cv2.rectangle(picture, (x0, y0), (x1 - 1, y1 - 1), colour, thick)


def write_names(picture: UInt8, labels: Labels, names: Sequence[str], colours: UInt8) -> None:
    """Writes each name that is not empty on its region, where it is widest; no name on another if there is room.

    labels: (H, W), i + 1 where region i is; names: (N,); colours: (N + 1, 3), of the ground of each name
    """
    size = max(LEAST_LETTER, round(LETTER_SHARE * min(picture.shape[:2])))
    taken: list[Place] = []
    for i, name in enumerate(names):
        centre = middle(labels, i + 1) if name else None
        if centre is not None:
            text = name if len(name) <= LONGEST else name[: LONGEST - 1] + "…"
            taken.append(caption(picture, text, centre, size, colours[i + 1], taken))


def middle(labels: Labels, label: int) -> tuple[int, int] | None:
    """The pixel x, y of a region that is farthest from its border, None if it has no pixels."""
    x, y, w, h = cv2.boundingRect((labels == label).astype(np.uint8))
    if w == 0:
        return None
    own = np.pad((labels[y : y + h, x : x + w] == label).astype(np.uint8), 1)
    row, column = np.unravel_index(int(cv2.distanceTransform(own, cv2.DIST_L2, 3).argmax()), own.shape)
    return x + int(column) - 1, y + int(row) - 1


def caption(
    picture: UInt8, text: str, centre: tuple[int, int], size: int, colour: UInt8, taken: Sequence[Place]
) -> Place:
    """Writes a text on a ground of that colour, about a centre x, y; returns where it lies."""
    height, width = picture.shape[:2]
    w, h = extent(text, size)
    w, h = w + size // 2 * 2, round(1.5 * size)
    x = max(0, min(centre[0] - w // 2, width - w))
    places = [(x, max(0, min(centre[1] - h // 2 + k * h, height - h))) for k in TRIES]
    x, y = min(places, key=lambda p: covered((p[0], p[1], p[0] + w, p[1] + h), taken))
    ground = picture[y : y + h, x : x + w]
    ground[:] = (0.2 * ground + 0.8 * colour.astype(np.float32)).astype(np.uint8)
    dark = float(ground.reshape(-1, 3).mean(0) @ (0.299, 0.587, 0.114)) > 120
    letters(picture, text, (x + size // 2, y + round(1.1 * size)), size, (20, 20, 20) if dark else (255, 255, 255))
    return x, y, x + w, y + h


def covered(place: Place, taken: Sequence[Place]) -> int:
    """Pixels of a place that others cover."""
    x0, y0, x1, y1 = place
    return sum(max(0, min(x1, c) - max(x0, a)) * max(0, min(y1, d) - max(y0, b)) for a, b, c, d in taken)


@cache
def face() -> Any:
    """OpenCV 5's own font, which knows the letters of most languages; None in OpenCV 4."""
    return cv2.FontFace("sans") if hasattr(cv2, "FontFace") else None


def extent(text: str, size: int) -> tuple[int, int]:
    """Width and height in pixels of a text whose capital letters are about `size` pixels high, lines and all."""
    if face() is not None:
        x, _, w, h = cv2.getTextSize((1, 1), text, (0, 0), face(), size, 500)
        return x + w, h
    (w, h), _ = cv2.getTextSize(latin(text), cv2.FONT_HERSHEY_SIMPLEX, size / 30, 1)
    return w, h


def letters(picture: UInt8, text: str, at: tuple[int, int], size: int, colour: tuple[int, int, int]) -> None:
    """Writes a text whose base line begins at x, y."""
    if face() is not None:
        cv2.putText(picture, text, at, colour, face(), size, 500)
    else:
        cv2.putText(picture, latin(text), at, cv2.FONT_HERSHEY_SIMPLEX, size / 30, colour, 1, cv2.LINE_AA)


def latin(text: str) -> str:
    """The letters that OpenCV 4 can write: without accents, and a question mark for every other letter."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return plain.encode("ascii", "replace").decode()
