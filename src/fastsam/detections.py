"""Finds the detections in a network's raw output: score threshold, then non-maximum suppression.

Enters: the raw output for one photo. Leaves: `Detections`.

Suppression is greedy. If the settings of the weights ask for it, suppression is also soft (Bodla et al. 2017, arXiv
1704.04503): a detection that overlaps a better one by less than the threshold stays, but its score is multiplied by
exp(-IoU^2 / soft), where IoU is its largest with any better one that stayed. So the first hundred are different things,
and a nested or touching thing is not lost.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt

from fastsam.boxes import from_centres
from fastsam.boxes import iou as box_iou
from fastsam.errors import UsageError

Float32 = npt.NDArray[np.float32]
MOST_DETECTIONS = 30_000  # maximum number of detections that enter suppression, best first


@dataclass(frozen=True)
class Detections:
    """N detections, best first.

    boxes: (N, 4) float32 xyxy in input pixels; scores: (N,) float32; classes: (N,) int64;
    coefficients: (N, K) float32
    """

    boxes: Float32
    scores: Float32
    classes: npt.NDArray[np.int64]
    coefficients: Float32


def detections(raw: Float32, coefficients: int, conf: float, iou: float, max_det: int, soft: float = 0.0) -> Detections:
    """Detections with a score above `conf`, suppressed at `iou`.

    raw: (4 + classes + coefficients, A) float32: per column centre x, centre y, width, height in input pixels, one
    score per class, then the mask coefficients
    coefficients: number of mask coefficients; soft: how slowly scores fall with overlap, 0 for hard suppression

    A detection with a number that is not finite is dropped first, because it could suppress others. Raises UsageError
    if no score is finite.
    """
    scores = raw[4:-coefficients]
    best = scores.max(0)
    kept = np.flatnonzero(best > conf)
    kept = kept[sound(raw[:, kept])]
    if len(kept) == 0 and not np.isfinite(best).any() and best.size:
        raise UsageError("the network's scores are not finite: its weights are damaged, download or export them again")
    kept = kept[np.argsort(-best[kept], kind="stable")[:MOST_DETECTIONS]]
    boxes: Float32 = from_centres(raw[:2, kept].T, raw[2:4, kept].T).astype(np.float32, copy=False)
    classes = scores[:, kept].argmax(0)
    if soft:
        chosen, found = suppress_softly(boxes, classes, best[kept], iou, max_det, soft)
        chosen, found = chosen[found > conf], found[found > conf]
    else:
        chosen = suppress(boxes, classes, iou, max_det)
        found = best[kept[chosen]]
    kept = kept[chosen]
    return Detections(
        boxes=np.ascontiguousarray(boxes[chosen]),
        scores=found,
        classes=classes[chosen],
        coefficients=np.ascontiguousarray(raw[-coefficients:, kept].T),
    )


def sound(rows: Float32) -> npt.NDArray[np.bool_]:
    """(A,) whether all numbers in each column of (R, A), and the corners of its box, are finite."""
    with np.errstate(over="ignore", invalid="ignore"):
        corners = np.abs(rows[:2]) + np.abs(rows[2:4])
    return np.asarray(np.isfinite(rows).all(0) & np.isfinite(corners).all(0))


def suppress(boxes: Float32, classes: npt.NDArray[np.int64], iou: float, most: int) -> npt.NDArray[np.int64]:
    """Indices that greedy non-maximum suppression keeps: of boxes (N, 4) xyxy in order of score, best first.

    A box is dropped if its IoU with a kept box of its class exceeds `iou`. At most `most` boxes are kept.
    """
    return np.fromiter((i for i, _ in islice(greedy(boxes, classes, iou), most)), np.int64)


def suppress_softly(
    boxes: Float32, classes: npt.NDArray[np.int64], scores: Float32, iou: float, most: int, soft: float
) -> tuple[npt.NDArray[np.int64], Float32]:
    """The `most` best indices after soft suppression, and their lowered scores, best first (see the module)."""
    kept: list[int] = []
    lowered: list[float] = []
    least = float(np.exp(-(iou**2) / soft))  # the smallest possible factor
    for i, overlap in greedy(boxes, classes, iou):
        if len(kept) >= most and scores[i] <= least * scores[kept[most - 1]]:
            break
        kept.append(i)
        lowered.append(float(scores[i] * np.exp(-(overlap**2) / soft)))
    found = np.array(lowered, np.float32)
    order = np.argsort(-found, kind="stable")[:most]
    return np.array(kept, np.int64)[order], found[order]


def greedy(boxes: Float32, classes: npt.NDArray[np.int64], iou: float) -> Iterator[tuple[int, float]]:
    """Each index that greedy suppression keeps, in order, with its largest IoU with a kept box of its class."""
    if len(boxes) == 0:
        return
    exact = boxes.astype(np.float64)
    largest = np.zeros(len(boxes))
    rest = np.arange(len(boxes))
    while len(rest):
        first, rest = rest[0], rest[1:]
        yield int(first), float(largest[first])
        overlap = box_iou(exact[rest], exact[first])
        overlap[classes[rest] != classes[first]] = 0
        stays = overlap <= iou  # compare quotients: 0.7 times an integer may round to either side of an integer
        rest = rest[stays]
        largest[rest] = np.maximum(largest[rest], overlap[stays])
