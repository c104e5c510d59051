"""Answers as the service sends them: those of `formats.answers`, and of drawn ones every candidate's mask.

Enters: `Segments` (some of a photo's), picks. Leaves: plain values, with indices among all of the photo's segments.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from fastsam.formats import answers, coco
from fastsam.formats.items import Item, categories
from fastsam.prompts import Candidate, Pick
from fastsam.segments import Segments

MaskRow = dict[str, Any]
WHOLE = ("index", "score", "quality", "segmentation", "area", "bbox")  # of a drawn candidate: no other answer has it


def picks_of(
    segments: Segments, picks: Sequence[Pick], among: Sequence[int], known: Sequence[MaskRow] | None = None
) -> list[MaskRow | None]:
    """One answer per prompt, None if nothing matched.

    among: which of the photo's segments these are; known: the rows of all of the photo's, which are not made again
    """
    chosen = [replace(pick, candidates=()) if pick.how == "drawn" else pick for pick in picks]
    if known is None:
        found = answers.picks_of(segments, chosen)
    else:
        found = [answers.pick_of(p, [known_row(p.candidates[0], segments, among, known)] if p else []) for p in chosen]
    names = categories(segments.names, [pick.prompt for pick in picks])
    rows = [
        drawn(pick, segments, names) if pick.how == "drawn" else row for pick, row in zip(picks, found, strict=True)
    ]
    return [row and in_photo(row, among) for row in rows]


def known_row(best: Candidate, segments: Segments, among: Sequence[int], known: Sequence[MaskRow]) -> MaskRow:
    """The best match as plain values: those of its segment if it is one."""
    if best.index is not None:
        return {**known[among[best.index]], "index": best.index, "score": round(best.score, 5)}
    (row,) = described([best], segments, segments.names)
    return row


def drawn(pick: Pick, segments: Segments, names: Sequence[str]) -> MaskRow:
    """A drawn answer: its best candidate, and each candidate with its mask."""
    rows = described(pick.candidates, segments, names)
    return {"how": "drawn", **rows[0], "candidates": [{"how": "drawn", **{k: r[k] for k in WHOLE}} for r in rows]}


def described(found: Sequence[Candidate], segments: Segments, names: Sequence[str]) -> list[MaskRow]:
    """Candidates as plain values."""
    items = [Item(c.runs, c.score, c.index, segments.class_of(c), quality=c.quality) for c in found]
    return [
        {"index": item.index, **row, **({"name": names[item.category]} if len(names) > 1 else {})}
        for item, row in coco.describe(items, segments.size)
    ]


def in_photo(pick: MaskRow, among: Sequence[int]) -> MaskRow:
    """A pick among some of the segments, with indices among all of them."""

    def mapped(row: MaskRow) -> MaskRow:
        index = row.get("index")
        parts: MaskRow = {side: [among[i] for i in row[side]] for side in ("plus", "minus") if side in row}
        return {**row, "index": None if index is None else among[index], **parts}

    sides: MaskRow = {side: [mapped(row) for row in pick[side]] for side in ("candidates", "matches") if side in pick}
    return {**mapped(pick), **sides}
