"""Names of colours: how much of a mask a person would call red, yellow, black, ...

Enters: pixels. Leaves: shares of the eleven basic colour terms (Berlin and Kay 1969).
"""

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]
# Focal colours in sRGB; a term may have several.
FOCI = {
    "black": [(10, 10, 10), (45, 42, 40)],
    "white": [(250, 250, 250), (225, 225, 225)],
    "grey": [(128, 128, 128), (90, 90, 92), (170, 170, 170)],
    "red": [(200, 20, 30), (150, 20, 25)],
    "green": [(30, 140, 50), (90, 130, 60), (120, 190, 90)],
    "blue": [(30, 80, 190), (110, 160, 215), (30, 45, 100)],
    "yellow": [(245, 215, 40), (225, 190, 110), (205, 165, 90)],
    "orange": [(240, 130, 20), (220, 110, 50)],
    "brown": [(110, 65, 35), (80, 50, 35), (150, 100, 60)],
    "pink": [(240, 150, 180), (230, 110, 150)],
    "purple": [(120, 50, 150), (160, 110, 190)],
}
ALIASES = {"gray": "grey", "golden": "yellow", "violet": "purple", "silver": "grey"}
TERMS = tuple(FOCI)
WIDTH = 14.0  # of a focus, in units of CIELAB
MOST_PIXELS = 4000  # maximum pixels per mask that are looked at
LEVELS = 32  # levels of each of red, green and blue


def term(word: str) -> str | None:
    """The basic term of a colour word, None for any other word."""
    word = ALIASES.get(word, word)
    return word if word in FOCI else None


def shares(pixels: npt.NDArray[np.uint8]) -> Float32:
    """(11,) how much of pixels (K, 3) RGB each of `TERMS` names, adding up to 1."""
    some = pixels[:: max(1, len(pixels) // MOST_PIXELS)].astype(np.int64) * LEVELS // 256
    mean: Float32 = table()[(some[:, 0] * LEVELS + some[:, 1]) * LEVELS + some[:, 2]].mean(0)
    return mean


@lru_cache(maxsize=1)
def table() -> Float32:
    """(LEVELS^3, 11) how much each term names each colour, red slowest: a normal curve about the nearest focus."""
    levels = ((np.indices((LEVELS,) * 3).reshape(3, -1).T + 0.5) * 256 / LEVELS).astype(np.uint8)
    lab = to_lab(levels)
    foci = [to_lab(np.array(colours, np.uint8)) for colours in FOCI.values()]
    nearest = np.stack([np.min([np.linalg.norm(lab - f, axis=1) for f in focus], 0) for focus in foci], 1)
    closeness = np.exp(-0.5 * ((nearest - nearest.min(1, keepdims=True)) / WIDTH) ** 2)
    return np.asarray(closeness / closeness.sum(1, keepdims=True), np.float32)


def to_lab(pixels: npt.NDArray[np.uint8]) -> Float32:
    """(K, 3) CIELAB of RGB uint8 (K, 3)."""
    lab: Float32 = cv2.cvtColor(np.float32(pixels[None] / 255), cv2.COLOR_RGB2LAB)[0]
    return lab
