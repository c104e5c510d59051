"""`fastsam segment` on a video as a whole: a video out, with every mask drawn, and files of its masks.

Enters: one source of frames, what segments a frame, flags. Leaves: files that hold what was done, also after Ctrl-C.
"""

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import numpy.typing as npt
from cyclopts import Group, Parameter
from rich.console import Console
from rich.progress import track

from fastsam.cli.say import complain, say
from fastsam.errors import UnreadableImageError, UsageError
from fastsam.files import make_folder
from fastsam.formats.overlay import Look, draw
from fastsam.formats.tracks import NEED_IDS, SUFFIXES, records
from fastsam.masks.captions import write_names
from fastsam.masks.tinted import by_id, draw_labels, strength
from fastsam.segments import Segments
from fastsam.sources import MOST_CAMERAS, Frame, is_address
from fastsam.streams import ordered
from fastsam.video import write
from fastsam.video.read import Clip, read
from fastsam.video.track import tracked

UInt8 = npt.NDArray[np.uint8]
Found = tuple[Frame, Segments]
FORMATS = ("overlay", *SUFFIXES)
DEFAULT = Path("output")  # of -o: it is a folder
QUIT = (ord("q"), 27)  # keys that close the window
LARGE = 0.004  # share of the picture from which on a mask shows its id


@Parameter(name="*", group=Group("Videos", sort_key=6))
@dataclass(frozen=True)
class Filming:
    """A video as a whole.

    Parameters
    ----------
    track
        Give each object of a video one id and one colour; drop what appears in only one frame. Formats mots and
        youtube-vis need it.
    every
        Take every n-th frame of a video.
    from_
        Number of the first frame; frames are numbered from 0. Default: 0.
    to
        Number of the last frame. Default: the last one of the video.
    show
        Show the frames in a window; q closes it.
    """

    track: Annotated[bool, Parameter(negative="")] = False
    every: int | None = None
    from_: Annotated[int | None, Parameter(name="--from")] = None
    to: int | None = None
    show: Annotated[bool, Parameter(negative="")] = False


FILMING = Filming()


def is_whole(words: Sequence[str], output: Path, filming: Filming, formats: Sequence[str]) -> bool:
    """Whether a line means a video as a whole: by its flags, its output, or because it names a camera or an address."""
    asked = filming != Filming() or output.suffix.lower() in write.SUFFIXES or any(f in NEED_IDS for f in formats)
    return asked or any(is_camera(word) or is_address(word) for word in words)


def is_camera(word: str) -> bool:
    """Whether a word is the number of a camera, and not the name of a file."""
    return word.isascii() and word.isdecimal() and int(word) <= MOST_CAMERAS and not os.path.lexists(word)


def source_of(word: str) -> int | str:
    """What a word names: the number of a camera, or a file, folder, pattern or address."""
    return int(word) if is_camera(word) else word


def ended(error: KeyboardInterrupt | UsageError, clip: Clip) -> int:
    """The exit code of a command whose frames ended early; says why, unless the user ended them."""
    if isinstance(error, KeyboardInterrupt):
        return 0 if clip.live else 130
    complain(error)
    return 1 if isinstance(error, UnreadableImageError) else 2


def film(
    words: Sequence[str],
    output: Path,
    filming: Filming,
    formats: Sequence[str] | None,
    find: Callable[[UInt8], Segments],
    workers: int,
    look: Look,
) -> int:
    """Writes what is asked for of one source, frame by frame; returns the exit code.

    formats: by default the video; nothing where frames are only to be shown
    find: what is shown of a frame, called on `workers` threads at the same time
    """
    if len(words) != 1:
        raise UsageError(
            f"{len(words)} inputs given for one video: give one video, folder, pattern or camera at a time"
        )
    only_shown = filming.show and output == DEFAULT
    files = plan(words[0], output, filming, list(dict.fromkeys(formats or ([] if only_shown else ["overlay"]))))
    limits = {"every": 1 if filming.every is None else filming.every, "first": filming.from_ or 0}
    clip = read(source_of(words[0]), **limits, last=filming.to)
    if filming.show:
        open_window()
    shots = ((frame, pixels) for frame, pixels in clip.frames)
    found: Iterator[Found] = ordered(lambda shot: (shot[0], find(shot[1])), shots, workers)
    if filming.track:
        found = tracked(found)
    began, done, code = time.perf_counter(), 0, 0
    try:
        for done in written(progress(found, clip), clip, files, filming, look):  # noqa: B007  # the last one counts
            pass
    except (KeyboardInterrupt, UsageError) as error:
        code = ended(error, clip)
    if done:
        rate = done / (time.perf_counter() - began)
        names = ", ".join(str(file) for file in files.values())
        say(f"{words[0]}: {done} frame{'s' * (done != 1)}, {rate:.1f} per second" + f" -> {names}" * bool(names))
    return code


def plan(word: str, output: Path, filming: Filming, formats: Sequence[str]) -> dict[str, Path]:
    """The files to write, by format. Raises UsageError for what cannot be written of a video, or not there."""
    for name in formats:
        if name not in FORMATS:
            raise UsageError(
                f"--format {name} cannot be written for a whole video: choose from {', '.join(FORMATS)}, or "
                "leave out the flags for videos to write a file per frame"
            )
        if name in NEED_IDS and not filming.track:
            raise UsageError(f"--format {name} needs the ids of objects: add --track")
    if not formats:
        return {}
    is_file = output.suffix.lower() in write.SUFFIXES and not output.is_dir()
    if not is_file and output.suffix and not output.is_dir():
        raise UsageError(f"{output}: a video ends in {', '.join(write.SUFFIXES)}; a folder for it has no suffix")
    stem = f"camera-{word}" if is_camera(word) else Path(word.rstrip("/")).stem or "video"
    base = output if is_file else output / f"{stem}.mp4"
    files = {name: base if name == "overlay" else base.with_name(base.stem + SUFFIXES[name]) for name in formats}
    if any(os.path.realpath(file) == os.path.realpath(word) for file in files.values()):
        raise UsageError(f"{base} is the video itself: choose another name with -o")
    if "overlay" in files:
        write.check(base)
        if base.suffix.lower() not in write.FOURCC and not write.has_h264():
            say(f"{base}: MPEG-4, which browsers do not play; for H.264: {write.WITH_AV}", error=True)
    make_folder(base.parent)
    return files


def written(found: Iterable[Found], clip: Clip, files: dict[str, Path], filming: Filming, look: Look) -> Iterator[int]:
    """Writes frame by frame; yields how many there are."""
    with ExitStack() as open_:
        video = open_.enter_context(write.writer(files["overlay"], clip.rate)) if "overlay" in files else None
        others = [open_.enter_context(records(kind, file)) for kind, file in files.items() if kind != "overlay"]
        for count, (frame, segments) in enumerate(found, 1):
            for other in others:
                other.add(frame.number, segments)
            if video is not None or filming.show:
                picture = picture_of(segments, look)
                for _ in range(due(frame, clip, video.frames) if video is not None else 0):
                    video.write(picture)  # type: ignore[union-attr]  # mypy does not see that it is there
                if filming.show and shown(picture):
                    return
            yield count


def due(frame: Frame, clip: Clip, frames: int) -> int:
    """How often a frame is written after `frames` others: once, but a live source's as its time says."""
    if not clip.live or frame.seconds is None:
        return 1
    return max(0, round(frame.seconds * clip.rate) + 1 - frames)


def picture_of(segments: Segments, look: Look) -> UInt8:
    """The frame with its masks; if they have ids, each in the colour of its id, and large ones with the id."""
    assert segments.photo is not None
    if segments.tracks is None:
        return draw(segments.photo, segments, None, look)
    labels = segments.label_map()
    own = by_id(segments.tracks)
    strong = strength(labels, len(segments))
    picture = draw_labels(segments.photo, labels, colours=own, tint=not look.outline, strong=strong)
    shown = np.bincount(labels.reshape(-1), minlength=len(segments) + 1)[1:] >= LARGE * labels.size
    names = [f"{name} {track}".strip() if large else "" for name, track, large in
             zip(segments.captions, segments.tracks.tolist(), shown, strict=True)]  # fmt: skip
    write_names(picture, labels, names, own)
    return picture


def progress(found: Iterable[Found], clip: Clip) -> Iterable[Found]:
    """The frames, with a bar and what remains, if standard error is a terminal."""
    err = Console(stderr=True)
    return track(found, "segmenting", clip.count, console=err, transient=True, disable=not err.is_terminal)


def open_window() -> None:
    """Opens the window. Raises UsageError if this OpenCV or this machine has none."""
    try:
        cv2.namedWindow("fastsam", cv2.WINDOW_NORMAL)
    except cv2.error:
        raise UsageError(
            "--show needs a screen and OpenCV with windows: pip uninstall opencv-python-headless, "
            "then pip install opencv-python"
        ) from None


def shown(picture: UInt8) -> bool:
    """Shows a picture; whether the user closes the window."""
    cv2.imshow("fastsam", np.ascontiguousarray(picture[..., ::-1]))
    return cv2.waitKey(1) & 0xFF in QUIT or cv2.getWindowProperty("fastsam", cv2.WND_PROP_VISIBLE) < 1
