"""Segment Anything's `SamPredictor` over this library; `generator.py` has its other class.

Enters: a `FastSAM`, photos, prompts. Leaves: arrays in the shapes that code written for
segment_anything expects. Masks that the second network draws come with the IoU that it predicts for them, as SAM's do;
those of the first network with its scores, which rank masks and run lower.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from fastsam.compat import low
from fastsam.compat.answers import refiner_of
from fastsam.compat.arrays import Array, array, untensored
from fastsam.compat.guesses import best_drawn, by_overlap, chosen_for, drawn_for, spread
from fastsam.compat.known import Known
from fastsam.compat.taken import model_of
from fastsam.errors import UsageError
from fastsam.image.read import from_array
from fastsam.model import FastSAM
from fastsam.prompts import Candidate, Prompt
from fastsam.refine.network import Refiner
from fastsam.segments import Segments

Float32 = npt.NDArray[np.float32]
Bool = npt.NDArray[np.bool_]
UInt8 = npt.NDArray[np.uint8]
SAM_LOGIT = 0.25  # of one of SAM's logits in ours, which rise less steeply across an edge


class SamTransform:
    """What `SamPredictor.transform` is asked for: prompts stay in photo pixels here, so that it changes nothing."""

    def apply_coords(self, coords: Any, original_size: Any = None) -> Any:
        """Points as they are."""
        return coords

    apply_boxes = apply_coords_torch = apply_boxes_torch = apply_coords


class SamPredictor(Known):
    """Answers prompts about one photo at a time.

    Parameters
    ----------
    sam_model : FastSAM
        The model of this library, or the one of `fastsam.compat`.
    refine : bool or Refiner
        True draws the answers with the second network; a `Refiner` draws with that one. False chooses among the masks
        of the first network, in microseconds, and draws only if none of them answers.

    Raises
    ------
    UsageError
        If the model is of another type.

    Examples
    --------
    >>> predictor = SamPredictor(model)
    >>> predictor.set_image(read_image(photo))
    >>> masks, iou, logits = predictor.predict(point_coords=np.array([[365, 285]]), point_labels=np.array([1]))
    >>> masks.shape, iou.shape, logits.shape
    ((3, 400, 600), (3,), (3, 256, 256))
    """

    mask_threshold = 0.0
    device = "cpu"
    transform = SamTransform()

    def __init__(self, sam_model: FastSAM, refine: bool | Refiner = True) -> None:
        self.model, self.refine = model_of(sam_model), refine
        self.reset_image()

    def reset_image(self) -> None:
        """Drops the photo."""
        self.segments: Segments | None = None
        self.is_image_set = False

    @property
    def original_size(self) -> tuple[int, int]:
        """(height, width) of the photo."""
        return self._photo().size

    def set_image(self, image: UInt8, image_format: str = "RGB") -> None:
        """Segments a photo.

        Parameters
        ----------
        image : uint8 array (H, W, 3)
            The photo.
        image_format : {"RGB", "BGR"}
            The order of its colours.

        Raises
        ------
        UsageError
            If the array is not a photo, or the format is unknown.
        """
        if image_format not in ("RGB", "BGR"):
            raise UsageError(f"image_format must be RGB or BGR, not {image_format!r}")
        pixels = from_array(np.asarray(image))
        self.segments = self.model(pixels if image_format == "RGB" else np.ascontiguousarray(pixels[..., ::-1]))
        self.is_image_set = True

    def predict(
        self,
        point_coords: Any = None,
        point_labels: Any = None,
        box: Any = None,
        mask_input: Any = None,
        multimask_output: bool = True,
        return_logits: bool = False,
    ) -> tuple[npt.NDArray[Any], Float32, Float32]:
        """Answers one prompt. Empty arguments count as not given; without any, the masks of the best score answer.

        Parameters
        ----------
        point_coords : (N, 2), optional
            Points x, y in photo pixels.
        point_labels : (N,), optional
            1 for foreground, 0 for background.
        box : (4,), optional
            x1, y1, x2, y2 in photo pixels.
        mask_input : (1, 256, 256), optional
            Logits of an earlier answer, which is redrawn. With `refine=False`, masks that overlap it more come first.
        multimask_output : bool
            True returns three masks, from small to large, instead of the best one.
        return_logits : bool
            True returns logits instead of masks.

        Returns
        -------
        masks : bool or float32 array (C, H, W)
            C is 3 or 1. If fewer masks answer, the smallest is repeated. If nothing answers, they are empty.
        iou : float32 array (C,)
            Their predicted IoU; 0 for empty masks.
        logits : float32 array (C, 256, 256)
            Logits of the photo scaled so that its longer side has 256 cells.

        Raises
        ------
        UsageError
            If there is no photo, or the prompt is invalid or lies outside the photo.
        """
        photo = self._photo()
        candidates = self._candidates(point_coords, point_labels, box, mask_input)
        chosen = spread(candidates) if multimask_output else list(candidates[:1])
        chosen.sort(key=lambda c: c.runs.area)
        wanted = 3 if multimask_output else 1
        masks = np.full(
            (wanted, *photo.size), low.OUTSIDE if return_logits else 0, np.float32 if return_logits else bool
        )
        small, scores = np.full((wanted, low.LOW, low.LOW), low.OUTSIDE, np.float32), np.zeros(wanted, np.float32)
        for row, c in enumerate(chosen[:1] * (wanted - len(chosen)) + chosen):
            (x, y), logits = c.masks.logits(c.plus[0])
            h, w = logits.shape
            masks[row, y : y + h, x : x + w] = logits if return_logits else logits > self.mask_threshold
            small[row], scores[row] = low.low_resolution(c.masks, c.plus[0]), c.score
        return masks, scores, small

    def predict_torch(
        self,
        point_coords: Any = None,
        point_labels: Any = None,
        boxes: Any = None,
        mask_input: Any = None,
        multimask_output: bool = True,
        return_logits: bool = False,
    ) -> tuple[Array, Array, Array]:
        """Answers B prompts.

        Parameters
        ----------
        point_coords, point_labels, boxes, mask_input : (B, N, 2), (B, N), (B, 4), (B, 1, 256, 256), optional
            As in `predict`, in photo pixels: `transform` does not change them.
        multimask_output, return_logits : bool
            As in `predict`.

        Returns
        -------
        masks, iou, logits : Array (B, C, H, W), (B, C), (B, C, 256, 256)
            Arrays that take a tensor's calls.

        Raises
        ------
        UsageError
            As in `predict`, and if the lengths differ.
        """
        own = [
            None if v is None else np.asarray(untensored(v)) for v in (point_coords, point_labels, boxes, mask_input)
        ]
        counts = {len(v) for v in own if v is not None}
        if len(counts) != 1:
            raise UsageError(f"predict_torch needs prompts of the same length, not of {sorted(counts) or 'none'}")
        (count,) = counts
        wanted = 3 if multimask_output else 1
        (h, w), kind = self.original_size, np.float32 if return_logits else bool
        masks = np.zeros((count, wanted, h, w), kind)
        scores = np.zeros((count, wanted), np.float32)
        small = np.zeros((count, wanted, low.LOW, low.LOW), np.float32)
        for k in range(count):
            points, labels, box, mask = (None if v is None else v[k] for v in own)
            masks[k], scores[k], small[k] = self.predict(points, labels, box, mask, multimask_output, return_logits)
        return array(masks), array(scores), array(small)

    def _photo(self) -> Segments:
        if self.segments is None:
            raise UsageError("an image must be set with set_image before a mask is asked for")
        return self.segments

    def _candidates(self, coords: Any, labels: Any, box: Any, mask_input: Any) -> list[Candidate]:
        """What answers, best first."""
        photo, refiner = self._photo(), refiner_of(self.model, self.refine)
        logits = None if mask_input is None else low.checked(mask_input)
        if refiner is None or photo.photo is None:
            candidates = chosen_for(photo, prompt_of(coords, labels, box))
            candidates = candidates if logits is None else by_overlap(candidates, logits > 0)
            if candidates or photo.photo is None:
                return candidates
            refiner = self.model.refiner
        mask = None if logits is None else low.on_photo(logits, photo.size)
        prompt = prompt_of(coords, labels, box, mask if mask is not None and mask.any() else None)
        if prompt is not None:
            prompt.check(photo.size)
            return drawn_for(photo, photo.photo, prompt, refiner)
        return best_drawn(photo, photo.photo, refiner) if mask is None else []


def prompt_of(coords: Any, labels: Any, box: Any, mask: Bool | None = None) -> Prompt | None:
    """Points with their labels and a box, as arrays or lists, and a mask (H, W) as a prompt; None if nothing is given.

    Arrays that are empty count as not given. Raises UsageError for an invalid prompt.
    """
    try:
        points = [] if coords is None else np.asarray(coords, np.float64).reshape(-1, 2).tolist()
        marks = None if labels is None else np.asarray(labels).reshape(-1).tolist()
        frame = None if box is None or np.size(box) == 0 else tuple(np.asarray(box, np.float64).reshape(-1).tolist())
    except (ValueError, TypeError) as error:
        raise UsageError(f"a prompt must be an array of numbers: {error}") from None
    if not points and not marks and frame is None and mask is None:
        return None
    return Prompt(points=points, labels=marks, box=frame, mask=mask)  # type: ignore[arg-type]  # checked there
