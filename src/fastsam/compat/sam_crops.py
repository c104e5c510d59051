"""Collects masks of a photo and of its crops, as `SamAutomaticMaskGenerator` does.

Enters: a function that segments a photo, and a photo. Leaves: `CropMask` masks in photo pixels.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.boxes import area
from fastsam.boxes import iou as box_iou
from fastsam.detections import suppress
from fastsam.masks.relations import stability
from fastsam.masks.runs import Crop
from fastsam.segments import Segments

Bool = npt.NDArray[np.bool_]
CropBox = tuple[int, int, int, int]
CUT_WITHIN = 20  # a box that ends within this many pixels of a crop's side was cut by it


@dataclass(frozen=True, eq=False)
class CropMask:
    """A mask in photo pixels.

    point: centre x, y of its most certain pixel; score, stability: 0..1; crop: xyxy of the crop it was found in
    box: xyxy float in photo pixels; cleaned: whether islands or holes were removed
    """

    mask: Crop
    point: tuple[float, float]
    score: float
    stability: float
    crop: CropBox
    box: npt.NDArray[np.float32]
    cleaned: bool = False


def crop_boxes(size: tuple[int, int], layers: int, overlap: float) -> Iterator[CropBox]:
    """The whole photo (height, width), then 2^k x 2^k overlapping crops for each layer k from 1 on, xyxy."""
    height, width = size
    yield 0, 0, width, height
    for layer in range(1, layers + 1):
        n = 2**layer
        shared = int(overlap * min(size) * 2 / n)
        w, h = (-(-(shared * (n - 1) + side) // n) for side in (width, height))
        for row in range(n):
            for column in range(n):
                x, y = column * (w - shared), row * (h - shared)
                if x < width and y < height:  # a tiny photo has fewer crops
                    yield x, y, min(x + w, width), min(y + h, height)


def find_in_crop(
    segment: Callable[[npt.NDArray[np.uint8]], Segments],
    photo: npt.NDArray[np.uint8],
    crop: CropBox,
    offset: float,
    least_region: int,
) -> list[CropMask]:
    """The masks that `segment` finds in one crop, without those that the crop cuts off inside the photo."""
    x0, y0, x1, y1 = crop
    size = (photo.shape[0], photo.shape[1])
    segments = segment(np.ascontiguousarray(photo[y0:y1, x0:x1]))
    cut = cut_off(segments.boxes, crop, size)
    found, steady = [], stability(segments.masks, offset)
    for i in np.flatnonzero(~cut):
        (x, y), logits = segments.masks.logits(int(i))
        (x, y), logits = widened((x0 + x, y0 + y), logits, least_region, size)
        whole = pixels = logits > 0
        if not whole.any():
            continue
        if least_region:
            pixels = without_small_regions(whole, least_region)
        row, column = np.unravel_index(np.where(pixels, logits, -np.inf).argmax(), logits.shape)
        found.append(
            CropMask(
                mask=Crop((x, y), pixels),
                point=(x + int(column) + 0.5, y + int(row) + 0.5),
                score=float(segments.scores[i]),
                stability=float(steady[i]),
                crop=crop,
                box=segments.boxes[i] + np.array([x0, y0, x0, y0], np.float32),
                cleaned=bool((pixels != whole).any()),
            )
        )
    return found


def widened(
    offset: tuple[int, int], logits: npt.NDArray[np.float32], by: int, size: tuple[int, int]
) -> tuple[tuple[int, int], npt.NDArray[np.float32]]:
    """Logits (h, w) at an offset (x, y), extended by `by` pixels within a photo of `size` (height, width).

    So a region of fewer pixels beside the mask lies inside, and a larger region is seen to be larger.
    """
    (x, y), (h, w) = offset, logits.shape
    left, top, right, bottom = (max(0, min(by, room)) for room in (x, y, size[1] - x - w, size[0] - y - h))
    padded = np.pad(logits, ((top, bottom), (left, right)), constant_values=-np.inf)
    return (x - left, y - top), padded


def cut_off(boxes: npt.NDArray[np.float32], crop: CropBox, photo: tuple[int, int]) -> Bool:
    """(N,) whether boxes (N, 4), in crop pixels, end at a side of the crop that is not the photo's border."""
    x0, y0, x1, y1 = crop
    height, width = photo
    ends = np.abs(boxes - np.array([0, 0, x1 - x0, y1 - y0], np.float32)) <= CUT_WITHIN
    inner = np.array([x0 > 0, y0 > 0, x1 < width, y1 < height])
    return np.asarray((ends & inner).any(1))


def without_small_regions(mask: Bool, least: int) -> Bool:
    """A mask without holes and islands of fewer than `least` pixels; the largest island always stays.

    A hole is any region outside the mask that the mask separates from the rest, also at the photo's border.
    """
    _, labels, stats, _ = cv2.connectedComponentsWithStats((~mask).astype(np.uint8), connectivity=8)
    small = stats[:, cv2.CC_STAT_AREA] < least
    small[0] = False
    filled = mask | small[labels]
    _, labels, stats, _ = cv2.connectedComponentsWithStats(filled.astype(np.uint8), connectivity=8)
    kept = stats[:, cv2.CC_STAT_AREA] >= least
    kept[0] = False
    if len(stats) > 1 and not kept.any():
        kept[1 + stats[1:, cv2.CC_STAT_AREA].argmax()] = True
    return np.asarray(kept[labels])


def without_copies(found: Sequence[CropMask], iou: float) -> list[CropMask]:
    """The masks in order, without cleaned masks whose bounds overlap those of a better mask by more than `iou`.

    A mask that was not cleaned counts as better.
    """
    bounds = np.array([f.mask.bounds for f in found], np.float64).reshape(-1, 4)
    kept: list[int] = []
    for k in sorted(range(len(found)), key=lambda k: found[k].cleaned):
        if not found[k].cleaned or box_iou(bounds[kept], bounds[k]).max(initial=0) <= iou:
            kept.append(k)
    return [found[k] for k in sorted(kept)]


def without_duplicates(found: Sequence[CropMask], iou: float) -> list[CropMask]:
    """The masks that non-maximum suppression of boxes keeps, best first. As in SAM, smaller crops go before larger."""
    if not found:
        return []
    size = area(np.array([f.crop for f in found]))
    scores = np.array([f.score for f in found])
    order = np.lexsort((-scores, size))
    boxes = np.stack([found[i].box for i in order])
    kept = order[suppress(boxes, np.zeros(len(order), np.int64), iou, len(order))]
    return [found[i] for i in kept[np.argsort(-scores[kept], kind="stable")]]
