"""Redraws every mask of a photo with the second network.

Enters: a photo and its masks, from any source. Leaves: redrawn masks, their scores, and the indices of those that
stayed. If two masks become the same, the lower-scored one is dropped.

A mask is redrawn from its box and itself. If the predicted IoU is too low, the mask keeps its shape, on the same grid.
Each score is multiplied by the predicted IoU to the power of `BLEND`. It then falls by exp(-IoU^2 / `SOFT`), where IoU
is the largest of its box with the box of a better-scored mask (Bodla et al. 2017, arXiv 1704.04503). So the first
hundred are different things. Both numbers were chosen on held-out photos.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from fastsam.boxes import most_shared
from fastsam.detections import suppress_softly
from fastsam.masks import drawn
from fastsam.masks.lazy import Masks
from fastsam.masks.runs import Runs, iou_of
from fastsam.prompts import Box
from fastsam.prompts.geometry import on_photo
from fastsam.refine import maps as m
from fastsam.refine.crop import Window, about, pyramid, see_in
from fastsam.refine.network import AT_ONCE, Refiner
from fastsam.refine.tidy import reaching, tidied
from fastsam.refine.views import CONTEXT, shares_in

Float32 = npt.NDArray[np.float32]
UInt8 = npt.NDArray[np.uint8]
Int = npt.NDArray[np.int64]
SIZES = (64, 96, 128)  # of crops; smaller than for prompts, because there are many masks
TOGETHER = AT_ONCE  # number of masks whose crops are in memory at a time: one run of the network
AT_A_TIME = 2  # minimum number of such groups: one is cut and tidied while the network draws the other
BLEND = 2.0
SOFT = 1.0
DOUBTFUL = 0.35  # predicted IoU below which a mask keeps its shape
COPY_IOU = 0.95  # minimum IoU for two redrawn masks to count as one
COVERED_LOGIT = 4.0  # logit of a covered cell, for a mask that keeps its shape
Made = tuple[Float32, float, Runs]  # a mask's tidied logits (G, G), its predicted IoU, its pixels


@dataclass(frozen=True)
class Redrawn:
    """masks: the K redrawn masks; indices: (K,) int64, their indices before; scores: (K,) float32; qualities: (K,)
    predicted IoU, 0..1"""

    masks: Masks
    indices: Int
    scores: Float32
    qualities: Float32


def redraw(photo: UInt8, masks: Masks, scores: Float32, refiner: Refiner, min_region_area: float = 0.0) -> Redrawn:
    """Redraws N masks with `scores` (N,) of a photo, uint8 RGB (H, W, 3).

    min_region_area: islands and holes with fewer photo pixels are removed in any case
    """
    boxes = [on_photo(tuple(box), masks.size) for box in masks.boxes.tolist()]
    windows = [about(box, CONTEXT, SIZES) for box in boxes]
    # A run of the network has crops of one size, if it can. The largest are first, so that no thread ends long after
    # the others.
    order = sorted(range(len(masks)), key=lambda i: -windows[i].size)
    groups = [order[k : k + TOGETHER] for k in range(0, len(masks), TOGETHER)]
    work = partial(some, pyramid(photo), masks, boxes, windows, refiner.single, min_region_area)
    with ThreadPoolExecutor(max(AT_A_TIME, refiner.threads)) as pool:
        by_number = dict(zip(order, (one for own in pool.map(work, groups) for one in own), strict=True))
    made = [by_number[i] for i in range(len(masks))]
    quality = np.array([judged for _, judged, _ in made], np.float32)
    source = drawn.collect([grid for grid, _, _ in made], np.array([w.square for w in windows]), masks.size)
    runs = [own for _, _, own in made]
    blended = (scores * np.where(quality > 0, quality, 1) ** BLEND).astype(np.float32)
    bounds = np.array([own.bounds for own in runs], np.float32).reshape(-1, 4)
    kept = distinct(runs, bounds, blended, masks.size[0])
    # An IoU of 1 drops no box: two masks may share one.
    best, lowered = suppress_softly(bounds[kept], np.zeros(len(kept), np.int64), blended[kept], 1.0, len(kept), SOFT)
    kept = kept[best]
    return Redrawn(Masks(bounds, source).take(kept), kept, lowered, quality[kept])


def some(
    levels: Sequence[UInt8], masks: Masks, boxes: Sequence[Box], windows: Sequence[Window], refiner: Refiner,
    min_region_area: float, group: Sequence[int],
) -> list[Made]:  # fmt: skip
    """The masks of a group, by their numbers. levels: the photo, from `pyramid`; boxes, windows: of all masks"""
    seen, maps = [windows[i] for i in group], []
    for i, window, runs in zip(group, seen, masks.source.runs_of(np.array(group)), strict=True):
        own = m.empty(window.size)
        m.put_mask(own, shares_in(runs.crop(), window))
        m.put_box(own, window.box(boxes[i]))
        maps.append(own)
    logits, qualities = refiner.run([see_in(levels, w) for w in seen], maps)
    grids, judged = [], qualities.tolist()
    for drawing, own, window, quality in zip(logits, maps, seen, judged, strict=True):
        found = reaching(drawing if quality >= DOUBTFUL else own[m.MASK] * COVERED_LOGIT, window, masks.size)
        cell = window.side / len(found)
        grids.append(tidied(found, least=min_region_area / cell**2))
    runs_of = drawn.collect(grids, np.array([w.square for w in seen]), masks.size).runs_of(np.arange(len(group)))
    return list(zip(grids, judged, runs_of, strict=True))


def distinct(runs: Sequence[Runs], bounds: Float32, scores: Float32, height: int) -> Int:
    """Indices, best score first, of masks that have pixels and are not copies of a better one.

    bounds: (N, 4) xyxy of each mask's pixels; height: of the photo
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
    """Whether mask i is nearly the same as a kept mask."""
    others = np.array(kept, np.int64)
    if not len(others):
        return False
    shared = most_shared(boxes[others], areas[others], boxes[i], areas[i])
    near = others[shared >= COPY_IOU * (areas[others] + areas[i] - shared)]
    return any(iou_of(runs[i], runs[int(j)], height) >= COPY_IOU for j in near)
