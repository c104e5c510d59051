"""What is kept of one photo: objects with names and masks, as the page sends them and as a labelme file holds them.

Enters: JSON of the page, bytes of a file. Leaves: `Labels`, bytes. A mask is COCO's RLE on the page and labelme's shape
"mask" in the file: a PNG of the object's box, to the pixel. Files of others hold polygons, rectangles and circles too.
"""

import base64
import json
from collections.abc import Sequence
from typing import Annotated, Any, TypeGuard

import cv2
import numpy as np
import numpy.typing as npt
from pydantic import ConfigDict, Field, model_validator

from fastsam.errors import UsageError
from fastsam.formats.outlines import LABELME
from fastsam.masks import rle
from fastsam.serve.problems import Problem
from fastsam.serve.schemas import RUNS, Strict

Bool = npt.NDArray[np.bool_]
SIDE = 65_535  # pixels of a photo's side
AREA = 1 << 31  # pixels of the boxes of all masks of a photo together
AREAS = ("polygon", "rectangle", "circle", "mask")  # labelme's shapes that enclose something


EXAMPLE: dict[str, Any] = {"version": None, "width": 3, "height": 2, "objects": [{"name": "cup", "counts": "222"}]}


class Object(Strict):
    """One object. counts: COCO's letters of its mask, on the whole photo"""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    counts: Annotated[str, Field(max_length=RUNS, pattern=r"^[0-o]*$")]
    hidden: bool = False
    locked: bool = False


class Labels(Strict):
    """All objects of a photo, the last on top.

    version: of the file that they were read from; null if there is none
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE]})

    version: Annotated[str, Field(max_length=64)] | None = None
    width: Annotated[int, Field(ge=1, le=SIDE)]
    height: Annotated[int, Field(ge=1, le=SIDE)]
    done: bool = False
    objects: Annotated[list[Object], Field(default_factory=list, max_length=10_000)]

    @model_validator(mode="after")
    def fits(self) -> "Labels":
        area = 0
        for number, one in enumerate(self.objects):
            try:
                counts = rle.decompress(one.counts)
            except (ValueError, OverflowError) as error:
                raise ValueError(f"the mask of object {number} cannot be read: {error}") from None
            whole = self.width * self.height
            if not len(counts) or ((counts < 0) | (counts > whole)).any() or counts.sum() != whole:
                raise ValueError(f"the mask of object {number} does not fit {self.width} x {self.height} pixels")
            area += int(counts[1 : len(counts) - len(counts) % 2].sum())  # from the first pixel to the last
        if area > AREA:
            raise ValueError("these are more masks than can be kept of one photo: delete some")
        return self


def demand_fit(labels: Labels, pixels: int) -> None:
    """Raises a problem (413) for a photo with more than so many pixels."""
    if labels.width * labels.height > pixels:
        raise Problem(413, f"{labels.width} x {labels.height} pixels are more than {pixels}")


def crop_of(one: Object, size: tuple[int, int]) -> tuple[int, int, Bool]:
    """Left, top and pixels of a mask within its own box; no pixels if it is empty."""
    height, _ = size
    counts = rle.decompress(one.counts)
    borders = np.concatenate(([0], counts.cumsum()))
    starts, ends = borders[1:-1:2], borders[2::2]
    starts, ends = starts[ends > starts], ends[ends > starts]
    if not len(starts):
        return 0, 0, np.zeros((0, 0), bool)
    first, last = int(starts[0] // height), int((ends[-1] - 1) // height)
    flat = np.zeros((last + 1 - first) * height + 1, np.int8)
    np.add.at(flat, starts - first * height, 1)
    np.add.at(flat, ends - first * height, -1)
    columns = flat[:-1].cumsum(dtype=np.int8).reshape(-1, height).T > 0
    rows = np.flatnonzero(columns.any(1))
    return first, int(rows[0]), columns[rows[0] : rows[-1] + 1]


def written(labels: Labels, photo: str, old: dict[str, Any]) -> bytes:
    """A labelme file. old: what the file held before; what labelme knows of it and this page does not stays."""
    size = (labels.height, labels.width)
    shapes = [shape for one in labels.objects if (shape := shape_of(one, size))]
    others = [shape for shape in listed(old, "shapes") if not encloses(shape)]
    flags = old["flags"] if isinstance(old.get("flags"), dict) else {}
    content = {
        "version": LABELME,
        "flags": {"done": labels.done, **{key: value for key, value in flags.items() if key != "done"}},
        "imagePath": photo,
        "imageData": None,
        "imageHeight": labels.height,
        "imageWidth": labels.width,
    }
    kept = {key: value for key, value in old.items() if key not in content and key != "shapes"}
    return json.dumps({**content, **kept, "shapes": shapes + others}).encode()


def shape_of(one: Object, size: tuple[int, int]) -> dict[str, Any] | None:
    """labelme's shape of an object, None without a pixel."""
    left, top, pixels = crop_of(one, size)
    if not pixels.size:
        return None
    height, width = pixels.shape
    _, png = cv2.imencode(".png", pixels.astype(np.uint8) * 255)
    return {
        "label": one.name,
        "points": [[left, top], [left + width - 1, top + height - 1]],
        "group_id": None,
        "description": "",
        "shape_type": "mask",
        "flags": {key: True for key in ("hidden", "locked") if getattr(one, key)},
        "mask": base64.b64encode(png.tobytes()).decode(),
    }


def listed(content: dict[str, Any], key: str) -> list[Any]:
    """A list of a file of strangers, empty if it has none."""
    found = content.get(key)
    return found if isinstance(found, list) else []


def rows_by_photo(content: dict[str, Any]) -> dict[str, list[tuple[Any, str]]]:
    """Segmentations and names by photo, of a COCO file; what is no such file has none."""
    try:
        names = {row["id"]: str(row["name"])[:200] or "object" for row in listed(content, "categories")}
        photos = {row["id"]: str(row["file_name"]) for row in listed(content, "images")}
        found: dict[str, list[tuple[Any, str]]] = {}
        for row in listed(content, "annotations"):
            if row.get("segmentation"):
                found.setdefault(photos[row["image_id"]], []).append(
                    (row["segmentation"], names.get(row.get("category_id"), "object"))
                )
        return found
    except (KeyError, TypeError, AttributeError):
        return {}


def is_side(value: Any) -> TypeGuard[int]:
    """Whether a file's width or height may be one."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= SIDE


def encloses(shape: Any) -> bool:
    """Whether a shape becomes an object here. Points and lines do not; they stay in the file."""
    return isinstance(shape, dict) and (shape.get("shape_type") or "polygon") in AREAS


def read(content: dict[str, Any], size: tuple[int, int]) -> list[Object]:
    """The objects of a labelme file of a photo of `size` (height, width): shapes of one group and label are one.

    Raises UsageError for what is none.
    """
    found = []
    for number, shapes in enumerate(grouped(content)):
        try:
            left, top, mask = area_of(shapes, size)
        except (KeyError, TypeError, ValueError, IndexError, OverflowError, cv2.error) as error:
            raise UsageError(f"object {number} cannot be read: {' '.join(str(error).split())[:100]}") from None
        if mask.any():
            found.append(object_of(mask, name_of(shapes), shapes[0].get("flags"), (left, top), size))
    return found


def grouped(content: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """The shapes of each object of a labelme file."""
    groups: dict[Any, list[dict[str, Any]]] = {}
    for number, shape in enumerate(shape for shape in listed(content, "shapes") if encloses(shape)):
        group = shape.get("group_id")
        groups.setdefault(number if group is None else (str(shape.get("label")), str(group)), []).append(shape)
    return list(groups.values())


def name_of(shapes: list[dict[str, Any]]) -> str:
    """The name of an object by its shapes."""
    return str(shapes[0].get("label") or "object")[:200]


def object_of(
    mask: Bool, name: str, flags: Any = None, offset: tuple[int, int] = (0, 0), size: tuple[int, int] | None = None
) -> Object:
    """An object of a mask (h, w) that lies at `offset` (left, top) in a photo of `size`."""
    known = flags if isinstance(flags, dict) else {}
    counts = rle.encode(mask, offset, size)["counts"]
    return Object(name=name, counts=counts, hidden=known.get("hidden") is True, locked=known.get("locked") is True)


def area_of(shapes: list[dict[str, Any]], size: tuple[int, int]) -> tuple[int, int, Bool]:
    """Left, top and pixels of all shapes together. Raises ValueError and others for what is none."""
    rings = [corners_of(shape) for shape in shapes]
    low = np.clip(np.floor(np.min([ring.min(0) for ring in rings], axis=0)), 0, size[::-1]).astype(int)
    high = np.clip(np.floor(np.max([ring.max(0) for ring in rings], axis=0)) + 1, 0, size[::-1]).astype(int)
    canvas = np.zeros((high - low)[::-1], np.uint8)
    for shape, ring in zip(shapes, rings, strict=True):
        if canvas.size:
            draw(canvas, shape, np.floor(ring).astype(np.int32) - low.astype(np.int32))
    return int(low[0]), int(low[1]), canvas > 0


def corners_of(shape: dict[str, Any]) -> npt.NDArray[np.float64]:
    """Corners (N, 2) of a shape, or of the box about a circle."""
    points = np.asarray(shape["points"], np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all() or np.abs(points).max(initial=0) > 1e6:
        raise ValueError("its points are no list of x, y")
    kind = shape.get("shape_type") or "polygon"
    if len(points) < (3 if kind == "polygon" else 2):
        raise ValueError(f"a {kind} needs more points")
    if kind == "circle":
        radius = float(np.hypot(*(points[1] - points[0])))
        return np.array([points[0] - radius, points[0] + radius])
    return points


def draw(canvas: npt.NDArray[np.uint8], shape: dict[str, Any], corners: npt.NDArray[np.int32]) -> None:
    """Sets the pixels of a shape. Raises ValueError for a mask that is not of its box's size."""
    kind = shape.get("shape_type") or "polygon"
    if kind == "polygon":
        cv2.fillPoly(canvas, [corners], 1)  # with its border, as labelme fills it
        return
    (x0, y0), (x1, y1) = corners.min(0).tolist(), corners.max(0).tolist()
    if kind == "circle":
        cv2.circle(canvas, ((x0 + x1) // 2, (y0 + y1) // 2), (x1 - x0) // 2, 1, -1)
        return
    part = canvas[max(0, y0) : max(0, y1 + 1), max(0, x0) : max(0, x1 + 1)]
    if kind == "rectangle":
        part[:] = 1
        return
    pixels = unpacked(shape["mask"], x1 + 1 - x0, y1 + 1 - y0)
    if part.shape != pixels.shape:
        raise ValueError("its mask lies outside of the photo")
    part |= pixels


def unpacked(mask: Any, width: int, height: int) -> npt.NDArray[np.uint8]:
    """The pixels of a mask's PNG. Raises ValueError unless it is of that size, before it is decoded."""
    png = base64.b64decode(mask, validate=True)
    size = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    if png[:8] != b"\x89PNG\r\n\x1a\n" or png[16:24] != size:
        raise ValueError(f"its mask is no PNG of {width} x {height} pixels")
    pixels = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE)
    if pixels is None or pixels.shape != (height, width):
        raise ValueError("its mask is damaged")
    return np.asarray(pixels > 0, np.uint8)


def names_of(labels: Sequence[Labels]) -> list[str]:
    """The names that are used, each once."""
    return list(dict.fromkeys(one.name for each in labels for one in each.objects))
