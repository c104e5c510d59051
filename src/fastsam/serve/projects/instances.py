"""One COCO file that holds what is kept of all photos of a folder: `instances.json`.

Enters: the file's content, a photo's `Labels`. Leaves: `Labels`, the content with them. Rows whose mask and name stay
are left as they are, with whatever other programs wrote in them; so is all else in the file. Three fields are our own:
`done` of an image, `hidden` and `locked` of an annotation.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from fastsam.boxes import xywh
from fastsam.errors import UsageError
from fastsam.masks import annotations, rle
from fastsam.masks.runs import of_pixels
from fastsam.serve.projects import labels as files
from fastsam.serve.projects.labels import Labels, Object

FILE = "instances.json"
MARK = "labelled_with"  # key of `info` in a file that `fastsam label` keeps
Content = dict[str, Any]


def is_kept(head: bytes) -> bool:
    """Whether the first bytes are those of a file that `fastsam label` keeps."""
    return f'"{MARK}"'.encode() in head


def images_of(content: Content) -> dict[str, dict[str, Any]]:
    """Images by their name."""
    images = [one for one in files.listed(content, "images") if isinstance(one, dict)]
    return {str(one.get("file_name")): one for one in images}


def image_of(content: Content, photo: str) -> dict[str, Any] | None:
    """The image of that name."""
    return images_of(content).get(photo)


def rows_of(content: Content, image: dict[str, Any]) -> list[dict[str, Any]]:
    """The annotations of an image that have a mask."""
    return [
        one for one in files.listed(content, "annotations") if is_area(one) and one.get("image_id") == image.get("id")
    ]


def is_area(row: Any) -> bool:
    """Whether an annotation has a mask; others stay in the file."""
    return isinstance(row, dict) and bool(row.get("segmentation"))


def kinds_of(content: Content) -> dict[Any, str]:
    """Names of categories by their id."""
    kinds = [one for one in files.listed(content, "categories") if isinstance(one, dict)]
    return {one.get("id"): str(one.get("name") or "object")[:200] for one in kinds}


def version_of(content: Content, photo: str) -> str | None:
    """The checksum of all that the file has of a photo, None if it has nothing."""
    image = image_of(content, photo)
    if image is None:
        return None
    rows, kinds = rows_of(content, image), kinds_of(content)
    said = json.dumps([image, [[row, kinds.get(row.get("category_id"))] for row in rows]], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def objects_of(content: Content, image: dict[str, Any], size: tuple[int, int]) -> list[tuple[Object, dict[str, Any]]]:
    """Objects of an image, each with its row. Raises UsageError for what is no mask of that size (height, width)."""
    kinds = kinds_of(content)
    try:
        return [
            (object_of(row, kinds.get(row.get("category_id"), "object"), size), row) for row in rows_of(content, image)
        ]
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise UsageError(f"the annotations of {image.get('file_name')} cannot be read: {str(error)[:100]}") from None


def object_of(row: dict[str, Any], name: str, size: tuple[int, int]) -> Object:
    """The object of an annotation."""
    packed = row["segmentation"]
    if isinstance(packed, dict) and tuple(packed.get("size") or ()) != size:
        raise ValueError(f"a mask is of {packed.get('size')} pixels, the photo of {list(size)}")
    if isinstance(packed, dict) and isinstance(packed.get("counts"), str):
        counts = packed["counts"]
    else:
        counts = rle.encode(annotations.decode(packed, size))["counts"]
    return Object(name=name, counts=counts, hidden=row.get("hidden") is True, locked=row.get("locked") is True)


def states_of(content: Content) -> dict[str, tuple[bool, Counter[str]]]:
    """Of each image by its name whether it is done, and how many objects each class has."""
    kinds = kinds_of(content)
    images = images_of(content)
    found = {name: (one.get("done") is True, Counter[str]()) for name, one in images.items()}
    names = {str(one.get("id")): name for name, one in images.items()}
    for row in files.listed(content, "annotations"):
        if is_area(row) and str(row.get("image_id")) in names:
            found[names[str(row.get("image_id"))]][1][kinds.get(row.get("category_id"), "object")] += 1
    return found


def labels_of(content: Content, photo: str, size: tuple[int, int]) -> Labels | None:
    """What the file has of a photo; None if it has nothing. size: (height, width) if the file does not say it."""
    image = image_of(content, photo)
    if image is None:
        return None
    high, wide = image.get("height"), image.get("width")
    height, width = (high, wide) if files.is_side(high) and files.is_side(wide) else size
    objects = [one for one, _ in objects_of(content, image, (height, width))]
    version, done = version_of(content, photo), image.get("done") is True
    return Labels(version=version, width=width, height=height, done=done, objects=objects)


def with_labels(content: Content, photo: str, labels: Labels) -> Content:
    """The content with what is kept of a photo. Raises UsageError if what it has of it cannot be read."""
    size = (labels.height, labels.width)
    image = image_of(content, photo)
    old = [] if image is None else objects_of(content, image, size)
    images, made = with_image(files.listed(content, "images"), image, photo, labels)
    kinds, numbers = with_kinds(content, [one.name for one in labels.objects])
    gone = {id(row) for _, row in old}
    every = files.listed(content, "annotations")
    own = [{"image_id": made.get("id"), "category_id": numbers[one.name]} for one in labels.objects]
    rows = [row for row in every if id(row) not in gone] + rows_with(labels.objects, own, old, size, following(every))
    info = content["info"] if isinstance(content.get("info"), dict) else {}
    rest = {key: value for key, value in content.items() if key != "info"}
    return {"info": {MARK: "fastsam", **info}, **rest, "images": images, "annotations": rows, "categories": kinds}


def with_image(
    images: list[Any], image: dict[str, Any] | None, photo: str, labels: Labels
) -> tuple[list[Any], dict[str, Any]]:
    """The images with that of a photo, and that one; `image` is what they have of it."""
    if image is None:
        made = {"id": following(images), "file_name": photo, "width": labels.width, "height": labels.height}
        every = [*images, made]
    else:
        made = {key: value for key, value in image.items() if key != "done"}
        every = [made if one is image else one for one in images]
    if labels.done:
        made["done"] = True
    return every, made


def with_kinds(content: Content, names: Sequence[str]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The categories with those names, and the number of each name; the first one's if a name has several."""
    kinds = [one for one in files.listed(content, "categories") if isinstance(one, dict)]
    numbers = {str(one.get("name")): one.get("id") for one in reversed(kinds)}
    for name in dict.fromkeys(names):
        if name not in numbers:
            numbers[name] = following(kinds)
            kinds.append({"id": numbers[name], "name": name})
    return kinds, numbers


def rows_with(
    objects: Sequence[Object],
    ids: Sequence[dict[str, Any]],
    old: Sequence[tuple[Object, dict[str, Any]]],
    size: tuple[int, int],
    free: int,
) -> list[dict[str, Any]]:
    """The annotations of objects: the old row of one that is as before, else a new one. free: its number"""
    known = {(one.name, one.counts): row for one, row in reversed(old)}
    made = []
    for one, own in zip(objects, ids, strict=True):
        row = known.pop((one.name, one.counts), None)
        if row is None:
            row, free = row_of(one, size, {"id": free, **own}), free + 1
        if row is not None:
            flags = {key: True for key in ("hidden", "locked") if getattr(one, key)}
            made.append({key: value for key, value in row.items() if key not in ("hidden", "locked")} | flags)
    return made


def row_of(one: Object, size: tuple[int, int], ids: dict[str, Any]) -> dict[str, Any] | None:
    """COCO's annotation of an object, None without a pixel."""
    packed: Any = {"size": list(size), "counts": one.counts}
    runs = of_pixels(rle.decode(packed))
    if not runs.area:
        return None
    return {**ids, "segmentation": packed, "area": runs.area, "bbox": xywh(runs.bounds), "iscrowd": 0}


def following(rows: list[Any]) -> int:
    """A number that no row has."""
    return max((one["id"] for one in rows if isinstance(one, dict) and isinstance(one.get("id"), int)), default=0) + 1


def renamed(content: Content, old: str, new: str) -> Content:
    """The content with another name of a category."""
    kinds = [{**one, "name": new} if one.get("name") == old else one for one in files.listed(content, "categories")]
    return {**content, "categories": kinds}
