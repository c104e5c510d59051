"""`Segment`: one object of a photo, as a small value; and the picture of all of them that a notebook shows.

Enters: the masks of a photo and an index. Leaves: what is known of that one, decoded when it is asked for.
"""

import base64
import html
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.errors import UsageError
from fastsam.masks import rle
from fastsam.masks.cutout import cutout
from fastsam.masks.lazy import Masks
from fastsam.masks.polygons import Polygon
from fastsam.masks.runs import Runs
from fastsam.masks.tinted import draw_labels

UInt8 = npt.NDArray[np.uint8]
Bool = npt.NDArray[np.bool_]
Box = tuple[float, float, float, float]
SIDE = 400  # pixels of the longer side of a notebook's picture
GREY = 200  # of the ground if the photo is not known


@dataclass(frozen=True, eq=False, repr=False)
class Segment:
    """One object. index: its number among the segments it was taken from; score: 0..1; name: of its class

    Two are equal if they have the same pixels on photos of the same size, the same box, score and name.

    Examples
    --------
    >>> cup = segments[0]
    >>> int(cup.mask.sum()) == cup.area
    True
    >>> cup.cutout.shape[2]
    4
    """

    index: int
    score: float
    name: str
    masks: Masks
    photo: UInt8 | None = None

    @property
    def mask(self) -> Bool:
        """Its pixels, bool (H, W) of the photo."""
        return self.masks[self.index]

    @property
    def runs(self) -> Runs:
        """Its pixels as runs."""
        return self.masks.runs(self.index)

    @property
    def box(self) -> Box:
        """x1, y1, x2, y2 in photo pixels."""
        x1, y1, x2, y2 = self.masks.boxes[self.index].tolist()
        return x1, y1, x2, y2

    @property
    def area(self) -> int:
        """Its pixels' number."""
        return self.runs.area

    @property
    def rle(self) -> rle.RLE:
        """Its COCO RLE."""
        return rle.encode_runs([self.runs], self.masks.size)[0]

    @property
    def polygons(self) -> list[Polygon]:
        """Its outlines in photo pixels, each with its holes."""
        return self.masks.to_polygons(self.index)

    @property
    def cutout(self) -> UInt8:
        """It alone, RGBA uint8 (h, w, 4), its edge softened. Raises UsageError if the photo is missing."""
        if self.photo is None:
            raise UsageError("a cut-out needs the photo, which a saved result lacks: Segments.load(file, photo=...)")
        return cutout(self.photo, self.masks.crop(self.index))[0]

    def __repr__(self) -> str:
        box = ", ".join(f"{v:.1f}" for v in self.box)
        return f"Segment({self.index}: {self.name!r}, score {self.score:.3f}, box ({box}), {self.area} pixels)"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Segment):
            return NotImplemented
        return self._key() == other._key() and self.rle == other.rle

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[object, ...]:
        return self.masks.size, self.box, self.score, self.name


def thumbnail(masks: Masks, photo: UInt8 | None) -> UInt8:
    """(h, w, 3) RGB: the photo, or grey, with each mask tinted, at most `SIDE` pixels along its longer side."""
    height, width = masks.size
    scale = min(1.0, SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    labels = cv2.resize(masks.label_map(), size, interpolation=cv2.INTER_NEAREST_EXACT)
    ground = np.full((size[1], size[0], 3), GREY, np.uint8)
    if photo is not None:
        ground = np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA), np.uint8)
    return draw_labels(ground, labels, outlines=False)


def html_of(text: str, picture: UInt8) -> str:
    """A line and a picture (H, W, 3) RGB as HTML that needs nothing else."""
    data = base64.b64encode(cv2.imencode(".png", picture[..., ::-1])[1].tobytes()).decode()
    image = f'<img alt="masks" src="data:image/png;base64,{data}">'
    return f"<figure>{image}<figcaption>{html.escape(text)}</figcaption></figure>"
