"""Ranks masks by how well they answer points, boxes and masks. Points and boxes decode no masks.

Enters: a photo's masks, their scores, the parts of a prompt. Leaves: ranks (N,), 0 for a mask that does not answer.
The docstring of `answer.py` gives the rules.
"""

import numpy as np
import numpy.typing as npt

from fastsam.boxes import area, centre, iou, lengths, most_shared, shared_area
from fastsam.masks.lazy import Masks, probability
from fastsam.masks.runs import bounds
from fastsam.prompts.prompt import Box

Float32 = npt.NDArray[np.float32]
Rank = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]
Made = tuple[tuple[int, ...], float, tuple[int, ...]]  # indices to unite, rank, indices to subtract
LEAST_BOX_IOU = 0.5  # minimum IoU of a mask's box with the prompt's
LEAST_PART_SHARE = 0.9  # minimum share of a mask's box within the prompt's box, for the mask to be a part
LEAST_COMMON_IOU = 0.7  # minimum IoU for the common box of such parts: a union must fit better than a single mask
OFF_CENTRE = 0.3  # deviation of a click from its object's centre, in widths and heights of its box
LEAST_MASK_IOU = 0.25  # minimum IoU of pixels; low, because masks drawn by hand are rough


def rank_by_points(
    boxes: Float32, scores: Float32, logits: Float32, points: npt.NDArray[np.float64], foreground: Bool
) -> Rank:
    """Ranks (N,) for points (P, 2) in photo pixels: a mask must contain the `foreground` (P,) ones and no other.

    boxes: (N, 4) xyxy in photo pixels; scores: (N,); logits: (N, P) of the masks at the points
    """
    held, refused = logits[:, foreground], logits[:, ~foreground]
    fits = (held > 0).all(1) & ~(refused > 0).any(1)
    if not foreground.any():
        return np.asarray(fits, np.float64)
    least = probability(held.min(1).astype(np.float64))
    ranks = scores.astype(np.float64) ** 0.25 * least**2 * central(boxes, points[foreground].mean(0), OFF_CENTRE)
    areas = np.maximum(lengths(boxes).astype(np.float64).prod(1), 1.0)
    small = (areas[fits].min(initial=np.inf) / areas) ** 0.1 if fits.any() else 1.0
    return np.where(fits, ranks * small, 0.0)


def central(boxes: Float32 | Rank, point: npt.NDArray[np.float64], deviation: float) -> Rank:
    """(N,) 1 if a point is the centre of a box (N, 4), and less the further it is from the centre.

    deviation: of the normal distribution, in widths and heights of the box
    """
    b = boxes.astype(np.float64)
    away = (point - centre(b)) / np.maximum(lengths(b), 1e-9)
    return np.asarray(np.exp(-0.5 * (away**2).sum(1) / deviation**2))


def rank_by_box(masks: Masks, wanted: Box) -> Rank:
    """(N,) IoU of the masks' boxes with the part of the wanted box on the photo; 0 below `LEAST_BOX_IOU`."""
    found = iou(masks.boxes, np.array(on_photo(wanted, masks.size)))
    return np.where(found >= LEAST_BOX_IOU, found, 0.0)


def union_within(masks: Masks, wanted: Box) -> Made | None:
    """The union of all masks whose boxes lie within the wanted box; None if their common box does not fit it."""
    box = np.array(on_photo(wanted, masks.size), np.float64)
    b = masks.boxes.astype(np.float64)
    parts = np.flatnonzero(shared_area(b, box) >= LEAST_PART_SHARE * area(b))
    if not len(parts):
        return None
    common = np.concatenate((b[parts, :2].min(0), b[parts, 2:].max(0)))
    fit = float(iou(common, box))
    return (tuple(parts.tolist()), fit, ()) if fit >= LEAST_COMMON_IOU else None


def on_photo(box: Box, size: tuple[int, int]) -> Box:
    """The part of a box on a photo of `size` (H, W)."""
    x0, y0, x1, y1 = box
    return max(x0, 0), max(y0, 0), min(x1, size[1]), min(y1, size[0])


def rank_by_mask(masks: Masks, wanted: Bool) -> Rank:
    """(N,) IoU of the masks with the wanted mask (H, W); 0 below `LEAST_MASK_IOU`."""
    pixels, areas = np.count_nonzero(wanted), masks.areas
    low, high = np.floor(masks.source.windows[:, :2]), np.ceil(masks.source.windows[:, 2:])
    most = most_shared(np.concatenate((low, high), 1), areas, np.array(bounds(wanted)), pixels)
    ranks = np.zeros(len(masks))
    for i in np.flatnonzero(most >= LEAST_MASK_IOU * (areas + pixels - most)):  # the others cannot reach the minimum
        crop = masks.crop(int(i))
        overlap = np.count_nonzero(crop.view(wanted) & crop.pixels)
        ranks[i] = overlap / (pixels + areas[i] - overlap)
    return np.where(ranks >= LEAST_MASK_IOU, ranks, 0.0)


def union(
    boxes: Float32, scores: Float32, logits: Float32, points: npt.NDArray[np.float64], foreground: Bool
) -> Made | None:
    """The union of the best masks for each foreground point; None if a point has no mask. See `rank_by_points`."""
    chosen: list[int] = []
    least = 1.0
    for k in np.flatnonzero(foreground):
        if any(logits[i, k] > 0 for i in chosen):
            continue
        asked = ~foreground
        asked[k] = True
        ranks = rank_by_points(boxes, scores, logits[:, asked], points[asked], foreground[asked])
        if ranks.max(initial=0.0) == 0:
            return None
        chosen.append(int(ranks.argmax()))
        least = min(least, float(ranks.max()))
    return (tuple(chosen), least, ()) if len(chosen) > 1 else None


def difference(
    boxes: Float32, scores: Float32, logits: Float32, points: npt.NDArray[np.float64], foreground: Bool
) -> Made | None:
    """The best mask for all foreground points, minus the masks at the background points within it.

    A subtracted mask contains no foreground point. None if a background point has no such mask. See `rank_by_points`.
    """
    ranks = rank_by_points(boxes, scores, logits[:, foreground], points[foreground], foreground[foreground])
    if foreground.all() or ranks.max(initial=0.0) == 0:
        return None
    whole, least = int(ranks.argmax()), float(ranks.max())
    removed: list[int] = []
    for k in np.flatnonzero(~foreground):
        if logits[whole, k] <= 0 or any(logits[i, k] > 0 for i in removed):
            continue
        asked = foreground.copy()
        asked[k] = True
        wanted = ~foreground[asked]  # foreground of the whole is background of the part to subtract
        ranks = rank_by_points(boxes, scores, logits[:, asked], points[asked], wanted)
        if ranks.max(initial=0.0) == 0:
            return None
        removed.append(int(ranks.argmax()))
        least = min(least, float(ranks.max()))
    return ((whole,), least, tuple(removed)) if removed else None
