"""Opens what has frames, and says its rate, size and number of frames before the first one is used.

Enters: a video, a folder or a list of photos, a camera, an address, or arrays. Leaves: a `Clip`. Frames are decoded one
by one, so that it can have any length.
"""

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.errors import UnreadableImageError, UsageError
from fastsam.image import video
from fastsam.image.photos import find_files
from fastsam.image.read import read_image
from fastsam.sources import MOST_CAMERAS, Frame, is_address, is_camera, no_picture
from fastsam.values import integer, show

UInt8 = npt.NDArray[np.uint8]
Shot = tuple[Frame, UInt8]
LOST = 0.02  # share of the stated frames that may be missing at the end: many headers only estimate their number


@dataclass(frozen=True, eq=False)
class Clip:
    """A source of frames, open, to be read once.

    rate: frames per second of what is read: that of the source divided by `every`
    size: (height, width) of its first frame; count: how many frames it will give, None if that is unknown
    live: whether it is a camera, or an address without an end, whose frames come at their own time
    frames: each `Frame` with its uint8 RGB pixels (H, W, 3), in order
    """

    rate: float
    size: tuple[int, int]
    count: int | None
    live: bool
    frames: Iterator[Shot]


def read(source: Any, *, every: int = 1, first: int = 0, last: int | None = None) -> Clip:
    """Opens a source of frames.

    source: a video; a folder, a pattern or a list of photos; the number of a camera; the address of a video; arrays
    (N, H, W, 3), or an iterable of RGB arrays (H, W, 3)
    every: take every n-th frame; first, last: number of the first and of the last frame, from 0

    Raises UnreadableImageError if nothing can be read, or later, where a frame cannot be read, or a video ends before
    the number of frames that it states. Raises UsageError for invalid numbers, a `first` beyond the end, and later for
    a frame of another size.
    """
    every, first = integer(every, "every", 1), integer(first, "the first frame", 0)
    if last is not None:
        last = integer(last, "the last frame", first)
    if is_camera(source) or is_address(source):
        name = source if isinstance(source, str) else integer(source, "a camera's number", 0, MOST_CAMERAS)
        capture = video.live(name)
        live = is_camera(source) or capture.get(cv2.CAP_PROP_FRAME_COUNT) <= 0
        shots = _numbered(name, video.pictures(capture, every, first, last))
        return _clip(_clocked(shots) if live else shots, name, video.rate_of(capture) / every, None, live, first)
    photos: Any = source
    if isinstance(source, (str, os.PathLike)):
        photos = find_files(os.fspath(source))
        if len(photos) == 1 and video.is_video(photos[0]):
            return _of_file(photos[0], every, first, last)
    if not isinstance(photos, Iterable) or isinstance(photos, (bytes, dict)):
        raise UsageError(f"a video must be a file, a folder, a camera, an address or arrays, not {show(source)}")
    count = len(photos) if isinstance(photos, (Sequence, np.ndarray)) else None
    some = islice(enumerate(photos), first, None if last is None else last + 1, every)
    shots = ((Frame(_name(photo, source), k, k / video.RATE), read_image(photo)) for k, photo in some)
    return _clip(shots, source, video.RATE / every, _left(count, every, first, last, source), False, first)


def _of_file(file: Any, every: int, first: int, last: int | None) -> Clip:
    """A video file. Its number of frames is what it states."""
    path = Path(file)
    capture = video.capture_of(path)
    stated = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    sure = 0 < stated <= path.stat().st_size and not video.guesses(path)
    count = _left(stated, every, first, last, file) if sure else None
    shots = _numbered(file, video.pictures(capture, every, first, last))
    shots = shots if count is None else _whole(shots, count, file)
    return _clip(shots, file, video.rate_of(capture) / every, count, False, first)


def _numbered(origin: Any, pictures: Iterator[video.Picture]) -> Iterator[Shot]:
    return ((Frame(origin, p.number, p.seconds), p.pixels) for p in pictures)


def _clocked(shots: Iterator[Shot]) -> Iterator[Shot]:
    """The frames with the time since the first one: what a live source says of it is seldom right."""
    start: float | None = None
    for frame, pixels in shots:
        now = time.monotonic()
        start = now if start is None else start
        yield replace(frame, seconds=now - start), pixels


def _whole(shots: Iterator[Shot], count: int, file: Any) -> Iterator[Shot]:
    """The frames, and an error after them if clearly fewer come than `count`."""
    done = 0
    for done, shot in enumerate(shots, 1):  # noqa: B007  # the number of the last one
        yield shot
    if 0 < done < count - max(2, LOST * count):
        raise UnreadableImageError(
            f"{file}: the video ends early, after {done} of {count} frames: it is cut or damaged"
        )


def _left(count: int | None, every: int, first: int, last: int | None, source: Any) -> int | None:
    """How many frames of `count` are asked for. Raises UsageError if `first` lies beyond them."""
    if count is None:
        return None
    if count and first >= count:
        raise UsageError(f"frame {first} lies beyond the end of {_brief(source)}, whose last is {count - 1}")
    end = count if last is None else min(count, last + 1)
    return len(range(first, end, every))


def _clip(shots: Iterator[Shot], source: Any, rate: float, count: int | None, live: bool, first: int) -> Clip:
    """Reads the first frame, for its size, and puts it before the others again."""
    start = next(shots, None)
    if start is None:
        if is_camera(source) or is_address(source):
            raise no_picture(source)
        if first:
            raise UsageError(f"{_brief(source)} has no frame {first}: the video ends before it")
        raise UnreadableImageError(f"{_brief(source)}: {video.NOT_A_VIDEO}")
    size = (start[1].shape[0], start[1].shape[1])
    return Clip(rate, size, count, live, _alike(chain([start], shots), size))


def _alike(shots: Iterator[Shot], size: tuple[int, int]) -> Iterator[Shot]:
    """The frames, all of one size. Raises UsageError for the first that has another."""
    for frame, pixels in shots:
        if pixels.shape[:2] != size:
            (height, width), (h, w) = size, pixels.shape[:2]
            raise UsageError(
                f"{frame}: {w} x {h} pixels, but the video began with {width} x {height}: all must have the same size"
            )
        yield frame, pixels


def _name(photo: Any, source: Any) -> Any:
    """What a frame of several photos is called: its own path, or the source's."""
    return photo if isinstance(photo, (str, os.PathLike)) else _brief(source)


def _brief(source: Any) -> Any:
    return source if isinstance(source, (str, os.PathLike)) else f"the {type(source).__name__} of frames"
