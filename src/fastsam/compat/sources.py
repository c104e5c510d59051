"""What Ultralytics' call takes as its source, photo by photo.

Enters: a file, a folder, a glob, a video, a camera's number, an array, a PIL image, a tensor, or a list of those.
Leaves: RGB pixels with a path, in order; frames are decoded when their turn comes.
"""

import warnings
from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.errors import UsageError
from fastsam.image.photos import find_photos, opened
from fastsam.image.read import from_array, read_image

UInt8 = npt.NDArray[np.uint8]
Shot = tuple[UInt8, str]


def photos(source: Any, stride: int = 1, number: int = 0) -> Iterator[Shot]:
    """RGB pixels and a path of every photo of a source; what has no path is called by its number in the list.

    stride: of the frames of a video or a camera, each so many-th is taken

    Raises UsageError for what is no source, and for a file that cannot be read; in a folder it is left out with a
    warning.
    """
    if source is None:
        raise UsageError("no source is given: name a photo, a video, a folder, or give an array")
    if isinstance(source, (list, tuple)):
        for k, one in enumerate(source):
            yield from photos(one, stride, k)
    elif is_camera(source):
        yield from camera(int(source), stride)
    elif isinstance(source, (str, PathLike)):
        yield from files(str(source), stride)
    elif hasattr(source, "detach") and not isinstance(source, np.ndarray):
        yield from arrays(of_tensor(source.detach().cpu().numpy()), number)
    elif isinstance(source, np.ndarray):
        yield from arrays(np.asarray(source), number)
    elif isinstance(source, Iterator):
        for k, one in enumerate(source):
            yield from photos(one, stride, k)
    else:
        yield read_image(source), f"image{number}.jpg"


def is_camera(source: Any) -> bool:
    """Whether a source is a camera's number, also as text if there is no file of that name."""
    if isinstance(source, str):
        return source.isdecimal() and not Path(source).exists()
    return isinstance(source, (int, np.integer)) and not isinstance(source, bool)


def files(word: str, stride: int) -> Iterator[Shot]:
    """The photos and the frames of videos that a path, a folder or a glob means."""
    if "://" in word:
        raise UsageError(f"{word} is an address: nothing is downloaded here; fetch it first, then name the file")
    found = find_photos([word])
    several = len({photo.file for photo in found}) > 1
    for photo, content in opened(found):
        if photo.frame is not None and photo.frame % stride and not isinstance(content, UsageError):
            continue
        try:
            if isinstance(content, UsageError):
                raise content
            yield read_image(content), str(photo.file)
        except UsageError as error:
            if not several:
                raise
            warnings.warn(f"left out: {error}", stacklevel=2)


def camera(number: int, stride: int) -> Iterator[Shot]:
    """A camera's frames, until it gives no more. Raises UsageError if there is no such camera."""
    if number < 0:
        raise UsageError(f"camera {number} must be 0 or above")
    capture = cv2.VideoCapture(number)
    try:
        good, frame = capture.read()
        if not good:
            raise UsageError(f"camera {number} gives no picture: see that it is there and that no other program has it")
        count = 0
        while good:
            if count % stride == 0:
                yield from_array(frame[..., ::-1]), str(number)
            good, frame = capture.read()
            count += 1
    finally:
        capture.release()


def arrays(pixels: npt.NDArray[Any], number: int) -> Iterator[Shot]:
    """One array (H, W), (H, W, 3) BGR or (H, W, 4) BGRA, or several as (N, H, W, 3)."""
    if pixels.ndim == 4:
        for k, one in enumerate(pixels):
            yield from arrays(one, number + k)
        return
    if pixels.ndim == 3 and pixels.shape[2] in (3, 4):
        pixels = pixels[..., [2, 1, 0, 3][: pixels.shape[2]]]
    yield from_array(pixels), f"image{number}.jpg"


def of_tensor(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """BGR uint8 (N, H, W, 3) of what Ultralytics takes as a tensor: RGB (N, 3, H, W), float 0 to 1 or uint8."""
    batch = values[None] if values.ndim == 3 else values
    if batch.ndim != 4 or batch.shape[1] != 3:
        raise UsageError(f"a tensor of shape {values.shape} is no photo: give (N, 3, H, W) RGB")
    if batch.dtype.kind == "f":
        batch = np.round(np.clip(batch, 0, 1) * 255).astype(np.uint8)
    return np.ascontiguousarray(batch.transpose(0, 2, 3, 1)[..., ::-1])
