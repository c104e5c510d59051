"""What is printed about a photo: a line for people, or JSON for programs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fastsam.formats.answers import picks_of, segments_of
from fastsam.image.photos import Photo
from fastsam.prompts import Pick
from fastsam.segments import Segments


def answer(photo: Photo, segments: Segments, picks: list[Pick] | None, parents: Sequence[int] | None) -> dict[str, Any]:
    """What --json prints about a photo: its segments, or one entry per prompt (null if nothing matched).

    parents: index of each segment's parent, if they were asked for
    """
    height, width = segments.size
    found: dict[str, Any] = {"file": str(photo.file), "width": width, "height": height}
    if photo.frame is not None:
        found["frame"] = photo.frame
    if picks is None:
        return found | {"segments": segments_of(segments, parents)}
    return found | {"picks": picks_of(segments, picks)}


def describe(
    photo: Photo,
    segments: Segments,
    picks: list[Pick] | None,
    seconds: Mapping[str, float],
    files: Sequence[Path],
    said: Sequence[str] = (),
) -> str:
    """The line about a photo. said: further remarks"""
    times = ", ".join(f"{name} {1000 * s:.0f} ms" for name, s in seconds.items())
    found = f"{len(segments)} object{'s' * (len(segments) != 1)}"
    if picks is not None:
        found += "; " + ", ".join(_show(p) for p in picks)
    found += "".join(f"; {one}" for one in said)
    written = f" -> {', '.join(str(f) for f in files)}" if files else ""
    return f"{photo}: {found} ({times}){written}"


def _show(pick: Pick) -> str:
    if not pick.candidates:
        return f"{pick.prompt.name}: {'not in this photo' if pick.prompt.text is not None else 'no match'}"
    best = pick.candidates[0]
    if best.how == "drawn":
        source = "" if best.index is None else f" from {best.index}"
        return f"{pick.prompt.name}: drawn{source} at {best.score:.2f}"
    plus, minus = " + ".join(map(str, best.plus)), "".join(f" - {i}" for i in best.minus)
    of = "" if best.how == "mask" else "of "
    more = f" and {len(pick.matches) - 1} more" if len(pick.matches) > 1 else ""
    return f"{pick.prompt.name}: {best.how} {of}{plus}{minus} at {best.score:.2f}{more}"
