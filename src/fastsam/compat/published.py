"""`FastSAMPrompt` with the names, arguments and coordinates of the published code.

Enters: a photo and what `FastSAM` returned for it. Leaves: stacks of masks (K, H, W) and pictures.

Two rules differ from the published code. First, each prompt has one mask, in order. A prompt without a match has no
mask, so a stack can be empty; `prompts` of the stack says which prompt each mask answers. Second, all points together
mean one thing; only if no mask fits them all, each foreground point gets a mask of its own. Masks are chosen among
those of the first network, unless `refine=True` redraws them.
"""

from collections.abc import Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fastsam.compat.answers import answer_boxes, answer_points, answer_texts
from fastsam.compat.arrays import Array, array
from fastsam.compat.known import Known
from fastsam.compat.results import Results
from fastsam.compat.taken import boxes_of, labels_of, masks_of, nested, one_of
from fastsam.errors import UsageError
from fastsam.formats import overlay
from fastsam.image.read import read_image
from fastsam.masks import tinted
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

    Examples
    --------
    >>> prompt = FastSAMPrompt(photo, model(photo))
    >>> prompt.box_prompt(bbox=[320, 220, 410, 330]).shape
    (1, 400, 600)
    >>> prompt.everything_prompt().shape[1:]
    (400, 600)
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
