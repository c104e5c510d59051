"""The picture of Ultralytics' `Results.plot`: masks tinted and outlined, boxes with names and scores.

Enters: `Results` and drawing options. Leaves: BGR uint8 (H, W, 3).
"""

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.errors import UsageError
from fastsam.masks import tinted

if TYPE_CHECKING:
    from fastsam.compat.results import Results

UInt8 = npt.NDArray[np.uint8]
FONT = cv2.FONT_HERSHEY_SIMPLEX
LETTER = 22  # height in pixels of a capital letter at scale 1, with its margin


def draw(
    results: "Results",
    image: Any,
    conf: bool,
    labels: bool,
    boxes: bool,
    masks: bool,
    line_width: float | None,
    font_size: float | None,
    by_class: bool,
    text_colour: tuple[int, int, int],
) -> UInt8:
    """Draws `Results`, see `Results.plot` for the options."""
    picture = np.ascontiguousarray(ground(results, image)[..., ::-1])
    labels_map = results.segments.label_map()
    colours = colours_of(results, labels_map, by_class)
    if masks and len(results):
        picture = tinted.draw_labels(picture, labels_map, colours=colours)
    if boxes:
        line = max(1, round(line_width)) if line_width else max(round(sum(picture.shape[:2]) / 2 * 0.003), 2)
        scale = font_size / LETTER if font_size else line / 3
        for i in np.argsort(results.segments.scores, kind="stable"):  # the best one on top
            k, score = int(results.segments.classes[i]), float(results.segments.scores[i])
            name = results.segments.names[k] + (f" {score:.2f}" if conf else "") if labels else ""
            if labels and results.segments.tracks is not None:
                name = f"id:{results.segments.tracks[i]} {name}"
            colour = tuple(int(v) for v in colours[i + 1])
            one(picture, results.segments.boxes[i], name, colour, line, scale, text_colour)
    return np.ascontiguousarray(picture[..., ::-1])


def ground(results: "Results", image: Any) -> UInt8:
    """The picture to draw on: the photo, or `image`. Raises UsageError if it does not have the photo's size."""
    if image is None:
        return results.orig_img
    pixels = np.asarray(image)
    if pixels.shape != results.orig_img.shape or pixels.dtype != np.uint8:
        height, width = results.orig_shape
        raise UsageError(f"img must be BGR uint8 ({height}, {width}, 3), not {pixels.dtype} {pixels.shape}")
    return pixels


def colours_of(results: "Results", labels: npt.NDArray[np.int32], by_class: bool) -> UInt8:
    """(N + 1, 3) RGB, black first: one colour per mask, unlike those of its neighbours, or one per class."""
    if not by_class:
        tracks = results.segments.tracks
        return tinted.choose(labels, len(results)) if tracks is None else tinted.by_id(tracks)
    kinds = tinted.palette(len(results.segments.names))
    return np.concatenate((kinds[:1], kinds[1 + results.segments.classes]))


def one(
    picture: UInt8,
    box: npt.NDArray[np.float32],
    name: str,
    colour: tuple[int, ...],
    line: int,
    scale: float,
    text_colour: tuple[int, int, int],
) -> None:
    """Draws one box and its label, in place. The label is above the box, or inside it at the photo's upper border."""
    x0, y0, x1, y1 = (int(v) for v in box)
    cv2.rectangle(picture, (x0, y0), (x1, y1), colour, line, cv2.LINE_AA)
    if not name:
        return
    thickness = max(line - 1, 1)
    (w, h), _ = cv2.getTextSize(name, FONT, scale, thickness)
    x0 = max(0, min(x0, picture.shape[1] - w))
    bottom = y0 if y0 >= h + 3 else y0 + h + 3
    cv2.rectangle(picture, (x0, bottom - h - 3), (x0 + w, bottom), colour, -1, cv2.LINE_AA)
    cv2.putText(picture, name, (x0, bottom - 2), FONT, scale, text_colour, thickness, cv2.LINE_AA)
