"""Frames of a video, one after the other, as RGB uint8 (H, W, 3)."""

from collections.abc import Iterator
from os import PathLike
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.errors import UnreadableImageError
from fastsam.image.kinds import head_of, photo_or_video

GUESSING = (b"\0\0\1\xba", b"\0\0\1\xb3", b"\x47")  # MPEG's streams know no number of frames: OpenCV guesses one


def is_video(file: Path) -> bool:
    """Whether a file is a video by its content, or by its suffix if nothing else claims the content."""
    return photo_or_video(head_of(file), file.suffix.lower()) == "video"


def count(file: Path) -> int:
    """How many frames a video says that it has, or, if it does not know, how many it has; 1 for a file that is none."""
    try:
        capture = _opened(file)
    except UnreadableImageError:
        return 1
    try:
        said = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        head = head_of(file)
        if said < 1 or head.startswith(GUESSING) or head[4:5] == GUESSING[-1]:
            said = sum(1 for _ in iter(capture.grab, False))
        return max(1, min(said, file.stat().st_size))  # a frame takes a byte at least
    finally:
        capture.release()


def frames(file: str | PathLike[str]) -> Iterator[npt.NDArray[np.uint8]]:
    """The frames of a video, decoded one by one, turned as its header says.

    Raises UnreadableImageError for a file that is missing or no video.
    """
    every = pictures(_opened(Path(file)))
    first = next(every, None)
    if first is None:
        raise UnreadableImageError(f"{file}: no video that can be read: use MP4, AVI, MOV, MKV or WebM")
    yield first
    yield from every


def pictures(capture: cv2.VideoCapture) -> Iterator[npt.NDArray[np.uint8]]:
    """What OpenCV captures, RGB, until it ends; then, or when nobody wants more, it is released."""
    try:
        found, frame = capture.read()
        while found:
            yield np.ascontiguousarray(frame[..., ::-1])
            found, frame = capture.read()
    finally:
        capture.release()


def _opened(file: Path) -> cv2.VideoCapture:
    try:
        if not file.is_file():
            raise UnreadableImageError(f"{file}: there is no such file")
        return cv2.VideoCapture(str(file))
    except (OSError, UnicodeEncodeError):  # OpenCV takes a name as UTF-8 alone
        raise UnreadableImageError(f"{file}: the video cannot be opened under this name: rename it") from None
