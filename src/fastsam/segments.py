"""`Segments`: everything found in one photo, as one frozen value.

Enters: masks, scores and classes from `model`. Leaves: picks, compact forms, files. Used by everyone.
"""

import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fastsam import prompts as stage2
from fastsam.candidates import suppress
from fastsam.errors import UsageError
from fastsam.files import whole
from fastsam.image.letterbox import Letterbox
from fastsam.masks.lazy import Masks
from fastsam.masks.polygons import Polygon
from fastsam.masks.rle import RLE, area
from fastsam.prompts import Box, Pick, Point, Prompt

Float = npt.NDArray[np.float32]
FORMAT = 2
BROKEN = (OSError, KeyError, ValueError, TypeError, AttributeError, EOFError, zipfile.BadZipFile, zlib.error)


@dataclass(frozen=True, eq=False)
class Segments:
    """N instances of one photo, best first; N may be 0.

    masks: lazy masks; scores: (N,) float32, 0..1; classes: (N,) int64, indices into `names`
    seconds: what each stage took

    Raises ValueError where the lengths differ. The arrays become read-only.
    """

    masks: Masks
    scores: Float
    classes: npt.NDArray[np.int64]
    names: tuple[str, ...] = ("object",)
    seconds: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not len(self.masks) == len(self.scores) == len(self.classes):
            raise ValueError(
                f"{len(self.masks)} masks, {len(self.scores)} scores and {len(self.classes)} classes differ"
            )
        for array in (self.scores, self.classes):
            array.flags.writeable = False

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def boxes(self) -> Float:
        """(N, 4) float32 xyxy in photo pixels."""
        return self.masks.boxes

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the photo."""
        return self.masks.size

    def select(
        self,
        prompts: Sequence[Prompt] | Prompt = (),
        *,
        points: Sequence[Point] = (),
        labels: Sequence[int] | None = None,
        boxes: Sequence[Box] = (),
    ) -> list[Pick]:
        """One answer a prompt, in order: `prompts`, then `points` (together one prompt), then each of `boxes`.

        points: x, y in photo pixels; labels: 1 foreground, 0 background, all 1 where left out
        boxes: x1, y1, x2, y2 in photo pixels

        Raises UsageError for a prompt that makes no sense or lies outside the photo.
        """
        asked = [prompts] if isinstance(prompts, Prompt) else list(prompts)
        if any(not isinstance(p, Prompt) for p in asked):
            raise UsageError("prompts must be Prompt values: for coordinates say points= or boxes=")
        if len(points) or labels is not None:
            asked.append(Prompt(points=points, labels=labels))
        asked += [Prompt(box=box) for box in boxes]
        return stage2.select(self.masks, self.scores, asked)

    def filter(self, *, conf: float | None = None, iou: float | None = None) -> "Segments":
        """The segments with a score above `conf` that survive suppression at `iou`."""
        kept = np.arange(len(self))
        if conf is not None:
            kept = np.flatnonzero(self.scores > conf)
        if iou is not None:
            kept = kept[suppress(self.boxes[kept], self.classes[kept], iou, len(self))]
        return self.take(kept)

    def take(self, indices: npt.NDArray[np.int64]) -> "Segments":
        """The segments at `indices`, in that order."""
        masks = self.masks.take(indices)
        return Segments(masks, self.scores[indices], self.classes[indices], self.names, self.seconds)

    def to_rle(self) -> list[RLE]:
        """COCO RLE of every mask."""
        return [self.masks.to_rle(i) for i in range(len(self))]

    def to_polygons(self) -> list[list[Polygon]]:
        """Outlines of every mask."""
        return [self.masks.to_polygons(i) for i in range(len(self))]

    def label_map(self) -> npt.NDArray[np.int32]:
        """(H, W) int32: 0 where no mask is, i + 1 where mask i is; small masks lie on large ones."""
        return self.masks.label_map()

    def to_records(self) -> list[dict[str, Any]]:
        """One flat dictionary a segment, for `pandas.DataFrame`: its number, class, score, box, area and RLE."""
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
            }
            for i, (k, score, box, packed) in enumerate(columns)
        ]

    def to_supervision(self) -> Any:
        """The same as `supervision.Detections`, which must be installed; its masks are bool (N, H, W).

        Raises UsageError where supervision is not installed.
        """
        try:
            from supervision import Detections
        except ModuleNotFoundError:
            raise UsageError("this needs the supervision package: pip install supervision") from None
        return Detections(
            xyxy=self.boxes.copy(),
            mask=self.masks.stack(),
            confidence=self.scores.copy(),
            class_id=self.classes.copy(),
            data={"class_name": np.array([self.names[k] for k in self.classes], str)},
        )

    def save(self, file: str | PathLike[str]) -> None:
        """Writes an npz file that `load` reads back exactly, but for `seconds`. The name is taken as it is given."""
        box = self.masks.letterbox
        arrays = {
            "format": np.int64(FORMAT),
            "coefficients": self.masks.coefficients,
            "prototypes": self.masks.prototypes,
            "boxes": self.boxes,
            "windows": self.masks.windows,
            "scores": self.scores,
            "classes": self.classes,
            "names": np.array(self.names),
            **{f"letterbox_{name}": np.array(value) for name, value in asdict(box).items()},
        }
        with whole(Path(file)) as part, part.open("wb") as out:
            np.savez_compressed(out, **arrays)  # type: ignore[arg-type]  # keywords are arrays

    @classmethod
    def load(cls, file: str | PathLike[str]) -> "Segments":
        """Reads what `save` wrote. Raises UsageError for any other file."""
        try:
            with np.load(file, allow_pickle=False) as z:
                if int(z["format"]) != FORMAT:
                    raise UsageError(f"{file} has format {int(z['format'])}: this version reads format {FORMAT}")
                letterbox = Letterbox(
                    **{name: tuple(z[f"letterbox_{name}"].tolist()) for name in Letterbox.__dataclass_fields__}
                )
                masks = Masks(z["coefficients"], z["prototypes"], z["boxes"], letterbox, z["windows"])
                return cls(masks, z["scores"], z["classes"], tuple(str(n) for n in z["names"]))
        except UsageError:
            raise
        except BROKEN as error:
            raise UsageError(f"{file} is no saved Segments: {' '.join(str(error).split())}") from None
