"""`Pick`: the answer to one prompt, with everything that might have answered.

Enters: ranked candidates. Leaves: masks, decoded when they are asked for. Made by `answer`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from fastsam.masks.lazy import Masks
from fastsam.masks.runs import Runs, of_pixels
from fastsam.prompts.prompt import Prompt

Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Candidate:
    """What answers a prompt: one mask; several united, or one without others, if no single mask fits; or a drawn one.

    masks: those of the photo, or those that were drawn; plus: indices among them whose union it is; minus: indices of
    what is taken away
    score: its rank, 0..1
    quality: the IoU that a drawn mask is predicted to reach, 0..1; None for a mask that was not drawn
    origin: index of the segment that a drawn mask was drawn from; None if it was drawn from the prompt alone

    Examples
    --------
    >>> pick, = segments.select(points=[(365, 285)])
    >>> [candidate.how for candidate in pick.candidates][:1]
    ['drawn']
    >>> pick.candidates[0].mask.shape
    (400, 600)
    """

    masks: Masks = field(repr=False, compare=False)
    plus: tuple[int, ...]
    score: float
    minus: tuple[int, ...] = ()
    quality: float | None = None
    origin: int | None = None

    @property
    def index(self) -> int | None:
        """The mask's index among the segments, or that of the one it was drawn from; None if there is no single one."""
        if self.quality is not None:
            return self.origin
        return self.plus[0] if self.how == "mask" else None

    @property
    def how(self) -> str:
        """`mask`, `union`, `difference` or `drawn`."""
        if self.quality is not None:
            return "drawn"
        if self.minus:
            return "difference"
        return "mask" if len(self.plus) == 1 else "union"

    @property
    def runs(self) -> Runs:
        """Its pixels as runs."""
        if self.how in ("mask", "drawn"):
            return self.masks.runs(self.plus[0])
        canvas = np.zeros(self.masks.size, bool)
        for i in self.plus:
            self.masks.crop(i).paint(canvas, True)
        for i in self.minus:
            self.masks.crop(i).paint(canvas, False)
        return of_pixels(canvas)

    @property
    def mask(self) -> Bool:
        """Its pixels, bool (H, W)."""
        return merge(self.masks.size, [self])


@dataclass(frozen=True, eq=False)
class Pick:
    """The answer to one prompt; false where nothing matched.

    candidates: all that answer, best first; meant: how many of them the prompt means

    Examples
    --------
    >>> pick, = segments.select(points=[(365, 285)])
    >>> bool(pick), pick.how, 0 <= pick.quality <= 1
    (True, 'drawn', True)
    >>> pick.mask.shape
    (400, 600)
    """

    prompt: Prompt
    candidates: tuple[Candidate, ...]
    meant: int = 1

    def __bool__(self) -> bool:
        return bool(self.candidates)

    @property
    def matches(self) -> tuple[Candidate, ...]:
        """What is meant: every mask that a text means, the one that it names by its place; the best one otherwise."""
        return self.candidates[: self.meant]

    @property
    def index(self) -> int | None:
        """Index of the best mask among the segments, None where nothing matched or no single mask did (see `how`)."""
        return self.candidates[0].index if self.candidates else None

    @property
    def how(self) -> str | None:
        """What the best candidate is made of: `mask`, `union`, `difference` or `drawn`; None where nothing matched."""
        return self.candidates[0].how if self.candidates else None

    @property
    def quality(self) -> float | None:
        """The IoU that the best candidate is predicted to reach, 0..1; None if nothing matched or was drawn."""
        return self.candidates[0].quality if self.candidates else None

    @property
    def score(self) -> float:
        """Score of the best candidate, 0 where nothing matched."""
        return self.candidates[0].score if self.candidates else 0.0

    @property
    def mask(self) -> Bool | None:
        """The best candidate's pixels, bool (H, W), None where nothing matched."""
        return self.candidates[0].mask if self.candidates else None


def merge(size: tuple[int, int], candidates: Iterable[Candidate]) -> Bool:
    """The union of candidates' pixels, bool (H, W) of `size`."""
    canvas = np.zeros(size, bool)
    for candidate in candidates:
        candidate.runs.crop().paint(canvas, True)
    return canvas
