"""`Segment`: one object of a photo, as a small value; and the picture of all objects that a notebook shows.

Enters: the masks of a photo and an index. Leaves: the properties of that object, decoded when they are read.
"""

import base64
import html
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.errors import without_photo
from fastsam.masks import rle
from fastsam.masks.cutout import cutout
from fastsam.masks.lazy import Masks
from fastsam.masks.polygons import Polygon
from fastsam.masks.runs import Runs
from fastsam.masks.tinted import draw_labels

UInt8 = npt.NDArray[np.uint8]
Bool = npt.NDArray[np.bool_]
Box = tuple[float, float, float, float]
SIDE = 400  # pixels: longer side of a notebook's picture
GREY = 200  # value of the background if there is no photo


@dataclass(frozen=True, eq=False, repr=False)
class Segment:
    """One object of a photo. `Segments` yields these.

    Two are equal if they have the same pixels, box, score and name, on photos of the same size.

    Attributes
    ----------
    index : int
        Index in the `Segments` it was taken from.
    score : float
        0..1.
    name : str
        Name of its class.
    masks : Masks
        All masks of that `Segments`.
    photo : uint8 array (H, W, 3) or None
        The photo in RGB, if it is known.

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
        """The pixels of the object, bool (H, W), the size of the photo."""
        return self.masks[self.index]

    @property
    def runs(self) -> Runs:
        """The pixels of the object as runs."""
        return self.masks.runs(self.index)

    @property
    def box(self) -> Box:
        """The box (x1, y1, x2, y2) in photo pixels."""
        x1, y1, x2, y2 = self.masks.boxes[self.index].tolist()
        return x1, y1, x2, y2

    @property
    def area(self) -> int:
        """The number of pixels."""
        return self.runs.area

    @property
    def rle(self) -> rle.RLE:
        """The mask as COCO RLE."""
        return rle.encode_runs([self.runs], self.masks.size)[0]

    @property
    def polygons(self) -> list[Polygon]:
        """The outlines in photo pixels, each with its holes."""
        return self.masks.to_polygons(self.index)

    @property
    def cutout(self) -> UInt8:
        """The object alone, uint8 RGBA (h, w, 4), with a softened edge. Raises UsageError if the photo is missing."""
        if self.photo is None:
            raise without_photo("a cut-out")
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
    """A small uint8 RGB picture (h, w, 3): the photo, or grey, with each mask tinted. Longer side: up to `SIDE`."""
    height, width = masks.size
    scale = min(1.0, SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    labels = cv2.resize(masks.label_map(), size, interpolation=cv2.INTER_NEAREST_EXACT)
    ground = np.full((size[1], size[0], 3), GREY, np.uint8)
    if photo is not None:
        ground = np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA), np.uint8)
    return draw_labels(ground, labels, outlines=False)


def html_of(text: str, picture: UInt8) -> str:
    """A caption and a uint8 RGB picture (H, W, 3) as self-contained HTML."""
    data = base64.b64encode(cv2.imencode(".png", picture[..., ::-1])[1].tobytes()).decode()
    image = f'<img alt="masks" src="data:image/png;base64,{data}">'
    return f"<figure>{image}<figcaption>{html.escape(text)}</figcaption></figure>"
