"""`Pick`: the answer to one prompt, with all candidates.

Enters: ranked candidates. Leaves: masks, decoded when they are read.
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
    """One possible answer to a prompt: a mask, a union of masks, a mask minus others, or a redrawn mask.

    Attributes
    ----------
    masks : Masks
        The photo's masks, or the redrawn masks.
    plus : tuple of int
        Indices into `masks` of the masks that are united.
    score : float
        Its rank, 0..1.
    minus : tuple of int
        Indices into `masks` of the masks that are subtracted.
    quality : float or None
        Predicted IoU of a redrawn mask with the true one, 0..1. None if the mask was not redrawn.
    origin : int or None
        Index of the segment that was redrawn. None if the mask was drawn from the prompt alone.

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
        """Index of the segment that answers or was redrawn; None if there is no single one."""
        if self.quality is not None:
            return self.origin
        return self.plus[0] if self.how == "mask" else None

    @property
    def how(self) -> str:
        """How it was made: "mask", "union", "difference" or "drawn"."""
        if self.quality is not None:
            return "drawn"
        if self.minus:
            return "difference"
        return "mask" if len(self.plus) == 1 else "union"

    @property
    def runs(self) -> Runs:
        """Its pixels as runs of photo pixels."""
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
        """Its pixels, bool (H, W), the size of the photo."""
        return merge(self.masks.size, [self])


@dataclass(frozen=True, eq=False)
class Pick:
    """The answer to one prompt. `bool(pick)` is False if nothing matched.

    Attributes
    ----------
    prompt : Prompt
        The prompt that it answers.
    candidates : tuple of Candidate
        All candidates, best first.
    meant : int
        Number of candidates, from the first, that the prompt means (see `matches`).

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
        """The candidates that the prompt means: the best one, or for a text without a place one per object."""
        return self.candidates[: self.meant]

    @property
    def index(self) -> int | None:
        """Index of the best candidate's segment; None if nothing matched, or no single segment did (see `how`)."""
        return self.candidates[0].index if self.candidates else None

    @property
    def how(self) -> str | None:
        """How the best candidate was made: "mask", "union", "difference" or "drawn"; None if nothing matched."""
        return self.candidates[0].how if self.candidates else None

    @property
    def quality(self) -> float | None:
        """Predicted IoU of the best candidate, 0..1; None if nothing matched, or if it was not redrawn."""
        return self.candidates[0].quality if self.candidates else None

    @property
    def score(self) -> float:
        """Score of the best candidate; 0 if nothing matched."""
        return self.candidates[0].score if self.candidates else 0.0

    @property
    def mask(self) -> Bool | None:
        """Pixels of the best candidate, bool (H, W); None if nothing matched."""
        return self.candidates[0].mask if self.candidates else None


def merge(size: tuple[int, int], candidates: Iterable[Candidate]) -> Bool:
    """The union of the candidates' pixels, bool (H, W). size: (H, W) of the photo"""
    canvas = np.zeros(size, bool)
    for candidate in candidates:
        candidate.runs.crop().paint(canvas, True)
    return canvas
