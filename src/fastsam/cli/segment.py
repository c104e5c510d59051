"""`fastsam segment`: photos in; pictures, COCO files, npz files or JSON out."""

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console
from rich.progress import track

from fastsam.cli.inputs import Photo, find_photos, read_prompts
from fastsam.errors import UsageError
from fastsam.files import make_folder
from fastsam.formats import FORMATS, coco, overlay
from fastsam.image.read import UnreadableImageError, read_image
from fastsam.model import FastSAM
from fastsam.prompts import Pick, Prompt
from fastsam.segments import Segments


def segment(
    photos: list[str],
    /,
    *,
    output: Annotated[Path, Parameter(name=("--output", "-o"))] = Path("output"),
    model: str | None = None,
    imgsz: int | None = None,
    conf: float | None = None,
    iou: float | None = None,
    max_det: int | None = None,
    point: Annotated[list[str] | None, Parameter(negative="", allow_leading_hyphen=True)] = None,
    box: Annotated[list[str] | None, Parameter(negative="", allow_leading_hyphen=True)] = None,
    format_: Annotated[list[str] | None, Parameter(name="--format", negative="")] = None,
    json_: Annotated[bool, Parameter(name="--json", negative="")] = False,
    threads: int | None = None,
) -> int:
    """Segment everything in photos, or what points and boxes mean.

    Parameters
    ----------
    photos
        Files, folders and globs.
    output
        Folder for what is written.
    model
        Name of bundled weights, or an exported file.
    imgsz
        Longest side of the network's input in pixels.
    conf
        Least score of a mask, 0 to 1.
    iou
        Overlap of two boxes above which the lesser mask goes, 0 to 1.
    max_det
        Masks a photo at most.
    point
        X,Y or X,Y,LABEL (1 foreground, 0 background); all points together are one prompt.
    box
        X1,Y1,X2,Y2; each box is a prompt of its own.
    format_
        overlay (a picture), coco (one instances.json for all photos) or npz; may be repeated.
    json_
        Print the answers on standard output; write files only where --format asks for them.
    threads
        Threads of the network.
    """
    formats = list(dict.fromkeys(format_ or ([] if json_ else ["overlay"])))
    for name in formats:
        if name not in FORMATS:
            raise UsageError(f"unknown format {name!r}: choose from {', '.join(FORMATS)}")
    todo = find_photos(photos)
    prompts = read_prompts(point or [], box or [])
    if formats:
        make_folder(output)
    network = FastSAM(model, threads=threads)
    settings = {"imgsz": imgsz, "conf": conf, "iou": iou, "max_det": max_det}

    instances, answers = coco.Instances(), []
    code = 0
    err = Console(stderr=True, highlight=False, soft_wrap=True)
    many = track(todo, "segmenting", console=err, transient=True, disable=len(todo) == 1 or not err.is_terminal)
    for photo in many:
        try:
            start = time.perf_counter()
            pixels = read_image(photo.file)
            read = time.perf_counter() - start
            segments = network(pixels, **settings)  # type: ignore[arg-type]  # by name
            segments.seconds["read"] = read
            picks = segments.select(prompts) if prompts else None
        except UsageError as error:
            about = "" if str(error).startswith(str(photo.file)) else f"{photo.file}: "
            print(f"fastsam: {about}{error}", file=sys.stderr)
            code = max(code, 1 if isinstance(error, UnreadableImageError) else 2)
            continue
        start = time.perf_counter()
        files = write(photo, output, formats, pixels, segments, picks)
        if "coco" in formats:
            instances.add(photo.name, segments, picks)
        segments.seconds["write"] = time.perf_counter() - start
        if json_:
            answers.append(answer(photo, segments, picks))
        print(describe(photo, segments, picks, files), file=sys.stderr if json_ else sys.stdout, flush=True)
    if "coco" in formats and instances.images:
        instances.write(output / "instances.json")
        print(output / "instances.json", file=sys.stderr if json_ else sys.stdout)
    if json_:
        print(json.dumps(answers))
    return code


def write(
    photo: Photo, folder: Path, formats: Sequence[str], pixels: Any, segments: Segments, picks: list[Pick] | None
) -> list[Path]:
    """Writes a photo's own files and returns their paths. Raises UsageError where one would replace the photo."""
    files = []
    for name, suffix in (("overlay", ".png"), ("npz", ".npz")):
        if name not in formats:
            continue
        file = folder / (photo.stem + suffix)
        if file.exists() and file.samefile(photo.file):
            raise UsageError(f"{file} is the photo itself: choose another folder with -o")
        if name == "overlay":
            overlay.write(file, overlay.draw(pixels, segments, picks))
        else:
            segments.save(file)
        files.append(file)
    return files


def answer(photo: Photo, segments: Segments, picks: list[Pick] | None) -> dict[str, Any]:
    """What --json prints of a photo: its segments, or one entry a prompt (null where nothing matched)."""
    height, width = segments.size
    found: dict[str, Any] = {"file": str(photo.file), "width": width, "height": height}
    if picks is None:
        return found | {
            "segments": [coco.describe(segments, i, float(segments.scores[i])) for i in range(len(segments))]
        }
    return found | {
        "picks": [
            None if p.index is None else {"index": p.index, **coco.describe(segments, p.index, p.score)} for p in picks
        ]
    }


def describe(photo: Photo, segments: Segments, picks: list[Pick] | None, files: Sequence[Path]) -> str:
    """The line a person reads."""
    times = ", ".join(f"{name} {1000 * seconds:.0f} ms" for name, seconds in segments.seconds.items())
    found = f"{len(segments)} object{'s' * (len(segments) != 1)}"
    if picks is not None:
        found += "; " + ", ".join(_show(p) for p in picks)
    written = f" -> {', '.join(str(f) for f in files)}" if files else ""
    return f"{photo.file}: {found} ({times}){written}"


def _show(pick: Pick) -> str:
    what = _prompt_name(pick.prompt)
    return f"{what}: no match" if pick.index is None else f"{what}: mask {pick.index} at {pick.score:.2f}"


def _prompt_name(prompt: Prompt) -> str:
    return "box" if prompt.box is not None else f"{len(prompt.points)} point{'s' * (len(prompt.points) != 1)}"
