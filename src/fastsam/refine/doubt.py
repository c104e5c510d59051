"""Decides whether the mask of a prompt can be believed.

Enters: a prompt with a mask, and clicks that correct it. Leaves: the prompt, without its mask if most of that is wrong.

A drawing that starts from a mask stays near it: if the mask is far too large, a background click takes away a patch.
But a click in the middle of a large wrong part lies deep in the mask. Then the clicks alone say more than the mask.
"""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from fastsam.prompts import Point, Prompt

Bool = npt.NDArray[np.bool_]
DEEP = 0.15  # depth of a background click in a mask that is mostly wrong, relative to the square root of its area


def believed(prompt: Prompt) -> Prompt:
    """The prompt; without its mask if a background click lies deep in it, and a foreground click says what is meant."""
    if prompt.mask is None or not prompt.foreground:
        return prompt
    mask = np.asarray(prompt.mask, bool)
    depth = DEEP * float(np.sqrt(np.count_nonzero(mask)))
    outside = [point for point, label in zip(prompt.points, prompt.labels or (), strict=True) if not label]
    return replace(prompt, mask=None) if any(deep(mask, point, depth) for point in outside) else prompt


def deep(mask: Bool, point: Point, depth: float) -> bool:
    """Whether all pixels up to `depth` from the pixel of a point are in a mask (H, W), and in the photo."""
    column, row, reach = int(point[0]), int(point[1]), int(depth)
    top, left = row - reach, column - reach
    if top < 0 or left < 0 or row + reach >= mask.shape[0] or column + reach >= mask.shape[1]:
        return False
    part = mask[top : row + reach + 1, left : column + reach + 1]
    near = np.hypot(*np.ogrid[-reach : reach + 1, -reach : reach + 1]) <= depth
    return bool(part[near].all())
