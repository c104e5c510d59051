"""Reads the frames of a video, one after the other, as uint8 RGB (H, W, 3)."""

from collections.abc import Iterator
from os import PathLike
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.errors import UnreadableImageError
from fastsam.image.kinds import head_of, photo_or_video

GUESSING = (b"\0\0\1\xba", b"\0\0\1\xb3", b"\x47")  # MPEG streams store no number of frames, so OpenCV guesses


def is_video(file: Path) -> bool:
    """Whether a file is a video, by its content, or by its suffix if the content is unknown."""
    return photo_or_video(head_of(file), file.suffix.lower()) == "video"


def count(file: Path) -> int:
    """The number of frames that a video states; if it states none, the frames are counted. 1 for other files."""
    try:
        capture = _opened(file)
    except UnreadableImageError:
        return 1
    try:
        said = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        head = head_of(file)
        if said < 1 or head.startswith(GUESSING) or head[4:5] == GUESSING[-1]:
            said = sum(1 for _ in iter(capture.grab, False))
        return max(1, min(said, file.stat().st_size))  # a frame takes at least one byte
    finally:
        capture.release()


def frames(file: str | PathLike[str]) -> Iterator[npt.NDArray[np.uint8]]:
    """The frames of a video, decoded one by one and turned as its header says.

    Raises UnreadableImageError if the file is missing or not a video.
    """
    every = pictures(_opened(Path(file)))
    first = next(every, None)
    if first is None:
        raise UnreadableImageError(f"{file}: not a video that can be read: use MP4, AVI, MOV, MKV or WebM")
    yield first
    yield from every


def pictures(capture: cv2.VideoCapture) -> Iterator[npt.NDArray[np.uint8]]:
    """The pictures of an OpenCV capture as RGB, until it ends. The capture is released at the end, or on closing."""
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
    except (OSError, UnicodeEncodeError):  # OpenCV only accepts names in UTF-8
        raise UnreadableImageError(f"{file}: the video cannot be opened under this name: rename it") from None
