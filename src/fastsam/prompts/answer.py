"""Decides which masks answer a prompt.

Enters: `Prompt`s, a photo's masks and scores, and its features for words. Leaves: one `Pick` per prompt, in order.

The rules:

- Points. A mask answers if it contains every foreground point and no background point. Its rank is the product of the
  fourth root of its score; the square of its probability at the least certain foreground point; how central the points
  are in its box (a normal curve with a deviation of 0.3 widths and heights, because people click near the middle); and
  the tenth root of the area of the smallest answering box over the area of its own box. If boxes overlap by an IoU of
  0.8 or more, only the best mask is kept, so that the candidates span sizes: part, object, group. If no mask answers,
  there are two fallbacks: unite the best masks for each foreground point, or take the best mask for all foreground
  points and subtract the masks at its background points. `Candidate.how` says which.
- Boxes. A mask answers if the IoU of its box and the prompt's box is at least 0.5. Its rank is that IoU. If no mask
  answers, all masks with at least 0.9 of their box within the prompt's box are united, if the common box then has an
  IoU of at least 0.7 with the prompt's.
- Masks. As for boxes, with the IoU of pixels and a minimum of 0.25, and without the union.
- Texts. See `words/similarity.py`. Of masks that show one object, a text means the best. The others follow as
  candidates.
- Several kinds in one prompt. All must hold, and the ranks multiply. A text orders what the other kinds leave.

Points and boxes decode no masks: points are looked up in the prototypes, boxes are compared with those of the network.
"""

from collections.abc import Sequence
from os import PathLike

import numpy as np
import numpy.typing as npt

from fastsam.detections import suppress
from fastsam.masks.lazy import Masks
from fastsam.prompts import geometry
from fastsam.prompts.pick import Candidate, Pick
from fastsam.prompts.prompt import Prompt
from fastsam.words import similarity
from fastsam.words.encoder import load
from fastsam.words.sight import Sight

Float32 = npt.NDArray[np.float32]
COPY_IOU = 0.8  # minimum IoU of boxes for two candidates of a click to count as one


def select(
    masks: Masks,
    scores: Float32,
    prompts: Sequence[Prompt],
    sight: Sight,
    encoder: str | PathLike[str] | None = None,
    all: bool = False,
) -> list[Pick]:
    """One answer per prompt, in order.

    scores: (N,) float32, 0..1; sight: cached features of the photo for words; encoder: which features words use
    all: whether a text means every mask that fits, parts and groups among them; else one mask per object

    Raises UsageError for a prompt outside the photo, and for words if the photo or the encoder is missing.
    """
    for prompt in prompts:
        prompt.check(masks.size)
    return [answer(masks, scores, prompt, sight, encoder, all) for prompt in prompts]


def answer(
    masks: Masks, scores: Float32, prompt: Prompt, sight: Sight, encoder: str | PathLike[str] | None, all: bool
) -> Pick:
    """Everything that answers a prompt, best first, by the rules above."""
    if len(masks) == 0:
        return Pick(prompt, ())
    ranks = np.ones(len(masks))
    plain = prompt.mask is None and prompt.text is None
    if prompt.box is not None:
        ranks *= geometry.rank_by_box(masks, prompt.box)
    if prompt.mask is not None:
        ranks *= geometry.rank_by_mask(masks, prompt.mask)
    made: list[Candidate] = []
    if prompt.points:
        points, foreground = np.array(prompt.points, np.float64), np.array(prompt.labels) == 1
        seen = (masks.boxes, scores, masks.logits_at(points), points, foreground)
        ranks *= geometry.rank_by_points(*seen)
        if plain and prompt.box is None and not ranks.any():
            both = (geometry.union(*seen), geometry.difference(*seen))
            made = [Candidate(masks, *found) for found in both if found is not None]
    elif plain and prompt.box is not None and not ranks.any():
        within = geometry.union_within(masks, prompt.box)
        made = [] if within is None else [Candidate(masks, *within)]
    if prompt.text is not None:
        allowed = np.flatnonzero(ranks)
        found = similarity.find(sight, scores, prompt.text, prompt.exclude, allowed, load(encoder))
        place = similarity.parse(prompt.text).place is not None
        found, first = (found, len(found)) if all or place else similarity.once(masks, found)
        matches = tuple(Candidate(masks, (i,), score * float(ranks[i])) for i, score in found)
        return Pick(prompt, matches, min(1, first) if place else first)
    order = np.flatnonzero(ranks)[np.argsort(-ranks[ranks > 0], kind="stable")]
    if prompt.points:
        order = order[suppress(masks.boxes[order], np.zeros(len(order), np.int64), COPY_IOU, len(order))]
    single = [Candidate(masks, (int(i),), float(ranks[i])) for i in order]
    return Pick(prompt, tuple(single or sorted(made, key=lambda c: -c.score)))
