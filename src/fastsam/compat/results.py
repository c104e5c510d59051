"""Ultralytics' `Results`, `Boxes` and `Masks`, with arrays that take a tensor's calls.

Enters: a photo and its segments. Leaves: boxes, masks and outlines as arrays; tables, files and pictures.

`known.py` lists what works, what differs and what is missing.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fastsam.compat import drawing, records
from fastsam.compat.arrays import Array, array, picked
from fastsam.compat.known import Known
from fastsam.compat.outlines import outline
from fastsam.errors import UsageError, require
from fastsam.formats import overlay
from fastsam.segments import Segments

UInt8 = npt.NDArray[np.uint8]
STAGES = {"read": "preprocess", "letterbox": "preprocess", "network": "inference"}  # the others are postprocess


class Held(Known):
    """An object that is always in memory: the calls that move tensors return it unchanged."""

    def cpu(self) -> Any:
        """Itself: everything is in memory."""
        return self

    def cuda(self, *_: Any, **__: Any) -> Any:
        """Itself: arrays stay in memory, wherever the network runs."""
        return self

    def numpy(self) -> Any:
        """Itself: its arrays are NumPy arrays."""
        return self

    def to(self, *_: Any, **__: Any) -> Any:
        """Itself: arrays stay in memory, wherever the network runs."""
        return self


@dataclass(frozen=True, eq=False)
class Boxes(Held):
    """N boxes.

    data: (N, 6) float32, xyxy in photo pixels, score, class; with ids (N, 7), xyxy, id, score, class
    orig_shape: (height, width) of the photo
    """

    data: Array
    orig_shape: tuple[int, int]

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: Any) -> "Boxes":
        return Boxes(self.data[picked(len(self), index)], self.orig_shape)

    def __iter__(self) -> Iterator["Boxes"]:
        return (self[i] for i in range(len(self)))

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, 6), or (N, 7) with ids."""
        return tuple(self.data.shape)

    @property
    def is_track(self) -> bool:
        """Whether the boxes have ids, as from `FastSAM.track`."""
        return bool(self.data.shape[1] == 7)

    @property
    def id(self) -> Array | None:
        """(N,) ids, float32; None if there are none."""
        return array(self.data[:, 4]) if self.is_track else None

    @property
    def xyxy(self) -> Array:
        """(N, 4) x1, y1, x2, y2 in pixels."""
        return array(self.data[:, :4])

    @property
    def conf(self) -> Array:
        """(N,) scores."""
        return array(self.data[:, -2])

    @property
    def cls(self) -> Array:
        """(N,) classes, float32."""
        return array(self.data[:, -1])

    @property
    def xywh(self) -> Array:
        """(N, 4) centre x, y, width, height in pixels."""
        low, high = self.data[:, :2], self.data[:, 2:4]
        return array(np.concatenate(((low + high) / 2, high - low), 1))

    @property
    def xyxyn(self) -> Array:
        """xyxy as shares of the photo."""
        return array(self.xyxy / self._scale)

    @property
    def xywhn(self) -> Array:
        """xywh as shares of the photo."""
        return array(self.xywh / self._scale)

    @property
    def _scale(self) -> npt.NDArray[np.float32]:
        height, width = self.orig_shape
        return np.array([width, height, width, height], np.float32)


@dataclass(frozen=True, eq=False)
class Masks(Held):
    """N masks at the photo's size, decoded when they are first read."""

    _segments: Segments

    def __len__(self) -> int:
        return len(self._segments)

    def __getitem__(self, index: Any) -> "Masks":
        return Masks(self._segments.take(picked(len(self), index)))

    def __iter__(self) -> Iterator["Masks"]:
        return (self[i] for i in range(len(self)))

    @property
    def orig_shape(self) -> tuple[int, int]:
        """(height, width) of the photo."""
        return self._segments.size

    @property
    def shape(self) -> tuple[int, int, int]:
        """(N, height, width)."""
        return len(self), *self.orig_shape

    @cached_property
    def data(self) -> Array:
        """(N, H, W) uint8 0 or 1."""
        return array(self._segments.masks.stack().view(np.uint8))

    @cached_property
    def xy(self) -> list[Array]:
        """The outline of each mask, (K, 2) float32 in pixels, with its parts joined; (0, 2) for an empty mask."""
        return [array(outline(runs.crop())) for runs in self._segments.masks.all_runs()]

    @property
    def xyn(self) -> list[Array]:
        """`xy` as shares of the photo."""
        height, width = self.orig_shape
        return [array(ring / np.array([width, height], np.float32)) for ring in self.xy]


@dataclass(frozen=True, eq=False)
class Results(Held):
    """The result of one photo.

    orig_img: BGR uint8 (H, W, 3); path: of the photo, or of the video for a frame
    segments: the same result as `fastsam.Segments`
    prompts: (N,) index of the prompt that each mask answers, None without prompts
    save_dir: folder that the call wrote to, None if it wrote nothing
    """

    orig_img: UInt8
    path: str
    segments: Segments
    prompts: npt.NDArray[np.int64] | None = None
    save_dir: str | None = None

    probs = keypoints = obb = depth = semantic_mask = None

    def __len__(self) -> int:
        return len(self.segments)

    def __getitem__(self, index: Any) -> "Results":
        kept = picked(len(self), index)
        prompts = None if self.prompts is None else self.prompts[kept]
        return replace(self, segments=self.segments.take(kept), prompts=prompts)

    def __iter__(self) -> Iterator["Results"]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        height, width = self.orig_shape
        return f"<Results of {self.path}, {width} x {height}: {self.verbose().rstrip(', ')}>"

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
        """Milliseconds of `preprocess`, `inference` and `postprocess`."""
        spent = dict.fromkeys(("preprocess", "inference", "postprocess"), 0.0)
        for name, seconds in self.segments.seconds.items():
            spent[STAGES.get(name, "postprocess")] += 1000 * seconds
        return spent

    @cached_property
    def boxes(self) -> Boxes:
        """Boxes, scores and classes."""
        s = self.segments
        ids = () if s.tracks is None else (s.tracks[:, None],)
        columns = (s.boxes, *ids, s.scores[:, None], s.classes[:, None])
        return Boxes(array(np.concatenate(columns, 1, dtype=np.float32)), s.size)

    @cached_property
    def masks(self) -> Masks:
        """Masks."""
        return Masks(self.segments)

    def new(self) -> "Results":
        """The same photo with an empty result."""
        return self[:0]

    def verbose(self) -> str:
        """The number of objects per class, such as `2 cups, 1 table, `."""
        return records.counted(self)

    def plot(
        self,
        conf: bool = True,
        line_width: float | None = None,
        font_size: float | None = None,
        font: str = "",
        pil: bool = False,
        img: Any = None,
        kpt_radius: int = 5,
        kpt_line: bool = True,
        labels: bool = True,
        boxes: bool = True,
        masks: bool = True,
        probs: bool = True,
        show: bool = False,
        save: bool = False,
        filename: str | PathLike[str] | None = None,
        color_mode: str = "instance",
        txt_color: tuple[int, int, int] = (255, 255, 255),
    ) -> Any:
        """The photo with tinted, outlined masks, and boxes with labels: BGR uint8 (H, W, 3).

        conf, labels, boxes, masks: which of these to draw; line_width: pixels; font_size: height of letters in pixels
        img: a picture to draw on instead of the photo, BGR uint8 (H, W, 3); pil: True returns a PIL image (RGB)
        color_mode: `instance`, or `class` for one colour per class; txt_color: RGB
        show, save: also call these methods, `save` with `filename`
        font, kpt_radius, kpt_line, probs: accepted for compatibility, ignored
        """
        picture = drawing.draw(
            self, img, conf, labels, boxes, masks, line_width, font_size, color_mode == "class", txt_color
        )
        if save:
            overlay.write(self._picture_file(filename), picture[..., ::-1])
        if show:
            shown(picture, self.path)
        return pil_image(picture) if pil else picture

    def show(self, *options: Any, **named: Any) -> None:
        """Shows `plot(...)` in a window or a notebook. Needs Pillow."""
        self.plot(*options, **named | {"show": True})

    def save(self, filename: str | PathLike[str] | None = None, *options: Any, **named: Any) -> str:
        """Writes `plot(...)` to a file, by default `results_NAME` in the working folder; returns its name."""
        file = self._picture_file(filename)
        overlay.write(file, self.plot(*options, **named)[..., ::-1])
        return str(file)

    def _picture_file(self, filename: str | PathLike[str] | None) -> Path:
        return Path(filename or f"results_{Path(self.path).name}")

    def summary(self, normalize: bool = False, decimals: int = 5) -> list[dict[str, Any]]:
        """One dictionary per mask: `name`, `class`, `confidence`, `box` (x1, y1, x2, y2), `segments` (x and y).

        normalize: coordinates as shares of the photo instead of pixels; decimals: of every number
        """
        return records.summary(self, normalize, decimals)

    def to_json(self, normalize: bool = False, decimals: int = 5) -> str:
        """`summary` as JSON."""
        return records.to_json(self.summary(normalize, decimals))

    def to_csv(self, normalize: bool = False, decimals: int = 5) -> str:
        """`summary` as CSV with a header."""
        return records.to_csv(self.summary(normalize, decimals))

    def to_df(self, normalize: bool = False, decimals: int = 5) -> Any:
        """`summary` as a pandas table. Raises UsageError if pandas is not installed."""
        return records.to_df(self.summary(normalize, decimals))

    def save_txt(self, txt_file: str | PathLike[str], save_conf: bool = False) -> str:
        """Appends YOLO labels to a file, one line per mask: class, outline as shares, score with `save_conf`."""
        return records.save_txt(self, Path(txt_file), save_conf)

    def save_crop(self, save_dir: str | PathLike[str], file_name: str | PathLike[str] = "im.jpg") -> None:
        """Writes the part of the photo inside each box to `save_dir/CLASS/`: im.jpg, im-2.jpg and so on."""
        records.save_crop(self, Path(save_dir), Path(file_name).stem)


def pil_image(picture: UInt8) -> Any:
    """A BGR picture as a PIL image. Raises UsageError if Pillow is not installed."""
    try:
        from PIL import Image
    except ModuleNotFoundError:
        raise UsageError("Pillow is not installed: pip install pillow, or use save(), which does not need it") from None
    return Image.fromarray(np.ascontiguousarray(picture[..., ::-1]))


def shown(picture: UInt8, title: str) -> None:
    """Shows a BGR picture: below the cell in a notebook, in the system's viewer elsewhere."""
    image = pil_image(picture)
    try:
        inside = require("IPython", "dev").get_ipython() is not None
    except UsageError:
        inside = False
    if inside:
        from IPython.display import display

        display(image)  # type: ignore[no-untyped-call]
    else:
        image.show(title=title)
