"""What a photo's file holds, by the format's name.

Enters: `Segments`, picks. Leaves: names and bytes. Called by the command line and the service.
"""

from collections.abc import Iterator, Sequence

from fastsam.errors import UsageError
from fastsam.formats import FORMATS, coco, outlines, overlay, pictures
from fastsam.formats.items import categories, label_map
from fastsam.prompts import Pick
from fastsam.segments import Segments


def content(
    format_: str,
    photo: str,
    segments: Segments,
    picks: Sequence[Pick] | None = None,
    look: overlay.Look = overlay.TINTED,
) -> Iterator[tuple[str, bytes]]:
    """The one file of a format, under the name "", or the names and contents of a folder's files.

    photo: its name, or where it lies from the file's folder on, for the formats that say so
    picks: answers to write in place of everything; npz, partition and edges hold everything all the same
    look: how the overlay shows masks

    Raises UsageError for an unknown format, and where a format needs the photo and there is none.
    """
    if format_ == "cutouts":
        yield from pictures.cutouts(segments, picks)
        return
    made = single(format_, photo, segments, picks, look)
    yield "", made.encode() if isinstance(made, str) else made


def single(
    format_: str, photo: str, segments: Segments, picks: Sequence[Pick] | None, look: overlay.Look
) -> str | bytes:
    """The content of a format that is one file."""
    match format_:
        case "overlay":
            return pictures.png(overlay.draw(pictures.photo_of(segments), segments, picks, look)[..., ::-1])
        case "coco":
            file = coco.Instances()
            names = categories(segments.names, [pick.prompt for pick in picks or ()])
            file.add(photo, segments.size, names, coco.rows_of(segments, picks))
            return file.text
        case "npz":
            return segments.to_npz()
        case "labelme":
            return outlines.labelme(photo, segments, picks)
        case "yolo":
            return outlines.yolo(segments, picks)
        case "polygons":
            return outlines.geojson(segments, picks)
        case "png":
            return pictures.labels_png(label_map(segments, picks))
        case "partition":
            return pictures.labels_png(segments.partition().labels)
        case "edges":
            return pictures.edges_png(segments.edges())
    raise UsageError(f"unknown format {format_!r}: choose from {', '.join(FORMATS)}")
