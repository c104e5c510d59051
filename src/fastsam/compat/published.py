"""`FastSAMPrompt` and `FastSAMDecoder` with the names, arguments and frames of the published code.

Enters: a photo and what `FastSAM` returned for it. Leaves: stacks of masks (K, H, W) and pictures.

Two rules are ours. There is one mask per prompt, in order; a prompt that nothing matches gets one without a pixel. And
points mean one thing together; only if no mask holds them all, each foreground point answers for itself. Masks are
chosen among those of the first network unless `refine=True` asks for drawn ones.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.compat.answers import answer_boxes, answer_points, answer_texts, refiner_of
from fastsam.errors import UsageError
from fastsam.formats import overlay
from fastsam.image.read import read_image
from fastsam.model import FastSAM
from fastsam.prompts import Candidate
from fastsam.refine.network import Refiner
from fastsam.segments import Segments

Stack = npt.NDArray[np.bool_]
UInt8 = npt.NDArray[np.uint8]
ONE_COLOUR = (30, 144, 255)


class FastSAMPrompt:
    """Asks for masks of one photo.

    image: a path, PIL image or RGB array; results: what `FastSAM` returned for it; device: understood, without effect
    refine: whether the second network draws the answers of boxes and points; a `Refiner` draws with that one. By
    default they are chosen among the results.
    """

    def __init__(
        self,
        image: Any,
        results: Segments | Sequence[Segments],
        device: Any = None,
        refine: bool | Refiner = False,
    ) -> None:
        self.img, self.refine = read_image(image), refine
        found = one_of(results)
        if self.img.shape[:2] != found.size:
            height, width = found.size
            raise UsageError(f"the results are of a photo of {width} x {height} pixels, not of this one")
        self.results = found if found.photo is not None else replace(found, photo=self.img.copy())

    def everything_prompt(self) -> Stack:
        """All masks, bool (N, H, W), best first."""
        return self.results.masks.stack()

    def box_prompt(self, bbox: Any = None, bboxes: Any = None) -> Stack:
        """One mask per box (xyxy in pixels), bool (K, H, W), in order."""
        given = [box for value in (bbox, bboxes) if value is not None for box in nested(value)]
        if not given:
            raise UsageError("box_prompt needs bbox=[x1, y1, x2, y2] or bboxes=[[x1, y1, x2, y2], ...]")
        return self._stack(answer_boxes(self.results, given, self.refine))

    def point_prompt(self, points: Any, pointlabel: Sequence[int] | None = None) -> Stack:
        """The mask that labelled points (x, y in pixels; 1 foreground, 0 background) mean, bool (1, H, W)."""
        return self._stack([answer_points(self.results, nested(points), pointlabel, self.refine)])

    def text_prompt(self, text: str) -> Stack:
        """The mask that words mean best, bool (1, H, W), always one of the results. Needs the `text` extra."""
        return self._stack(answer_texts(self.results, [text]))

    def plot(self, annotations: Any, output_path: str | PathLike[str], *options: Any, **named: Any) -> None:
        """Writes the picture of `plot_to_result`, whose other arguments follow, to the file `output_path`."""
        overlay.write(Path(output_path), self.plot_to_result(annotations, *options, **named))

    def plot_to_result(
        self,
        annotations: Any,
        bboxes: Any = None,
        points: Any = None,
        point_label: Sequence[int] | None = None,
        mask_random_color: bool = True,
        better_quality: bool = False,
        retina: bool = True,
        withContours: bool = True,  # noqa: N803  # the published name
    ) -> UInt8:
        """The photo with masks, boxes and points drawn, RGB uint8 (H, W, 3).

        annotations: masks (K, H, W), or `Segments` for all of one photo; better_quality: closes and opens each mask
        mask_random_color: a colour of its own for each mask; withContours: outlines
        retina: understood; masks are always drawn at the photo's own size
        """
        if isinstance(annotations, Segments) and not better_quality:
            labels = annotations.label_map()
        else:
            masks = annotations.masks if isinstance(annotations, Segments) else annotations
            labels = labels_of(self.img.shape[:2], masks, better_quality)
        colours = None if mask_random_color else np.array([(0, 0, 0)] + [ONE_COLOUR] * int(labels.max()), np.uint8)
        picture = overlay.draw_labels(self.img, labels, outlines=withContours, colours=colours)
        for box in nested(bboxes) if bboxes is not None and len(bboxes) else ():
            overlay.draw_box(picture, tuple(box))
        if points is not None and len(points):
            asked = nested(points)
            labels_ = [1] * len(asked) if point_label is None else [int(v) for v in point_label]
            if len(labels_) != len(asked):
                raise UsageError(f"{len(asked)} points have {len(labels_)} labels: give one label per point")
            overlay.draw_points(picture, asked, labels_)
        return picture

    def _stack(self, answers: Sequence[Sequence[Candidate]]) -> Stack:
        stack = np.zeros((len(answers), *self.results.size), bool)
        for mask, candidates in zip(stack, answers, strict=True):
            for candidate in candidates:
                candidate.runs.crop().paint(mask, True)
        return stack


class FastSAMDecoder:
    """Encodes a photo once, then answers prompts about it. refine: as for `FastSAMPrompt`"""

    def __init__(
        self,
        model: FastSAM,
        device: Any = "cpu",
        conf: float = 0.4,
        iou: float = 0.9,
        imgsz: int = 1024,
        retina_masks: bool = True,
        refine: bool | Refiner = False,
    ) -> None:
        self.model, self.conf, self.iou, self.imgsz = model_of(model).to(device), conf, iou, imgsz
        self.refine = refine
        self.image: UInt8 | None = None

    def run_encoder(self, image: Any) -> Segments:
        """What everything mode finds in a photo: the `image_embedding` of `run_decoder`."""
        self.image = read_image(image)
        return self.model(self.image, imgsz=self.imgsz, conf=self.conf, iou=self.iou)

    def run_decoder(
        self,
        image_embedding: Segments,
        point_prompt: Any = None,
        point_label: Sequence[int] | None = None,
        box_prompt: Any = None,
        text_prompt: str | None = None,
    ) -> Stack:
        """The masks of one kind of prompt (box, then words, then points), or all without any: bool (K, H, W)."""
        if self.image is None:
            raise UsageError("run_encoder must see the photo first")
        asked = FastSAMPrompt(self.image, image_embedding, refine=refiner_of(self.model, self.refine) or False)
        if box_prompt is not None:
            return asked.box_prompt(bboxes=box_prompt)
        if text_prompt is not None:
            return asked.text_prompt(text_prompt)
        if point_prompt is not None:
            return asked.point_prompt(point_prompt, point_label)
        return asked.everything_prompt()


def labels_of(size: Sequence[int], masks: Iterable[Any], smooth: bool = False) -> npt.NDArray[np.int32]:
    """(H, W) int32 of masks (H, W), small ones on large ones; `smooth` closes and opens each, as the original does."""
    bools = [np.asarray(mask) > 0 for mask in masks]
    for number, mask in enumerate(bools):
        if mask.shape != tuple(size):
            raise UsageError(f"mask {number} has shape {mask.shape}, the photo {tuple(size)}")
    if smooth:
        bools = [smoothed(mask) for mask in bools]
    labels = np.zeros(tuple(size), np.int32)
    for number in sorted(range(len(bools)), key=lambda k: -np.count_nonzero(bools[k])):
        labels[bools[number]] = number + 1
    return labels


def smoothed(mask: Stack) -> Stack:
    """A mask without pin-holes and specks: closed by 3 x 3, then opened by 8 x 8 pixels."""
    closed = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    return np.asarray(cv2.morphologyEx(closed, cv2.MORPH_OPEN, np.ones((8, 8), np.uint8)) > 0)


def nested(values: Any) -> list[Any]:
    """A list of points or boxes, of which a single one may come flat. Copies: what a caller gave is left alone."""
    try:
        rows = np.array(values, np.float64)
    except (ValueError, TypeError):
        rows = np.zeros((0, 0))
    if rows.ndim not in (1, 2) or 0 in rows.shape:
        raise UsageError(f"{values!r} is no list of points or boxes")
    return [tuple(float(v) for v in row) for row in np.atleast_2d(rows)]


def one_of(results: Any) -> Segments:
    """The segments of one photo: as they are, alone in a list, or inside Ultralytics' `Results`."""
    if isinstance(results, (list, tuple)):
        if len(results) != 1:
            raise UsageError(f"FastSAMPrompt takes the result of one photo, not {len(results)}")
        (results,) = results
    found = getattr(results, "segments", results)
    if not isinstance(found, Segments):
        raise UsageError(f"a {type(results).__name__} is no result of FastSAM")
    return found


def model_of(model: Any) -> FastSAM:
    """The model itself, also of Ultralytics' `FastSAM` over it."""
    found = getattr(model, "model", model)
    if not isinstance(found, FastSAM):
        raise UsageError(f"a {type(model).__name__} is no FastSAM model")
    return found
