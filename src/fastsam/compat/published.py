"""`FastSAMPrompt` and `FastSAMDecoder` with the names, arguments and frames of the published code.

Enters: a photo and what `FastSAM` returned for it. Leaves: stacks of masks (K, H, W) and pictures.

Two rules are ours. Each prompt has one mask, in order; a prompt that nothing matches has none, so that the stack is
empty, as the published code's callers ask for it, and `prompts` of the stack says which prompt each mask answers. And
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
from fastsam.compat.arrays import Array, array, untensored
from fastsam.compat.known import Known
from fastsam.compat.results import Results
from fastsam.errors import UsageError
from fastsam.formats import overlay
from fastsam.image.read import read_image
from fastsam.masks import tinted
from fastsam.model import FastSAM
from fastsam.prompts import Candidate
from fastsam.refine.network import Refiner
from fastsam.segments import Segments

UInt8 = npt.NDArray[np.uint8]
Bool = npt.NDArray[np.bool_]
ONE_COLOUR = (30, 144, 255)


class Stack(Array):
    """Masks (K, H, W). prompts: (K,) number of the prompt that each answers; None for a part of a stack"""

    prompts: npt.NDArray[np.int64] | None = None


class FastSAMPrompt(Known):
    """Asks for masks of one photo.

    image: a path, PIL image or RGB array; results: what `FastSAM` returned for it; device: accepted, ignored
    refine: whether the second network draws the answers of boxes and points; a `Refiner` draws with that one. By
    default they are chosen among the results.
    """

    def __init__(self, image: Any, results: Any, device: Any = None, refine: bool | Refiner = False) -> None:
        self.img, self.refine, self.device = read_image(image), refine, device
        self._name = Path(image).name if isinstance(image, (str, PathLike)) else "image0.jpg"
        found = one_of(results)
        if self.img.shape[:2] != found.size:
            height, width = found.size
            raise UsageError(f"the results are of a photo of {width} x {height} pixels, not of this one")
        self.segments = found if found.photo is not None else replace(found, photo=self.img.copy())

    @property
    def results(self) -> list[Results]:
        """What was found, as a list of one `Results`."""
        return [Results(np.ascontiguousarray(self.img[..., ::-1]), self._name, self.segments)]

    def everything_prompt(self) -> Array:
        """All masks, uint8 (N, H, W), best first."""
        return array(self.segments.masks.stack().view(np.uint8))

    def box_prompt(self, bbox: Any = None, bboxes: Any = None) -> Stack:
        """One mask per box (xyxy in pixels) that has one, float32 (K, H, W), in order."""
        if bbox is None and bboxes is None:
            raise UsageError("box_prompt needs bbox=[x1, y1, x2, y2] or bboxes=[[x1, y1, x2, y2], ...]")
        return self._stack(answer_boxes(self.segments, boxes_of(bbox, bboxes), self.refine), np.float32)

    def point_prompt(self, points: Any, pointlabel: Any = None) -> Stack:
        """The mask that labelled points (x, y in pixels; 1 foreground, 0 background) mean, bool (1, H, W)."""
        rows, labels = nested(points), None if pointlabel is None else np.ravel(pointlabel).tolist()
        return self._stack([answer_points(self.segments, rows, labels, self.refine)] if rows or labels else [], bool)

    def text_prompt(self, text: str) -> Stack:
        """The mask that words mean best, bool (1, H, W), always one of the results. Needs the `text` extra."""
        return self._stack(answer_texts(self.segments, [text]), bool)

    def plot(self, annotations: Any, output_path: Any = None, *options: Any, output: Any = None, **named: Any) -> None:
        """Writes the picture of `plot_to_result`, whose other arguments follow, to the file `output_path`.

        output: a folder instead, in which the picture takes the photo's name
        """
        if output_path is None and output is None:
            raise UsageError("plot needs output_path='picture.jpg', or output='folder'")
        file = Path(output) / self._name if output_path is None else Path(output_path)
        overlay.write(file, self.plot_to_result(annotations, *options, **named))

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
        *,
        bbox: Any = None,
        with_contours: bool | None = None,
    ) -> UInt8:
        """The photo with masks, boxes and points drawn, RGB uint8 (H, W, 3).

        annotations: masks (K, H, W), dictionaries with `segmentation`, `Results`, or `Segments`
        better_quality: closes and opens each mask; mask_random_color: a colour of its own for each mask
        withContours, with_contours: outlines; bbox: one box, as `bboxes` for several
        retina: accepted, ignored; masks are always drawn at the photo's own size
        """
        found = masks_of(annotations)
        if isinstance(found, Segments) and not better_quality:
            labels = found.label_map()
        else:
            masks = found.masks if isinstance(found, Segments) else found
            labels = labels_of(self.img.shape[:2], masks, better_quality)
        colours = None if mask_random_color else np.array([(0, 0, 0)] + [ONE_COLOUR] * int(labels.max()), np.uint8)
        outlined = withContours if with_contours is None else with_contours
        picture = tinted.draw_labels(self.img, labels, outlines=outlined, colours=colours)
        for box in boxes_of(bbox, bboxes):
            overlay.draw_box(picture, tuple(box))
        asked = [] if points is None else nested(points)
        if asked:
            marks = [1] * len(asked) if point_label is None else [int(v) for v in np.ravel(point_label)]
            if len(marks) != len(asked):
                raise UsageError(f"{len(asked)} points have {len(marks)} labels: give one label per point")
            overlay.draw_points(picture, asked, marks)
        return picture

    def _stack(self, answers: Sequence[Sequence[Candidate]], kind: Any) -> Stack:
        """The masks of prompts that have one, in order."""
        matched = [k for k, candidates in enumerate(answers) if candidates]
        stack = np.zeros((len(matched), *self.segments.size), kind).view(Stack)
        for mask, k in zip(stack.numpy(), matched, strict=True):
            for candidate in answers[k]:
                candidate.runs.crop().paint(mask, 1)
        stack.prompts = np.array(matched, np.int64)
        return stack


class FastSAMDecoder(Known):
    """Encodes a photo once, then answers prompts about it.

    conf, iou, imgsz: what is left out comes with the weights; retina_masks: accepted, ignored
    refine: as for `FastSAMPrompt`
    """

    def __init__(
        self,
        model: Any,
        device: Any = "cpu",
        conf: float | None = None,
        iou: float | None = None,
        imgsz: int | None = None,
        retina_masks: bool = True,
        refine: bool | Refiner = False,
    ) -> None:
        self.model, self.device = model_of(model).on(device), device
        self.conf, self.iou, self.imgsz, self.retina_masks = conf, iou, imgsz, retina_masks
        self.refine = refine
        self.image: UInt8 | None = None
        self.image_embedding: Any = None

    def run_encoder(self, image: Any) -> Results:
        """What everything mode finds in a photo: the `image_embedding` of `run_decoder`."""
        self.image = read_image(image)
        segments = self.model(self.image, imgsz=self.imgsz, conf=self.conf, iou=self.iou)
        found = Results(np.ascontiguousarray(self.image[..., ::-1]), "image0.jpg", segments)
        self.image_embedding = found
        return found

    def run_decoder(
        self,
        image_embedding: Any,
        point_prompt: Any = None,
        point_label: Any = None,
        box_prompt: Any = None,
        text_prompt: str | None = None,
    ) -> Array:
        """The masks of one kind of prompt (points, then boxes, then words), or all without any: (K, H, W)."""
        self.image_embedding = image_embedding
        if point_prompt is not None:
            return self.point_prompt(point_prompt, point_label)
        if box_prompt is not None:
            return self.box_prompt(box_prompt)
        if text_prompt is not None:
            return self.text_prompt(text_prompt)
        return self._asked().everything_prompt()

    def box_prompt(self, bbox: Any) -> Stack:
        """As `FastSAMPrompt.box_prompt`, about the photo that `run_encoder` saw last."""
        return self._asked().box_prompt(bbox)

    def point_prompt(self, points: Any, pointlabel: Any = None) -> Stack:
        """As `FastSAMPrompt.point_prompt`, about the photo that `run_encoder` saw last."""
        return self._asked().point_prompt(points, pointlabel)

    def text_prompt(self, text: str) -> Stack:
        """As `FastSAMPrompt.text_prompt`, about the photo that `run_encoder` saw last."""
        return self._asked().text_prompt(text)

    def _asked(self) -> FastSAMPrompt:
        if self.image is None:
            raise UsageError("run_encoder must see the photo first")
        refine = refiner_of(self.model, self.refine) or False
        return FastSAMPrompt(self.image, self.image_embedding, refine=refine)


def masks_of(annotations: Any) -> Any:
    """`Segments` or masks (K, H, W) of what published calls return and take."""
    if annotations is None:
        raise UsageError("annotations must be masks, as the prompts return them, not None")
    if isinstance(annotations, Results):
        return annotations.segments
    if not isinstance(annotations, (list, tuple)):
        return annotations
    if len(annotations) == 1 and isinstance(annotations[0], (Results, Segments)):
        return masks_of(annotations[0])
    return [one["segmentation"] if isinstance(one, dict) else one for one in annotations]


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


def smoothed(mask: Bool) -> Bool:
    """A mask without pin-holes and specks: closed by 3 x 3, then opened by 8 x 8 pixels."""
    closed = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    return np.asarray(cv2.morphologyEx(closed, cv2.MORPH_OPEN, np.ones((8, 8), np.uint8)) > 0)


def boxes_of(bbox: Any, bboxes: Any) -> list[Any]:
    """The boxes of both arguments of a call, each of which may be None."""
    return [box for value in (bbox, bboxes) if value is not None for box in nested(value)]


def nested(values: Any) -> list[Any]:
    """A list of points or boxes, of which a single one may come flat; empty if there is none.

    Copies: what a caller gave is left alone.
    """
    try:
        rows = np.array(untensored(values), np.float64)
    except (ValueError, TypeError):
        rows = np.zeros((0, 0, 0))
    if rows.size == 0 and rows.ndim in (1, 2):
        return []
    if rows.ndim not in (1, 2):
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
