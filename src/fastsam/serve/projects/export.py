"""Files of what is labelled, for other programs, by the writers of `formats`.

Enters: `Labels` by photo. Leaves: a name and bytes. `FORMATS` lists what there is.
"""

import io
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.errors import UsageError
from fastsam.formats import coco, outlines, pictures
from fastsam.masks import rle
from fastsam.segments import Segments
from fastsam.serve.projects.labels import Labels, crop_of
from fastsam.serve.studio import brush

Photos = Iterable[tuple[str, Labels]]
Pixels = Callable[[str], npt.NDArray[np.uint8]]  # a photo's pixels by its name
Format = Literal["coco", "coco-polygons", "yolo", "labelme", "labelstudio", "voc", "cutouts"]


def exported(
    format_: Format, photos: Photos, classes: Sequence[str], pixels: Pixels | None = None
) -> tuple[str, bytes]:
    """Name and content of a file of that format.

    classes: names in the order of their numbers, of at least all that are used

    Raises UsageError for cut-outs without the photos' `pixels`.
    """
    if format_ in ("coco", "coco-polygons"):
        return "instances.json", coco_file(photos, classes, polygons=format_ == "coco-polygons").encode()
    if format_ == "labelstudio":
        return "labelstudio.json", json.dumps([task_of(name, one) for name, one in photos]).encode()
    if format_ == "cutouts" and pixels is None:
        raise UsageError("cut-outs of all photos need the photos: start the page with `fastsam label FOLDER`")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files_of(format_, photos, classes, pixels):
            archive.writestr(name, content)
    return f"{format_}.zip", packed.getvalue()


def files_of(
    format_: Format, photos: Photos, classes: Sequence[str], pixels: Pixels | None
) -> Iterator[tuple[str, Any]]:
    """Names and contents of the files of a folder."""
    for name, labels in photos:
        stem = str(PurePosixPath(name).with_suffix(""))
        if format_ == "yolo":
            yield f"labels/{stem}.txt", outlines.yolo(segments_of(labels, classes), None, 0.0)
        elif format_ == "labelme":
            yield f"{stem}.json", outlines.labelme(PurePosixPath(name).name, segments_of(labels, classes), None, 0.0)
        elif format_ == "voc":
            yield from voc(stem, labels, classes)
        else:
            assert pixels is not None
            segments = segments_of(labels, classes, pixels(name))
            for inner, content in pictures.cutouts(segments):
                yield f"{stem}/{inner}", content
    if format_ == "yolo":
        yield "classes.txt", outlines.classes(classes)
        names = "".join(f"  {k}: {json.dumps(' '.join(name.split()))}\n" for k, name in enumerate(classes))
        yield "data.yaml", f"path: .\ntrain: images\nval: images\nnames:\n{names}"
    if format_ == "voc":
        yield "labels.txt", outlines.classes(("_background_", *classes))


def segments_of(labels: Labels, classes: Sequence[str], photo: npt.NDArray[np.uint8] | None = None) -> Segments:
    """The objects of a photo as `Segments`, classes numbered as given. Raises UsageError if the photo does not fit."""
    size = (labels.height, labels.width)
    rows = [
        {"segmentation": {"size": list(size), "counts": one.counts}, "category_id": classes.index(one.name) + 1}
        for one in labels.objects
    ]
    kinds = [{"id": k + 1, "name": name} for k, name in enumerate(classes)]
    return Segments.from_masks(np.zeros((*size, 3), np.uint8) if photo is None else photo, rows, categories=kinds)


def coco_file(photos: Photos, classes: Sequence[str], polygons: bool) -> str:
    """COCO's instances of all photos."""
    file = coco.Instances()
    file.names = tuple(classes) or ("object",)
    for name, labels in photos:
        rows = coco.rows_of(segments_of(labels, classes), polygons=polygons)
        for row in rows:
            del row["score"]  # by a person
        file.add(name, (labels.height, labels.width), file.names, rows)
    return file.text


def task_of(name: str, labels: Labels) -> dict[str, Any]:
    """A task of Label Studio, whose prediction has a brush's mask for each object."""
    size = [labels.height, labels.width]
    results = [
        {
            "type": "brushlabels",
            "from_name": "label",
            "to_name": "image",
            "original_width": labels.width,
            "original_height": labels.height,
            "value": {
                "format": "rle",
                "rle": brush(rle.decode({"size": size, "counts": one.counts})),
                "brushlabels": [one.name],
            },
        }
        for one in labels.objects
    ]
    predictions = [{"model_version": "fastsam", "result": results}]
    return {"data": {"image": name}, "predictions": predictions if results else []}


def voc(stem: str, labels: Labels, classes: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """Pascal VOC's two pictures: each pixel's number of the class, and of the object; later objects on earlier ones."""
    kinds, numbers = (np.zeros((labels.height, labels.width), np.uint16) for _ in range(2))
    for number, one in enumerate(labels.objects):
        x, y, mask = crop_of(one, (labels.height, labels.width))
        own = slice(y, y + mask.shape[0]), slice(x, x + mask.shape[1])
        kinds[own][mask], numbers[own][mask] = classes.index(one.name) + 1, number + 1
    for folder, values in (("SegmentationClass", kinds), ("SegmentationObject", numbers)):
        yield (
            f"{folder}/{stem}.png",
            cv2.imencode(".png", values if values.max() > 255 else values.astype(np.uint8))[1].tobytes(),
        )
