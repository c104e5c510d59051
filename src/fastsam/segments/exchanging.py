"""Masks from other programs, and for them.

Enters: masks that were not found here, or segments. Leaves: segments, or RLE, polygons, records, supervision.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fastsam.errors import UsageError
from fastsam.image.read import Source, read_own
from fastsam.masks import annotations
from fastsam.masks.lazy import from_pixels
from fastsam.masks.polygons import Polygon
from fastsam.masks.rle import RLE, area
from fastsam.segments.objects import Objects
from fastsam.values import listed, number, show

if TYPE_CHECKING:
    from typing_extensions import Self

Float32 = npt.NDArray[np.float32]


class Exchanging(Objects):
    """How `Segments` come from other programs and go to them."""

    @classmethod
    def from_masks(
        cls,
        photo: Source,
        masks: Any,
        scores: Sequence[float] | None = None,
        *,
        categories: Sequence[dict[str, Any]] = (),
    ) -> "Self":
        """Makes `Segments` from masks that were drawn by hand or found by another model.

        Parameters
        ----------
        photo : path, PIL image or array
            As in `FastSAM.__call__`.
        masks : array or list
            A bool array (N, H, W); an integer label map (H, W), where 0 means no mask; or a list of arrays (H, W), COCO
            RLE dictionaries or COCO annotations. They keep their order.
        scores : sequence of float (N,), optional
            0..1. Default: the scores of the annotations, else 1.
        categories : sequence of dict
            The `categories` of the COCO file, which name the `category_id` of its annotations.

        Returns
        -------
        Segments
            One segment per mask.

        Raises
        ------
        UsageError
            If a mask does not fit the photo, or there is not one score per mask.
        UnreadableImageError
            If the photo cannot be read.

        Examples
        --------
        >>> left = np.zeros((400, 600), bool)
        >>> left[:, :300] = True
        >>> own = Segments.from_masks(photo, [left, ~left])
        >>> own.masks.areas.tolist()
        [120000, 120000]
        """
        pixels = read_own(np.asarray(photo) if isinstance(photo, np.ndarray) else photo)
        given, found, kinds = annotations.read(masks, (pixels.shape[0], pixels.shape[1]))
        values = scores_of(found if scores is None else scores, len(given))
        ids, names = classes_of(categories)
        classes = np.array([ids.get(kind, 0) for kind in kinds], np.int64)
        return cls(from_pixels(given), values, classes, names, photo=pixels)

    def to_rle(self) -> list[RLE]:
        """Returns COCO RLE.

        Returns
        -------
        list of dict
            One {"size": [H, W], "counts": str} per mask.

        Examples
        --------
        >>> segments.to_rle()[0]["size"]
        [400, 600]
        """
        return self.masks.to_rle()

    def to_polygons(self, tolerance: float = 0.0) -> list[list[Polygon]]:
        """Returns outlines: valid polygons along the pixels' borders.

        Parameters
        ----------
        tolerance
            Maximum distance in pixels of a dropped corner from its outline; 0 is exact.

        Returns
        -------
        list of list of Polygon
            The outlines of each mask in photo pixels, one per part, each with its holes.

        Raises
        ------
        UsageError
            If the tolerance is negative or not a number.

        Examples
        --------
        >>> largest = max(segments.to_polygons()[0], key=lambda polygon: len(polygon.outline))
        >>> largest.outline.shape[1], largest.outline.dtype.name
        (2, 'float32')
        """
        near = number(tolerance, "tolerance", most=None)
        return [self.masks.to_polygons(i, near) for i in range(len(self))]

    def to_records(self) -> list[dict[str, Any]]:
        """Returns one flat dictionary per segment, for `pandas.DataFrame`.

        Returns
        -------
        list of dict
            Keys: index, class, name, score, x1, y1, x2, y2 (photo pixels), area (pixels), rle (COCO `counts`); in a
            video with ids, track.

        Examples
        --------
        >>> sorted(segments.to_records()[0])
        ['area', 'class', 'index', 'name', 'rle', 'score', 'x1', 'x2', 'y1', 'y2']
        """
        columns = zip(self.classes, self.scores, self.boxes, self.to_rle(), strict=True)
        return [
            {
                "index": i,
                "class": int(k),
                "name": self.names[k],
                "score": float(score),
                **{side: float(v) for side, v in zip(("x1", "y1", "x2", "y2"), box, strict=True)},
                "area": area(packed),
                "rle": packed["counts"],
                **({} if self.tracks is None else {"track": int(self.tracks[i])}),
            }
            for i, (k, score, box, packed) in enumerate(columns)
        ]

    def to_supervision(self) -> Any:
        """Converts to `supervision.Detections`.

        Returns
        -------
        supervision.Detections
            The same objects, with masks as a bool array (N, H, W).

        Raises
        ------
        UsageError
            If the supervision package is not installed.

        Examples
        --------
        >>> detections = segments.to_supervision()
        >>> detections.xyxy.shape == (len(segments), 4)
        True
        """
        try:
            from supervision import Detections
        except ModuleNotFoundError:
            raise UsageError("supervision is not installed: pip install supervision") from None
        return Detections(
            xyxy=self.boxes.copy(),
            mask=self.masks.stack(),
            confidence=self.scores.copy(),
            class_id=self.classes.copy(),
            tracker_id=None if self.tracks is None else self.tracks.copy(),
            data={"class_name": np.array([self.names[k] for k in self.classes], str)},
        )


def scores_of(scores: Any, count: int) -> Float32:
    """Scores (N,) in 0..1 as float32. Raises UsageError unless there is one number per mask."""
    try:
        values = np.array(scores, np.float32)
    except (TypeError, ValueError):
        raise UsageError(f"scores must be numbers, not {show(scores)}") from None
    if values.shape != (count,):
        raise UsageError(f"{values.size} scores given for {count} masks: give one score per mask")
    if not ((values >= 0) & (values <= 1)).all():
        raise UsageError("scores must be between 0 and 1: divide percentages by 100")
    return values


def classes_of(categories: Any) -> tuple[dict[int, int], tuple[str, ...]]:
    """The class of each `category_id` of a COCO file, and the names of the classes. Raises UsageError."""
    try:
        names = {int(c["id"]): str(c["name"]) for c in listed(categories, "categories")}
    except (KeyError, IndexError, TypeError, ValueError):
        raise UsageError(f"each category must have an id and a name, as in COCO, not {show(categories)}") from None
    return {number: k for k, number in enumerate(names)}, tuple(names.values()) or ("object",)
