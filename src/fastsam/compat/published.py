"""`FastSAMPrompt` and `FastSAMDecoder` with the names, arguments and coordinates of the published code.

Enters: a photo and what `FastSAM` returned for it. Leaves: stacks of masks (K, H, W) and pictures.

Two rules differ from the published code. First, each prompt has one mask, in order. A prompt without a match has no
mask, so a stack can be empty; `prompts` of the stack says which prompt each mask answers. Second, all points together
mean one thing; only if no mask fits them all, each foreground point gets a mask of its own. Masks are chosen among
those of the first network, unless `refine=True` redraws them.
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
    """Masks (K, H, W). prompts: (K,) index of the prompt that each mask answers; None for a part of a stack"""

    prompts: npt.NDArray[np.int64] | None = None


class FastSAMPrompt(Known):
    """Answers prompts about one photo, with the interface of the published code.

    Parameters
    ----------
    image : path, PIL image or array
        The photo; an array must be uint8 RGB (H, W, 3).
    results : Segments, Results or list of one of these
        What `FastSAM` returned for the photo.
    device
        Accepted for compatibility, ignored.
    refine : bool or Refiner
        True redraws the answers to boxes and points with the second network; a `Refiner` redraws with that one. By
        default answers are chosen among the results.

    Raises
    ------
    UsageError
        If the results belong to another photo, or are of another type.
    """

    def __init__(self, image: Any, results: Any, device: Any = None, refine: bool | Refiner = False) -> None:
        self.img, self.refine, self.device = read_image(image), refine, device
        self._name = Path(image).name if isinstance(image, (str, PathLike)) else "image0.jpg"
        found = one_of(results)
        if self.img.shape[:2] != found.size:
            height, width = found.size
            raise UsageError(f"the results belong to a photo of {width} x {height} pixels, not to this photo")
        self.segments = found if found.photo is not None else replace(found, photo=self.img.copy())

    @property
    def results(self) -> list[Results]:
        """The results as a list of one `Results`."""
        return [Results(np.ascontiguousarray(self.img[..., ::-1]), self._name, self.segments)]

    def everything_prompt(self) -> Array:
        """Returns all masks, best first.

        Returns
        -------
        uint8 Array (N, H, W)
            0 or 1.
        """
        return array(self.segments.masks.stack().view(np.uint8))

    def box_prompt(self, bbox: Any = None, bboxes: Any = None) -> Stack:
        """Answers boxes.

        Parameters
        ----------
        bbox : (x1, y1, x2, y2), optional
            One box in photo pixels.
        bboxes : sequence of (x1, y1, x2, y2), optional
            Several boxes in photo pixels.

        Returns
        -------
        float32 Stack (K, H, W)
            One mask per box that has a match, in order.

        Raises
        ------
        UsageError
            If no box is given, or a box is invalid.
        """
        if bbox is None and bboxes is None:
            raise UsageError("box_prompt needs bbox=[x1, y1, x2, y2] or bboxes=[[x1, y1, x2, y2], ...]")
        return self._stack(answer_boxes(self.segments, boxes_of(bbox, bboxes), self.refine), np.float32)

    def point_prompt(self, points: Any, pointlabel: Any = None) -> Stack:
        """Answers points, all together.

        Parameters
        ----------
        points : sequence of (x, y)
            Points in photo pixels.
        pointlabel : sequence of int, optional
            One per point: 1 for foreground, 0 for background. Default: all 1.

        Returns
        -------
        bool Stack (K, H, W)
            One mask that fits all points, or one per foreground point. Empty if nothing matches.

        Raises
        ------
        UsageError
            If a point is outside the photo, or there is not one label per point.
        """
        rows, labels = nested(points), None if pointlabel is None else np.ravel(pointlabel).tolist()
        return self._stack([answer_points(self.segments, rows, labels, self.refine)] if rows or labels else [], bool)

    def text_prompt(self, text: str) -> Stack:
        """Answers words. Needs the `text` extra.

        Parameters
        ----------
        text : str
            Words, such as "the yellow dog".

        Returns
        -------
        bool Stack (K, H, W)
            The mask that matches best, always one of the results. Empty if nothing matches.

        Raises
        ------
        UsageError
            If the text is empty, or the encoder is not installed.
        """
        return self._stack(answer_texts(self.segments, [text]), bool)

    def plot(self, annotations: Any, output_path: Any = None, *options: Any, output: Any = None, **named: Any) -> None:
        """Writes the picture of `plot_to_result` to a file.

        Parameters
        ----------
        annotations
            As in `plot_to_result`.
        output_path : str or path, optional
            The file to write.
        *options, **named
            Other arguments of `plot_to_result`.
        output : str or path, optional
            A folder instead of a file; the picture gets the photo's name.

        Raises
        ------
        UsageError
            If neither a file nor a folder is given, or an argument of `plot_to_result` is invalid.
        """
        if output_path is None and output is None:
            raise UsageError("plot needs a file or a folder: give output_path='picture.jpg' or output='folder'")
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
        """Draws the photo with masks, boxes and points.

        Parameters
        ----------
        annotations : masks (K, H, W), list of dict, Results or Segments
            What to draw; a dictionary must have a `segmentation`.
        bboxes, bbox : boxes (x1, y1, x2, y2)
            Several boxes, or one, in photo pixels.
        points, point_label
            Points (x, y) in photo pixels, and their labels.
        mask_random_color : bool
            True gives each mask a colour of its own.
        better_quality : bool
            True smooths each mask.
        retina
            Accepted for compatibility, ignored: masks are always drawn at the photo's size.
        withContours, with_contours : bool
            True draws outlines.

        Returns
        -------
        uint8 array (H, W, 3)
            The picture in RGB.

        Raises
        ------
        UsageError
            If the masks do not fit the photo, or there is not one label per point.
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
                raise UsageError(f"{len(marks)} labels given for {len(asked)} points: give one label per point")
            overlay.draw_points(picture, asked, marks)
        return picture

    def _stack(self, answers: Sequence[Sequence[Candidate]], kind: Any) -> Stack:
        """The masks of the prompts that have one, in order."""
        matched = [k for k, candidates in enumerate(answers) if candidates]
        stack = np.zeros((len(matched), *self.segments.size), kind).view(Stack)
        for mask, k in zip(stack.numpy(), matched, strict=True):
            for candidate in answers[k]:
                candidate.runs.crop().paint(mask, 1)
        stack.prompts = np.array(matched, np.int64)
        return stack


class FastSAMDecoder(Known):
    """Segments a photo once, then answers prompts about it, with the interface of the published code.

    Parameters
    ----------
    model : FastSAM
        The model of this library, or the one of `fastsam.compat`.
    device
        Where to run, as in `fastsam.FastSAM`.
    conf, iou, imgsz
        As in `fastsam.FastSAM.__call__`. Default: the values stored with the weights.
    retina_masks
        Accepted for compatibility, ignored.
    refine : bool or Refiner
        As in `FastSAMPrompt`.

    Raises
    ------
    UsageError
        If the model is of another type, or a setting is invalid.
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
        """Segments everything in a photo.

        Parameters
        ----------
        image : path, PIL image or array
            The photo.

        Returns
        -------
        Results
            Everything found: the `image_embedding` of `run_decoder`.
        """
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
        """Answers prompts about the last photo of `run_encoder`.

        Parameters
        ----------
        image_embedding
            What `run_encoder` returned.
        point_prompt, point_label, box_prompt, text_prompt
            As in `FastSAMPrompt`. Points go before boxes, and boxes before words; only the first kind is answered.

        Returns
        -------
        Array (K, H, W)
            The masks that answer; all masks without a prompt.

        Raises
        ------
        UsageError
            If a prompt is invalid.
        """
        self.image_embedding = image_embedding
        if point_prompt is not None:
            return self.point_prompt(point_prompt, point_label)
        if box_prompt is not None:
            return self.box_prompt(box_prompt)
        if text_prompt is not None:
            return self.text_prompt(text_prompt)
        return self._asked().everything_prompt()

    def box_prompt(self, bbox: Any) -> Stack:
        """As `FastSAMPrompt.box_prompt`, about the last photo of `run_encoder`."""
        return self._asked().box_prompt(bbox)

    def point_prompt(self, points: Any, pointlabel: Any = None) -> Stack:
        """As `FastSAMPrompt.point_prompt`, about the last photo of `run_encoder`."""
        return self._asked().point_prompt(points, pointlabel)

    def text_prompt(self, text: str) -> Stack:
        """As `FastSAMPrompt.text_prompt`, about the last photo of `run_encoder`."""
        return self._asked().text_prompt(text)

    def _asked(self) -> FastSAMPrompt:
        if self.image is None:
            raise UsageError("there is no photo yet: call run_encoder(image) first")
        refine = refiner_of(self.model, self.refine) or False
        return FastSAMPrompt(self.image, self.image_embedding, refine=refine)


def masks_of(annotations: Any) -> Any:
    """`Segments` or masks (K, H, W) from what the published calls return and accept."""
    if annotations is None:
        raise UsageError("annotations must be masks, such as the prompts return, not None")
    if isinstance(annotations, Results):
        return annotations.segments
    if not isinstance(annotations, (list, tuple)):
        return annotations
    if len(annotations) == 1 and isinstance(annotations[0], (Results, Segments)):
        return masks_of(annotations[0])
    return [one["segmentation"] if isinstance(one, dict) else one for one in annotations]


def labels_of(size: Sequence[int], masks: Iterable[Any], smooth: bool = False) -> npt.NDArray[np.int32]:
    """(H, W) int32 labels of masks (H, W), small ones on top. smooth: smooths each mask, as the published code does"""
    bools = [np.asarray(mask) > 0 for mask in masks]
    for number, mask in enumerate(bools):
        if mask.shape != tuple(size):
            raise UsageError(
                f"mask {number} has shape {mask.shape} but the photo has {tuple(size)}: give the same size"
            )
    if smooth:
        bools = [smoothed(mask) for mask in bools]
    labels = np.zeros(tuple(size), np.int32)
    for number in sorted(range(len(bools)), key=lambda k: -np.count_nonzero(bools[k])):
        labels[bools[number]] = number + 1
    return labels


def smoothed(mask: Bool) -> Bool:
    """A mask without small holes and specks: closed with 3 x 3, then opened with 8 x 8 pixels."""
    closed = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    return np.asarray(cv2.morphologyEx(closed, cv2.MORPH_OPEN, np.ones((8, 8), np.uint8)) > 0)


def boxes_of(bbox: Any, bboxes: Any) -> list[Any]:
    """The boxes from both arguments of a call; each can be None."""
    return [box for value in (bbox, bboxes) if value is not None for box in nested(value)]


def nested(values: Any) -> list[Any]:
    """A list of points or boxes, from a list or from a single flat one; empty for None. The result is a copy."""
    try:
        rows = np.array(untensored(values), np.float64)
    except (ValueError, TypeError):
        rows = np.zeros((0, 0, 0))
    if rows.size == 0 and rows.ndim in (1, 2):
        return []
    if rows.ndim not in (1, 2):
        raise UsageError(f"points and boxes must be lists of numbers, not {values!r}")
    return [tuple(float(v) for v in row) for row in np.atleast_2d(rows)]


def one_of(results: Any) -> Segments:
    """The `Segments` of one photo, from `Segments`, `Results`, or a list of one of these."""
    if isinstance(results, (list, tuple)):
        if len(results) != 1:
            raise UsageError(f"FastSAMPrompt needs the result of one photo, not of {len(results)}")
        (results,) = results
    found = getattr(results, "segments", results)
    if not isinstance(found, Segments):
        raise UsageError(f"results must be what FastSAM returned, not a {type(results).__name__}")
    return found


def model_of(model: Any) -> FastSAM:
    """The model of this library, also from inside the `FastSAM` of `fastsam.compat`."""
    found = getattr(model, "model", model)
    if not isinstance(found, FastSAM):
        raise UsageError(f"model must be a FastSAM, not a {type(model).__name__}")
    return found
