"""One training sample from photos: scale, crop, flip, mosaic, pasted cut-outs, colour, as a `Plan` says.

Enters: `AnnotatedPhoto`s, `Cutout`s and a `Plan`. Leaves: a `Sample`, for `loader`.

Masks are handled as small crops on a grid of 2 input pixels, values 0..255, at even offsets, and averaged to the
prototypes' grid of 4 input pixels at the very end: a target is the share of a cell that the object covers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.training.data import AnnotatedPhoto, Cutout, Region
from fastsam.training.plan import Pasting, Placement, Plan, Policy, Window, draw

UInt8 = npt.NDArray[np.uint8]
Float32 = npt.NDArray[np.float32]
Box = tuple[float, float, float, float]
PADDING = 114
MIN_SIDE = 4.0  # input pixels: a smaller object has no anchor of its own
MIN_VISIBLE = 0.2  # share of an object that must remain after cropping and pasting


@dataclass(frozen=True)
class Sample:
    """A square input with its targets.

    pixels: (S, S, 3) uint8 RGB
    boxes: (M, 4) float32 xyxy in input pixels
    masks: (M, S / 4, S / 4) uint8, 255 if the object covers the cell fully
    weights: (M,) float32
    known: (S / 4, S / 4) bool, False if nothing can be said of background there
    """

    pixels: UInt8
    boxes: Float32
    masks: UInt8
    weights: Float32
    known: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Placed:
    """An object on the canvas: `crop` (h, w) uint8 at `offset` (x, y), both in grid cells of 2 pixels and even.

    box: xyxy in input pixels, or None if the crop must tell (clipped or partly hidden)
    full: cells that the whole object would cover
    """

    offset: tuple[int, int]
    crop: UInt8
    box: Box | None
    full: float
    weight: float
    ignored: bool


def make_sample(
    photos: Sequence[AnnotatedPhoto], cutouts: Sequence[Cutout], size: int, policy: Policy, rng: np.random.Generator
) -> Sample:
    """A sample of one photo, or a mosaic of four: `photos` holds as many as are to be joined."""
    return render(draw(photos, cutouts, size, policy, rng), photos, cutouts, size, policy.max_objects)


def render(
    plan: Plan, photos: Sequence[AnnotatedPhoto], cutouts: Sequence[Cutout], size: int, max_objects: int
) -> Sample:
    """Carries out a plan for `photos` on a square canvas of `size`."""
    canvas = np.full((size, size, 3), PADDING, np.uint8)
    known = np.ones((size // 4, size // 4), bool)
    objects: list[Placed] = []
    for photo, placement in zip(photos, plan.placements, strict=True):
        objects += place_photo(canvas, known, photo, placement)
    if plan.colour is not None:
        canvas = cv2.transform(canvas, plan.colour)
    for pasting in plan.pastings:
        objects = paste(canvas, objects, cutouts[pasting.cutout], pasting)
    return finish(canvas, known, objects, max_objects, plan.lottery)


def place_photo(
    canvas: UInt8, known: npt.NDArray[np.bool_], photo: AnnotatedPhoto, placement: Placement
) -> list[Placed]:
    """Draws the photo onto the canvas and returns its objects."""
    pixels = cv2.resize(photo.pixels, placement.size, interpolation=cv2.INTER_LINEAR)  # as the letterbox does
    if placement.flip:
        pixels = pixels[:, ::-1]
    (left, top), seen = placement.corner, placement.visible
    part = pixels[seen.y0 - top : seen.y1 - top, seen.x0 - left : seen.x1 - left]
    canvas[seen.y0 : seen.y1, seen.x0 : seen.x1] = part
    if not photo.complete:
        known[seen.cells] = False
    (w, h), (new_w, new_h) = placement.photo, placement.size
    scale, mirror = (new_w / w, new_h / h), w if placement.flip else None
    placed = [place_region(r, scale, placement.corner, mirror, seen) for r in photo.regions]
    return [p for p in placed if p is not None]


def place_region(
    region: Region, scale: tuple[float, float], shift: tuple[int, int], mirror: int | None, visible: Window
) -> Placed | None:
    """A region scaled and shifted onto the canvas, clipped to `visible`; None if nothing of it remains.

    mirror: the photo's width if it is flipped
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


def paste(canvas: UInt8, objects: list[Placed], cutout: Cutout, pasting: Pasting) -> list[Placed]:
    """Pastes a cut-out; hides what lies beneath it, in `canvas` and in the masks."""
    (new_w, new_h), (left, top) = pasting.size, pasting.corner
    rgba = cv2.resize(cutout.pixels, pasting.size, interpolation=cv2.INTER_AREA)
    if pasting.flip:
        rgba = rgba[:, ::-1]
    alpha = rgba[..., 3]
    under = canvas[top : top + new_h, left : left + new_w]
    share = alpha[..., None].astype(np.float32) / 255
    under[:] = np.clip(under * (1 - share) + rgba[..., :3] * share * pasting.gain, 0, 255).astype(np.uint8)
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
    canvas: UInt8, known: npt.NDArray[np.bool_], objects: list[Placed], max_objects: int, lottery: int
) -> Sample:
    """Chooses the objects that can be learnt, marks the rest as unknown, and averages masks to the prototypes' grid."""
    known = known.copy()
    kept: list[tuple[Placed, UInt8, Box]] = []
    left_out: list[tuple[Placed, UInt8]] = []
    order = order_of_choice(len(objects), max_objects, lottery)
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


def order_of_choice(n: int, most: int, lottery: int) -> npt.NDArray[np.int64]:
    """The order in which n objects are taken: at random if there are more than `most`."""
    return np.random.default_rng(lottery).permutation(n) if n > most else np.arange(n)


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


def _clear_outside(warped: UInt8, offset: tuple[int, int], visible: Window) -> None:
    gx, gy = offset
    h, w = warped.shape
    x0, x1 = -(-visible.x0 // 2) - gx, visible.x1 // 2 - gx
    y0, y1 = -(-visible.y0 // 2) - gy, visible.y1 // 2 - gy
    warped[: max(0, y0)] = 0
    warped[max(0, min(h, y1)) :] = 0
    warped[:, : max(0, x0)] = 0
    warped[:, max(0, min(w, x1)) :] = 0
