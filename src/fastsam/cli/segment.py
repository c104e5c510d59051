"""`fastsam segment`: photos in; pictures, annotations, arrays or JSON out."""

import json
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console
from rich.progress import track

from fastsam import tiles
from fastsam.cli import video
from fastsam.cli.inputs import read_annotations, read_prompts
from fastsam.cli.report import answer, describe
from fastsam.cli.say import complain, say
from fastsam.errors import UsageError
from fastsam.files import make_folder
from fastsam.files import write as write_file
from fastsam.formats import FORMATS, coco, outlines, pictures
from fastsam.formats.content import Options, content
from fastsam.formats.content import check as check_outlines
from fastsam.formats.items import categories
from fastsam.formats.overlay import Look
from fastsam.image.photos import Photo, find_photos, opened
from fastsam.image.read import UnreadableImageError, read_image
from fastsam.machine import cores
from fastsam.model import FastSAM, stage, timed
from fastsam.prompts import Pick, Prompt
from fastsam.segments import Segments
from fastsam.streams import ordered

Files = dict[str, Path]  # of one photo, by format
TOGETHER = {"coco": "instances.json", "yolo": "classes.txt"}  # files of all photos
MANY = 10**9  # frames of a video, as far as it is known
Words = Annotated[list[str] | None, Parameter(negative="", allow_leading_hyphen=True)]


@Parameter(name="*")
@dataclass(frozen=True)
class Finding:
    """How everything is found.

    Parameters
    ----------
    model
        Name of a model, or a file (.onnx, .pt, .safetensors).
    imgsz
        Longest side of the network's input in pixels.
    conf
        Least score of a mask, 0 to 1.
    iou
        Overlap of two boxes above which the lesser mask goes, 0 to 1.
    max_det
        Masks a photo at most.
    tile
        Side in pixels of tiles that are segmented beside the whole photo, for small objects in large photos.
    overlap
        Share of a tile that the next one shows too, above 0 and at most 0.5.
    threads
        Threads of the network; of all photos together where there are several.
    runtime
        onnx, openvino, or torch for a checkpoint.
    device
        cpu, cuda, mps or a number.
    precision
        float32, or bf16 with OpenVINO.
    stretch
        Make the darkest 1% of each photo's values black and the brightest 1% white: for 10- and 12-bit data, floats,
        heights.
    annotations
        COCO file whose masks are taken instead of a network's.
    """

    model: str | None = None
    imgsz: int | None = None
    conf: float | None = None
    iou: float | None = None
    max_det: int | None = None
    tile: int | None = None
    overlap: float | None = None
    threads: int | None = None
    runtime: str | None = None
    device: str | None = None
    precision: str | None = None
    stretch: Annotated[bool, Parameter(negative="")] = False
    annotations: Path | None = None


@Parameter(name="*")
@dataclass(frozen=True)
class Asking:
    """What is meant.

    Parameters
    ----------
    point
        X,Y or X,Y,LABEL (1 foreground, 0 background); all points together are one prompt.
    box
        X1,Y1,X2,Y2; each box is a prompt of its own.
    mask
        Picture of the photo's size, not black within; each is a prompt of its own.
    text
        Words such as "the yellow dog"; each is a prompt of its own.
    exclude
        Words for what no --text means.
    prompts
        JSON file of prompts of any kind.
    name
        Words, with commas between them, from which each object gets its name; may be repeated.
    all
        With --name, name every mask and not one per object; with --text, answer with every mask that fits.
    only_named
        With --name, drop the masks that get no name.
    encoder
        What reads words: offline, clip, or a folder of CLIP's towers.
    """

    point: Words = None
    box: Words = None
    mask: Annotated[list[Path] | None, Parameter(negative="")] = None
    text: Words = None
    exclude: Words = None
    prompts: Path | None = None
    name: Words = None
    all: Annotated[bool, Parameter(negative="")] = False
    only_named: Annotated[bool, Parameter(negative="")] = False
    encoder: str | None = None


@Parameter(name="*")
@dataclass(frozen=True)
class Keeping:
    """Which masks stay.

    Parameters
    ----------
    min_area
        Least pixels of a mask.
    max_area
        Most pixels of a mask.
    stability
        Least IoU of a mask cut at logits 1 above and 1 below its border.
    inside
        Masks of which more than this share lies within a larger one go, 0 to 1.
    """

    min_area: float | None = None
    max_area: float | None = None
    stability: float | None = None
    inside: float | None = None


@Parameter(name="*")
@dataclass(frozen=True)
class Drawing:
    """How masks are drawn.

    Parameters
    ----------
    refine
        Draw every mask anew with the second network; --no-refine draws none. By default it draws what answers points,
        boxes and masks.
    min_region_area
        With --refine, pixels of an island or a hole of a mask below which it goes.
    outline
        In the overlay, draw the outlines of masks and leave the photo between them as it is.
    boxes
        In the overlay, draw the boxes of masks too.
    """

    refine: bool | None = None
    min_region_area: float | None = None
    outline: Annotated[bool, Parameter(negative="")] = False
    boxes: Annotated[bool, Parameter(negative="")] = False


@Parameter(name="*")
@dataclass(frozen=True)
class Outlining:
    """How outlines are written.

    Parameters
    ----------
    tolerance
        Pixels by which a corner that is left out of an outline lies from it at most; by default 1 for labelme and yolo,
        0, which is exact, for polygons and coco.
    polygons
        In coco, polygons instead of RLE, for programs that refuse RLE.
    """

    tolerance: float | None = None
    polygons: Annotated[bool, Parameter(negative="")] = False


@dataclass(frozen=True)
class Done:
    """What is left to say of a photo whose own files are written."""

    line: str
    size: tuple[int, int]
    names: tuple[str, ...]
    rows: list[dict[str, Any]]
    answer: dict[str, Any]


DEFAULTS = (Finding(), Asking(), Keeping(), Drawing(), Outlining(), video.Filming())


def segment(
    photos: list[str],
    /,
    *,
    output: Annotated[Path, Parameter(name=("--output", "-o"))] = Path("output"),
    finding: Finding = DEFAULTS[0],
    asking: Asking = DEFAULTS[1],
    keeping: Keeping = DEFAULTS[2],
    drawing: Drawing = DEFAULTS[3],
    outlining: Outlining = DEFAULTS[4],
    filming: video.Filming = DEFAULTS[5],
    format_: Annotated[list[str] | None, Parameter(name="--format", negative="")] = None,
    merge: Annotated[bool, Parameter(negative="")] = False,
    fill: Annotated[bool, Parameter(negative="")] = False,
    hierarchy: Annotated[bool, Parameter(negative="")] = False,
    json_: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """Segment everything in photos, or what points, boxes, masks and words mean.

    With prompts, npz, partition and edges still hold everything; the other formats hold what matches.

    Parameters
    ----------
    photos
        Files, folders and globs; of a video as a whole also a camera's number or an address (rtsp, http).
    output
        Folder for what is written; or a video (.mp4, .webm, .mov, .mkv, .avi), with every mask of every frame drawn.
    format_
        overlay, coco, npz, labelme, yolo, polygons, png, partition, edges or cutouts; of a video as a whole overlay,
        coco, mots or youtube-vis; may be repeated.
    merge
        One mask of all answers instead of one or more each.
    fill
        In a partition, what no mask covers goes to the nearest one.
    hierarchy
        Say in JSON which mask lies within which.
    json_
        Print the answers on standard output; write files only where --format asks for them.
    """
    if video.is_whole(photos, output, filming, format_ or ()):
        if json_ or hierarchy or fill or finding.annotations:
            raise UsageError("--json, --hierarchy, --fill and --annotations do not go with a video as a whole")
        return film(photos, output, filming, format_, (finding, asking, keeping, drawing), merge)
    formats = list(dict.fromkeys(format_ or ([] if json_ else ["overlay"])))
    todo = find_photos(photos)
    prompts = read_prompts(
        asking.point or (), asking.box or (), asking.mask or (), asking.text or (), asking.exclude or (), asking.prompts
    )
    if merge and not prompts:
        raise UsageError("--merge needs prompts whose answers it joins: --point, --box, --mask, --text or --prompts")
    others = [*(asking.mask or ()), *(f for f in (asking.prompts, finding.annotations) if f is not None)]
    outputs = plan(todo, formats, output, others)
    check(drawing, formats)
    options = Options(outlining.tolerance, outlining.polygons, Look(drawing.outline, drawing.boxes))
    check_outlines(formats, options)
    words = vocabulary(asking, prompts)
    find, workers = finder(finding, len(todo))
    if formats:
        make_folder(output)

    def work(opened: tuple[Photo, Any]) -> tuple[Photo, Done | UsageError]:
        """One photo, from its file to its files, on a thread of its own."""
        photo, source = opened
        try:
            if isinstance(source, UsageError):
                raise source
            segments = drawn(find(photo, source), drawing)
            segments = named(keep(segments, keeping), words, asking)
            segments, picks = answered(segments, prompts, asking, merge, drawing.refine)
            seconds: dict[str, float] = {}
            with stage("write", seconds):
                said = write(photo, outputs[photo], segments, picks, fill, options)
                near = options.near("coco")
                rows = coco.rows_of(segments, picks, options.polygons, near) if "coco" in formats else []
            parents = segments.hierarchy().tolist() if hierarchy and json_ else None
            answers = answer(photo, segments, picks, parents) if json_ else {}
            segments = timed(segments, seconds)
            line = describe(photo, segments, picks, segments.seconds, list(outputs[photo].values()), said)
            return photo, Done(line, segments.size, categories(segments.names, prompts or ()), rows, answers)
        except UsageError as error:
            return photo, error

    return tell(ordered(work, opened(todo), workers), len(todo), formats, output, json_)


def film(
    words: Sequence[str],
    output: Path,
    filming: video.Filming,
    formats: Sequence[str] | None,
    how: tuple[Finding, Asking, Keeping, Drawing],
    merge: bool,
) -> int:
    """A video as a whole: every frame is segmented as a photo is. Returns the exit code."""
    finding, asking, keeping, drawing = how
    prompts = read_prompts(
        asking.point or (), asking.box or (), asking.mask or (), asking.text or (), asking.exclude or (), asking.prompts
    )
    check(drawing, formats or ["overlay"])
    words_known = vocabulary(asking, prompts)
    find, workers = finder(finding, MANY)

    def one(pixels: Any) -> Segments:
        segments = keep(drawn(find(Photo(Path(), "", ""), pixels), drawing), keeping)
        segments, picks = answered(named(segments, words_known, asking), prompts, asking, merge, drawing.refine)
        return segments if picks is None else segments.picked(picks)

    return video.film(words, output, filming, formats, one, workers, Look(drawing.outline, drawing.boxes))


def tell(
    found: Iterable[tuple[Photo, Done | UsageError]], total: int, formats: Sequence[str], output: Path, json_: bool
) -> int:
    """Says what became of each photo, writes the files of all together; returns the exit code."""
    instances, answers, code = coco.Instances(), [], 0
    names: tuple[str, ...] = ()
    speak = partial(say, error=json_)
    err = Console(stderr=True)
    quiet = total == 1 or not err.is_terminal
    shown = track(found, "segmenting", total, console=err, transient=True, disable=quiet)
    try:
        for photo, done in shown:
            if isinstance(done, UsageError):
                about = "" if str(done).startswith(str(photo.file)) else f"{photo}: "
                complain(f"{about}{done}")
                code = max(code, 1 if isinstance(done, UnreadableImageError) else 2)
                continue
            names = done.names
            if "coco" in formats:
                instances.add(photo.name, done.size, done.names, done.rows)
            answers.append(done.answer)
            speak(done.line)
    finally:  # what is done is kept where the user stops the rest
        if "coco" in formats and instances.images:
            write_file(output / TOGETHER["coco"], instances.text)
            speak(output / TOGETHER["coco"])
        if "yolo" in formats and names:
            write_file(output / TOGETHER["yolo"], outlines.classes(names))
        if json_:
            print(json.dumps(answers))
    return code


def plan(todo: Sequence[Photo], formats: Sequence[str], output: Path, others: Sequence[Path]) -> dict[Photo, Files]:
    """The files of every photo, by format.

    others: inputs beside the photos

    Raises UsageError for an unknown format, and where a file would replace an input or another one.
    """
    for name in formats:
        if name not in FORMATS:
            raise UsageError(f"unknown format {name!r}: choose from {', '.join(FORMATS)}")
    if "labelme" in formats and (clips := [photo for photo in todo if photo.frame is not None]):
        raise UsageError(f"labelme opens no frames of a video such as {clips[0].file}: save them as photos first")
    outputs = {photo: {f: output / (photo.stem + FORMATS[f]) for f in formats if FORMATS[f]} for photo in todo}
    written = [file for files in outputs.values() for file in files.values()]
    written += [output / file for name, file in TOGETHER.items() if name in formats]
    inputs = {os.path.realpath(file) for file in (*(photo.file for photo in todo), *others)}
    for k, file in enumerate(written):
        if os.path.realpath(file) in inputs:
            raise UsageError(f"{file} is one of the photos itself or another input: choose another folder with -o")
        if file in written[:k]:
            raise UsageError(f"{file} would be written twice: ask for one format at a time")
    return outputs


def finder(finding: Finding, photos: int) -> tuple[Callable[[Photo, Any], Segments], int]:
    """What finds the masks of a photo, a network or a COCO file, and how many photos it takes at the same time.

    Raises UsageError for settings that make no sense.
    """
    settings: dict[str, Any] = {name: getattr(finding, name) for name in ("imgsz", "conf", "iou", "max_det")}
    how = {name: getattr(finding, name) for name in ("threads", "runtime", "device", "precision")}
    view = {name: getattr(finding, name) for name in ("tile", "overlap")}
    if finding.annotations is not None:
        for name, value in {"model": finding.model, **settings, **how, **view}.items():
            if value is not None and name not in ("conf", "iou"):
                raise UsageError(f"--{name.replace('_', '-')} means nothing with --annotations: no network runs")
        given = read_annotations(finding.annotations)

        def found(photo: Photo, source: Any) -> Segments:
            segments = Segments.from_masks(
                pixels_of(source, finding.stretch), given.of(photo), categories=given.categories
            )
            return segments.filter(conf=finding.conf, iou=finding.iou)

        return found, min(cores(), photos)
    if finding.overlap is not None and finding.tile is None:
        raise UsageError("--overlap needs --tile")
    tiles.Tiling(finding.tile, tiles.OVERLAP if finding.overlap is None else finding.overlap).checked()
    network = FastSAM(finding.model, **{name: value for name, value in how.items() if value is not None})
    network.resolve(**settings)
    workers = min(network.workers, photos)
    if workers > 1:
        network = network.parallel(workers)
    settings |= {name: value for name, value in view.items() if value is not None}
    return lambda _, source: network(pixels_of(source, finding.stretch), **settings), workers


def pixels_of(source: Any, stretch: bool) -> Any:
    """A file or a frame as it is, or its pixels, stretched."""
    return read_image(source, stretch=True) if stretch else source


def check(drawing: Drawing, formats: Sequence[str]) -> None:
    """Raises UsageError for settings of drawing that do not fit together."""
    for flag in ("outline", "boxes"):
        if getattr(drawing, flag) and "overlay" not in formats:
            raise UsageError(f"--{flag} changes the overlay, which is not written: add --format overlay")
    if drawing.min_region_area is None:
        return
    if not drawing.refine:
        raise UsageError("--min-region-area needs --refine")
    if not 0 <= drawing.min_region_area < float("inf"):
        raise UsageError(f"--min-region-area {drawing.min_region_area} is no number of pixels: the least is 0")


def drawn(segments: Segments, drawing: Drawing) -> Segments:
    """The segments, every one drawn anew if that is asked for."""
    if not drawing.refine:
        return segments
    seconds: dict[str, float] = {}
    with stage("refine", seconds):
        redrawn = segments.refine(min_region_area=drawing.min_region_area or 0)
    return timed(redrawn, seconds)


def keep(segments: Segments, keeping: Keeping) -> Segments:
    """The segments that stay."""
    area = (keeping.min_area, keeping.max_area)
    limits = {"stability": keeping.stability, "inside": keeping.inside}
    return segments.filter(area=None if area == (None, None) else area, **limits)


def vocabulary(asking: Asking, prompts: Sequence[Prompt] | None) -> list[str]:
    """The words of --name, each once. Raises UsageError for flags that need words and have none."""
    words = dict.fromkeys(word.strip() for words in asking.name or () for word in words.split(","))
    words.pop("", None)
    if asking.name and not words:
        raise UsageError(f"--name {asking.name[0]!r} names nothing: give words such as 'person, bus'")
    if asking.only_named and not words:
        raise UsageError("--only-named needs --name WORDS, from which masks get their names")
    if asking.all and not words and not any(prompt.text for prompt in prompts or ()):
        raise UsageError("--all needs --name or --text: everything else is answered as it is")
    return list(words)


def named(segments: Segments, words: Sequence[str], asking: Asking) -> Segments:
    """The segments with the vocabulary's words for classes, or those alone that a word fits."""
    if not words:
        return segments
    seconds: dict[str, float] = {}
    with stage("name", seconds):
        found = segments.named(words, encoder=asking.encoder, all=asking.all, only=asking.only_named)
    return timed(found, seconds)


def answered(
    segments: Segments, prompts: Sequence[Prompt] | None, asking: Asking, merge: bool, refine: bool | None
) -> tuple[Segments, list[Pick] | None]:
    """The segments and the answers to the prompts; or, with `merge`, one segment of all that they mean.

    refine: as in `Segments.select`
    """
    if not prompts:
        return segments, None
    seconds: dict[str, float] = {}
    with stage("prompts", seconds):
        picks = segments.select(prompts, encoder=asking.encoder, refine=refine, all=asking.all)
    segments = timed(segments, seconds)
    if not merge:
        return segments, picks
    found = [pick for pick in picks if pick]
    masks = [segments.merge(found)] if found else []
    scores = [min(pick.score for pick in found)] if found else []
    return replace(Segments.from_masks(segments.photo, masks, scores), seconds=segments.seconds), None


def write(
    photo: Photo, files: Files, segments: Segments, picks: Sequence[Pick] | None, fill: bool, options: Options
) -> list[str]:
    """Writes a photo's own files, one a format; returns what there is to say about them."""
    said = []
    for name, file in files.items():
        if name == "partition":
            parts = segments.partition(fill=fill)
            write_file(file, pictures.labels_png(parts.labels))
            said.append(f"masks cover {100 * parts.coverage:.1f}%")
            continue
        if name == "cutouts":
            make_folder(file)
        for inner, made in content(name, relative(photo.file, file.parent), segments, picks, options):
            write_file(file / inner if inner else file, made)
    return said


def relative(photo: Path, folder: Path) -> str:
    """Where a photo lies from a folder on, or its whole path where none leads there."""
    try:
        return Path(os.path.relpath(os.path.realpath(photo), os.path.realpath(folder))).as_posix()
    except ValueError:  # another drive
        return os.path.realpath(photo)
