"""`fastsam segment`, from its flags to its exit code; `one` is the path of one photo."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track

from fastsam.cli import video
from fastsam.cli.say import complain, say
from fastsam.cli.segment import flags
from fastsam.cli.segment.finding import Find, finder
from fastsam.cli.segment.flags import Asking, Finding, Keeping, Naming, Writing
from fastsam.cli.segment.report import answer, describe
from fastsam.cli.segment.saving import Files, path_from, plan, save, save_together
from fastsam.errors import UsageError
from fastsam.files import make_folder
from fastsam.formats.content import Format, Subject
from fastsam.image.photos import Photo, find_photos, opened
from fastsam.image.read import UnreadableImageError
from fastsam.model import stage
from fastsam.prompts import Pick, Prompt
from fastsam.segments import Segments
from fastsam.streams import ordered

MANY = 10**9  # frames of a video, as far as it is known


def segment(
    photos: list[str],
    /,
    *,
    finding: Finding = flags.FINDING,
    asking: Asking = flags.ASKING,
    naming: Naming = flags.NAMING,
    keeping: Keeping = flags.KEEPING,
    writing: Writing = flags.WRITING,
    filming: video.Filming = video.FILMING,
) -> int:
    """Segment everything in photos, or the objects that points, boxes, masks and words describe.

    Parameters
    ----------
    photos
        Files, folders and patterns; or one video, also as a camera's number or an address (rtsp, http).
    """
    if video.is_whole(photos, writing.output, filming, writing.format or ()):
        return film(photos, finding, asking, naming, keeping, writing, filming)
    formats = writing.formats
    todo, prompts = find_photos(photos), asking.read()
    others = asking.files if finding.annotations is None else [*asking.files, finding.annotations]
    outputs = plan(todo, formats, writing.output, others)
    for group in (finding, keeping, writing):
        group.check()
    naming.check(prompts)
    find, workers = finder(finding, len(todo))
    if formats:
        make_folder(writing.output)
    request = Request(
        find, finding.annotations is not None, prompts, asking.merge, naming, keeping, writing, formats, outputs
    )
    return tell(ordered(partial(one, request), opened(todo), workers), len(todo), formats, writing)


def film(
    words: Sequence[str],
    finding: Finding,
    asking: Asking,
    naming: Naming,
    keeping: Keeping,
    writing: Writing,
    filming: video.Filming,
) -> int:
    """A video as a whole: every frame is segmented as a photo is. Returns the exit code."""
    if writing.json or writing.hierarchy or writing.fill or finding.annotations:
        raise UsageError("--json, --hierarchy, --fill and --annotations do not apply to a whole video: leave them out")
    prompts = asking.read()
    keeping.check()
    naming.check(prompts)
    find, workers = finder(finding, MANY)
    request = Request(find, False, prompts, asking.merge, naming, keeping, writing, [], {})

    def one(pixels: Any) -> Segments:
        segments, picks = understood(find(Photo(Path(), "", ""), pixels), request, {})
        return request.shown(segments) if picks is None else segments.picked(picks)

    return video.film(words, writing.output, filming, writing.format, one, workers, writing.options.look)


@dataclass(frozen=True)
class Request:
    """What is wanted of every photo."""

    find: Find
    annotated: bool
    prompts: list[Prompt]
    merge: bool
    naming: Naming
    keeping: Keeping
    writing: Writing
    formats: list[Format]
    outputs: dict[Photo, Files]

    def shown(self, segments: Segments) -> Segments:
        """The masks to show: things, if everything that the network finds is wanted and no level is given."""
        given = self.prompts or self.naming.words or self.keeping.level or self.annotated
        return segments if given else segments.filter(level="things")


@dataclass(frozen=True)
class Done:
    """What is left to say about a photo whose own files are written.

    line: for people; answer: for --json; entries: for the files about all photos, by format
    """

    line: str
    answer: dict[str, Any]
    entries: dict[str, object]


def one(request: Request, read: tuple[Photo, Any]) -> tuple[Photo, Done | UsageError]:
    """Takes one photo from its file to its files, on a thread of its own."""
    photo, source = read
    try:
        if isinstance(source, UsageError):
            raise source
        segments = request.find(photo, source)
        seconds = dict(segments.seconds)
        every, picks = understood(segments, request, seconds)
        segments = request.shown(every)
        with stage("write", seconds):
            files, options = request.outputs[photo], request.writing.options
            path = path_from(photo.file, request.writing.output)
            subject = Subject(photo.name, segments, picks, options, path)
            said = save(request.formats, files, subject, replace(subject, segments=every))
            entries = {f.name: f.together.entry(subject) for f in request.formats if f.together}
        json_ = request.writing.json
        parents = segments.hierarchy().tolist() if request.writing.hierarchy and json_ else None
        answers = answer(photo, segments, picks, parents) if json_ else {}
        line = describe(photo, segments, picks, seconds, list(files.values()), said)
        return photo, Done(line, answers, entries)
    except UsageError as error:
        return photo, error


def understood(segments: Segments, request: Request, seconds: dict[str, float]) -> tuple[Segments, list[Pick] | None]:
    """The masks that stay, redrawn and named, and the answers to prompts; None without prompts, or if they are merged.

    seconds: gets the time of every stage
    """
    naming, keeping = request.naming, request.keeping
    if keeping.refine:
        with stage("refine", seconds):
            segments = segments.refine(min_region_area=keeping.min_region_area or 0)
    k = keeping
    segments = segments.filter(area=k.area, stability=k.stability, inside=k.inside, level=k.level)
    if naming.words:
        with stage("name", seconds):
            segments = segments.named(naming.words, encoder=naming.encoder, all=naming.all, only=naming.only_named)
    if not request.prompts:
        return segments, None
    with stage("prompts", seconds):
        picks = segments.select(request.prompts, encoder=naming.encoder, refine=keeping.refine, all=naming.all)
    return (merged(segments, picks), None) if request.merge else (segments, picks)


def merged(segments: Segments, picks: Sequence[Pick]) -> Segments:
    """One segment of all that was answered; none if nothing was."""
    found = [pick for pick in picks if pick]
    masks = [segments.merge(found)] if found else []
    scores = [min(pick.score for pick in found)] if found else []
    return Segments.from_masks(segments.photo, masks, scores)


def tell(
    found: Iterable[tuple[Photo, Done | UsageError]], total: int, formats: Sequence[Format], writing: Writing
) -> int:
    """Says what became of each photo, and writes the files about all of them. Returns the exit code."""
    answers: list[dict[str, Any]] = []
    entries: dict[str, list[object]] = {}
    code = 0
    speak = partial(say, error=writing.json)
    err = Console(stderr=True)
    quiet = total == 1 or not err.is_terminal
    try:
        for photo, done in track(found, "segmenting", total, console=err, transient=True, disable=quiet):
            if isinstance(done, UsageError):
                about = "" if str(done).startswith(str(photo.file)) else f"{photo}: "
                complain(f"{about}{done}")
                code = max(code, 1 if isinstance(done, UnreadableImageError) else 2)
                continue
            for name, entry in done.entries.items():
                entries.setdefault(name, []).append(entry)
            answers.append(done.answer)
            speak(done.line)
    finally:  # what is done is kept if the user stops the rest
        for file in save_together(formats, writing.output, entries):
            speak(file)
        if writing.json:
            print(json.dumps(answers))
    return code
