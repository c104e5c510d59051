"""Reads Pascal VOC's pictures: `SegmentationClass` has the number of each pixel's class, `SegmentationObject` that of
its object.

Enters: files by name. Leaves: objects by the photo's name without its suffix. Pictures have a palette, as VOC's own, or
are grey, as those of `export`. Names of classes are in `labels.txt` or `class_names.txt`, else they are VOC's.
"""

import struct
from collections.abc import Iterator, Mapping

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.errors import UsageError
from fastsam.serve.projects import labels as files
from fastsam.serve.projects.labels import Object

CLASS, OBJECT = "SegmentationClass/", "SegmentationObject/"
LISTS = ("labels.txt", "class_names.txt")
KNOWN = [
    *("aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "diningtable", "dog"),
    *("horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"),
]
VOID = 255  # the border of an object in a picture with a palette
MOST = 10_000  # objects of a photo
Numbers = npt.NDArray[np.int64]


def read(given: Mapping[str, bytes], pixels: int) -> Iterator[tuple[str, tuple[int, int], list[Object]]]:
    """Name, size (height, width) and objects of each photo. pixels: most of a picture

    Raises UsageError for a picture that is none, or too large.
    """
    names = names_of(given)
    for name, content in sorted(given.items()):
        if CLASS not in name or not name.endswith(".png"):
            continue
        kinds = numbers_of(content, name, pixels)
        other = given.get(name.replace(CLASS, OBJECT))
        each = kinds if other is None else numbers_of(other, name, pixels)
        if each.shape != kinds.shape:
            raise UsageError(f"{name} and its picture of objects have different sizes")
        found = np.unique(each[each > 0])
        if len(found) > MOST:
            raise UsageError(f"{name} has more than {MOST} objects")
        objects = []
        for number in found.tolist():
            mask = each == number
            kind = int(np.bincount(kinds[mask]).argmax())
            if kind:
                objects.append(files.object_of(mask, names.get(kind, f"class {kind}")))
        yield name.split(CLASS, 1)[1].removesuffix(".png"), (kinds.shape[0], kinds.shape[1]), objects


def names_of(given: Mapping[str, bytes]) -> dict[int, str]:
    """Names of the classes by number, from 1."""
    for name, content in given.items():
        if name.rsplit("/", 1)[-1] in LISTS:
            lines = [line.strip()[:200] for line in content.decode(errors="replace").splitlines()]
            return dict(enumerate(line for line in lines if line and line != "__ignore__"))
    return dict(enumerate(KNOWN, 1))


def numbers_of(png: bytes, name: str, pixels: int) -> Numbers:
    """The number of each pixel (H, W), whether the PNG is grey or has a palette; 0 for VOC's borders."""
    if png[:8] != b"\x89PNG\r\n\x1a\n" or len(png) < 33:
        raise UsageError(f"{name} is no PNG")
    width, height = struct.unpack(">II", png[16:24])
    if width * height > pixels:
        raise UsageError(f"{name} has {width} x {height} pixels: more than {pixels}")
    found = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
    if found is None:
        raise UsageError(f"{name} is damaged")
    if found.ndim == 2:
        return np.asarray(found, np.int64)
    palette = palette_of(png)
    if palette is None:
        raise UsageError(f"{name} is a picture of colours: grey levels or a palette have the numbers of classes")
    colours = found[..., :3].astype(np.int64) @ (1, 1 << 8, 1 << 16)  # blue, green, red
    known = {colour: number for number, colour in reversed(list(enumerate(palette)))}
    values, inverse = np.unique(colours, return_inverse=True)
    numbers = np.array([known.get(value, 0) for value in values.tolist()], np.int64)
    return np.where(numbers == VOID, 0, numbers)[inverse].reshape(height, width)


def palette_of(png: bytes) -> list[int] | None:
    """The palette's colours, as red << 16 | green << 8 | blue, None if there is none."""
    at = png.find(b"PLTE", 33)
    if at < 0:
        return None
    colours = png[at + 4 : at + 4 + struct.unpack(">I", png[at - 4 : at])[0]]
    return [int.from_bytes(colours[k : k + 3], "big") for k in range(0, len(colours) - 2, 3)]
