"""Follows what was picked in one frame of a video, forwards and backwards.

Enters: a source of frames, prompts and the number of the frame that they are for. Leaves: a `Pick` per prompt and
frame, from the first frame to the last.

Backwards, frames are read in stretches that fit into `HELD` bytes, the last stretch first; of each only the masks stay
in memory, as runs. So memory does not grow with the frames, but for a few kilobytes each before the picked one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fastsam.errors import UsageError
from fastsam.follow.eye import Eye
from fastsam.follow.follower import Follower
from fastsam.follow.search import Find
from fastsam.masks.given import collect
from fastsam.masks.lazy import from_pixels
from fastsam.prompts import Pick, Prompt
from fastsam.sources import Frame, is_address, is_camera
from fastsam.values import integer
from fastsam.video.read import Clip, read

UInt8 = npt.NDArray[np.uint8]
HELD = 100_000_000  # bytes of frames in memory while following backwards
Corrections = Mapping[int, "Prompt | Mapping[int, Prompt]"]


@dataclass(frozen=True)
class Shot(Frame):
    """A `Frame` with its `pixels`, uint8 RGB (H, W, 3)."""

    pixels: UInt8 = field(default_factory=lambda: np.zeros((0, 0, 3), np.uint8), compare=False, repr=False)


Followed = tuple[Shot, list[Pick]]


def follow(
    find: Find,
    source: Any,
    prompts: Prompt | Sequence[Prompt],
    frame: int,
    corrections: Corrections,
    eye: Eye,
) -> tuple[Clip, Iterator[Followed]]:
    """The source, whose `frames` are used up here, and every frame of it in order with what was followed.

    Raises UsageError, UnreadableImageError: at once for what is wrong with the first frame and the prompts; later for
    what is wrong with other frames.
    """
    number = integer(frame, "frame", 0)
    anew = {integer(k, "the frame of a correction", 0): one for k, one in corrections.items()}
    if number and not again(source):
        raise UsageError(f"frame must be 0 for a source that can be read only once, not {number}")
    if number in anew:
        raise UsageError(f"frame {number} is where the prompts pick: change the prompts instead of correcting it")
    clip = read(source, first=number)
    start, pixels = next(clip.frames)
    follower = Follower(find, pixels, prompts, eye=eye)
    picked = follower.state

    def answers() -> Iterator[Followed]:
        if number:
            yield from earlier(source, Follower.resume(find, picked, eye=eye), start.number, anew)
        yield shot(start, pixels), follower.picks
        last = number
        for now, shown in clip.frames:
            last = now.number
            yield shot(now, shown), stepped(follower, last, shown, anew)
        if missed := [k for k in anew if k > last]:
            raise UsageError(f"there is no frame {missed[0]} to correct: the last one is {last}")

    return replace(clip, frames=iter(())), answers()


def earlier(source: Any, follower: Follower, number: int, corrections: Corrections) -> Iterator[Followed]:
    """The frames before the picked one, in order; followed backwards before the first comes.

    follower: as it was in the picked frame, which has this number
    """
    answers: list[list[Pick]] = []
    stretch = max(1, HELD // follower.state.frame.nbytes)
    for end in range(number, 0, -stretch):
        frames = list(read(source, first=max(0, end - stretch), last=end - 1).frames)
        for now, shown in reversed(frames):
            answers.append([packed(pick) for pick in stepped(follower, now.number, shown, corrections)])
    for (now, shown), picks in zip(read(source, last=number - 1).frames, reversed(answers), strict=True):
        yield shot(now, shown), picks


def stepped(follower: Follower, number: int, pixels: UInt8, corrections: Corrections) -> list[Pick]:
    """The picks of the next frame, corrected if it is one of those to correct. Raises UsageError that names it."""
    try:
        picks = follower.step(pixels)
        return picks if number not in corrections else follower.correct(corrections[number])
    except UsageError as error:
        raise UsageError(f"frame {number}: {error}") from None


def packed(pick: Pick) -> Pick:
    """A pick whose mask is kept as runs, which take less memory than the network's grid."""
    found = (replace(c, masks=from_pixels(collect([c.runs], c.masks.size))) for c in pick.candidates)
    return replace(pick, candidates=tuple(found))


def shot(frame: Frame, pixels: UInt8) -> Shot:
    """A frame with its pixels."""
    return Shot(**vars(frame), pixels=pixels)


def again(source: Any) -> bool:
    """Whether a source can be read more than once."""
    return not (is_camera(source) or is_address(source) or isinstance(source, Iterator))
