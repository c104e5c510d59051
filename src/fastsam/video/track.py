"""Which mask of a frame is which object of the frames before.

Enters: `Segments`, frame by frame, and the `Tracks` until then. Leaves: an id per mask, and the `Tracks` from then on.

The rule. Each object is expected where its motion takes it. Masks and expected masks that overlap are paired, so that
the sum of their IoU, weighted by how alike their colours are, is largest. What is left is paired by place, size and
colour: so an object that was hidden for some frames gets its id back. A mask that is left then is a new object if it is
sure enough, and gets an id when it is seen again: what flickers for one frame has none.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.masks.runs import Runs
from fastsam.segments import Segments
from fastsam.video.assign import pairs

Float = npt.NDArray[np.float32]
Int = npt.NDArray[np.int64]
T = TypeVar("T")
CELLS = 160  # longer side of the grid on which masks are compared
SAMPLE = 400  # maximum number of pixels per mask whose colours count
BINS = 4  # per channel of the histogram of colours
SURE = 0.15  # least score of a mask that begins an object
DOUBLE = 0.5  # IoU of two masks of a frame above which they show one object
OVERLAP = 0.3  # least IoU of a mask and the mask expected
LIKE = 0.65  # least likeness of the colours of a mask and the object expected there, 0..1
ALIKE = 0.75  # least likeness of the colours of an object that is found again, 0..1
FAR = 2.0  # how far from the expected place it may be, in lengths of its own; grows while it is hidden
SIZES = (0.2, 3.0)  # its area by what it was
PATIENCE = 30  # frames for which a hidden object is waited for
STEADY = 0.7  # share of the speed before that stays with each frame
KEEP = 0.97  # share of the colours and the area before


@dataclass(frozen=True, eq=False)
class Seen:
    """What is compared of N masks.

    grids: (N, cells) 1 where a cell's centre lies in the mask; bounds: (N, 4) xyxy in cells; areas: (N,) pixels
    colours: (N, bins) root of the share of each colour, so that the product of two is their likeness
    """

    grids: Float
    bounds: Float
    areas: Float
    colours: Float

    def take(self, some: Int) -> "Seen":
        """Those at `some`."""
        return Seen(self.grids[some], self.bounds[some], self.areas[some], self.colours[some])


@dataclass(frozen=True, eq=False)
class Tracks:
    """All objects that are followed, as of the last frame.

    seen: what each looked like when it was seen last; ids: (T,) 0 until it is seen a second time
    speeds: (T, 2) cells per frame; lost: (T,) frames since it was seen; times: (T,) how often it was seen
    shape: (rows, columns) of the grid
    next: the id of the next new object; size: (height, width) of the frames, None before the first one
    """

    seen: Seen
    ids: Int
    speeds: Float
    lost: Int
    times: Int
    shape: tuple[int, int] = (0, 0)
    next: int = 1
    size: tuple[int, int] | None = None


def nothing(size: tuple[int, int] | None = None, next: int = 1) -> Tracks:
    """Before the first frame, or the first one of `size` (height, width)."""
    shape = grid_of(size) if size else (0, 0)
    cells, one, corners, bins = (np.zeros((0, k), np.float32) for k in (shape[0] * shape[1], 2, 4, BINS**3))
    none = np.zeros(0, np.int64)
    return Tracks(Seen(cells, corners, one[:, 0], bins), none, one, none, none, shape, next, size)


def tracked(found: Iterable[tuple[T, Segments]]) -> Iterator[tuple[T, Segments]]:
    """The frames in order, each with the segments that have an id, and their ids as `tracks`."""
    tracks = nothing()
    for frame, segments in found:
        tracks, ids = identify(tracks, segments)
        yield frame, with_ids(segments, ids)


def with_ids(segments: Segments, ids: Int) -> Segments:
    """The segments whose id is not 0, with their ids as `tracks`."""
    own = np.flatnonzero(ids)
    return replace(segments.take(own), tracks=ids[own])


def identify(tracks: Tracks, segments: Segments) -> tuple[Tracks, Int]:
    """The ids (N,) of the masks of the next frame, 0 for what has none yet; and the tracks from then on.

    A frame of another size begins everything anew, but no id is given twice.
    """
    first = tracks.size != segments.size
    if first:
        tracks = nothing(segments.size, tracks.next)
    now = look(segments, tracks.shape)
    mine, theirs = matched(tracks, moved(tracks), now)
    begun = np.setdiff1d(np.flatnonzero(segments.scores >= SURE), theirs)
    begun = begun[np.argsort(-segments.scores[begun], kind="stable")]
    oldest = np.argsort(-tracks.times[mine], kind="stable")
    mine, theirs = mine[oldest], theirs[oldest]
    single = distinct(now.take(np.concatenate((theirs, begun))))
    mine, theirs, begun = mine[single[: len(mine)]], theirs[single[: len(mine)]], begun[single[len(mine) :]]
    ids = np.zeros(len(segments), np.int64)
    ids[theirs] = tracks.ids[mine]
    fresh = np.concatenate((theirs[tracks.ids[mine] == 0], begun if first else begun[:0]))
    ids[fresh] = tracks.next + np.arange(len(fresh))
    return renewed(tracks, now, mine, theirs, begun, ids), ids


def distinct(seen: Seen) -> npt.NDArray[np.bool_]:
    """(N,) False where a mask shows what one before it shows: an object has one mask, that of the oldest track."""
    alike = overlaps(seen, seen) > DOUBLE
    kept = np.ones(len(alike), bool)
    for i in range(1, len(alike)):
        kept[i] = not (alike[i, :i] & kept[:i]).any()
    return kept


def renewed(tracks: Tracks, now: Seen, mine: Int, theirs: Int, begun: Int, ids: Int) -> Tracks:
    """The tracks after a frame: those that were found, as they are now; those that are hidden; those that began."""
    steps = (tracks.lost[mine] + 1)[:, None]
    shift = step(tracks.seen.bounds[mine], now.bounds[theirs], tracks.speeds[mine] * steps) / steps
    begin = (tracks.ids[mine] == 0)[:, None]
    speeds = np.where(begin, shift, STEADY * tracks.speeds[mine] + (1 - STEADY) * shift)
    blend = KEEP * tracks.seen.colours[mine] + (1 - KEEP) * now.colours[theirs]
    areas = np.maximum(now.areas[theirs], KEEP * tracks.seen.areas[mine] + (1 - KEEP) * now.areas[theirs])
    found = Seen(now.grids[theirs], now.bounds[theirs], areas, blend)
    hidden = np.setdiff1d(np.flatnonzero((tracks.ids > 0) & (tracks.lost < PATIENCE)), mine)
    parts = (found, tracks.seen.take(hidden), now.take(begun))
    seen = Seen(*(np.concatenate([getattr(part, name) for part in parts]) for name in Seen.__dataclass_fields__))
    zeros = np.zeros(len(begun), np.int64)
    return replace(
        tracks,
        seen=seen,
        ids=np.concatenate((ids[theirs], tracks.ids[hidden], ids[begun])),
        speeds=np.concatenate((speeds, tracks.speeds[hidden], np.zeros((len(begun), 2)))).astype(np.float32),
        lost=np.concatenate((np.zeros(len(mine), np.int64), tracks.lost[hidden] + 1, zeros)),
        times=np.concatenate((tracks.times[mine] + 1, tracks.times[hidden], zeros + 1)),
        next=max(tracks.next, int(ids.max(initial=0)) + 1),
    )


def matched(tracks: Tracks, expected: Seen, now: Seen) -> tuple[Int, Int]:
    """Pairs of tracks and masks: by overlap, then what is left by place, size and colour."""
    likeness = expected.colours @ now.colours.T
    overlap = overlaps(expected, now)
    gains = np.where((overlap >= OVERLAP) & (likeness >= LIKE), overlap * (1 + likeness), 0)
    mine, theirs = pairs(gains)
    rest = np.setdiff1d(np.arange(len(tracks.ids)), mine)
    others = np.setdiff1d(np.arange(len(now.areas)), theirs)
    cell = tracks.size[0] * tracks.size[1] / (tracks.shape[0] * tracks.shape[1]) if tracks.size else 1.0
    near = nearness(expected.take(rest), now.take(others), tracks.lost[rest], cell)
    alike = likeness[np.ix_(rest, others)]
    a, b = pairs(np.where(alike >= ALIKE, near * alike, 0))
    return np.concatenate((mine, rest[a])), np.concatenate((theirs, others[b]))


def overlaps(one: Seen, other: Seen) -> Float:
    """(N, M) IoU of masks, on the grid."""
    shared = one.grids @ other.grids.T
    union = one.grids.sum(1)[:, None] + other.grids.sum(1)[None] - shared
    return np.asarray(shared / np.maximum(union, 1))


def nearness(expected: Seen, now: Seen, lost: Int, cell: float) -> Float:
    """(T, N) 1 where a mask is in the expected place, 0 from `FAR` lengths on, and where the areas do not fit."""
    apart = np.linalg.norm(centres(expected.bounds)[:, None] - centres(now.bounds)[None], axis=2)
    length = np.sqrt(np.maximum(expected.areas / cell, 1))
    reach = FAR * length * (1 + lost / PATIENCE)
    ratio = now.areas[None] / np.maximum(expected.areas[:, None], 1)
    fits = (ratio >= SIZES[0]) & (ratio <= SIZES[1])
    return np.asarray(np.where(fits, np.maximum(0, 1 - apart / np.maximum(reach[:, None], 1)), 0), np.float32)


def step(before: Float, after: Float, expected: Float) -> Float:
    """(P, 2) how far objects went, by their bounds (P, 4) before and after.

    Of both sides and the centre that one counts that is nearest to the motion `expected` (P, 2): an object that goes
    behind another keeps one side.
    """
    moves = np.stack((after[:, :2] - before[:, :2], after[:, 2:] - before[:, 2:], centres(after) - centres(before)), 1)
    best = np.abs(moves - expected[:, None]).argmin(1)
    return np.asarray(np.take_along_axis(moves, best[:, None], 1)[:, 0])


def moved(tracks: Tracks) -> Seen:
    """Every object where its motion takes it in the next frame."""
    shifts = np.round(tracks.speeds * (tracks.lost + 1)[:, None]).astype(np.int64)
    grids = tracks.seen.grids.reshape(-1, *tracks.shape)
    laid = np.zeros_like(grids)
    for grid, place, (x, y) in zip(grids, laid, shifts.tolist(), strict=True):
        shift(grid, place, x, y)
    bounds = tracks.seen.bounds + np.tile(shifts, 2)
    return replace(tracks.seen, grids=laid.reshape(tracks.seen.grids.shape), bounds=bounds.astype(np.float32))


def shift(grid: Float, place: Float, x: int, y: int) -> None:
    """Puts a grid (rows, columns) into an empty `place` of its shape, moved by x and y cells."""
    h, w = grid.shape
    if abs(x) < w and abs(y) < h:
        place[max(0, y) : h + min(0, y), max(0, x) : w + min(0, x)] = grid[
            max(0, -y) : h - max(0, y), max(0, -x) : w - max(0, x)
        ]


def centres(bounds: Float) -> Float:
    """(N, 2) the middle of boxes (N, 4)."""
    return np.asarray((bounds[:, :2] + bounds[:, 2:]) / 2)


def grid_of(size: tuple[int, int]) -> tuple[int, int]:
    """(rows, columns) of the grid for frames of `size` (height, width)."""
    pitch = max(1.0, max(size) / CELLS)
    return max(1, round(size[0] / pitch)), max(1, round(size[1] / pitch))


def look(segments: Segments, shape: tuple[int, int]) -> Seen:
    """What is compared of each mask. The photo may be missing: then all colours are alike."""
    rows, columns = shape
    scale = np.array([columns / segments.size[1], rows / segments.size[0]])
    every = list(segments.masks.all_runs())
    grids = np.zeros((len(every), rows, columns), np.float32)
    for runs, grid in zip(every, grids, strict=True):
        crop = runs.crop()
        h, w = crop.pixels.shape
        if h and w:
            x0, y0, x1, y1 = (
                (np.array([*crop.offset, crop.offset[0] + w, crop.offset[1] + h]) * np.tile(scale, 2))
                .round()
                .astype(int)
            )
            x0, y0 = min(x0, columns - 1), min(y0, rows - 1)
            x1, y1 = max(x1, x0 + 1), max(y1, y0 + 1)
            grid[y0:y1, x0:x1] = cv2.resize(
                crop.pixels.view(np.uint8), (int(x1 - x0), int(y1 - y0)), interpolation=cv2.INTER_NEAREST
            )
    bounds = np.array([runs.bounds for runs in every], np.float32).reshape(-1, 4) * np.tile(scale, 2)
    areas = np.array([runs.area for runs in every], np.float32)
    colours = np.stack([colours_of(segments.photo, runs) for runs in every]) if every else np.zeros((0, BINS**3))
    return Seen(grids.reshape(len(every), rows * columns), bounds.astype(np.float32), areas, colours.astype(np.float32))


def colours_of(photo: Any, runs: Runs) -> Float:
    """(bins,) root of the share of each colour in a mask."""
    shares = np.zeros(BINS**3, np.float32)
    if photo is None:
        shares[0] = 1
        return shares
    at = runs.points(SAMPLE).astype(np.int64)
    level = photo[at[:, 1], at[:, 0]].astype(np.int64) * BINS // 256
    counts = np.bincount(level @ np.array([BINS * BINS, BINS, 1]), minlength=BINS**3)
    return np.asarray(np.sqrt(counts / max(1, len(at))), np.float32)
