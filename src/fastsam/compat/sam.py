"""Segment Anything's two classes over this library: `SamPredictor` and `SamAutomaticMaskGenerator`.

Enters: a `FastSAM`, photos, prompts. Leaves: arrays and dictionaries in the shapes that code written for
segment_anything expects. Scores are this library's: they rank masks, and run lower than SAM's predicted IoU.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fastsam.compat.crops import Found, crop_boxes, find_in_crop, without_duplicates
from fastsam.compat.published import model_of
from fastsam.errors import UsageError
from fastsam.formats import coco
from fastsam.image.read import from_array
from fastsam.masks import rle
from fastsam.model import FastSAM
from fastsam.prompts import Candidate, Prompt
from fastsam.segments import Segments

Float = npt.NDArray[np.float32]
Bool = npt.NDArray[np.bool_]
LOW = 256  # side of SAM's low-resolution masks
OUTSIDE = -32.0  # logit of what lies outside a mask's window
APART = 1.3  # ratio of areas from which two candidates count as different sizes
OUTPUT_MODES = ("binary_mask", "uncompressed_rle", "coco_rle")


class SamPredictor:
    """Answers prompts about one photo at a time.

    sam_model: a `FastSAM`
    """

    mask_threshold = 0.0

    def __init__(self, sam_model: FastSAM) -> None:
        self.model = model_of(sam_model)
        self.reset_image()

    def reset_image(self) -> None:
        """Forgets the photo."""
        self.segments: Segments | None = None
        self.is_image_set = False

    @property
    def original_size(self) -> tuple[int, int]:
        """(height, width) of the photo."""
        return self._photo().size

    def set_image(self, image: npt.NDArray[np.uint8], image_format: str = "RGB") -> None:
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
        mask_input: (1, 256, 256) logits of an earlier answer: masks that overlap it more come first
        multimask_output: three masks from small to large instead of the best one; return_logits: logits for masks

        Returns masks (C, H, W) bool (float32 with `return_logits`), scores (C,) float32, and logits
        (C, 256, 256) float32 of the photo scaled so that its longest side has 256 cells. C is 3 or 1. Where fewer masks
        answer, the smallest is there more than once; where none does, all are empty with score 0.

        Raises UsageError where there is no photo or the prompt makes no sense.
        """
        photo = self._photo()
        candidates = self._candidates(photo, point_coords, point_labels, box)
        if mask_input is not None:
            candidates = by_overlap(photo, candidates, np.asarray(mask_input))
        chosen = spread(photo, candidates) if multimask_output else list(candidates[:1])
        wanted = 3 if multimask_output else 1
        height, width = photo.size
        masks = np.full((wanted, height, width), OUTSIDE if return_logits else 0, np.float32 if return_logits else bool)
        low, scores = np.full((wanted, LOW, LOW), OUTSIDE, np.float32), np.zeros(wanted, np.float32)
        chosen = chosen[:1] * (wanted - len(chosen)) + chosen
        if chosen:
            low = low_resolution(photo, [c.plus[0] for c in chosen])
        for row, candidate in enumerate(chosen):
            (x, y), logits = photo.masks.logits(candidate.plus[0])
            h, w = logits.shape
            masks[row, y : y + h, x : x + w] = logits if return_logits else logits > self.mask_threshold
            scores[row] = candidate.score
        return masks, scores, low

    def _photo(self) -> Segments:
        if self.segments is None:
            raise UsageError("an image must be set with set_image before a mask is asked for")
        return self.segments

    @staticmethod
    def _candidates(photo: Segments, coords: Any, labels: Any, box: Any) -> tuple[Candidate, ...]:
        if coords is None and box is None:
            return tuple(Candidate(photo.masks, (i,), float(s)) for i, s in enumerate(photo.scores))
        try:
            points = [] if coords is None else np.asarray(coords, np.float64).reshape(-1, 2).tolist()
            marks = None if labels is None else [int(v) for v in np.asarray(labels).reshape(-1)]
            frame = None if box is None else tuple(np.asarray(box, np.float64).reshape(-1).tolist())
        except (ValueError, TypeError) as error:
            raise UsageError(f"a prompt is no array of numbers: {error}") from None
        (pick,) = photo.select(Prompt(points=points, labels=marks, box=frame))  # type: ignore[arg-type]  # checked there
        return tuple(c for c in pick.candidates if c.how == "mask")


def spread(photo: Segments, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Up to three candidates, best first among those of clearly different area, then sorted from small to large."""
    area = photo.masks.areas
    chosen: list[Candidate] = []
    for c in candidates:
        others = [area[o.plus[0]] for o in chosen]
        if len(chosen) < 3 and all(max(a, area[c.plus[0]]) >= APART * min(a, area[c.plus[0]]) for a in others):
            chosen.append(c)
    rest = [c for c in candidates if c not in chosen]
    return sorted(chosen + rest[: 3 - len(chosen)], key=lambda c: area[c.plus[0]])


def by_overlap(photo: Segments, candidates: Sequence[Candidate], logits: npt.NDArray[Any]) -> tuple[Candidate, ...]:
    """Candidates in order of IoU with a low-resolution mask, which becomes their score."""
    if logits.shape[-2:] != (LOW, LOW) or logits.size != LOW * LOW:
        raise UsageError(f"mask_input of shape {logits.shape} is not (1, {LOW}, {LOW})")
    wanted = logits.reshape(LOW, LOW) > 0
    ranked = []
    for c, mask in zip(candidates, low_resolution(photo, [c.plus[0] for c in candidates]) > 0, strict=True):
        union = np.count_nonzero(mask | wanted)
        ranked.append(Candidate(photo.masks, c.plus, float(np.count_nonzero(mask & wanted) / union) if union else 0.0))
    return tuple(sorted((c for c in ranked if c.score > 0), key=lambda c: -c.score))


def low_resolution(photo: Segments, indices: Sequence[int]) -> Float:
    """(K, 256, 256) logits of masks in SAM's frame: the photo's longest side has 256 cells, the rest is padding."""
    height, width = photo.size
    scale = LOW / max(height, width)
    h, w = max(1, round(height * scale)), max(1, round(width * scale))
    x = np.minimum((np.arange(w) + 0.5) / scale, width - 0.5)
    y = np.minimum((np.arange(h) + 0.5) / scale, height - 0.5)
    points = np.stack(np.meshgrid(x, y), 2).reshape(-1, 2)
    low = np.full((len(indices), LOW, LOW), OUTSIDE, np.float32)
    logits = photo.masks.take(np.array(indices, np.int64)).logits_at(points)
    low[:, :h, :w] = np.maximum(logits, OUTSIDE).reshape(-1, h, w)
    return low


class SamAutomaticMaskGenerator:
    """Segments everything, as a list of dictionaries.

    model: a `FastSAM`
    pred_iou_thresh: least score; what comes with the weights where left out
    stability_score_thresh: least IoU of a mask cut at logits `stability_score_offset` above and below 0
    box_nms_thresh: overlap of two boxes above which the lesser mask goes
    crop_n_layers: layer k also segments 4^k crops of the photo, which overlap by `crop_overlap_ratio` of its shorter
    side in layer 1, half of it in layer 2, and so on; crop_nms_thresh: the same overlap between masks of all crops
    min_mask_region_area: pixels under which loose parts and holes of a mask are removed
    output_mode: `binary_mask`, `uncompressed_rle` or `coco_rle`
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
    ) -> None:
        if output_mode not in OUTPUT_MODES:
            raise UsageError(f"unknown output_mode {output_mode!r}: choose from {', '.join(OUTPUT_MODES)}")
        self.model, self.conf, self.iou = model_of(model), pred_iou_thresh, box_nms_thresh
        self.least_stability, self.offset = stability_score_thresh, stability_score_offset
        self.layers, self.crop_iou, self.overlap = crop_n_layers, crop_nms_thresh, crop_overlap_ratio
        self.least_region, self.output_mode = min_mask_region_area, output_mode

    def generate(self, image: npt.NDArray[np.uint8]) -> list[dict[str, Any]]:
        """Everything in a photo, RGB uint8 (H, W, 3), best first.

        Each mask is a dictionary: `segmentation` (bool (H, W) or RLE), `area` in pixels, `bbox` (x, y, width, height),
        `predicted_iou` (its score), `point_coords` ([[x, y]], its surest pixel), `stability_score`, `crop_box`
        (x, y, width, height of the crop that it was found in).
        """
        pixels = from_array(np.asarray(image))
        size = (pixels.shape[0], pixels.shape[1])
        found: list[Found] = []
        for box in crop_boxes(size, self.layers, self.overlap):
            found += find_in_crop(self.model, pixels, box, self.conf, self.iou, self.offset, self.least_region)
        if self.layers:
            found = without_duplicates(found, self.crop_iou)
        return [self._describe(f, size) for f in found if f.stability >= self.least_stability]

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
