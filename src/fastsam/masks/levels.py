"""Levels of everything: which masks are shown of the many that are found.

Enters: masks and scores. Leaves: indices of the masks of a level, in order.

- parts: every mask.
- things: what a person would point at. A mask's weight is its score times the root of its area. Masks stay whose weight
  is at least `NOTABLE` of the largest weight in the photo. So a small mask must be surer than a large one, and the rule
  does not depend on how high the scores of a network are.
- regions: the photo divided into things. The weightiest comes first. Each other one stays unless more than half of it
  lies in those that stay already.
"""

from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from fastsam.errors import UsageError
from fastsam.masks.lazy import Masks
from fastsam.masks.relations import SAMPLE

Int = npt.NDArray[np.int64]
Level = Literal["parts", "things", "regions"]
LEVELS = get_args(Level)
NOTABLE = 0.0125  # chosen on held-out photos: a third to half of the masks go, and hardly any area that they find
HIDDEN = 0.5  # share of a thing within others from which on it is no region of its own


def of_level(masks: Masks, scores: npt.NDArray[np.float32], level: Any) -> Int:
    """Indices (K,) of the masks of a level. Raises UsageError for an unknown level."""
    if level not in LEVELS:
        raise UsageError(f"unknown level {level!r}: choose one of {', '.join(LEVELS)}")
    if level == "parts" or not len(masks):
        return np.arange(len(masks))
    weights = scores * np.sqrt(masks.areas)
    things = np.flatnonzero(weights >= NOTABLE * weights.max())
    if level == "things":
        return things
    return apart(masks, things[np.argsort(-weights[things], kind="stable")])


def apart(masks: Masks, order: Int) -> Int:
    """Indices, ascending, of the masks of which at most half lies in those before it that stay; by up to 256 pixels."""
    kept: list[int] = []
    for i in order.tolist():
        points = masks.runs(i).points(SAMPLE)
        inside = (
            masks.take(np.array(kept, np.int64)).logits_at(points) > 0 if kept else np.zeros((0, len(points)), bool)
        )
        if len(points) and inside.any(0).mean() <= HIDDEN:
            kept.append(i)
    return np.array(sorted(kept), np.int64)
