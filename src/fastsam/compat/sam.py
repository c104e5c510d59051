"""Segment Anything's two classes over this library: `SamPredictor` and `SamAutomaticMaskGenerator`.

Enters: a `FastSAM`, photos, prompts. Leaves: arrays and dictionaries in the shapes that code written for
segment_anything expects. Masks that the second network draws come with the IoU that it predicts for them, as SAM's do;
those of the first network with its scores, which rank masks and run lower.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fastsam.compat import low
from fastsam.compat.answers import refiner_of
from fastsam.compat.crops import Found, crop_boxes, find_in_crop, without_copies, without_duplicates
from fastsam.compat.guesses import best_drawn, by_overlap, chosen_for, drawn_for, spread
from fastsam.compat.published import model_of
from fastsam.errors import UsageError
from fastsam.formats import coco
from fastsam.image.read import from_array
from fastsam.masks import rle
from fastsam.model import FastSAM
from fastsam.prompts import Candidate, Prompt
from fastsam.refine.everything import redraw
from fastsam.refine.network import Refiner
from fastsam.segments import Segments

Float = npt.NDArray[np.float32]
Bool = npt.NDArray[np.bool_]
UInt8 = npt.NDArray[np.uint8]
OUTPUT_MODES = ("binary_mask", "uncompressed_rle", "coco_rle")


class SamPredictor:
    """Answers prompts about one photo at a time.

    sam_model: a `FastSAM`
    refine: whether the second network draws the answers; False chooses among the masks of the first, in microseconds;
    a `Refiner` draws with that one
    """

    mask_threshold = 0.0

    def __init__(self, sam_model: FastSAM, refine: bool | Refiner = True) -> None:
        self.model, self.refine = model_of(sam_model), refine
        self.reset_image()

    def reset_image(self) -> None:
        """Forgets the photo."""
        self.segments: Segments | None = None
        self.is_image_set = False

    @property
    def original_size(self) -> tuple[int, int]:
        """(height, width) of the photo."""
        return self._photo().size

    def set_image(self, image: UInt8, image_format: str = "RGB") -> None:
        """Segments a photo, uint8 (H, W, 3), with its colours in the order `RGB` or `BGR`."""
        if image_format not in ("RGB", "BGR"):
            raise UsageError(f"image_format {image_format!r} is neither RGB nor BGR")
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
    ) -> tuple[npt.NDArray[Any], Float, Float]:
        """Masks for one prompt.

        point_coords: (N, 2) x, y in pixels; point_labels: (N,) 1 foreground, 0 background; box: (4,) xyxy in pixels
        mask_input: (1, 256, 256) logits of an earlier answer: its mask is drawn anew by what else is said (with
        refine=False the masks that overlap it more come first)
        multimask_output: three masks from small to large instead of the best one; return_logits: logits for masks

        What is empty counts as not given. If nothing is given, the masks of the best score answer.

        Returns masks (C, H, W) bool (float32 with `return_logits`), their predicted IoU (C,) float32, and logits
        (C, 256, 256) float32 of the photo scaled so that its longer side has 256 cells. C is 3 or 1. If fewer masks
        answer, the smallest is there more than once. If the second network thinks little of all that it draws, that
        comes with its low IoU, or `mask_input` stays as it was; if there is no pixel to show, masks are empty with an
        IoU of 0.

        Raises UsageError if there is no photo, the prompt makes no sense or lies outside the photo.
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
            return candidates if logits is None else by_overlap(candidates, logits > 0)
        mask = None if logits is None else low.on_photo(logits, photo.size)
        prompt = prompt_of(coords, labels, box, mask if mask is not None and mask.any() else None)
        if prompt is not None:
            prompt.check(photo.size)
            return drawn_for(photo, photo.photo, prompt, refiner)
        return best_drawn(photo, photo.photo, refiner) if mask is None else []


def prompt_of(coords: Any, labels: Any, box: Any, mask: Bool | None = None) -> Prompt | None:
    """Points with their labels and a box, as arrays or lists, and a mask (H, W) as a prompt; None if nothing is given.

    Arrays that are empty count as not given. Raises UsageError for a prompt that makes no sense.
    """
    try:
        points = [] if coords is None else np.asarray(coords, np.float64).reshape(-1, 2).tolist()
        marks = None if labels is None else np.asarray(labels).reshape(-1).tolist()
        frame = None if box is None or np.size(box) == 0 else tuple(np.asarray(box, np.float64).reshape(-1).tolist())
    except (ValueError, TypeError) as error:
        raise UsageError(f"a prompt is no array of numbers: {error}") from None
    if not points and not marks and frame is None and mask is None:
        return None
    return Prompt(points=points, labels=marks, box=frame, mask=mask)  # type: ignore[arg-type]  # checked there


class SamAutomaticMaskGenerator:
    """Segments everything, as a list of dictionaries.

    model: a `FastSAM`
    pred_iou_thresh: least score, by default what comes with the weights; with `refine` the least predicted IoU, by
    default none
    stability_score_thresh: least IoU of a mask cut at logits `stability_score_offset` above and below 0
    box_nms_thresh: overlap of two boxes above which the lesser mask goes
    crop_n_layers: layer k also segments 4^k crops of the photo, which overlap by `crop_overlap_ratio` of its shorter
    side in layer 1, half of it in layer 2, and so on; crop_nms_thresh: the same overlap between masks of all crops
    min_mask_region_area: pixels of an island or a hole of a mask below which it goes; what then has nearly the box of
    another mask goes too
    output_mode: `binary_mask`, `uncompressed_rle` or `coco_rle`
    refine: whether the second network draws every mask anew; a `Refiner` does it with that one
    points_per_side, points_per_batch, crop_n_points_downscale_factor, point_grids: understood, without effect:
    there is no grid of points, the network finds everything at once
    """

    def __init__(
        self,
        model: FastSAM,
        points_per_side: int | None = 32,
        points_per_batch: int = 64,
        pred_iou_thresh: float | None = None,
        stability_score_thresh: float = 0.0,
        stability_score_offset: float = 1.0,
        box_nms_thresh: float | None = None,
        crop_n_layers: int = 0,
        crop_nms_thresh: float = 0.7,
        crop_overlap_ratio: float = 512 / 1500,
        crop_n_points_downscale_factor: int = 1,
        point_grids: Any = None,
        min_mask_region_area: int = 0,
        output_mode: str = "binary_mask",
        refine: bool | Refiner = False,
    ) -> None:
        if output_mode not in OUTPUT_MODES:
            raise UsageError(f"unknown output_mode {output_mode!r}: choose from {', '.join(OUTPUT_MODES)}")
        self.model, self.conf, self.iou = model_of(model), pred_iou_thresh, box_nms_thresh
        self.least_stability, self.offset = stability_score_thresh, stability_score_offset
        self.layers, self.crop_iou, self.overlap = crop_n_layers, crop_nms_thresh, crop_overlap_ratio
        self.least_region, self.output_mode, self.refine = min_mask_region_area, output_mode, refine

    def generate(self, image: npt.NDArray[np.uint8]) -> list[dict[str, Any]]:
        """Everything in a photo, RGB uint8 (H, W, 3), best first.

        Each mask is a dictionary: `segmentation` (bool (H, W) or RLE), `area` in pixels, `bbox` (x, y, width, height),
        `predicted_iou` (its score; with `refine` its predicted IoU), `point_coords` ([[x, y]], its surest pixel),
        `stability_score`, `crop_box` (x, y, width, height of the crop that it was found in).
        """
        pixels = from_array(np.asarray(image))
        size = (pixels.shape[0], pixels.shape[1])
        found: list[Found] = []
        for box in crop_boxes(size, self.layers, self.overlap):
            found += find_in_crop(self._segment, pixels, box, self.offset, self.least_region)
        if self.layers:
            found = without_duplicates(found, self.crop_iou)
        if self.least_region:
            iou = self.model.settings.iou if self.iou is None else self.iou
            found = without_copies(found, max(iou, self.crop_iou))
        return [self._describe(f, size) for f in found if f.stability >= self.least_stability]

    def _segment(self, pixels: UInt8) -> Segments:
        """Everything in a photo or a crop of it, best first; drawn anew if that is asked for, with predicted IoUs."""
        refiner = refiner_of(self.model, self.refine)
        if refiner is None:
            return self.model(pixels, conf=self.conf, iou=self.iou)
        segments = self.model(pixels, iou=self.iou)
        drawn = redraw(pixels, segments.masks, segments.scores, refiner, self.least_region)
        ranked = np.argsort(-drawn.qualities, kind="stable")
        kept = ranked if self.conf is None else ranked[drawn.qualities[ranked] > self.conf]
        classes = segments.classes[drawn.indices[kept]]
        return replace(segments, masks=drawn.masks.take(kept), scores=drawn.qualities[kept], classes=classes, kept=None)

    def _describe(self, found: Found, size: tuple[int, int]) -> dict[str, Any]:
        x0, y0, x1, y1 = found.crop
        return {
            "segmentation": self._encode(found, size),
            "area": int(np.count_nonzero(found.mask.pixels)),
            "bbox": [int(v) for v in coco.xywh(found.mask.bounds)],
            "predicted_iou": found.score,
            "point_coords": [[float(v) for v in found.point]],
            "stability_score": found.stability,
            "crop_box": [x0, y0, x1 - x0, y1 - y0],
        }

    def _encode(self, found: Found, size: tuple[int, int]) -> Any:
        if self.output_mode != "binary_mask":
            packed = rle.encode(found.mask.pixels, found.mask.offset, size)
            if self.output_mode == "coco_rle":
                return packed
            return {"size": packed["size"], "counts": rle.decompress(packed["counts"]).tolist()}
        mask = np.zeros(size, bool)
        found.mask.paint(mask, True)
        return mask
