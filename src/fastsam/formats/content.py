"""The table of formats: what files are called, what they hold, and what makes them.

Enters: `Segments`, picks, the name of a format. Leaves: names and contents, or files in a folder.
"""

import io
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from fastsam.errors import UsageError
from fastsam.files import make_folder
from fastsam.files import write as write_file
from fastsam.formats import coco, outlines, overlay, pictures
from fastsam.formats.items import categories, label_map
from fastsam.masks.partition import Partition
from fastsam.prompts import Pick
from fastsam.segments import Segments
from fastsam.values import number


@dataclass(frozen=True)
class Options:
    """How files are written. Options that mean nothing for a format are ignored.

    tolerance: pixels by which outlines may be simplified; None for the format's default
    polygons: whether coco has polygons instead of RLE; look: how the overlay shows masks
    fill: whether a partition assigns uncovered pixels to the nearest mask
    """

    tolerance: float | None = None
    polygons: bool = False
    look: overlay.Look = overlay.TINTED
    fill: bool = False


DEFAULT = Options()


@dataclass(frozen=True, eq=False)
class Subject:
    """What is written: the result of one photo.

    photo: its name; path: its path from the file's folder on, for formats that point to the photo
    picks: answers to write instead of everything
    """

    photo: str
    segments: Segments
    picks: Sequence[Pick] | None = None
    options: Options = DEFAULT
    path: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The names that its masks may have."""
        return categories(self.segments.names, [pick.prompt for pick in self.picks or ()])

    @cached_property
    def partition(self) -> Partition:
        """The photo divided among its masks."""
        return self.segments.partition(fill=self.options.fill)

    def tolerance(self, default: float) -> float:
        """The tolerance of outlines in pixels. default: the format's own"""
        return default if self.options.tolerance is None else self.options.tolerance


@dataclass(frozen=True)
class Together:
    """A file about all photos of a set.

    name: its name; entry: what a photo adds to it; text: its content, from the entries in order
    """

    name: str
    entry: Callable[[Subject], Any]
    text: Callable[[Sequence[Any]], str]


@dataclass(frozen=True)
class Format:
    """One way to write a photo.

    suffix: what follows the photo's name in the name of the file or folder
    make: the content of the file, or names and contents of the files in the folder
    together: the file about all photos of a set; own: whether each photo of a set has a file of its own
    everything: whether it holds all masks even if there are prompts
    tolerance: default tolerance of its outlines in pixels, None if it has none
    polygons: whether its outlines take the place of RLE only if asked for
    uses_photo: whether it needs the photo's pixels; needs_file: whether it points to the photo's file
    remark: what else to tell the user about it
    """

    name: str
    suffix: str
    make: Callable[[Subject], str | bytes | Iterator[tuple[str, bytes]]]
    together: Together | None = None
    own: bool = True
    everything: bool = False
    tolerance: float | None = None
    polygons: bool = False
    uses_photo: bool = False
    needs_file: bool = False
    remark: Callable[[Subject], str] | None = None


def drawn(s: Subject) -> bytes:
    """The photo with its masks, as PNG."""
    return pictures.png(overlay.draw(pictures.photo_of(s.segments), s.segments, s.picks, s.options.look)[..., ::-1])


def coco_entry(s: Subject) -> coco.Entry:
    """What a photo adds to a COCO file."""
    rows = coco.rows_of(s.segments, s.picks, s.options.polygons, s.tolerance(coco.TOLERANCE))
    return s.photo, s.segments.size, s.names, rows


_TABLE = (
    Format("overlay", ".png", drawn, uses_photo=True),
    Format(
        "coco", ".json", lambda s: coco.text([coco_entry(s)]),
        Together("instances.json", coco_entry, coco.text), own=False, tolerance=coco.TOLERANCE, polygons=True,
    ),
    Format("npz", ".npz", lambda s: s.segments.to_npz(), everything=True),
    Format(
        "labelme", ".json",
        lambda s: outlines.labelme(s.path or s.photo, s.segments, s.picks, s.tolerance(outlines.TOLERANCE)),
        tolerance=outlines.TOLERANCE, needs_file=True,
    ),
    Format(
        "yolo", ".txt", lambda s: outlines.yolo(s.segments, s.picks, s.tolerance(outlines.TOLERANCE)),
        Together("classes.txt", lambda s: s.names, lambda names: outlines.classes(names[-1])),
        tolerance=outlines.TOLERANCE,
    ),
    Format(
        "polygons", ".geojson", lambda s: outlines.geojson(s.segments, s.picks, s.tolerance(outlines.EXACT)),
        tolerance=outlines.EXACT,
    ),
    Format("png", "-labels.png", lambda s: pictures.labels_png(label_map(s.segments, s.picks))),
    Format(
        "partition", "-partition.png", lambda s: pictures.labels_png(s.partition.labels), everything=True,
        remark=lambda s: f"masks cover {100 * s.partition.coverage:.1f}%",
    ),
    Format("edges", "-edges.png", lambda s: pictures.edges_png(s.segments.edges()), everything=True, uses_photo=True),
    Format("cutouts", "-cutouts", lambda s: pictures.cutouts(s.segments, s.picks), uses_photo=True),
)  # fmt: skip
FORMATS = {format_.name: format_ for format_ in _TABLE}


def chosen(names: Iterable[str]) -> list[Format]:
    """The formats of these names, each once. Raises UsageError for an unknown one."""
    for name in names:
        if name not in FORMATS:
            raise UsageError(f"unknown format {name!r}: choose from {', '.join(FORMATS)}")
    return [FORMATS[name] for name in dict.fromkeys(names)]


def check(formats: Sequence[str], options: Options) -> None:
    """Raises UsageError for options of outlines that mean nothing for any of these formats."""
    if options.polygons and not any(FORMATS[name].polygons for name in formats):
        raise UsageError("polygons in place of RLE need the format coco")
    if options.tolerance is None:
        return
    number(options.tolerance, "tolerance", most=None)
    outlined = {f.name: f for f in FORMATS.values() if f.tolerance is not None}
    if not any(options.polygons or not outlined[name].polygons for name in formats if name in outlined):
        always = ", ".join(name for name, f in outlined.items() if not f.polygons)
        raise UsageError(f"a tolerance needs a format with outlines: {always}, or coco with polygons")


def once(files: Iterable[Path]) -> None:
    """Raises UsageError if a file would be written twice."""
    used: set[Path] = set()
    for file in files:
        if file in used:
            raise UsageError(f"{file} would be written twice: give one of the formats per run")
        used.add(file)


def write(format_: Format, target: Path, subject: Subject) -> None:
    """Writes the file or the folder of a format.

    Raises UsageError if the format needs the photo and it is unknown, or if the target cannot be written.
    """
    made = format_.make(subject)
    if isinstance(made, (str, bytes)):
        write_file(target, made)
        return
    make_folder(target)
    for name, data in made:
        write_file(target / name, data)


def packed(format_: Format, stem: str, subject: Subject) -> tuple[str, bytes]:
    """Name and content of one file: a folder is zipped, unless it has a single file.

    stem: the photo's name without suffix. Raises UsageError if the format needs the photo and it is unknown.
    """
    made = format_.make(subject)
    if isinstance(made, (str, bytes)):
        return stem + format_.suffix, made.encode() if isinstance(made, str) else made
    files = list(made)
    if len(files) == 1:
        name, data = files[0]
        return f"{stem}-{name}", data
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for name, data in files:
            archive.writestr(name, data)
    return f"{stem}{format_.suffix}.zip", whole.getvalue()
