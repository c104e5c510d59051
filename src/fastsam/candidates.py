"""From a network's raw output to the candidates worth a mask: score threshold and non-maximum suppression.

Enters: one photo's `candidates` array from a runtime. Leaves: `Candidates`, for `masks`. Called by `model`.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

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


def candidates(raw: Float, coefficients: int, conf: float, iou: float, max_det: int) -> Candidates:
    """Detections of raw output (4 + classes + coefficients, A) with a score above `conf`, suppressed at `iou`."""
    scores = raw[4:-coefficients]
    best = scores.max(0)
    kept = np.flatnonzero(best > conf)
    kept = kept[np.argsort(-best[kept], kind="stable")[:MOST]]
    centre, size = raw[:2, kept].T, raw[2:4, kept].T
    boxes: Float = np.concatenate((centre - size / 2, centre + size / 2), 1).astype(np.float32, copy=False)
    classes = scores[:, kept].argmax(0)
    chosen = suppress(boxes, classes, iou, max_det)
    kept = kept[chosen]
    return Candidates(
        boxes=np.ascontiguousarray(boxes[chosen]),
        scores=best[kept],
        classes=classes[chosen],
        coefficients=np.ascontiguousarray(raw[-coefficients:, kept].T),
    )


def suppress(boxes: Float, classes: npt.NDArray[np.int64], iou: float, most: int) -> npt.NDArray[np.int64]:
    """Indices that greedy non-maximum suppression keeps: of boxes (N, 4) xyxy in order of score, best first.

    A box goes when its IoU with a kept one of its class exceeds `iou`; after `most` kept ones it stops.
    """
    if len(boxes) == 0:
        return np.zeros(0, np.int64)
    # Boxes of different classes are moved apart, so that they never meet.
    apart = (boxes.max() - boxes.min() + 1) * classes[:, None]
    x0, y0, x1, y1 = (boxes + apart).astype(np.float64).T
    areas = (x1 - x0) * (y1 - y0)
    kept: list[int] = []
    rest = np.arange(len(boxes))
    while len(rest) and len(kept) < most:
        first, rest = rest[0], rest[1:]
        kept.append(int(first))
        w = np.minimum(x1[rest], x1[first]) - np.maximum(x0[rest], x0[first])
        h = np.minimum(y1[rest], y1[first]) - np.maximum(y0[rest], y0[first])
        overlap = np.maximum(w, 0) * np.maximum(h, 0)
        rest = rest[overlap <= iou * (areas[rest] + areas[first] - overlap)]
    return np.array(kept, np.int64)
