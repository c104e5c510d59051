"""Segment Anything's `SamAutomaticMaskGenerator` over this library.

Enters: a `FastSAM` and a photo. Leaves: a dictionary per mask, as code written for segment_anything expects.
"""

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fastsam.boxes import xywh
from fastsam.compat.answers import refiner_of
from fastsam.compat.known import Known
from fastsam.compat.sam import SAM_LOGIT
from fastsam.compat.sam_crops import CropMask, crop_boxes, find_in_crop, without_copies, without_duplicates
from fastsam.compat.taken import model_of
from fastsam.errors import UsageError
from fastsam.image.read import from_array
from fastsam.masks import rle
from fastsam.model import FastSAM
from fastsam.refine.everything import redraw
from fastsam.refine.network import Refiner
from fastsam.segments import Segments
from fastsam.values import number

Float32 = npt.NDArray[np.float32]
Bool = npt.NDArray[np.bool_]
UInt8 = npt.NDArray[np.uint8]
OUTPUT_MODES = ("binary_mask", "uncompressed_rle", "coco_rle")


class SamAutomaticMaskGenerator(Known):
    """Segments everything, as a list of dictionaries.

    Parameters
    ----------
    model : FastSAM
        The model of this library, or the one of `fastsam.compat`.
    pred_iou_thresh : float, optional
        Minimum predicted IoU; without drawing, minimum score of the first network.
    stability_score_thresh : float, optional
        Minimum stability: the IoU of a mask cut at `stability_score_offset` above and below 0.
    stability_score_offset : float
        In SAM's logits, one of which is a quarter of one of ours.
    box_nms_thresh : float, optional
        Drop the lower-scored of two masks whose boxes overlap by more than this IoU. Default: stored with the weights.
    crop_n_layers : int
        Layer k also segments 4^k crops of the photo.
    crop_nms_thresh : float
        As `box_nms_thresh`, between masks of different crops.
    crop_overlap_ratio : float
        Overlap of crops as a share of the photo's shorter side in layer 1; half of it in layer 2, and so on.
    min_mask_region_area : int
        Islands and holes with fewer pixels are removed, and masks whose boxes then nearly equal another mask's.
    output_mode : {"binary_mask", "uncompressed_rle", "coco_rle"}
        The form of `segmentation`.
    refine : bool or Refiner, optional
        True redraws every mask with the second network, which predicts its IoU; a `Refiner` redraws with that one.
        Default: True if one of the first two thresholds is given.
    points_per_side, points_per_batch, crop_n_points_downscale_factor, point_grids
        Accepted for compatibility, ignored: the network finds everything at once, without a grid of points.

    Raises
    ------
    UsageError
        If a value is invalid.

    Examples
    --------
    >>> found = SamAutomaticMaskGenerator(model).generate(read_image(photo))
    >>> sorted(found[0])
    ['area', 'bbox', 'crop_box', 'point_coords', 'predicted_iou', 'segmentation', 'stability_score']
    """

    def __init__(
        self,
        model: FastSAM,
        points_per_side: int | None = 32,
        points_per_batch: int = 64,
        pred_iou_thresh: float | None = None,
        stability_score_thresh: float | None = None,
        stability_score_offset: float = 1.0,
        box_nms_thresh: float | None = None,
        crop_n_layers: int = 0,
        crop_nms_thresh: float = 0.7,
        crop_overlap_ratio: float = 512 / 1500,
        crop_n_points_downscale_factor: int = 1,
        point_grids: Any = None,
        min_mask_region_area: int = 0,
        output_mode: str = "binary_mask",
        refine: bool | Refiner | None = None,
    ) -> None:
        if output_mode not in OUTPUT_MODES:
            raise UsageError(f"unknown output_mode {output_mode!r}: choose from {', '.join(OUTPUT_MODES)}")
        given = {"pred_iou_thresh": pred_iou_thresh, "stability_score_thresh": stability_score_thresh}
        for name, value in given.items():
            if value is not None:
                number(value, name)
        self.model, self.output_mode = model_of(model), output_mode
        self.pred_iou_thresh, self.stability_score_thresh = pred_iou_thresh, stability_score_thresh
        self.stability_score_offset = stability_score_offset
        self.box_nms_thresh, self.crop_nms_thresh = box_nms_thresh, crop_nms_thresh
        self.crop_n_layers, self.crop_overlap_ratio = crop_n_layers, crop_overlap_ratio
        self.min_mask_region_area = min_mask_region_area
        self.refine = bool(pred_iou_thresh or stability_score_thresh) if refine is None else refine

    def generate(self, image: npt.NDArray[np.uint8]) -> list[dict[str, Any]]:
        """Everything in a photo, RGB uint8 (H, W, 3), best first.

        Each mask is a dictionary: `segmentation` (bool (H, W) or RLE), `area` in pixels, `bbox` (x, y, width, height),
        `predicted_iou` (if masks are drawn, else the score), `point_coords` ([[x, y]], its surest pixel),
        `stability_score`, `crop_box` (x, y, width, height of the crop that it was found in).

        Warns if masks are found, but none that the thresholds let pass.
        """
        pixels = from_array(np.asarray(image))
        size = (pixels.shape[0], pixels.shape[1])
        found: list[CropMask] = []
        offset, least = self.stability_score_offset * SAM_LOGIT, self.min_mask_region_area
        for box in crop_boxes(size, self.crop_n_layers, self.crop_overlap_ratio):
            found += find_in_crop(self._segment, pixels, box, offset, least)
        kept = [f for f in found if self._passes(f)]
        if found and not kept:
            warnings.warn(self._nothing_passes(found), stacklevel=2)
        if self.crop_n_layers:
            kept = without_duplicates(kept, self.crop_nms_thresh)
        if least:
            iou = self.model.settings.iou if self.box_nms_thresh is None else self.box_nms_thresh
            kept = without_copies(kept, max(iou, self.crop_nms_thresh))
        return [self._describe(f, size) for f in kept]

    def _segment(self, pixels: UInt8) -> Segments:
        """Everything in a photo or a crop of it, best first; drawn anew if that is asked for, with predicted IoUs."""
        refiner = refiner_of(self.model, self.refine)
        if refiner is None:
            conf = self.model.settings.conf
            conf = min(conf, self.pred_iou_thresh) if self.pred_iou_thresh else conf
            return self.model(pixels, conf=conf, iou=self.box_nms_thresh)
        segments = self.model(pixels, iou=self.box_nms_thresh)
        drawn = redraw(pixels, segments.masks, segments.scores, refiner, self.min_mask_region_area)
        ranked = np.argsort(-drawn.qualities, kind="stable")
        classes = segments.classes[drawn.indices[ranked]]
        return replace(
            segments, masks=drawn.masks.take(ranked), scores=drawn.qualities[ranked], classes=classes, kept=None
        )

    def _passes(self, found: CropMask) -> bool:
        sure = not self.pred_iou_thresh or found.score > self.pred_iou_thresh
        return sure and (not self.stability_score_thresh or found.stability >= self.stability_score_thresh)

    def _nothing_passes(self, found: list[CropMask]) -> str:
        iou, stable = max(f.score for f in found), max(f.stability for f in found)
        return (
            f"pred_iou_thresh {self.pred_iou_thresh} and stability_score_thresh {self.stability_score_thresh} keep "
            f"none of {len(found)} masks, whose best values are {iou:.2f} and {stable:.2f}: lower them"
            + ("" if self.refine else ", or leave out refine=False")
        )

    def _describe(self, found: CropMask, size: tuple[int, int]) -> dict[str, Any]:
        return {
            "segmentation": self._encode(found, size),
            "area": int(np.count_nonzero(found.mask.pixels)),
            "bbox": [int(v) for v in xywh(found.mask.bounds)],
            "predicted_iou": found.score,
            "point_coords": [[float(v) for v in found.point]],
            "stability_score": found.stability,
            "crop_box": [int(v) for v in xywh(found.crop)],
        }

    def _encode(self, found: CropMask, size: tuple[int, int]) -> Any:
        if self.output_mode != "binary_mask":
            packed = rle.encode(found.mask.pixels, found.mask.offset, size)
            if self.output_mode == "coco_rle":
                return packed
            return {"size": packed["size"], "counts": rle.decompress(packed["counts"]).tolist()}
        mask = np.zeros(size, bool)
        found.mask.paint(mask, True)
        return mask
