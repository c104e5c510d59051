"""How well ids stay with their objects: IDF1 (Ristani et al. 2016) and identity switches (Bernardin 2008), over masks.

Enters: true and found masks with ids, frame by frame. Leaves: a `Score`.

A found mask fits an object if their IoU is at least 0.5. Each object has the one id, no two the same, whose masks fit
it in the most frames: these frames are its own. Per frame, objects and fitting masks are paired one to one, a pair of
the frame before first: these are the frames in which an object was found. What is in no pair does not count, since a
network that finds everything finds much that nobody annotated. So

    IDF1 = 2 * own frames / (frames with the object + frames in which it was found)

Objects that the network misses lower it, too.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fastsam.errors import UsageError
from fastsam.masks.rle import RLE, decode
from fastsam.masks.runs import Runs, iou_of, of_pixels
from fastsam.video.assign import pairs

Owned = dict[int, Runs]  # a frame's masks by id
IGNORED = 10  # class of MOTS
LEAST = 0.5  # IoU of a found mask and its object


@dataclass(frozen=True)
class Score:
    """Counts of one video or several, which can be added.

    true: frames with an object, of all objects; found: those in which it was found; own: those in which its own id
    fits; switches: how often an object that is found has another id than when it was found before
    """

    true: int = 0
    found: int = 0
    own: int = 0
    switches: int = 0

    def __add__(self, other: "Score") -> "Score":
        return Score(*(a + b for a, b in zip(vars(self).values(), vars(other).values(), strict=True)))

    @property
    def idf1(self) -> float:
        """0..1; NaN without objects."""
        return 2 * self.own / (self.true + self.found) if self.true else float("nan")

    @property
    def recall(self) -> float:
        """Share of the objects' frames in which they were found."""
        return self.found / self.true if self.true else float("nan")


def read_mots(file: Path) -> dict[int, Owned]:
    """The masks of MOTS text by frame and object. Regions to be ignored (class 10) are left out.

    Raises UsageError that names the line.
    """
    frames: dict[int, Owned] = defaultdict(dict)
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read as text: {error}") from None
    for number, line in enumerate(lines, 1):
        try:
            frame, thing, kind, height, width, counts = line.split()
            if int(kind) != IGNORED:
                mask: RLE = {"size": [int(height), int(width)], "counts": counts}
                frames[int(frame)][int(thing)] = of_pixels(decode(mask))
        except ValueError as error:
            raise UsageError(f"{file}, line {number}: not MOTS text ({error})") from None
    return frames


def score(frames: Iterable[tuple[Owned, Owned]], height: int) -> Score:
    """Counts over the frames of one video: its true masks and the found ones, by id."""
    fitting: Counter[tuple[int, int]] = Counter()
    true = found = switches = 0
    last: dict[int, int] = {}
    for wanted, given in frames:
        true += len(wanted)
        every = {(a, b): iou_of(x, y, height) for a, x in wanted.items() for b, y in given.items()}
        fits = {pair: iou for pair, iou in every.items() if iou >= LEAST}
        fitting.update(fits.keys())
        together = paired(fits, last)
        found += len(together)
        switches += sum(last.get(thing, mask) != mask for thing, mask in together.items())
        last |= together
    own = sum(fitting[pair] for pair in best({pair: float(n) for pair, n in fitting.items()}))
    return Score(true, found, own, switches)


def paired(fits: dict[tuple[int, int], float], last: dict[int, int]) -> dict[int, int]:
    """The id of each object of a frame: that of before if it still fits, else of the largest sum of IoU."""
    kept = {a: b for a, b in fits if last.get(a) == b}
    rest = {(a, b): iou for (a, b), iou in fits.items() if a not in kept and b not in kept.values()}
    return kept | dict(best(rest))


def best(gains: dict[tuple[int, int], float]) -> list[tuple[int, int]]:
    """The pairs, one to one, of the largest sum."""
    things, ids = (sorted({pair[k] for pair in gains}) for k in (0, 1))
    table = np.array([[gains.get((a, b), 0.0) for b in ids] for a in things]).reshape(len(things), len(ids))
    rows, columns = pairs(table)
    return [(things[i], ids[j]) for i, j in zip(rows.tolist(), columns.tolist(), strict=True)]
