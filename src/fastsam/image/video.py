"""Reads the frames of a video, one after the other, as uint8 RGB (H, W, 3)."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count as numbers
from os import PathLike
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.errors import UnreadableImageError
from fastsam.image.kinds import head_of, photo_or_video

RATE = 25.0  # frames per second of a source that states none, such as many cameras and every folder of photos
FASTEST = 1000.0  # frames per second that a video may state; some state their clock instead
WAIT = 10_000  # milliseconds that an address may take to answer, and to send the next frame
NOT_A_VIDEO = "not a video that can be read: use MP4, AVI, MOV, MKV or WebM"
GUESSING = (b"\0\0\1\xba", b"\0\0\1\xb3", b"\x47")  # MPEG streams store no number of frames, so OpenCV guesses


def is_video(file: Path) -> bool:
    """Whether a file is a video, by its content, or by its suffix if the content is unknown."""
    return photo_or_video(head_of(file), file.suffix.lower()) == "video"


def count(file: Path) -> int:
    """The number of frames that a video states; if it states none, the frames are counted. 1 for other files."""
    try:
        capture = capture_of(file)
    except UnreadableImageError:
        return 1
    try:
        said = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        if said < 1 or guesses(file):
            said = sum(1 for _ in iter(capture.grab, False))
        return max(1, min(said, file.stat().st_size))  # a frame takes at least one byte
    finally:
        capture.release()


def guesses(file: Path) -> bool:
    """Whether OpenCV guesses the number of frames of such a file."""
    head = head_of(file)
    return head.startswith(GUESSING) or head[4:5] == GUESSING[-1]


@dataclass(frozen=True, eq=False)
class Picture:
    """One decoded frame. number: from 0; seconds: its time in the video; pixels: uint8 RGB (H, W, 3)"""

    number: int
    seconds: float
    pixels: npt.NDArray[np.uint8]


def frames(file: str | PathLike[str]) -> Iterator[npt.NDArray[np.uint8]]:
    """The pixels of `of_file`."""
    return (picture.pixels for picture in of_file(file))


def of_file(file: str | PathLike[str], every: int = 1, first: int = 0, last: int | None = None) -> Iterator[Picture]:
    """The frames of a video, decoded one by one and turned as its header says; see `pictures`.

    Raises UnreadableImageError if the file is missing or not a video.
    """
    found = pictures(capture_of(Path(file)), every, first, last)
    start = next(found, None)
    if start is None and first == 0:
        raise UnreadableImageError(f"{file}: {NOT_A_VIDEO}")
    if start is not None:
        yield start
    yield from found


def pictures(capture: cv2.VideoCapture, every: int = 1, first: int = 0, last: int | None = None) -> Iterator[Picture]:
    """Every n-th frame of an OpenCV capture, from number `first` to `last`, or until it ends.

    What lies between them is decoded but not converted. The capture is released at the end, or on closing.
    """
    rate = rate_of(capture)
    try:
        for number in numbers():
            if (last is not None and number > last) or not capture.grab():
                return
            if number < first or (number - first) % every:
                continue
            found, frame = capture.retrieve()
            if not found:
                return
            stated = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            seconds = stated if math.isfinite(stated) and (stated > 0 or number == 0) else number / rate
            yield Picture(number, max(0.0, seconds), np.ascontiguousarray(frame[..., ::-1]))
    finally:
        capture.release()


def rate_of(capture: cv2.VideoCapture) -> float:
    """Frames per second that a capture states, or `RATE` if it states none that is possible."""
    stated = capture.get(cv2.CAP_PROP_FPS)
    return float(stated) if 0 < stated <= FASTEST else RATE


def live(origin: int | str) -> cv2.VideoCapture:
    """A camera by its number, or a video by its address. An address that does not answer ends without a frame."""
    if isinstance(origin, int):
        return cv2.VideoCapture(origin)
    limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, WAIT, cv2.CAP_PROP_READ_TIMEOUT_MSEC, WAIT]
    return cv2.VideoCapture(origin, cv2.CAP_FFMPEG, limits)


def capture_of(file: Path) -> cv2.VideoCapture:
    """A capture of a file. Raises UnreadableImageError if there is no such file."""
    try:
        if not file.is_file():
            raise UnreadableImageError(f"{file}: there is no such file")
        return cv2.VideoCapture(str(file))
    except (OSError, UnicodeEncodeError):  # OpenCV only accepts names in UTF-8
        raise UnreadableImageError(f"{file}: the video cannot be opened under this name: rename it") from None
