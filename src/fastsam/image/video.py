"""Frames of a video, one after the other, as RGB uint8 (H, W, 3)."""

from collections.abc import Iterator
from os import PathLike
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.image.read import UnreadableImageError

SUFFIXES = {".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg"}


def is_video(file: Path) -> bool:
    """Whether a file is a video by its suffix."""
    return file.suffix.lower() in SUFFIXES


def count(file: Path) -> int:
    """How many frames a video says that it has; 1 for a file that says nothing, or is none."""
    capture = cv2.VideoCapture(str(file))
    try:
        return max(1, int(capture.get(cv2.CAP_PROP_FRAME_COUNT)))
    finally:
        capture.release()


def frames(file: str | PathLike[str]) -> Iterator[npt.NDArray[np.uint8]]:
    """The frames of a video, decoded one by one, turned as its header says.

    Raises UnreadableImageError for a file that is missing or no video.
    """
    if not Path(file).is_file():
        raise UnreadableImageError(f"{file}: there is no such file")
    capture = cv2.VideoCapture(str(file))
    try:
        found, frame = capture.read()
        if not found:
            raise UnreadableImageError(f"{file}: no video that can be read: use MP4, AVI, MOV, MKV or WebM")
        while found:
            yield np.ascontiguousarray(frame[..., ::-1])
            found, frame = capture.read()
    finally:
        capture.release()
