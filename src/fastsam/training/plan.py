"""What a training sample shows: which photo is where and how large, which objects are pasted, which colours.

Enters: `AnnotatedPhoto`s and `Cutout`s, of which the sizes alone are read, a `Policy` and a random generator.
Leaves: a `Plan`, which `augment` carries out in NumPy and `resident` on the training device.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fastsam.training.data import AnnotatedPhoto, Cutout

Float32 = npt.NDArray[np.float32]
LUMA = (0.299, 0.587, 0.114)  # weights of R, G, B in grey (ITU-R BT.601)


@dataclass(frozen=True)
class Policy:
    """How samples are made. Probabilities 0..1.

    zoom: range of the photo's longest side over the input size, drawn log-uniformly
    mosaic: probability that a sample joins four photos
    paste: probability that cut-outs are pasted; `paste_max`: maximum number of them
    colour: strength of brightness, contrast, saturation and tint changes
    max_objects: objects beyond it, chosen at random, become unknown ground
    """

    zoom: tuple[float, float] = (0.8, 2.0)
    mosaic: float = 0.3
    paste: float = 0.3
    paste_max: int = 4
    colour: float = 0.3
    max_objects: int = 100


@dataclass(frozen=True)
class Window:
    """A rectangle of the canvas in input pixels."""

    x0: int
    y0: int
    x1: int
    y1: int

    @property
    def cells(self) -> tuple[slice, slice]:
        """Rows and columns of the prototypes' grid, 4 input pixels per cell, that it touches."""
        return slice(self.y0 // 4, -(-self.y1 // 4)), slice(self.x0 // 4, -(-self.x1 // 4))


@dataclass(frozen=True)
class Placement:
    """A photo scaled to `size` (width, height), mirrored if `flip`, its `corner` (left, top) on the canvas.

    photo: its own (width, height)
    window: the part of the canvas that it may fill, edges at multiples of 4
    """

    window: Window
    photo: tuple[int, int]
    size: tuple[int, int]
    corner: tuple[int, int]
    flip: bool

    @property
    def visible(self) -> Window:
        """What of the window the photo fills."""
        (left, top), (width, height), w = self.corner, self.size, self.window
        return Window(max(left, w.x0), max(top, w.y0), min(left + width, w.x1), min(top + height, w.y1))


@dataclass(frozen=True)
class Pasting:
    """Cut-out number `cutout` at a size and place, as in `Placement`; `gain` multiplies its colours."""

    cutout: int
    size: tuple[int, int]
    corner: tuple[int, int]
    flip: bool
    gain: float


@dataclass(frozen=True)
class Plan:
    """One sample: a placement for each of its photos, then colours, then pastings, one over the other.

    colour: (3, 4) float32 affine map of RGB 0..255, None for unchanged colours
    lottery: seed of the choice if there are too many objects
    """

    placements: tuple[Placement, ...]
    colour: Float32 | None
    pastings: tuple[Pasting, ...]
    lottery: int


def draw(
    photos: Sequence[AnnotatedPhoto], cutouts: Sequence[Cutout], size: int, policy: Policy, rng: np.random.Generator
) -> Plan:
    """A plan for a sample of one photo, or a mosaic of four: `photos` holds as many as are to be joined."""
    places = windows(size, len(photos), rng)
    placements = tuple(place(p.pixels.shape, w, policy.zoom, rng) for p, w in zip(photos, places, strict=True))
    colour = colours(policy.colour, rng) if policy.colour > 0 else None
    pastings: tuple[Pasting, ...] = ()
    if cutouts and rng.random() < policy.paste:
        pastings = tuple(pasting(cutouts, size, rng) for _ in range(int(rng.integers(1, policy.paste_max + 1))))
    return Plan(placements, colour, pastings, int(rng.integers(2**32)))


def windows(size: int, n: int, rng: np.random.Generator) -> list[Window]:
    """The whole canvas for one photo, four quarters about a random centre for four."""
    if n == 1:
        return [Window(0, 0, size, size)]
    cx, cy = (int(rng.uniform(0.35, 0.65) * size) // 4 * 4 for _ in range(2))
    return [Window(0, 0, cx, cy), Window(cx, 0, size, cy), Window(0, cy, cx, size), Window(cx, cy, size, size)]


def place(shape: tuple[int, ...], window: Window, zoom: tuple[float, float], rng: np.random.Generator) -> Placement:
    """A photo of `shape` (H, W, ...) in the window, at a random scale and place."""
    h, w = shape[:2]
    width, height = window.x1 - window.x0, window.y1 - window.y0
    scale = float(np.exp(rng.uniform(*np.log(zoom)))) * max(width, height) / max(h, w)
    new_w, new_h = max(1, round(w * scale)), max(1, round(h * scale))
    flip = bool(rng.random() < 0.5)
    # Larger than the window: a random part of it; smaller: a random place in it.
    left = window.x0 + int(rng.integers(min(0, width - new_w), max(0, width - new_w) + 1))
    top = window.y0 + int(rng.integers(min(0, height - new_h), max(0, height - new_h) + 1))
    return Placement(window, (w, h), (new_w, new_h), (left, top), flip)


def pasting(cutouts: Sequence[Cutout], size: int, rng: np.random.Generator) -> Pasting:
    """One of the cut-outs at a random size and place."""
    k = int(rng.integers(len(cutouts)))
    h, w = cutouts[k].pixels.shape[:2]
    scale = float(np.exp(rng.uniform(np.log(0.1), np.log(0.5)))) * size / max(h, w)
    new_w, new_h = max(4, round(w * scale)), max(4, round(h * scale))
    flip = bool(rng.random() < 0.5)
    left, top = int(rng.integers(0, size - new_w + 1)), int(rng.integers(0, size - new_h + 1))
    return Pasting(k, (new_w, new_h), (left, top), flip, float(rng.uniform(0.7, 1.2)))


def colours(strength: float, rng: np.random.Generator) -> Float32:
    """A random change of saturation, contrast, tint and brightness: one affine map (3, 4) of colours."""
    saturation = rng.uniform(1 - 1.5 * strength, 1 + 1.5 * strength)
    contrast, brightness = rng.uniform(1 - strength, 1 + strength), rng.uniform(-strength, strength) * 100
    tint = rng.uniform(1 - strength / 3, 1 + strength / 3, 3)
    mix = saturation * np.eye(3) + (1 - saturation) * np.array(LUMA)
    scale = (contrast * tint)[:, None]
    offset = 128 * (1 - scale) + brightness
    return np.hstack((scale * mix, offset)).astype(np.float32)
