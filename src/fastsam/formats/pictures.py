"""Pictures that hold the result itself: label maps, the edge map, cut-outs.

Enters: arrays, `Segments`. Leaves: PNG files. Called by the command line.
"""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.errors import UsageError
from fastsam.files import make_folder, whole
from fastsam.formats.items import items
from fastsam.masks.cutout import cutout
from fastsam.prompts import Pick
from fastsam.segments import Segments


def write_labels(file: Path, labels: npt.NDArray[np.int32]) -> None:
    """A label map (H, W) as a grey PNG of 16 bits. Raises UsageError for more than 65535 labels."""
    if labels.max(initial=0) > 65535:
        raise UsageError(f"{int(labels.max())} masks are more than a PNG of 16 bits can number: use npz")
    write_png(file, labels.astype(np.uint16))


def write_edges(file: Path, edges: npt.NDArray[np.float32]) -> None:
    """An edge map (H, W) 0..1 as a grey PNG of 16 bits, 65535 for 1."""
    write_png(file, np.rint(edges * 65535).astype(np.uint16))


def write_cutouts(folder: Path, segments: Segments, picks: Sequence[Pick] | None = None) -> None:
    """A folder of RGBA pictures, one a mask, numbered as the masks; with picks prompt and match."""
    if segments.photo is None:
        raise UsageError("cut-outs need the photo, which a saved result lacks: Segments.load(file, photo=...)")
    make_folder(folder)
    number: dict[int, int] = {}
    for item in items(segments, picks):
        if item.prompt is None:
            name = f"{item.index:03d}"
        else:
            number[item.prompt] = number.get(item.prompt, -1) + 1
            name = f"prompt{item.prompt:02d}-{number[item.prompt]:02d}"
        pixels, _ = cutout(segments.photo, item.crop)
        if pixels.size:
            write_png(folder / f"{name}.png", pixels[..., [2, 1, 0, 3]])


def write_png(file: Path, pixels: npt.NDArray[np.uint16] | npt.NDArray[np.uint8]) -> None:
    """Writes pixels in OpenCV's order of channels."""
    with whole(file) as part:
        part.write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
