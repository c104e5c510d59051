"""Reads the sources that Ultralytics' call accepts, photo by photo.

Enters: a file, a folder, a pattern, a video, the number of a camera, the address of a stream, an array, a PIL image, a
tensor, or a list of these.
Leaves: RGB pixels with a path, in order. Frames are decoded one by one.
"""

import os
import warnings
from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fastsam.compat.arrays import untensored
from fastsam.errors import UsageError
from fastsam.image.photos import find_files
from fastsam.image.read import from_array, read_image
from fastsam.sources import Frame, is_address, is_camera, is_pattern, items

UInt8 = npt.NDArray[np.uint8]
Shot = tuple[UInt8, str]


def photos(source: Any, stride: int = 1, number: int = 0) -> Iterator[Shot]:
    """RGB pixels and path of every photo of a source. Photos without a path are named by their number in the list.

    stride: use every n-th frame of a video or a camera

    Raises UsageError for an invalid source, and for a file that cannot be read. In a folder, such a file is left out
    with a warning.
    """
    if source is None:
        raise UsageError("no source given: give a photo, a video, a folder, or an array")
    if isinstance(source, (list, tuple)):
        for k, one in enumerate(source):
            yield from photos(one, stride, k)
    elif is_camera(source) or is_numeral(source):
        yield from files(int(source), stride)
    elif isinstance(source, (str, PathLike)):
        yield from files(str(source), stride)
    elif (own := untensored(source)) is not source:
        for k, one in enumerate(of_tensor(own), number):
            yield from_array(one), f"image{k}.jpg"
    elif isinstance(source, np.ndarray):
        yield from arrays(np.asarray(source), number)
    elif isinstance(source, Iterator):
        for k, one in enumerate(source):
            yield from photos(one, stride, k)
    else:
        yield read_image(source), f"image{number}.jpg"


def is_numeral(source: Any) -> bool:
    """Whether a source is the number of a camera as text, and not the name of an existing file."""
    return isinstance(source, str) and source.isdecimal() and not Path(source).exists()


def files(source: str | int, stride: int) -> Iterator[Shot]:
    """The photos and frames of a path, a folder, a pattern, a camera or the address of a stream."""
    if isinstance(source, str) and "://" in source and not is_live(source):
        raise UsageError(f"{source} is an address, which is not downloaded: download it yourself, then give the file")
    is_group = isinstance(source, str) and (os.path.isdir(source) or is_pattern(source))
    names = find_files(str(source)) if is_group else None
    several = names is not None and len(names) > 1
    for item in items(source if names is None else names):
        if isinstance(item.source, Frame) and item.source.number % stride:
            continue
        try:
            if isinstance(item.photo, UsageError):
                raise item.photo
            yield read_image(item.photo), str(item.source.origin if isinstance(item.source, Frame) else item.source)
        except UsageError as error:
            if not several:
                raise
            warnings.warn(f"left out: {error}", stacklevel=2)


def is_live(source: str) -> bool:
    """Whether an address is that of a stream, and not of a file."""
    return is_address(source) and not source.lower().startswith("http")


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
    """RGB (N, H, W, 3) of what Ultralytics takes as a tensor: RGB (N, 3, H, W), float 0 to 1 or uint8."""
    batch = values[None] if values.ndim == 3 else values
    if batch.ndim != 4 or batch.shape[1] != 3:
        raise UsageError(f"a tensor must be RGB of shape (N, 3, H, W), not {values.shape}")
    if batch.dtype.kind == "f":
        batch = np.round(np.clip(batch, 0, 1) * 255).astype(np.uint8)
    return batch.transpose(0, 2, 3, 1)
