"""Turns a source into photos: a file, a folder, a video, a camera, an address, or a list of these.

Enters: a source. Leaves: `Item`s, one by one, so that a folder or a video can have any length.
"""

import glob
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from fastsam.errors import UnreadableImageError, UsageError
from fastsam.image import video
from fastsam.image.photos import find_files
from fastsam.values import integer, is_integer, plain, show

ADDRESSES = ("http://", "https://", "rtsp://", "rtsps://", "rtmp://", "tcp://", "udp://")
MOST_CAMERAS = 9999


@dataclass(frozen=True)
class Frame:
    """One frame.

    origin: path or address of the video, or number of the camera; number: of the frame, from 0
    seconds: its time in the video, which does not count when frames are compared; None if it is unknown
    """

    origin: str | os.PathLike[str] | int
    number: int
    seconds: float | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return f"{self.origin}, frame {self.number}"


@dataclass(frozen=True, eq=False)
class Item:
    """One photo of a source.

    source: how a stream names it: as given, the path of a file in a folder, or a `Frame`
    photo: what is read, or the error that prevents it
    """

    source: Any
    photo: Any


def is_camera(source: Any) -> bool:
    """Whether a source is the number of a camera."""
    return is_integer(plain(source))


def is_address(source: Any) -> bool:
    """Whether a source is the network address of a video."""
    return isinstance(source, str) and source.lower().startswith(ADDRESSES)


def refuse_endless(source: Any) -> None:
    """Raises UsageError for a camera or an address. They may never end, so a call cannot read them whole."""
    if is_camera(source) or is_address(source):
        raise UsageError(f"{show(source)} may never end: iterate over model.stream({show(source)}) instead")


def is_several(source: Any) -> bool:
    """Whether a source means several photos: a folder, a pattern, a video, an iterable, or an array (N, H, W, 3)."""
    if isinstance(source, (str, os.PathLike)):
        name = os.fspath(source)
        if isinstance(name, bytes) or "\0" in name or is_address(name):
            return False
        return os.path.isdir(name) or is_pattern(name) or video.is_video(Path(name))
    if isinstance(source, np.ndarray):
        return source.ndim == 4
    return isinstance(source, Iterable) and not isinstance(source, (bytes, bytearray, dict))


def is_pattern(name: str) -> bool:
    """Whether a name is a pattern such as `photos/*.jpg`, and not the name of a file."""
    return glob.has_magic(name) and not os.path.lexists(name) and not is_address(name)


def items(source: Any) -> Iterator[Item]:
    """Every photo of a source, in order; for a list, every photo of each entry.

    Raises UsageError for an invalid camera number, and for a folder or a pattern without photos. A video that cannot
    be read becomes an item that holds the error.
    """
    if is_camera(source):
        return captured(integer(source, "a camera's number", 0, MOST_CAMERAS))
    if is_address(source):
        return captured(source)
    if not is_several(source):
        return iter([Item(source, source)])
    if not isinstance(source, (str, os.PathLike)):
        return (item for one in source for item in _of_entry(one))
    name = os.fspath(source)
    if os.path.isdir(name) or is_pattern(name):
        return (item for file in find_files(name) for item in _of_entry(file))
    return _frames(source)


def _of_entry(one: Any) -> Iterator[Item]:
    """The photos of one entry of a list: a path can be a folder, a video or an address; anything else is one photo."""
    if isinstance(one, (str, os.PathLike)):
        return items(one)
    return iter([Item(one, one)])


def _frames(file: Any) -> Iterator[Item]:
    """The frames of a video file."""
    try:
        for picture in video.of_file(file):
            yield Item(Frame(file, picture.number, picture.seconds), picture.pixels)
    except UnreadableImageError as error:
        yield Item(file, error)


def captured(origin: int | str) -> Iterator[Item]:
    """The frames of a camera or of a video at an address, opened by OpenCV, until they end."""
    number = -1
    for number, picture in enumerate(video.pictures(video.live(origin))):
        yield Item(Frame(origin, number, picture.seconds), picture.pixels)
    if number < 0:
        yield Item(origin, no_picture(origin))


def no_picture(origin: int | str) -> UnreadableImageError:
    """The error of a camera or an address that gives nothing."""
    what = f"camera {origin}" if isinstance(origin, int) else origin
    return UnreadableImageError(f"{what} gives no picture: check that it exists and is not in use")
