"""From a network's raw output to the candidates worth a mask: score threshold and non-maximum suppression.

Enters: one photo's `candidates` array from a runtime. Leaves: `Candidates`, for `masks`.

Suppression is greedy. Where the weights say so it is soft as well (Bodla et al. 2017, arXiv 1704.04503): what overlaps
a better one by less than the threshold stays, but its score falls by exp(-IoU^2 / soft), IoU being the largest with any
better one that stayed. So the first hundred are different things, and a nested or touching one is not lost.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt

from fastsam.errors import UsageError

Float = npt.NDArray[np.float32]
MOST = 30_000  # of the best-scored candidates enter suppression


@dataclass(frozen=True)
class Candidates:
    """N detections, best first.

    boxes: (N, 4) float32 xyxy in input pixels; scores: (N,) float32; classes: (N,) int64;
    coefficients: (N, K) float32
    """

    boxes: Float
    scores: Float
    classes: npt.NDArray[np.int64]
    coefficients: Float


def candidates(raw: Float, coefficients: int, conf: float, iou: float, max_det: int, soft: float = 0.0) -> Candidates:
    """Detections of raw output (4 + classes + coefficients, A) with a score above `conf`, suppressed at `iou`.

    soft: how slowly scores fall with the overlap; 0 leaves them as they are

    A row with a number that is not finite is dropped first: it would suppress others. Raises UsageError if all are so.
    """
    scores = raw[4:-coefficients]
    best = scores.max(0)
    kept = np.flatnonzero(best > conf)
    kept = kept[sound(raw[:, kept])]
    if len(kept) == 0 and not np.isfinite(best).any() and best.size:
        raise UsageError("the network gives no finite numbers: its weights are damaged, fetch or export them again")
    kept = kept[np.argsort(-best[kept], kind="stable")[:MOST]]
    centre, size = raw[:2, kept].T, raw[2:4, kept].T
    boxes: Float = np.concatenate((centre - size / 2, centre + size / 2), 1).astype(np.float32, copy=False)
    classes = scores[:, kept].argmax(0)
    if soft:
        chosen, found = suppress_softly(boxes, classes, best[kept], iou, max_det, soft)
        chosen, found = chosen[found > conf], found[found > conf]
    else:
        chosen = suppress(boxes, classes, iou, max_det)
        found = best[kept[chosen]]
    kept = kept[chosen]
    return Candidates(
        boxes=np.ascontiguousarray(boxes[chosen]),
        scores=found,
        classes=classes[chosen],
        coefficients=np.ascontiguousarray(raw[-coefficients:, kept].T),
    )


def sound(rows: Float) -> npt.NDArray[np.bool_]:
    """(A,) whether all numbers of each of the rows (R, A), and its box's corners, are finite."""
    with np.errstate(over="ignore", invalid="ignore"):
        corners = np.abs(rows[:2]) + np.abs(rows[2:4])
    return np.asarray(np.isfinite(rows).all(0) & np.isfinite(corners).all(0))


def suppress(boxes: Float, classes: npt.NDArray[np.int64], iou: float, most: int) -> npt.NDArray[np.int64]:
    """Indices that greedy non-maximum suppression keeps: of boxes (N, 4) xyxy in order of score, best first.

    A box goes when its IoU with a kept one of its class exceeds `iou`; after `most` kept ones it stops.
    """
    return np.fromiter((i for i, _ in islice(greedy(boxes, classes, iou), most)), np.int64)


def suppress_softly(
    boxes: Float, classes: npt.NDArray[np.int64], scores: Float, iou: float, most: int, soft: float
) -> tuple[npt.NDArray[np.int64], Float]:
    """The `most` best indices after soft suppression, and their scores, best first (see above)."""
    kept: list[int] = []
    lowered: list[float] = []
    least = float(np.exp(-(iou**2) / soft))  # no score falls further
    for i, overlap in greedy(boxes, classes, iou):
        if len(kept) >= most and scores[i] <= least * scores[kept[most - 1]]:
            break
        kept.append(i)
        lowered.append(float(scores[i] * np.exp(-(overlap**2) / soft)))
    found = np.array(lowered, np.float32)
    order = np.argsort(-found, kind="stable")[:most]
    return np.array(kept, np.int64)[order], found[order]


def greedy(boxes: Float, classes: npt.NDArray[np.int64], iou: float) -> Iterator[tuple[int, float]]:
    """Each index that greedy suppression keeps, in order, and its largest IoU with one of its class kept before."""
    if len(boxes) == 0:
        return
    x0, y0, x1, y1 = boxes.astype(np.float64).T
    areas = (x1 - x0) * (y1 - y0)
    largest = np.zeros(len(boxes))
    rest = np.arange(len(boxes))
    while len(rest):
        first, rest = rest[0], rest[1:]
        yield int(first), float(largest[first])
        w = np.minimum(x1[rest], x1[first]) - np.maximum(x0[rest], x0[first])
        h = np.minimum(y1[rest], y1[first]) - np.maximum(y0[rest], y0[first])
        shared = np.maximum(w, 0) * np.maximum(h, 0)
        overlap = shared / np.maximum(areas[rest] + areas[first] - shared, 1e-9)
        overlap[classes[rest] != classes[first]] = 0
        stays = overlap <= iou  # divided first: 0.7 times a whole number may lie on either side of one
        rest = rest[stays]
        largest[rest] = np.maximum(largest[rest], overlap[stays])
