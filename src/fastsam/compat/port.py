"""`FastSAM` with the call and results of Ultralytics, NumPy arrays instead of tensors.

Enters: photos and prompts in one call. Leaves: a list of `Results`, one per photo.

Where it differs: each prompt has its own mask, in order (`Results.prompts` says which), drawn by the second network
unless `refine=False` asks for a choice among the masks of the first; masks are always at the photo's size; nothing
found is an empty result and not None.
"""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.compat.answers import answer_boxes, answer_points, answer_texts, gathered, refiner_of
from fastsam.compat.published import nested
from fastsam.errors import UsageError
from fastsam.formats import overlay
from fastsam.image.photos import find_photos
from fastsam.image.read import from_array, read_image
from fastsam.masks.runs import Crop
from fastsam.model import FastSAM as Model
from fastsam.model import stage
from fastsam.prompts import Candidate
from fastsam.refine.network import Refiner
from fastsam.segments import Segments

Float = npt.NDArray[np.float32]
UInt8 = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Boxes:
    """`xyxy` (N, 4), `conf` (N,), `cls` (N,), all float32, and the same boxes in other frames."""

    xyxy: Float
    conf: Float
    cls: Float
    orig_shape: tuple[int, int]

    def __len__(self) -> int:
        return len(self.xyxy)

    def __getitem__(self, index: Any) -> "Boxes":
        kept = np.atleast_1d(np.arange(len(self))[index])
        return Boxes(self.xyxy[kept], self.conf[kept], self.cls[kept], self.orig_shape)

    def __iter__(self) -> Iterator["Boxes"]:
        return (self[i] for i in range(len(self)))

    def cpu(self) -> "Boxes":
        """Itself: everything is in memory."""
        return self

    def numpy(self) -> "Boxes":
        """Itself: everything is NumPy."""
        return self

    @property
    def xywh(self) -> Float:
        """(N, 4) centre x, y, width, height in pixels."""
        corners = self.xyxy
        return np.concatenate(((corners[:, :2] + corners[:, 2:]) / 2, corners[:, 2:] - corners[:, :2]), 1)

    @property
    def xyxyn(self) -> Float:
        """xyxy as shares of the photo."""
        return self.xyxy / self._scale

    @property
    def xywhn(self) -> Float:
        """xywh as shares of the photo."""
        return self.xywh / self._scale

    @property
    def data(self) -> Float:
        """(N, 6): xyxy, conf, cls."""
        return np.concatenate((self.xyxy, self.conf[:, None], self.cls[:, None]), 1)

    @property
    def _scale(self) -> Float:
        height, width = self.orig_shape
        return np.array([width, height, width, height], np.float32)


@dataclass(frozen=True, eq=False)
class Masks:
    """`data` (N, H, W) uint8, made when it is first asked for, and outlines."""

    segments: Segments

    def __len__(self) -> int:
        return len(self.segments)

    def __getitem__(self, index: Any) -> "Masks":
        return Masks(self.segments.take(np.atleast_1d(np.arange(len(self))[index])))

    def __iter__(self) -> Iterator["Masks"]:
        return (self[i] for i in range(len(self)))

    def cpu(self) -> "Masks":
        """Itself: everything is in memory."""
        return self

    def numpy(self) -> "Masks":
        """Itself: everything is NumPy."""
        return self

    @property
    def orig_shape(self) -> tuple[int, int]:
        """(height, width) of the photo."""
        return self.segments.size

    @cached_property
    def data(self) -> UInt8:
        """(N, H, W) uint8 0 or 1."""
        return self.segments.masks.stack().view(np.uint8)

    @cached_property
    def xy(self) -> list[Float]:
        """The outline of each mask's longest part, (K, 2) float32; (0, 2) for a mask without a pixel.

        As Ultralytics has them: through the border's own pixels, by column and row, what OpenCV's tools fill again.
        """
        return [longest(self.segments.masks.crop(i)) for i in range(len(self.segments))]

    @property
    def xyn(self) -> list[Float]:
        """`xy` as shares of the photo."""
        height, width = self.orig_shape
        scale: Float = np.array([width, height], np.float32)
        return [np.asarray(ring / scale, np.float32) for ring in self.xy]


def longest(mask: Crop) -> Float:
    """(K, 2) float32 columns and rows of the longest of a mask's outer contours."""
    contours, _ = cv2.findContours(mask.pixels.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    ring: Float = np.asarray(max(contours, key=len, default=np.zeros((0, 1, 2)))).reshape(-1, 2).astype(np.float32)
    return ring + np.array(mask.offset, np.float32)


@dataclass(frozen=True, eq=False)
class Results:
    """One photo's answer.

    orig_img: BGR uint8 (H, W, 3); path: of the photo; prompts: (N,) number of the prompt that each mask answers, None
    without prompts; segments: the same answer as this library's type; speed: milliseconds of each stage
    """

    orig_img: UInt8
    path: str
    segments: Segments
    prompts: npt.NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.segments)

    def __getitem__(self, index: Any) -> "Results":
        kept = np.atleast_1d(np.arange(len(self))[index])
        return Results(
            self.orig_img, self.path, self.segments.take(kept), None if self.prompts is None else self.prompts[kept]
        )

    def __iter__(self) -> Iterator["Results"]:
        return (self[i] for i in range(len(self)))

    @property
    def orig_shape(self) -> tuple[int, int]:
        """(height, width) of the photo."""
        return self.segments.size

    @property
    def names(self) -> dict[int, str]:
        """Class names by number."""
        return dict(enumerate(self.segments.names))

    @property
    def speed(self) -> dict[str, float]:
        """Milliseconds of each stage."""
        return {name: 1000 * seconds for name, seconds in self.segments.seconds.items()}

    @cached_property
    def boxes(self) -> Boxes:
        """Boxes, scores and classes."""
        s = self.segments
        return Boxes(s.boxes, s.scores, s.classes.astype(np.float32), s.size)

    @cached_property
    def masks(self) -> Masks:
        """Masks."""
        return Masks(self.segments)

    def cpu(self) -> "Results":
        """Itself: everything is in memory."""
        return self

    def numpy(self) -> "Results":
        """Itself: everything is NumPy."""
        return self

    def plot(self) -> UInt8:
        """The photo with masks tinted and outlined, BGR uint8 (H, W, 3)."""
        photo = np.ascontiguousarray(self.orig_img[..., ::-1])
        return np.ascontiguousarray(overlay.draw(photo, self.segments)[..., ::-1])

    def save(self, filename: str | PathLike[str] | None = None) -> str:
        """Writes `plot()` to a file, by default `results_NAME` in the working folder; returns its name."""
        file = Path(filename or f"results_{Path(self.path).name}")
        overlay.write(file, self.plot()[..., ::-1])
        return str(file)


class FastSAM:
    """Ultralytics' class.

    model: a checkpoint (.pt, .safetensors, .onnx) or a model's name
    """

    def __init__(self, model: str | PathLike[str] = "fastsam-tiny") -> None:
        self.model = Model(model)

    @property
    def names(self) -> dict[int, str]:
        """Class names by number."""
        return dict(enumerate(self.model.settings.names))

    def __call__(
        self,
        source: Any,
        bboxes: Any = None,
        points: Any = None,
        labels: Any = None,
        texts: Any = None,
        *,
        imgsz: int | Sequence[int] = 640,
        conf: float = 0.25,
        iou: float = 0.7,
        max_det: int = 300,
        retina_masks: bool = True,
        device: Any = None,
        refine: bool | Refiner | None = None,
        **others: Any,
    ) -> list[Results]:
        """Everything in photos, or what prompts mean in each of them.

        source: a path, folder or glob; a PIL image; a BGR uint8 array as OpenCV reads it; or a list of those
        bboxes: xyxy, one or several, each a prompt; points: x, y, all of them together one prompt, labels 1 or 0;
        nested one deeper, [[[x, y], ...], ...] with labels [[1, ...], ...], each list is a prompt of its own
        texts: words, or a list of them, each a prompt (needs the `text` extra)
        retina_masks: understood; masks are always at the photo's size
        refine: whether the second network draws the masks: by default those that answer boxes and points; True draws
        everything too; False chooses, by the first network's masks alone; a `Refiner` is True with that one. Words are
        answered by choice. The `conf` of a drawn mask is its predicted IoU, its box is that of its pixels.

        Raises UsageError for sources and prompts that make no sense.
        """
        others.pop("verbose", None)
        others.pop("stream", None)
        if others:
            warnings.warn(f"these have no meaning here: {', '.join(others)}", stacklevel=2)
        side = imgsz if isinstance(imgsz, int) else max(imgsz)  # the other side follows from the photo
        settings = {"imgsz": side, "conf": conf, "iou": iou, "max_det": max_det, "device": device}
        asked = not (bboxes is None and points is None and texts is None)
        drawing = refiner_of(self.model, asked if refine is None else refine) or False
        results = []
        for pixels, path in photos(source):
            segments, prompts = self.model(pixels, refine=False if asked else drawing, **settings), None
            if asked:
                with stage("prompts", segments.seconds):
                    segments, prompts = answers(segments, bboxes, points, labels, texts, drawing)
            results.append(Results(np.ascontiguousarray(pixels[..., ::-1]), path, segments, prompts))
        return results

    predict = __call__


def photos(source: Any, number: int = 0) -> Iterator[tuple[UInt8, str]]:
    """RGB pixels and a path of every photo of a source; what has no path is called by its number in the list."""
    if isinstance(source, (list, tuple)):
        for k, one in enumerate(source):
            yield from photos(one, k)
    elif isinstance(source, (str, PathLike)):
        for photo in find_photos([str(source)]):
            yield read_image(photo.file), str(photo.file)
    elif isinstance(source, np.ndarray):
        yield (
            from_array(source[..., ::-1] if source.ndim == 3 and source.shape[2] == 3 else source),
            f"image{number}.jpg",
        )
    else:
        yield read_image(source), f"image{number}.jpg"


def answers(
    segments: Segments, bboxes: Any, points: Any, labels: Any, texts: Any, refine: bool | Refiner
) -> tuple[Segments, npt.NDArray[np.int64]]:
    """The masks that answer, and the number of each one's prompt: boxes first, then points, then words."""
    found: list[list[Candidate]] = []
    if bboxes is not None:
        found += answer_boxes(segments, nested(bboxes), refine)
    if points is not None:
        found += [answer_points(segments, group, marks, refine) for group, marks in groups(points, labels)]
    if texts is not None:
        found += answer_texts(segments, [texts] if isinstance(texts, str) else list(texts))
    numbers = [number for number, candidates in enumerate(found) for _ in candidates]
    return gathered(segments, [c for candidates in found for c in candidates]), np.array(numbers, np.int64)


def groups(points: Any, labels: Any) -> Iterator[tuple[list[Any], Sequence[int] | None]]:
    """The points of each prompt with their labels."""
    several = isinstance(points, (list, tuple, np.ndarray)) and len(points) > 0
    first = points[0] if several else None
    deep = isinstance(first, (list, tuple, np.ndarray)) and len(first) > 0 and np.ndim(first[0]) == 1
    if not deep:
        yield nested(points), None if labels is None else whole_numbers(labels)
        return
    if labels is not None and len(labels) != len(points):
        raise UsageError(f"{len(points)} lists of points have {len(labels)} lists of labels: give one a list")
    for k, group in enumerate(points):
        yield nested(group), None if labels is None else whole_numbers(labels[k])


def whole_numbers(labels: Any) -> list[int]:
    """Labels as a flat list. Raises UsageError for what is no label."""
    flat = np.ravel(np.array(labels, dtype=object))
    if any(v not in (0, 1) for v in flat):
        raise UsageError(f"labels {labels!r} are not all 0 (background) or 1 (foreground)")
    return [int(v) for v in flat]
