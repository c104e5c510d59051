"""One training sample from photos: scale, crop, flip, mosaic, pasted cut-outs, colour.

Enters: `Photo`s and `Cutout`s. Leaves: a `Sample`, for `loader`.

Masks are handled as small crops on a grid of 2 input pixels, values 0..255, at even offsets, and averaged to the
prototypes' grid of 4 input pixels at the very end: a target is the share of a cell that the object covers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.training.data import Cutout, Photo, Region

UInt8 = npt.NDArray[np.uint8]
Float = npt.NDArray[np.float32]
Box = tuple[float, float, float, float]
PADDING = 114
MIN_SIDE = 4.0  # input pixels: a smaller object has no anchor of its own
LUMA = (0.299, 0.587, 0.114)  # weights of R, G, B in grey (ITU-R BT.601)
MIN_VISIBLE = 0.2  # share of an object that must remain after cropping and pasting


@dataclass(frozen=True)
class Policy:
    """How samples are made. Probabilities 0..1.

    zoom: range of the photo's longest side over the input size, drawn log-uniformly
    mosaic: probability that a sample joins four photos
    paste: probability that cut-outs are pasted; `paste_max` of them at most
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
class Sample:
    """A square input with its targets.

    pixels: (S, S, 3) uint8 RGB
    boxes: (M, 4) float32 xyxy in input pixels
    masks: (M, S / 4, S / 4) uint8, 255 where the object covers a cell fully
    weights: (M,) float32
    known: (S / 4, S / 4) bool, False where nothing can be said of background
    """

    pixels: UInt8
    boxes: Float
    masks: UInt8
    weights: Float
    known: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Placed:
    """An object on the canvas: `crop` (h, w) uint8 at `offset` (x, y), both in grid cells of 2 pixels and even.

    box: xyxy in input pixels, or None where the crop must tell (clipped or partly hidden)
    full: cells that the whole object would cover
    """

    offset: tuple[int, int]
    crop: UInt8
    box: Box | None
    full: float
    weight: float
    ignored: bool


@dataclass(frozen=True)
class Window:
    """A rectangle of the canvas in input pixels, edges at multiples of 4."""

    x0: int
    y0: int
    x1: int
    y1: int


def make_sample(
    photos: Sequence[Photo], cutouts: Sequence[Cutout], size: int, policy: Policy, rng: np.random.Generator
) -> Sample:
    """A sample of one photo, or a mosaic of four: `photos` holds as many as are to be joined."""
    canvas = np.full((size, size, 3), PADDING, np.uint8)
    known = np.ones((size // 4, size // 4), bool)
    objects: list[Placed] = []
    for photo, window in zip(photos, windows(size, len(photos), rng), strict=True):
        objects += place_photo(canvas, known, photo, window, policy.zoom, rng)
    canvas = recolour(canvas, policy.colour, rng)
    if cutouts and rng.random() < policy.paste:
        for _ in range(int(rng.integers(1, policy.paste_max + 1))):
            objects = paste(canvas, objects, cutouts[int(rng.integers(len(cutouts)))], rng)
    return finish(canvas, known, objects, policy.max_objects, rng)


def windows(size: int, n: int, rng: np.random.Generator) -> list[Window]:
    """The whole canvas for one photo, four quarters about a random centre for four."""
    if n == 1:
        return [Window(0, 0, size, size)]
    cx, cy = (int(rng.uniform(0.35, 0.65) * size) // 4 * 4 for _ in range(2))
    return [Window(0, 0, cx, cy), Window(cx, 0, size, cy), Window(0, cy, cx, size), Window(cx, cy, size, size)]


def place_photo(
    canvas: UInt8,
    known: npt.NDArray[np.bool_],
    photo: Photo,
    window: Window,
    zoom: tuple[float, float],
    rng: np.random.Generator,
) -> list[Placed]:
    """Draws the photo into the window at a random scale and place, and returns its objects."""
    h, w = photo.pixels.shape[:2]
    width, height = window.x1 - window.x0, window.y1 - window.y0
    scale = float(np.exp(rng.uniform(*np.log(zoom)))) * max(width, height) / max(h, w)
    new_w, new_h = max(1, round(w * scale)), max(1, round(h * scale))
    pixels = cv2.resize(photo.pixels, (new_w, new_h), interpolation=cv2.INTER_LINEAR)  # as the letterbox does
    flip = rng.random() < 0.5
    if flip:
        pixels = pixels[:, ::-1]
    # Larger than the window: a random part of it; smaller: a random place in it.
    left = window.x0 + int(rng.integers(min(0, width - new_w), max(0, width - new_w) + 1))
    top = window.y0 + int(rng.integers(min(0, height - new_h), max(0, height - new_h) + 1))
    x0, y0 = max(left, window.x0), max(top, window.y0)
    x1, y1 = min(left + new_w, window.x1), min(top + new_h, window.y1)
    canvas[y0:y1, x0:x1] = pixels[y0 - top : y1 - top, x0 - left : x1 - left]
    if not photo.complete:
        known[y0 // 4 : -(-y1 // 4), x0 // 4 : -(-x1 // 4)] = False
    sx, sy = new_w / w, new_h / h
    visible = Window(x0, y0, x1, y1)
    placed = [place_region(r, (sx, sy), (left, top), w if flip else None, visible) for r in photo.regions]
    return [p for p in placed if p is not None]


def place_region(
    region: Region, scale: tuple[float, float], shift: tuple[int, int], mirror: int | None, visible: Window
) -> Placed | None:
    """A region scaled and shifted onto the canvas, clipped to `visible`; None where nothing of it remains.

    mirror: the photo's width where it is flipped
    """
    (h, w), (x, y) = region.shape, region.offset
    if mirror is not None:
        x = mirror - x - w
    (sx, sy), (left, top) = scale, shift
    box = (x * sx + left, y * sy + top, (x + w) * sx + left, (y + h) * sy + top)
    clipped = (
        max(box[0], visible.x0),
        max(box[1], visible.y0),
        min(box[2], visible.x1),
        min(box[3], visible.y1),
    )
    if clipped[0] >= clipped[2] or clipped[1] >= clipped[3]:
        return None
    # Cells of 2 pixels, from an even one to an even one.
    gx0, gy0 = int(clipped[0] // 4) * 2, int(clipped[1] // 4) * 2
    gx1, gy1 = -int(-clipped[2] // 4) * 2, -int(-clipped[3] // 4) * 2
    crop = region.crop()
    if mirror is not None:
        crop = np.ascontiguousarray(crop[:, ::-1])
    if sx < 0.4:  # average first: sampling a fine mask at few points would lose thin parts
        crop = cv2.resize(crop, (max(1, w // 2), max(1, h // 2)), interpolation=cv2.INTER_AREA)
    ax, ay = 2 / (box[2] - box[0]) * crop.shape[1], 2 / (box[3] - box[1]) * crop.shape[0]
    # Centre of cell g lies at input pixel 2g + 1, hence at crop pixel (2g + 1 - box) * a / 2, less half a pixel.
    matrix = np.array(
        [
            [ax, 0, (2 * gx0 + 1 - box[0]) * ax / 2 - 0.5],
            [0, ay, (2 * gy0 + 1 - box[1]) * ay / 2 - 0.5],
        ],
        np.float64,
    )
    warped = cv2.warpAffine(crop, matrix, (gx1 - gx0, gy1 - gy0), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    if clipped != box:
        _clear_outside(warped, (gx0, gy0), visible)
    full = region.fill * (box[2] - box[0]) * (box[3] - box[1]) / 4
    return Placed(
        offset=(gx0, gy0),
        crop=warped,
        box=box if clipped == box else None,
        full=full,
        weight=region.weight,
        ignored=region.ignored,
    )


def paste(canvas: UInt8, objects: list[Placed], cutout: Cutout, rng: np.random.Generator) -> list[Placed]:
    """Pastes a cut-out at a random size and place; hides what lies beneath it, in `canvas` and in the masks."""
    size = canvas.shape[0]
    h, w = cutout.pixels.shape[:2]
    scale = float(np.exp(rng.uniform(np.log(0.1), np.log(0.5)))) * size / max(h, w)
    new_w, new_h = max(4, round(w * scale)), max(4, round(h * scale))
    rgba = cv2.resize(cutout.pixels, (new_w, new_h), interpolation=cv2.INTER_AREA)
    if rng.random() < 0.5:
        rgba = rgba[:, ::-1]
    left, top = int(rng.integers(0, size - new_w + 1)), int(rng.integers(0, size - new_h + 1))
    alpha = rgba[..., 3]
    under = canvas[top : top + new_h, left : left + new_w]
    share = alpha[..., None].astype(np.float32) / 255
    gain = rng.uniform(0.7, 1.2)
    under[:] = np.clip(under * (1 - share) + rgba[..., :3] * share * gain, 0, 255).astype(np.uint8)
    ys, xs = np.nonzero(alpha > 127)
    if len(ys) == 0:
        return objects
    box = (float(left + xs.min()), float(top + ys.min()), float(left + xs.max() + 1), float(top + ys.max() + 1))
    gx0, gy0, gx1, gy1 = left // 4 * 2, top // 4 * 2, -(-(left + new_w) // 4) * 2, -(-(top + new_h) // 4) * 2
    fine = np.zeros(((gy1 - gy0) * 2, (gx1 - gx0) * 2), np.uint8)
    fine[top - 2 * gy0 : top - 2 * gy0 + new_h, left - 2 * gx0 : left - 2 * gx0 + new_w] = alpha
    crop = halve(fine)
    new = Placed((gx0, gy0), crop, box, float(crop.sum()) / 255, 1.0, ignored=False)
    return [hide(o, new) for o in objects] + [new]


def hide(below: Placed, above: Placed) -> Placed:
    """`below` without what `above` covers."""
    (bx, by), (ax, ay) = below.offset, above.offset
    (bh, bw), (ah, aw) = below.crop.shape, above.crop.shape
    x0, y0, x1, y1 = max(bx, ax), max(by, ay), min(bx + bw, ax + aw), min(by + bh, ay + ah)
    if x0 >= x1 or y0 >= y1:
        return below
    cover = above.crop[y0 - ay : y1 - ay, x0 - ax : x1 - ax]
    if not cover.any():
        return below
    crop = below.crop.copy()
    part = crop[y0 - by : y1 - by, x0 - bx : x1 - bx]
    part[:] = np.minimum(part, 255 - cover)
    return replace(below, crop=crop, box=None)


def finish(
    canvas: UInt8, known: npt.NDArray[np.bool_], objects: list[Placed], max_objects: int, rng: np.random.Generator
) -> Sample:
    """Chooses the objects that can be learnt, marks the rest as unknown, and averages masks to the prototypes' grid."""
    known = known.copy()
    kept: list[tuple[Placed, UInt8, Box]] = []
    left_out: list[tuple[Placed, UInt8]] = []
    order = rng.permutation(len(objects)) if len(objects) > max_objects else range(len(objects))
    for i in order:
        placed = objects[int(i)]
        cells = halve(placed.crop)
        box = placed.box or crop_box(placed)
        good = (
            not placed.ignored
            and box is not None
            and min(box[2] - box[0], box[3] - box[1]) >= MIN_SIDE
            and placed.crop.sum() / 255 >= MIN_VISIBLE * placed.full
            and len(kept) < max_objects
        )
        if good and box is not None:
            kept.append((placed, cells, box))
        else:
            left_out.append((placed, cells))
    # What was left out comes last: an ignored cup on an annotated table is not background.
    for state, regions in ((True, [(p, c) for p, c, _ in kept]), (False, left_out)):
        for placed, cells in regions:
            gx, gy = placed.offset[0] // 2, placed.offset[1] // 2
            known[gy : gy + cells.shape[0], gx : gx + cells.shape[1]][cells > 127] = state
    masks = np.zeros((len(kept), *known.shape), np.uint8)
    for mask, (placed, cells, _) in zip(masks, kept, strict=True):
        gx, gy = placed.offset[0] // 2, placed.offset[1] // 2
        mask[gy : gy + cells.shape[0], gx : gx + cells.shape[1]] = cells
    return Sample(
        pixels=canvas,
        boxes=np.array([box for _, _, box in kept], np.float32).reshape(-1, 4),
        masks=masks,
        weights=np.array([p.weight for p, _, _ in kept], np.float32),
        known=known,
    )


def crop_box(placed: Placed) -> Box | None:
    """The box of what is left of an object, to the grid's 2 pixels."""
    on = placed.crop > 127
    rows, columns = np.flatnonzero(on.any(1)), np.flatnonzero(on.any(0))
    if len(rows) == 0:
        return None
    gx, gy = placed.offset
    return (
        2.0 * (gx + columns[0]),
        2.0 * (gy + rows[0]),
        2.0 * (gx + columns[-1] + 1),
        2.0 * (gy + rows[-1] + 1),
    )


def halve(grid: UInt8) -> UInt8:
    """2x2 averages of a grid with even sides."""
    h, w = grid.shape
    half: UInt8 = cv2.resize(grid, (w // 2, h // 2), interpolation=cv2.INTER_AREA)
    return half


def recolour(pixels: UInt8, strength: float, rng: np.random.Generator) -> UInt8:
    """Changes saturation, contrast, tint and brightness at random: one affine map of colours."""
    if strength <= 0:
        return pixels
    saturation = rng.uniform(1 - 1.5 * strength, 1 + 1.5 * strength)
    contrast, brightness = rng.uniform(1 - strength, 1 + strength), rng.uniform(-strength, strength) * 100
    tint = rng.uniform(1 - strength / 3, 1 + strength / 3, 3)
    mix = saturation * np.eye(3) + (1 - saturation) * np.array(LUMA)
    scale = (contrast * tint)[:, None]
    offset = 128 * (1 - scale) + brightness
    recoloured: UInt8 = cv2.transform(pixels, np.hstack((scale * mix, offset)).astype(np.float32))
    return recoloured


def _clear_outside(warped: UInt8, offset: tuple[int, int], visible: Window) -> None:
    gx, gy = offset
    h, w = warped.shape
    x0, x1 = -(-visible.x0 // 2) - gx, visible.x1 // 2 - gx
    y0, y1 = -(-visible.y0 // 2) - gy, visible.y1 // 2 - gy
    warped[: max(0, y0)] = 0
    warped[max(0, min(h, y1)) :] = 0
    warped[:, : max(0, x0)] = 0
    warped[:, max(0, min(w, x1)) :] = 0
