"""The picture: masks tinted and outlined on the photo, small ones on large ones; with prompts, only the answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.errors import UsageError
from fastsam.files import whole
from fastsam.masks.picture import draw as picture_of
from fastsam.prompts import Box, Pick, Point
from fastsam.segments import Segments

UInt8 = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Look:
    """How a picture shows masks. outline: lines without tint; boxes: draw their boxes too"""

    outline: bool = False
    boxes: bool = False


TINTED = Look()


def draw(photo: UInt8, segments: Segments, picks: Sequence[Pick] | None = None, look: Look = TINTED) -> UInt8:
    """The photo (H, W, 3) RGB with all masks, or with the prompts and masks of `picks` if they are given."""
    found = segments if picks is None else segments.picked(picks)
    picture = picture_of(photo, found.masks, found.captions, outline=look.outline, boxes=look.boxes)
    for pick in picks or ():
        draw_points(picture, pick.prompt.points, pick.prompt.labels or ())
        if pick.prompt.box is not None:
            draw_box(picture, pick.prompt.box)
    return picture


def draw_points(picture: UInt8, points: Sequence[Point], labels: Sequence[int]) -> None:
    """Marks points in place: green foreground, red background."""
    radius = mark(picture)
    for (x, y), label in zip(points, labels, strict=True):
        centre = (int(x), int(y))
        cv2.circle(picture, centre, radius + 2, (255, 255, 255), -1, cv2.LINE_AA)
        cv2.circle(picture, centre, radius, (0, 170, 60) if label else (220, 30, 30), -1, cv2.LINE_AA)


def draw_box(picture: UInt8, box: Box) -> None:
    """Outlines a box (xyxy) in white, in place."""
    height, width = picture.shape[:2]
    x1, y1, x2, y2 = (round(v) for v in np.clip(box, 0, [width, height, width, height]))
    cv2.rectangle(picture, (x1, y1), (x2 - 1, y2 - 1), (255, 255, 255), max(1, mark(picture) // 2))


def mark(picture: UInt8) -> int:
    """Radius of a point's mark in pixels."""
    height, width = picture.shape[:2]
    return max(3, round(max(int(height), int(width)) / 200))


def write(file: Path, picture: UInt8) -> None:
    """Writes an RGB picture. The suffix of `file` decides the type; PNG if OpenCV cannot write that type."""
    if file.is_dir():
        raise UsageError(f"{file} is a folder: name a file in it")
    suffix = file.suffix if file.suffix and cv2.haveImageWriter(file.name) else ".png"
    done, data = cv2.imencode(suffix, picture[..., ::-1])
    if not done:
        raise UsageError(f"{file} cannot be written as a picture")
    with whole(file) as part:
        part.write_bytes(data.tobytes())
