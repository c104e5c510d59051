"""Every mask of a photo drawn anew.

Enters: a photo and its masks, from any first network or from anywhere. Leaves: drawn masks, their scores, and which
ones stayed: of masks that become the same one the better-scored stays.

A mask is drawn from its box and itself. One that the network cannot judge well stays as it was, on the same grid. Its
score is multiplied by its predicted IoU to the power of `BLEND`, chosen on held-out photos.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fastsam.masks import drawn
from fastsam.masks.lazy import Masks
from fastsam.masks.runs import Runs, iou_of
from fastsam.prompts.geometry import on_photo
from fastsam.refine import maps as m
from fastsam.refine.crop import Window, about, pyramid, see_in
from fastsam.refine.network import Refiner
from fastsam.refine.tidy import reaching, tidied
from fastsam.refine.views import CONTEXT, shares_in

Float = npt.NDArray[np.float32]
UInt8 = npt.NDArray[np.uint8]
Int = npt.NDArray[np.int64]
SIZES = (96, 128)  # of crops: many small ones cost what few large ones do
TOGETHER = 64  # masks whose crops are held at a time
BLEND = 0.5
DOUBTFUL = 0.35  # predicted IoU below which a mask stays as it was
SAME = 0.95  # IoU from which on two drawn masks are one
SURE = 4.0  # logit of a cell that a mask which stays covers


@dataclass(frozen=True)
class Redrawn:
    """masks: those that stayed; indices: (K,) which they were; scores: (K,); qualities: (K,) predicted IoU, 0..1"""

    masks: Masks
    indices: Int
    scores: Float
    qualities: Float


def redraw(photo: UInt8, masks: Masks, scores: Float, refiner: Refiner, min_region_area: float = 0.0) -> Redrawn:
    """The masks (N) with `scores` (N,) of a photo (H, W, 3), drawn.

    min_region_area: photo pixels of an island or a hole below which it goes in any case
    """
    grids: list[Float] = []
    squares: list[tuple[float, float, float]] = []
    qualities: list[float] = []
    levels = pyramid(photo)
    for start in range(0, len(masks), TOGETHER):
        for logits, window, judged in some(levels, masks, range(start, min(start + TOGETHER, len(masks))), refiner):
            cells = window.side / len(logits)
            grids.append(tidied(reaching(logits, window, masks.size), least=min_region_area / cells**2))
            squares.append((window.x0, window.y0, window.side))
            qualities.append(judged)
    source = drawn.collect(grids, np.array(squares), masks.size)
    runs = source.runs_of(np.arange(len(source)))
    quality = np.array(qualities, np.float32)
    blended = (scores * np.where(quality > 0, quality, 1) ** BLEND).astype(np.float32)
    boxes = np.array([own.bounds for own in runs], np.float32).reshape(-1, 4)
    kept = distinct(runs, boxes, blended, masks.size[0])
    return Redrawn(Masks(boxes, source).take(kept), kept, blended[kept], quality[kept])


def some(
    levels: Sequence[UInt8], masks: Masks, numbers: Sequence[int], refiner: Refiner
) -> list[tuple[Float, Window, float]]:
    """Logits, window and quality of each of these masks. levels: the photo, as `pyramid` makes them"""
    windows, roughs, maps = [], [], []
    for i, runs in zip(numbers, masks.source.runs_of(np.array(numbers)), strict=True):
        box = on_photo(tuple(masks.boxes[i].tolist()), masks.size)
        window = about(box, CONTEXT, SIZES)
        own = m.empty(window.size)
        m.put_mask(own, shares_in(runs.crop(), window))
        m.put_box(own, window.box(box))
        windows.append(window)
        roughs.append(own[m.MASK])
        maps.append(own)
    logits, quality = refiner.run([see_in(levels, w) for w in windows], maps)
    return [
        (own[0], window, float(judged[0])) if judged[0] >= DOUBTFUL else (rough * SURE, window, float(judged[0]))
        for own, rough, window, judged in zip(logits, roughs, windows, quality, strict=True)
    ]


def distinct(runs: Sequence[Runs], bounds: Float, scores: Float, height: int) -> Int:
    """Indices, best score first, of masks that have pixels and are no copies of a better one.

    bounds: (N, 4) of each mask's pixels; height: of the photo
    """
    boxes = bounds.astype(np.float64)
    areas = np.array([r.area for r in runs], np.float64)
    kept: list[int] = []
    for i in np.argsort(-scores, kind="stable"):
        if areas[i] and not copied(int(i), kept, runs, boxes, areas, height):
            kept.append(int(i))
    return np.array(kept, np.int64)


def copied(
    i: int, kept: Sequence[int], runs: Sequence[Runs], boxes: npt.NDArray[np.float64], areas: npt.NDArray[np.float64],
    height: int,
) -> bool:  # fmt: skip
    """Whether mask i is nearly the same as one of those kept."""
    others = np.array(kept, np.int64)
    if not len(others):
        return False
    low, high = np.maximum(boxes[others, :2], boxes[i, :2]), np.minimum(boxes[others, 2:], boxes[i, 2:])
    shared = np.minimum(np.maximum(high - low, 0).prod(1), np.minimum(areas[others], areas[i]))
    near = others[shared >= SAME * (areas[others] + areas[i] - shared)]
    return any(iou_of(runs[i], runs[int(j)], height) >= SAME for j in near)
