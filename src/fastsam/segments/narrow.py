"""Filters segments.

Enters: masks, scores, classes and limits. Leaves: indices of the segments that stay, in order.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from fastsam.detections import suppress
from fastsam.masks import relations
from fastsam.masks.lazy import Masks
from fastsam.masks.levels import of_level
from fastsam.values import limits, number

Float32 = npt.NDArray[np.float32]
Int = npt.NDArray[np.int64]


def narrow(
    masks: Masks,
    scores: Float32,
    classes: Int,
    *,
    conf: Any,
    iou: Any,
    area: Any,
    stability: Any,
    inside: Any,
    level: Any,
) -> Int:
    """Indices (K,) of the segments within every limit that is not None; see `Segments.filter`. Raises UsageError."""
    kept = np.arange(len(masks))
    if conf is not None:
        kept = kept[scores > number(conf, "conf")]
    if iou is not None:
        order = kept[np.argsort(-scores[kept], kind="stable")]
        chosen = suppress(masks.boxes[order], classes[order], number(iou, "iou"), len(masks))
        kept = np.sort(order[chosen])
    if area is not None:
        least, most = limits(area)
        areas = masks.areas[kept]
        kept = kept[(areas >= least) & (areas <= most)]
    if stability is not None:
        sure = number(stability, "stability")
        kept = kept[relations.stability(masks.take(kept)) >= sure]
    if inside is not None:
        some, share = masks.take(kept), number(inside, "inside")
        larger = some.areas[None] > some.areas[:, None]
        kept = kept[~((relations.containment(some) > share) & larger).any(1)]
    if level is not None:
        kept = kept[of_level(masks.take(kept), scores[kept], level)]
    return kept
