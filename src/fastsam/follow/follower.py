"""Follows what was picked in one frame through frames that come one by one.

Enters: a frame and prompts, then frames and corrections. Leaves: a `Pick` per prompt and frame.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fastsam.errors import UsageError
from fastsam.follow import search
from fastsam.follow.eye import Eye, shared
from fastsam.follow.memory import Memory
from fastsam.follow.search import Find
from fastsam.follow.thing import Thing, begin, step
from fastsam.image.read import read_own
from fastsam.masks import drawn
from fastsam.masks.lazy import from_grids
from fastsam.prompts import Candidate, Pick, Prompt
from fastsam.prompts.asked import asked
from fastsam.segments import Segments
from fastsam.values import is_integer, show

UInt8 = npt.NDArray[np.uint8]
Bool = npt.NDArray[np.bool_]
EDGE = 6.0  # logit of the pixels of a given mask


@dataclass(frozen=True)
class Followed:
    """A prompt, the thing that it means, and what the rest of the frame looked like in which it was picked."""

    prompt: Prompt
    thing: Thing
    scene: Memory


@dataclass(frozen=True, eq=False)
class State:
    """What a follower knows after a frame: `Follower.resume` goes on from it, in another process too.

    followed: each prompt with its thing, by its index; frame: the frame, uint8 (H, W, 3)
    """

    followed: dict[int, Followed]
    frame: UInt8


class Follower:
    """Follows objects through frames that come one by one, such as those of a camera.

    Parameters
    ----------
    model : FastSAM
        Finds everything in the first frame, and in later frames if an object is lost.
    frame : path, PIL image or array
        The frame in which the objects are picked.
    prompts : Prompt or sequence of Prompt
        One per object. A mask without points or a box is followed as it is.
    eye : Eye, optional
        The second network, from `fastsam.follow.eye.load`. Default: the bundled one.

    Attributes
    ----------
    picks : list of Pick
        One per prompt, for the last frame. A pick without candidates, which is False, means that the object is lost.

    Raises
    ------
    UsageError
        If a prompt is invalid, lies outside the frame, or matches nothing there.

    Examples
    --------
    >>> follower = Follower(model, photo, Prompt(points=[(365, 285)]))
    >>> cup, = follower.step(photo)
    >>> cup.mask.shape
    (400, 600)
    >>> spoon, = follower.correct(Prompt(box=(320, 220, 410, 330)))  # in the last frame
    >>> bool(spoon.mask[285, 365])
    True
    """

    def __init__(self, model: Find, frame: Any, prompts: Prompt | Sequence[Prompt], *, eye: Eye | None = None) -> None:
        """Picks the objects. See the class for the parameters."""
        wanted = asked(prompts, None, None, (), (), (), ())
        if not wanted:
            raise UsageError("there is nothing to follow: give a prompt per object")
        self._find, self._eye = model, shared() if eye is None else eye
        self._frame = read_own(frame)
        self._followed = self._picked(dict(enumerate(wanted)), {})
        self.picks = [self._pick(self._followed[k]) for k in range(len(wanted))]

    @property
    def state(self) -> State:
        """What it knows after the last frame. It can be pickled, and does not change later."""
        return State(dict(self._followed), self._frame)

    @classmethod
    def resume(cls, model: Find, state: State, *, eye: Eye | None = None) -> "Follower":
        """A follower that goes on where another one was.

        Parameters
        ----------
        model : FastSAM
            As for a new follower.
        state : State
            The other one's `state`.
        eye : Eye, optional
            As for a new follower.

        Returns
        -------
        Follower
            Its `picks` are those of the state's frame.

        Examples
        --------
        >>> follower = Follower(model, photo, Prompt(points=[(365, 285)]))
        >>> later = Follower.resume(model, follower.state)
        >>> bool(later.step(photo)[0])
        True
        """
        found = cls.__new__(cls)
        found._find, found._eye = model, shared() if eye is None else eye
        found._followed, found._frame = dict(state.followed), state.frame
        found.picks = [found._pick(found._followed[k]) for k in range(len(found._followed))]
        return found

    def step(self, frame: Any) -> list[Pick]:
        """Follows the objects into the next frame.

        Parameters
        ----------
        frame : path, PIL image or array
            The next frame, of the same size.

        Returns
        -------
        list of Pick
            One per prompt. A pick without candidates, which is False, means that the object is lost.

        Raises
        ------
        UsageError
            If the frame has another size. The follower stays where it was.

        Examples
        --------
        >>> follower = Follower(model, photo, Prompt(points=[(365, 285)]))
        >>> bool(follower.step(photo)[0])
        True
        """
        now = read_own(frame)
        if now.shape != self._frame.shape:
            (h, w), (height, width) = now.shape[:2], self._frame.shape[:2]
            raise UsageError(
                f"the frame is {w} x {h} pixels, not {width} x {height}: all must have the size of the first one"
            )
        found: list[Segments] = []  # stage 1 looks once per frame, however many things are lost

        def find(pixels: UInt8) -> Segments:
            if not found:
                found.append(self._find(pixels))
            return found[0]

        for k, one in self._followed.items():
            self._followed[k] = Followed(one.prompt, self._next(one, now, find), one.scene)
        self._frame = now
        self.picks = [self._pick(self._followed[k]) for k in range(len(self._followed))]
        return self.picks

    def correct(self, prompts: Prompt | Mapping[int, Prompt]) -> list[Pick]:
        """Picks objects anew in the last frame. What they looked like before is still remembered.

        Parameters
        ----------
        prompts : Prompt or mapping of int to Prompt
            The new prompt of each object, by its index; a prompt alone if there is one object.

        Returns
        -------
        list of Pick
            One per object, in the last frame.

        Raises
        ------
        UsageError
            If a prompt is invalid, lies outside the frame, or matches nothing there, or if there is no such object.

        Examples
        --------
        >>> follower = Follower(model, photo, [Prompt(points=[(365, 285)]), Prompt(points=[(100, 100)])])
        >>> picks = follower.correct({0: Prompt(box=(320, 220, 410, 330))})
        >>> len(picks)
        2
        """
        if isinstance(prompts, Prompt):
            if len(self._followed) > 1:
                raise UsageError(f"{len(self._followed)} objects are followed: give a mapping of index to prompt")
            prompts = {0: prompts}
        for k, prompt in prompts.items():
            if not is_integer(k) or not 0 <= k < len(self._followed) or not isinstance(prompt, Prompt):
                raise UsageError(
                    f"a correction must be a Prompt for object 0 to {len(self._followed) - 1}, not {show(k)}"
                )
        self._followed |= self._picked(dict(prompts), self._followed)
        self.picks = [self._pick(self._followed[k]) for k in range(len(self._followed))]
        return self.picks

    def _picked(self, prompts: dict[int, Prompt], known: dict[int, Followed]) -> dict[int, Followed]:
        """The things that prompts mean in the present frame. known: the things so far, which keep what they know"""
        found, frame, eye = {}, self._frame, self._eye
        for k, (mask, quality) in self._meant(prompts).items():
            seen = search.seen_of(mask)
            logits = (2 * seen.shares - 1) * EDGE
            thing = begin(frame, seen, logits, quality, eye, known[k].thing if k in known else None)
            found[k] = Followed(prompts[k], thing, search.scene_of(frame, seen, eye))
        return found

    def _meant(self, prompts: dict[int, Prompt]) -> dict[int, tuple[Bool, float]]:
        """The mask (H, W) and the quality of what each prompt means in the present frame. Raises UsageError."""
        segments, found = None, {}
        for k, prompt in prompts.items():
            prompt.check((self._frame.shape[0], self._frame.shape[1]))
            if prompt.mask is not None and not prompt.points and prompt.box is None:
                found[k] = np.asarray(prompt.mask), 1.0
                continue
            segments = self._find(self._frame) if segments is None else segments
            mask = (pick := segments.select([prompt])[0]).mask
            if mask is None or not mask.any():
                raise UsageError(f"{prompt.name} matches nothing in this frame: give a point on the object, or its box")
            found[k] = mask, float(min(pick.score, 1.0))
        return found

    def _next(self, one: Followed, now: UInt8, find: Find) -> Thing:
        if one.thing.lost:
            return search.search(one.thing, now, self._eye, find, one.scene)
        return step(one.thing, self._frame, now, self._eye)

    def _pick(self, one: Followed) -> Pick:
        """The answer for the present frame."""
        thing = one.thing
        if thing.lost:
            return Pick(one.prompt, ())
        size = self._frame.shape[0], self._frame.shape[1]
        masks = from_grids(drawn.collect([thing.logits], np.array([thing.seen.window.square]), size))
        return Pick(one.prompt, (Candidate(masks, (0,), thing.quality, quality=thing.quality),))
