"""`fastsam segment`: photos in; pictures, COCO files, npz files or JSON out."""

import json
import sys
from collections.abc import Sequence
from functools import partial
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
from fastsam.model import FastSAM, stage
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
    outputs = {photo: [output / (photo.stem + FORMATS[f]) for f in formats if FORMATS[f]] for photo in todo}
    spare_inputs(todo, [file for files in outputs.values() for file in files])
    network = FastSAM(model, threads=threads)
    settings: dict[str, Any] = {"imgsz": imgsz, "conf": conf, "iou": iou, "max_det": max_det}
    network.resolve(**settings)
    if formats:
        make_folder(output)

    instances, answers = coco.Instances(), []
    code = 0
    speak = partial(print, file=sys.stderr if json_ else sys.stdout, flush=True)
    err = Console(stderr=True)
    for photo in track(todo, "segmenting", console=err, transient=True, disable=len(todo) == 1 or not err.is_terminal):
        try:
            segments, picks, seconds = segment_one(photo, network, settings, prompts, outputs[photo])
        except UsageError as error:
            about = "" if str(error).startswith(str(photo.file)) else f"{photo.file}: "
            print(f"fastsam: {about}{error}", file=sys.stderr)
            code = max(code, 1 if isinstance(error, UnreadableImageError) else 2)
            continue
        if "coco" in formats:
            instances.add(photo.name, segments, picks)
        if json_:
            answers.append(answer(photo, segments, picks))
        speak(describe(photo, segments, picks, seconds, outputs[photo]))
    if "coco" in formats and instances.images:
        instances.write(output / "instances.json")
        speak(output / "instances.json")
    if json_:
        print(json.dumps(answers))
    return code


def segment_one(
    photo: Photo, network: FastSAM, settings: dict[str, Any], prompts: list[Prompt] | None, files: Sequence[Path]
) -> tuple[Segments, list[Pick] | None, dict[str, float]]:
    """Segments a photo, answers the prompts, writes its own files; returns both and the seconds of each stage."""
    before: dict[str, float] = {}
    with stage("read", before):
        pixels = read_image(photo.file)
    segments = network(pixels, **settings)
    picks = segments.select(prompts) if prompts else None
    seconds = segments.seconds | before
    with stage("write", seconds):
        for file in files:
            if file.suffix == ".npz":
                segments.save(file)
            else:
                overlay.write(file, overlay.draw(pixels, segments, picks))
    return segments, picks, seconds


def spare_inputs(photos: Sequence[Photo], outputs: Sequence[Path]) -> None:
    """Raises UsageError where an output would replace one of the photos."""
    inputs = {photo.file.resolve() for photo in photos}
    for file in outputs:
        if file.resolve() in inputs:
            raise UsageError(f"{file} is one of the photos itself: choose another folder with -o")


def answer(photo: Photo, segments: Segments, picks: list[Pick] | None) -> dict[str, Any]:
    """What --json prints of a photo: its segments, or one entry a prompt (null where nothing matched)."""
    height, width = segments.size
    found: dict[str, Any] = {"file": str(photo.file), "width": width, "height": height}
    if picks is None:
        return found | {
            "segments": [coco.describe(segments, i, float(segments.scores[i])) for i in range(len(segments))]
        }
    return found | {"picks": [None if p.index is None else _picked(segments, p, p.index) for p in picks]}


def _picked(segments: Segments, pick: Pick, index: int) -> dict[str, Any]:
    others = [{"index": c.index, "score": round(c.score, 5)} for c in pick.candidates]
    return {"index": index, **coco.describe(segments, index, pick.score), "candidates": others}


def describe(
    photo: Photo, segments: Segments, picks: list[Pick] | None, seconds: dict[str, float], files: Sequence[Path]
) -> str:
    """The line a person reads."""
    times = ", ".join(f"{name} {1000 * s:.0f} ms" for name, s in seconds.items())
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
