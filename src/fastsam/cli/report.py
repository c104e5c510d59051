"""What is said of a photo: the line a person reads, and the JSON that a program does."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fastsam.cli.inputs import Photo
from fastsam.formats import coco
from fastsam.formats.items import Item, categories, items
from fastsam.prompts import Pick
from fastsam.segments import Segments


def answer(photo: Photo, segments: Segments, picks: list[Pick] | None, parents: Sequence[int] | None) -> dict[str, Any]:
    """What --json prints of a photo: its segments, or one entry a prompt (null where nothing matched).

    parents: of each segment, where they were asked for
    """
    height, width = segments.size
    found: dict[str, Any] = {"file": str(photo.file), "width": width, "height": height}
    if photo.frame is not None:
        found["frame"] = photo.frame
    names = categories(segments.names, [pick.prompt for pick in picks or ()])
    described = coco.describe(list(items(segments, picks)), segments.size)
    rows = [(item.prompt, _described(item, row, names, parents)) for item, row in described]
    if picks is None:
        return found | {"segments": [row for _, row in rows]}
    answers = [_picked(pick, [row for prompt, row in rows if prompt == k]) for k, pick in enumerate(picks)]
    return found | {"picks": answers}


def _picked(pick: Pick, matches: list[dict[str, Any]]) -> dict[str, Any] | None:
    if not pick:
        return None
    others = [
        {"index": c.index, "score": round(c.score, 5)}
        | ({} if c.how == "mask" else {"how": c.how, "plus": c.plus, "minus": c.minus})
        for c in pick.candidates
    ]
    asked = {} if pick.prompt.text is None else {"text": pick.prompt.text, "matches": matches}
    return {"how": pick.how, **matches[0], "candidates": others, **asked}


def _described(item: Item, row: dict[str, Any], names: Sequence[str], parents: Sequence[int] | None) -> dict[str, Any]:
    inside = {} if parents is None or item.index is None else {"parent": int(parents[item.index])}
    named = {"name": names[item.category]} if len(names) > 1 else {}
    return {"index": item.index, **row, **named, **inside}


def describe(
    photo: Photo,
    segments: Segments,
    picks: list[Pick] | None,
    seconds: dict[str, float],
    files: Sequence[Path],
    said: Sequence[str] = (),
) -> str:
    """The line a person reads; `said`: what else there is to say."""
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
    plus, minus = " + ".join(map(str, best.plus)), "".join(f" - {i}" for i in best.minus)
    of = "" if best.how == "mask" else "of "
    more = f" and {len(pick.matches) - 1} more" if len(pick.matches) > 1 else ""
    return f"{pick.prompt.name}: {best.how} {of}{plus}{minus} at {best.score:.2f}{more}"
