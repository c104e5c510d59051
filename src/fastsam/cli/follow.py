"""`fastsam follow`: what was picked in one frame of a video, in all of its frames.

Enters: a video, prompts, flags. Leaves: files that hold what was done, also after Ctrl-C or a broken frame.
"""

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter, Token
from rich.console import Console
from rich.progress import track

from fastsam.cli import flags
from fastsam.cli.say import say
from fastsam.cli.segment.inputs import read_prompts
from fastsam.cli.video import ended, source_of
from fastsam.errors import UsageError
from fastsam.files import growing, make_folder
from fastsam.files import write as write_file
from fastsam.follow.clip import Corrections, Shot
from fastsam.follow.clip import follow as followed
from fastsam.follow.eye import shared
from fastsam.follow.shown import cut, drawn, label_map, segments_of, shown
from fastsam.formats.pictures import labels_png
from fastsam.formats.tracks import Coco
from fastsam.model import FastSAM
from fastsam.prompts import Pick, Prompt
from fastsam.video import write
from fastsam.video.read import Clip

FORMATS = ("overlay", "masks", "coco", "cutout")
KINDS = {"--point": "points", "--box": "boxes", "--mask": "masks", "--text": "texts"}


@dataclass(frozen=True)
class Words:
    """The prompts of one frame, as words of the command line, by the flag's name. object_: which object they correct"""

    said: dict[str, list[str]]
    at: int | None = None
    object_: int | None = None


def typed(_: Any, tokens: Sequence[Token]) -> list[tuple[str, str]]:
    """Flags and their words as they were typed, in order."""
    return [(str(token.keyword), token.value) for token in tokens]


def in_order(said: Sequence[tuple[str, str]]) -> list[Words]:
    """Prompts and corrections in the order in which they were typed: --at begins the next. Raises UsageError."""
    found = [Words({})]
    for flag, value in said:
        if flag in KINDS:
            found[-1].said.setdefault(KINDS[flag], []).append(value)
        elif flag == "--at":
            found.append(Words({}, at=number(flag, value)))
        elif found[-1].at is None:
            raise UsageError(f"--object {value} needs --at FRAME before it")
        else:
            found[-1] = Words(found[-1].said, found[-1].at, number(flag, value))
    return found


def number(flag: str, value: str) -> int:
    """A word as a number from 0. Raises UsageError."""
    if not (value.isascii() and value.isdecimal()):
        raise UsageError(f"{flag} must be an integer of at least 0, not {value}")
    return int(value)


def follow(
    video: str,
    /,
    *,
    asking: Annotated[
        list[tuple[str, str]] | None,
        Parameter(
            name=("--point", "--box", "--mask", "--text", "--at", "--object"),
            converter=typed,
            n_tokens=1,
            negative="",
            allow_leading_hyphen=True,
        ),
    ] = None,
    frame: int = 0,
    output: Annotated[Path, Parameter(name=("--output", "-o"))] = Path("followed.mp4"),
    format_: Annotated[list[str] | None, Parameter(name="--format", negative="")] = None,
    model: Annotated[str | None, flags.MODEL] = None,
    threads: Annotated[int | None, flags.THREADS] = None,
) -> int:
    """Follow what was picked in one frame through a video, forwards and backwards.

    Parameters
    ----------
    video
        A video, a folder or a pattern of photos, the number of a camera, or the address of a video.
    asking
        What to follow: --point X,Y or X,Y,LABEL (label 1 foreground, 0 background), --box X1,Y1,X2,Y2, --mask FILE or
        --text WORDS. All points together are one object; each box, mask and text is one object. --at FRAME begins a
        correction: the prompt after it picks the object anew in that frame. With several objects, --object N says
        which one, counted from 1.
    frame
        Number of the frame in which the objects are picked; frames are numbered from 0.
    output
        Video file to write, or a folder of PNG files if the name has no suffix. Other files are named after it.
    format_
        overlay (the video, by default), masks (a PNG label map per frame), coco (RLE with track_id), or cutout (the
        objects alone, transparent around them: .webm, .mov, or a folder of PNG files); may be repeated.
    """
    prompts, corrections = meant(in_order(asking or []))
    files = plan(video, output, list(dict.fromkeys(format_ or ["overlay"])))
    network = FastSAM(model, threads=threads)
    clip, shots = followed(network, source_of(video), prompts, frame, corrections, shared(threads))
    began, done, lost, code = time.perf_counter(), 0, 0, 0
    try:
        for picks in written(progress(shots, clip, frame), clip, files):
            done, lost = done + 1, lost + sum(not pick for pick in picks)
    except (KeyboardInterrupt, UsageError) as error:
        code = ended(error, clip)
    if done:
        rate = done / (time.perf_counter() - began)
        gone = f", lost in {lost}" if lost else ""
        names = ", ".join(str(file) for file in files.values())
        say(f"{video}: {done} frame{'s' * (done != 1)}{gone}, {rate:.1f} per second -> {names}")
    return code


def meant(asking: Sequence[Words]) -> tuple[list[Prompt], Corrections]:
    """The prompts, and the corrections by frame. Raises UsageError."""
    first, *later = asking
    prompts = prompts_of(first)
    if not prompts:
        raise UsageError("there is nothing to follow: give --point, --box, --mask or --text")
    corrections: dict[int, dict[int, Prompt]] = {}
    for words in later:
        assert words.at is not None
        found = prompts_of(words)
        if len(found) != 1:
            raise UsageError(f"--at {words.at} needs one prompt after it, not {len(found)}: give an --at for each")
        if words.object_ is None and len(prompts) > 1:
            raise UsageError(f"--at {words.at} needs --object 1 to {len(prompts)}, since several objects are followed")
        k = words.object_ or 1
        if not 1 <= k <= len(prompts):
            raise UsageError(f"--object must be 1 to {len(prompts)}, not {words.object_}")
        corrections.setdefault(words.at, {})[k - 1] = found[0]
    return prompts, corrections


def prompts_of(words: Words) -> list[Prompt]:
    """The prompts of one frame."""
    said = words.said
    masks = [Path(file) for file in said.get("masks", ())]
    return read_prompts(said.get("points", ()), said.get("boxes", ()), masks, said.get("texts", ())) or []


def plan(video: str, output: Path, formats: Sequence[str]) -> dict[str, Path]:
    """The files to write, by format. Raises UsageError for what cannot be written."""
    if unknown := [name for name in formats if name not in FORMATS]:
        raise UsageError(f"unknown format {unknown[0]!r}: choose from {', '.join(FORMATS)}")
    stem, suffix = output.with_suffix(""), output.suffix
    clear = suffix if suffix.lower() in ("", *write.ALPHA) else ".webm"
    alone = "overlay" not in formats
    files = {
        "overlay": output,
        "masks": output if alone and not suffix and "cutout" not in formats else Path(f"{stem}-masks"),
        "coco": stem.with_suffix(".json"),
        "cutout": output if alone else Path(f"{stem}-cutout{clear}"),
    }
    files = {name: files[name] for name in formats}
    for name, file in files.items():
        if name in ("overlay", "cutout"):
            write.check(file, alpha=name == "cutout")
        if os.path.realpath(file) == os.path.realpath(video):
            raise UsageError(f"{file} is the video itself: choose another name with -o")
    make_folder(output.parent)
    return files


def written(shots: Iterable[tuple[Shot, list[Pick]]], clip: Clip, files: dict[str, Path]) -> Iterator[list[Pick]]:
    """Writes each frame to every file, then yields its picks."""
    with ExitStack() as open_:
        made = {
            name: open_.enter_context(write.writer(files[name], clip.rate, alpha=name == "cutout"))
            for name in ("overlay", "cutout")
            if name in files
        }
        coco = (
            open_.enter_context(growing(files["coco"], lambda part: Coco(part, "frame"))) if "coco" in files else None
        )
        folder = make_folder(files["masks"]) if "masks" in files else None
        for shot, picks in shots:
            objects = shown(picks)
            labels = label_map(objects, clip.size)
            if "overlay" in made:
                made["overlay"].write(drawn(shot.pixels, labels, len(picks)))
            if "cutout" in made:
                made["cutout"].write(cut(shot.pixels, labels))
            if folder is not None:
                write_file(folder / f"{shot.number:06d}.png", labels_png(labels))
            if coco is not None:
                coco.add(shot.number, segments_of(objects, clip.size))
            yield picks


def progress(shots: Iterator[tuple[Shot, list[Pick]]], clip: Clip, before: int) -> Iterable[tuple[Shot, list[Pick]]]:
    """The frames, with a bar if they are shown on a terminal."""
    err = Console(stderr=True)
    total = None if clip.count is None else clip.count + before
    return track(shots, "following", total, console=err, transient=True, disable=not err.is_terminal)
