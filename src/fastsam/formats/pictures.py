"""Pictures that hold the result itself: label maps, the edge map, cut-outs.

Enters: arrays, `Segments`. Leaves: the bytes of PNG files. Called by `content`.
"""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.errors import UsageError
from fastsam.formats.items import items
from fastsam.masks.cutout import cutout
from fastsam.prompts import Pick
from fastsam.segments import Segments


def labels_png(labels: npt.NDArray[np.int32]) -> bytes:
    """A label map (H, W) as a grey PNG of 16 bits. Raises UsageError for more than 65535 labels."""
    if labels.max(initial=0) > 65535:
        raise UsageError(f"{int(labels.max())} masks are more than a PNG of 16 bits can number: use npz")
    return png(labels.astype(np.uint16))


def edges_png(edges: npt.NDArray[np.float32]) -> bytes:
    """An edge map (H, W) 0..1 as a grey PNG of 16 bits, 65535 for 1."""
    return png(np.rint(edges * 65535).astype(np.uint16))


def cutouts(segments: Segments, picks: Sequence[Pick] | None = None) -> Iterator[tuple[str, bytes]]:
    """Names and RGBA pictures, one a mask, numbered as the masks; with picks prompt and match."""
    photo = photo_of(segments)
    number: dict[int, int] = {}
    for item in items(segments, picks):
        if item.prompt is None:
            name = f"{item.index:03d}"
        else:
            number[item.prompt] = number.get(item.prompt, -1) + 1
            name = f"prompt{item.prompt:02d}-{number[item.prompt]:02d}"
        pixels, _ = cutout(photo, item.crop)
        if pixels.size:
            yield f"{name}.png", png(pixels[..., [2, 1, 0, 3]])


def photo_of(segments: Segments) -> npt.NDArray[np.uint8]:
    """The photo. Raises UsageError where it was not kept."""
    if segments.photo is None:
        raise UsageError("a picture needs the photo, which a saved result lacks: Segments.load(file, photo=...)")
    return segments.photo


def png(pixels: npt.NDArray[np.uint16] | npt.NDArray[np.uint8]) -> bytes:
    """A PNG of pixels in OpenCV's order of channels."""
    return bytes(cv2.imencode(".png", pixels)[1])
