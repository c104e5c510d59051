"""Which masks of a photo are written: all of them, or those that answer prompts.

Enters: `Segments`, their names, the picks. Leaves: `Item`s, one at a time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fastsam.masks.runs import Crop, Runs
from fastsam.prompts import Pick, Prompt
from fastsam.segments import Segments


@dataclass(frozen=True, eq=False)
class Item:
    """A mask to write.

    index: its index among the segments, or that of the segment it was drawn from; None if there is no single one
    category: index of its name in `categories`; prompt: index of the prompt that it answers
    quality: its predicted IoU; None if it was not drawn
    """

    runs: Runs
    score: float
    index: int | None
    category: int
    prompt: int | None = None
    quality: float | None = None

    @property
    def crop(self) -> Crop:
        """Its pixels."""
        return self.runs.crop()


def categories(names: Sequence[str], prompts: Sequence[Prompt] = ()) -> tuple[str, ...]:
    """The names that items may have: those of the segments, then the texts of the prompts, each once."""
    texts = (prompt.text for prompt in prompts if prompt.text is not None)
    return tuple(dict.fromkeys((*names, *texts)))


def items(segments: Segments, picks: Sequence[Pick] | None = None) -> Iterator[Item]:
    """All masks, best first; with picks, what matches each of them, in order."""
    known = categories(segments.names, [pick.prompt for pick in picks or ()])
    own = [known.index(name) for name in segments.names]  # a COCO file may give two categories one name
    if picks is None:
        for i, runs in enumerate(segments.masks.all_runs()):
            yield Item(runs, float(segments.scores[i]), i, own[segments.classes[i]])
        return
    for number, pick in enumerate(picks):
        for match in pick.matches:
            kind = own[segments.class_of(match)] if pick.prompt.text is None else known.index(pick.prompt.text)
            yield Item(match.runs, match.score, match.index, kind, number, match.quality)


def label_map(segments: Segments, picks: Sequence[Pick] | None = None) -> npt.NDArray[np.int32]:
    """(H, W) int32: i + 1 for mask i, or k + 1 for the matches of pick k; small masks on large ones; 0 for no mask."""
    if picks is None:
        return segments.label_map()
    labels = np.zeros(segments.size, np.int32)
    for item in sorted(items(segments, picks), key=lambda item: -item.runs.area):
        item.crop.paint(labels, (item.prompt or 0) + 1)
    return labels
