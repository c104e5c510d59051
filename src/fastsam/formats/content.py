"""What a photo's file holds, by the format's name.

Enters: `Segments`, picks. Leaves: names and bytes. Called by the command line and the service.
"""

from collections.abc import Iterator, Sequence

from fastsam.errors import UsageError
from fastsam.formats import FORMATS, TOLERANCE, coco, outlines, overlay, pictures
from fastsam.formats.items import categories, label_map
from fastsam.prompts import Pick
from fastsam.segments import Segments
from fastsam.values import number


def content(
    format_: str,
    photo: str,
    segments: Segments,
    picks: Sequence[Pick] | None = None,
    *,
    tolerance: float | None = None,
    polygons: bool = False,
) -> Iterator[tuple[str, bytes]]:
    """The one file of a format, under the name "", or the names and contents of a folder's files.

    photo: its name, or where it lies from the file's folder on, for the formats that say so
    picks: answers to write in place of everything; npz, partition and edges hold everything all the same
    tolerance, polygons: as in `check`; formats without outlines ignore them

    Raises UsageError for an unknown format, and where a format needs the photo and there is none.
    """
    if format_ == "cutouts":
        yield from pictures.cutouts(segments, picks)
        return
    made = single(format_, photo, segments, picks, tolerance, polygons)
    yield "", made.encode() if isinstance(made, str) else made


def check(formats: Sequence[str], tolerance: float | None, polygons: bool) -> None:
    """Raises UsageError for options that mean nothing for any of these formats.

    tolerance: pixels by which a corner that is left out lies from its outline at most, by default those of `TOLERANCE`
    polygons: whether coco has polygons instead of RLE
    """
    if polygons and "coco" not in formats:
        raise UsageError("polygons in place of RLE need the format coco")
    if tolerance is None:
        return
    number(tolerance, "tolerance", most=None)
    if not any(name in TOLERANCE and (name != "coco" or polygons) for name in formats):
        raise UsageError("a tolerance needs a format with outlines: labelme, yolo, polygons, or coco with polygons")


def single(
    format_: str,
    photo: str,
    segments: Segments,
    picks: Sequence[Pick] | None,
    tolerance: float | None,
    polygons: bool,
) -> str | bytes:
    """The content of a format that is one file."""
    near = TOLERANCE.get(format_, 0.0) if tolerance is None else tolerance
    match format_:
        case "overlay":
            return pictures.png(overlay.draw(pictures.photo_of(segments), segments, picks)[..., ::-1])
        case "coco":
            file = coco.Instances()
            names = categories(segments.names, [pick.prompt for pick in picks or ()])
            file.add(photo, segments.size, names, coco.rows_of(segments, picks, polygons, near))
            return file.text
        case "npz":
            return segments.to_npz()
        case "labelme":
            return outlines.labelme(photo, segments, picks, near)
        case "yolo":
            return outlines.yolo(segments, picks, near)
        case "polygons":
            return outlines.geojson(segments, picks, near)
        case "png":
            return pictures.labels_png(label_map(segments, picks))
        case "partition":
            return pictures.labels_png(segments.partition().labels)
        case "edges":
            return pictures.edges_png(segments.edges())
    raise UsageError(f"unknown format {format_!r}: choose from {', '.join(FORMATS)}")
