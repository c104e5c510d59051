"""Which masks answer a prompt.

Enters: `Prompt`s, a photo's masks with their scores, and what words may see of it. Leaves: one `Pick` a prompt, in
order. Called by `segments`.

The rule. Points: a mask answers when it holds every foreground point and no background point. It ranks by the fourth
root of its own score, times the square of its probability at the least certain foreground point, times how central the
points lie in its box (a normal curve with a deviation of 0.3 widths and heights: people click into the middle of what
they mean), times the tenth root of the smallest answering box's area over its own. Of masks whose boxes overlap by 0.8
(IoU) or more only the best is kept, so that the candidates span sizes: part, object, group. Where no mask answers, the
best ones for each foreground point may be united, or the best one for all foreground points may lose those that hold
its background points; the candidate says which.
Boxes: a mask answers when the IoU of its box and the prompt's is at least one half; it ranks by that IoU. Where none
does, all masks whose boxes lie within the prompt's (nine tenths of their area) may be united, if their common box has
an IoU of 0.7 with it. Masks: the same as one mask's with the IoU of pixels, a quarter of which is enough. Texts: see
`words/similarity.py`; of masks that show one object a text means the best, the others follow as candidates. Several
kinds in one prompt: all must hold, and their ranks multiply; a text orders what the others leave.
Nothing is decoded for points and boxes: points are read in prototype space, boxes compared with the network's.
"""

from collections.abc import Sequence
from os import PathLike

import numpy as np
import numpy.typing as npt

from fastsam.candidates import suppress
from fastsam.masks.lazy import Masks
from fastsam.prompts import geometry
from fastsam.prompts.pick import Candidate, Pick
from fastsam.prompts.prompt import Prompt
from fastsam.words import similarity
from fastsam.words.encoder import load
from fastsam.words.sight import Sight

Float = npt.NDArray[np.float32]
SAME = 0.8  # IoU of boxes from which on two candidates for points are one


def select(
    masks: Masks,
    scores: Float,
    prompts: Sequence[Prompt],
    sight: Sight,
    encoder: str | PathLike[str] | None = None,
    all: bool = False,
) -> list[Pick]:
    """One answer a prompt, in order.

    sight: what words see of the photo, through the `encoder` of that name
    all: whether a text means every mask that fits, parts and groups among them; else one mask per object

    Raises UsageError for a prompt outside the photo, for words where the photo or their encoder is missing.
    """
    for prompt in prompts:
        prompt.check(masks.size)
    return [answer(masks, scores, prompt, sight, encoder, all) for prompt in prompts]


def answer(
    masks: Masks, scores: Float, prompt: Prompt, sight: Sight, encoder: str | PathLike[str] | None, all: bool
) -> Pick:
    """All that answers a prompt, best first, by the rule above."""
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
        order = order[suppress(masks.boxes[order], np.zeros(len(order), np.int64), SAME, len(order))]
    single = [Candidate(masks, (int(i),), float(ranks[i])) for i in order]
    return Pick(prompt, tuple(single or sorted(made, key=lambda c: -c.score)))
