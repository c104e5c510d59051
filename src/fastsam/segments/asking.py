"""Prompts on the objects of a photo, and what is made of the answers.

Enters: prompts, or answers. Leaves: picks, redrawn masks, answers as segments, one mask of several.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cached_property, partial
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fastsam import prompts as stage2
from fastsam.errors import UsageError, without_photo
from fastsam.masks.given import collect
from fastsam.masks.lazy import from_pixels
from fastsam.masks.runs import iou_of
from fastsam.prompts import Box, Candidate, Pick, Point, Prompt
from fastsam.refine.crop import pyramid
from fastsam.refine.doubt import believed
from fastsam.refine.draw import draw
from fastsam.refine.everything import redraw
from fastsam.refine.network import Refiner, shared
from fastsam.segments.objects import Objects
from fastsam.values import flag, is_integer, listed, number, show

if TYPE_CHECKING:
    from typing_extensions import Self

Bool = npt.NDArray[np.bool_]
UInt8 = npt.NDArray[np.uint8]


class Asking(Objects):
    """What `Segments` answers to prompts."""

    def select(
        self,
        prompts: Sequence[Prompt] | Prompt = (),
        *,
        points: Sequence[Point] | npt.NDArray[Any] | None = None,
        labels: Sequence[int] | None = None,
        boxes: Sequence[Box] | npt.NDArray[Any] = (),
        masks: Sequence[npt.NDArray[Any]] = (),
        texts: Sequence[str] = (),
        exclude: Sequence[str] = (),
        encoder: str | PathLike[str] | None = None,
        refine: bool | Refiner | None = None,
        all: bool = False,
    ) -> list[Pick]:
        """Answers prompts: points, boxes, masks and words.

        Parameters
        ----------
        prompts : Prompt or sequence of Prompt
            Each may combine points, a box, a mask and a text.
        points : sequence of (x, y), optional
            Points in photo pixels. All of them together are one prompt.
        labels : sequence of int, optional
            One per point: 1 for foreground, 0 for background. Default: all 1.
        boxes : sequence of (x1, y1, x2, y2)
            Boxes in photo pixels. Each is a prompt.
        masks : sequence of arrays (H, W)
            Rough masks of the photo's size. Each is a prompt.
        texts : sequence of str
            Words, such as "the yellow dog". Each is a prompt. They need the `text` extra.
        exclude : sequence of str
            Words for things that must not match any of `texts`.
        encoder : {"offline", "clip"} or path, optional
            How words are compared with masks; a path is a folder with the two networks of CLIP. Default: "clip" if it
            is installed, else "offline".
        refine : bool or Refiner, optional
            True redraws the answers with the second network; False chooses among the masks of the first. A `Refiner`
            redraws with that one. Default: True if the photo is known. Answers to words are never redrawn.
        all : bool
            True lets a text mean every mask that fits. By default it means one mask per object (see
            `words/distinct.py`); the others follow in `Pick.candidates`.

        Returns
        -------
        list of Pick
            One per prompt: first `prompts`, then `points`, `boxes`, `masks` and `texts`.

        Raises
        ------
        UsageError
            If a prompt is invalid or lies outside the photo, or if `refine` is True and there is no photo.

        Examples
        --------
        >>> spoon, corner = segments.select(boxes=[(320, 220, 410, 330), (0, 0, 150, 100)])
        >>> spoon.mask.shape, spoon.how
        ((400, 600), 'drawn')
        >>> clicked, = segments.select(points=[(365, 285), (300, 100)], labels=[1, 0])  # here, and not there
        >>> bool(clicked.mask[285, 365]), bool(clicked.mask[100, 300])
        (True, False)
        >>> better, = segments.select(Prompt(points=[(365, 285)], mask=clicked.mask))  # goes on from an answer
        >>> better.quality > 0.5
        True
        """
        wanted = stage2.asked(prompts, points, labels, boxes, masks, texts, exclude)
        refiner = self._refiner(refine)
        posed = wanted if refiner is None else [believed(prompt) for prompt in wanted]
        picks = stage2.select(self.masks, self.scores, posed, self.sight, encoder, flag(all, "all"))
        if refiner is not None and self.photo is not None and any(pick.prompt.text is None for pick in picks):
            picks = draw(self._levels, picks, refiner())
        return [replace(pick, prompt=prompt) for pick, prompt in zip(picks, wanted, strict=True)]

    def refine(self, *, refiner: Refiner | None = None, min_region_area: float = 0.0) -> "Self":
        """Redraws every mask with the second network: exact edges, no islands, scores that reflect mask quality.

        If two masks become the same, the lower-scored one is dropped.

        Parameters
        ----------
        refiner : Refiner, optional
            The second network, from `fastsam.refine.network.load`. Default: the bundled one.
        min_region_area : float
            Islands and holes with fewer photo pixels are removed. Those below 2% of their mask are always removed.

        Returns
        -------
        Segments
            The redrawn masks, best first.

        Raises
        ------
        UsageError
            If the photo is missing, or `min_region_area` is negative.

        Examples
        --------
        >>> exact = segments[:3].refine()
        >>> len(exact) <= 3
        True
        """
        least = number(min_region_area, "min_region_area", most=None)
        network = self._refiner(True if refiner is None else refiner)
        assert self.photo is not None
        assert network is not None
        found = redraw(self.photo, self.masks, self.scores, network(), least)
        tracks = None if self.tracks is None else self.tracks[found.indices]
        classes = self.classes[found.indices]
        return replace(self, masks=found.masks, scores=found.scores, classes=classes, kept=None, tracks=tracks)

    @cached_property
    def _levels(self) -> list[UInt8]:
        """The photo and its halved copies, kept because one photo is often clicked many times."""
        assert self.photo is not None
        return pyramid(self.photo)

    def _refiner(self, refine: Any) -> Callable[[], Refiner] | None:
        """Returns a function that loads the second network, or None if masks are not redrawn.

        Raises UsageError if redrawing is asked for without a photo, and for invalid values.
        """
        if not (refine is None or isinstance(refine, Refiner) or flag(refine, "refine")):
            return None
        if self.photo is None:
            if refine is None:
                return None
            raise without_photo("refine")
        return (lambda: refine) if isinstance(refine, Refiner) else partial(shared, self.threads)

    def picked(self, picks: Iterable[Pick | Candidate] | Pick | Candidate) -> "Self":
        """Turns answers into segments of their own, so that `save`, `to_records` and every format write only these.

        Parameters
        ----------
        picks : Pick, Candidate or iterable of these
            Answers of `select`.

        Returns
        -------
        Segments
            One segment per match; a union or a redrawn mask is one segment. Matches of a text have the text as name.

        Raises
        ------
        UsageError
            If an entry is neither a Pick nor a Candidate.

        Examples
        --------
        >>> picks = segments.select(boxes=[(320, 220, 410, 330)])
        >>> answers = segments.picked(picks)
        >>> len(answers), answers[0].area == int(picks[0].mask.sum())
        (1, True)
        """
        found = [picks] if isinstance(picks, (Pick, Candidate)) else listed(picks, "picks")
        rows: list[tuple[Candidate, str | None]] = []
        for one in found:
            if isinstance(one, Pick):
                rows += [(match, one.prompt.text) for match in one.matches]
            elif isinstance(one, Candidate):
                rows.append((one, None))
            else:
                raise UsageError(f"picks must hold Pick or Candidate values, not {show(one)}")
        names = tuple(dict.fromkeys((*self.names, *(text for _, text in rows if text is not None))))
        kinds = [names.index(self.names[self.class_of(match)] if text is None else text) for match, text in rows]
        masks = from_pixels(collect((match.runs for match, _ in rows), self.size))
        scores = np.clip(np.array([match.score for match, _ in rows], np.float32), 0, 1)  # a click's rank may exceed 1
        classes = np.array(kinds, np.int64)
        return replace(self, masks=masks, scores=scores, classes=classes, names=names, kept=None, tracks=None)

    def class_of(self, answer: Candidate) -> int:
        """Finds the class of an answer.

        Parameters
        ----------
        answer : Candidate
            An answer of `select`.

        Returns
        -------
        int
            Index into `names`: the class of the segment that the answer is made of, else of the segment that it
            overlaps most, else 0.

        Examples
        --------
        >>> pick, = segments.select(boxes=[(320, 220, 410, 330)])
        >>> segments.names[segments.class_of(pick.candidates[0])]
        'object'
        """
        if answer.how != "drawn":
            return int(self.classes[answer.plus[0]])
        if answer.index is not None:
            return int(self.classes[answer.index])
        if len(self.names) == 1 or len(self) == 0:
            return 0
        runs = answer.runs
        overlaps = [iou_of(runs, other, self.size[0]) for other in self.masks.all_runs()]
        best = int(np.argmax(overlaps))
        return int(self.classes[best]) if overlaps[best] > 0 else 0

    def merge(self, answers: Iterable[Pick | Candidate | int] | Pick | Candidate) -> Bool:
        """Merges several answers into one mask.

        Parameters
        ----------
        answers : Pick, Candidate, int or iterable of these
            Picks (all their matches), candidates, or indices of segments.

        Returns
        -------
        bool array (H, W)
            The union of their pixels.

        Raises
        ------
        UsageError
            If an entry is of another type, or an index is out of range.

        Examples
        --------
        >>> both = segments.merge([0, 1])
        >>> int(both.sum()) >= segments[0].area
        True
        """
        parts: list[Candidate] = []
        for one in [answers] if isinstance(answers, (Pick, Candidate)) else listed(answers, "answers"):
            if isinstance(one, Pick):
                parts += one.matches
            elif isinstance(one, Candidate):
                parts.append(one)
            elif is_integer(one) and 0 <= one < len(self):
                parts.append(Candidate(self.masks, (int(one),), 1.0))
            else:
                raise UsageError(f"answers must hold picks, candidates or indices below {len(self)}, not {show(one)}")
        return stage2.merge(self.size, parts)
