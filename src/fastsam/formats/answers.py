"""Answers as plain values, for JSON: what `--json` prints and the service sends.

Enters: `Segments`, picks. Leaves: dictionaries with COCO's fields.
"""

from collections.abc import Sequence
from typing import Any

from fastsam.formats import coco
from fastsam.formats.items import categories, items
from fastsam.prompts import Candidate, Pick
from fastsam.segments import Segments


def segments_of(segments: Segments, parents: Sequence[int] | None = None) -> list[dict[str, Any]]:
    """One dictionary per segment: its index, COCO's fields, and its name if there are several names.

    parents: index of the segment that each one lies in
    """
    rows = [row for _, row in rows_of(segments)]
    return rows if parents is None else [{**row, "parent": int(p)} for row, p in zip(rows, parents, strict=True)]


def picks_of(segments: Segments, picks: Sequence[Pick]) -> list[dict[str, Any] | None]:
    """One dictionary per prompt; None if nothing matched."""
    rows = rows_of(segments, picks)
    return [pick_of(pick, [row for prompt, row in rows if prompt == k]) for k, pick in enumerate(picks)]


def rows_of(segments: Segments, picks: Sequence[Pick] | None = None) -> list[tuple[int | None, dict[str, Any]]]:
    """For each mask, or each match of picks: the number of its prompt, and its values."""
    names = categories(segments.names, [pick.prompt for pick in picks or ()])
    described = coco.describe(list(items(segments, picks)), segments.size)
    return [
        (
            item.prompt,
            {"index": item.index, **row, **({"name": names[item.category]} if len(names) > 1 else {})},
        )
        for item, row in described
    ]


def pick_of(pick: Pick, matches: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """A pick: the best match, all candidates, and for a text all `matches`. matches: as `rows_of` describes them"""
    if not pick:
        return None
    others = [{"index": c.index, "score": round(c.score, 5)} | made(c) for c in pick.candidates]
    asked = {} if pick.prompt.text is None else {"text": pick.prompt.text, "matches": list(matches)}
    return {"how": pick.how, **matches[0], "candidates": others, **asked}


def made(candidate: Candidate) -> dict[str, Any]:
    """How a candidate was made, unless it is one of the segments itself."""
    if candidate.quality is not None:
        return {"how": candidate.how, "quality": round(candidate.quality, 5)}
    return {} if candidate.how == "mask" else {"how": candidate.how, "plus": candidate.plus, "minus": candidate.minus}
