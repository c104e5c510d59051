"""Photos of any size, in overlapping tiles: small objects that the whole view misses, large ones joined across seams.

Enters: what finds everything in a part of a photo. Leaves: `Segments` of the whole.

The photo is segmented whole, for large objects, and tile by tile. Two masks of neighbouring tiles become one where they
agree on the strip that both tiles show (IoU of at least a half there). A mask that ends at a seam all the same is a
piece: it goes where half of it lies within what the whole view found. Of two masks of the same thing (IoU above
`iou`) a tile's stays where the thing fits into a tile, since it is finer, and the whole view's where it does not.
Masks of tiles are kept as pixels: how sure they were is not (their stability is 1).
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from fastsam.errors import UsageError
from fastsam.masks.given import collect
from fastsam.masks.lazy import from_pixels
from fastsam.masks.runs import Runs, iou_of, overlap_of, union
from fastsam.segments import Segments
from fastsam.values import integer
from fastsam.values import number as real

Box = tuple[int, int, int, int]
UInt8 = npt.NDArray[np.uint8]
Int = npt.NDArray[np.int64]
AGREE = 0.5  # least IoU of two masks on the strip that their tiles share
PIECE = 0.5  # share of a cut mask within those of the whole view from which on it goes
NEAR = 2  # pixels from a seam at which a mask ends there
LEAST = 16  # pixels of a mask on the strip from which on it says anything
LEAST_TILE = 32
OVERLAP = 0.25  # of a tile with the next, where nothing else is said


@dataclass(frozen=True, eq=False)
class Found:
    """A mask in the photo's pixels. tile: its number, -1 for the whole view"""

    runs: Runs
    bounds: Box
    score: float
    kind: int
    tile: int


@dataclass(frozen=True)
class Tiling:
    """tile: side of the tiles in photo pixels, None for the whole photo alone; overlap: share of a tile that the next
    one shows too, above 0 and at most 0.5"""

    tile: int | None = None
    overlap: float = OVERLAP

    def checked(self) -> "Tiling":
        """The same as plain numbers. Raises UsageError for invalid values."""
        overlap = real(self.overlap, "overlap", 0, 0.5)
        if overlap == 0:
            raise UsageError(f"overlap must be above 0, not {self.overlap}")
        return Tiling(None if self.tile is None else integer(self.tile, "tile", LEAST_TILE), overlap)


def segment(
    find: Callable[[UInt8], Segments], pixels: UInt8, tiling: Tiling, iou: float, max_det: int | None
) -> Segments:
    """Everything in a photo (H, W, 3).

    find: segments a part of it; iou: above which two masks are one; max_det: maximum number of masks
    """
    tile, overlap = tiling.tile, tiling.overlap
    if tile is None:
        return find(pixels)
    size = (pixels.shape[0], pixels.shape[1])
    whole = find(pixels)
    if max(size) <= tile:
        return whole
    seconds = dict(whole.seconds)
    found = list(moved(whole, (0, 0), -1))
    tiles = list(windows(size, tile, overlap))
    parts: list[list[Found]] = []
    for number, (x0, y0, x1, y1) in enumerate(tiles):
        part = find(pixels[y0:y1, x0:x1])
        parts.append(list(moved(part, (x0, y0), number)))
        for name, took in part.seconds.items():
            seconds[name] = seconds.get(name, 0.0) + took
    joining = time.perf_counter()
    apart = without_pieces(join(parts, tiles, size), found, size[0])
    kept = best(found + apart, tile, iou, size[0])[:max_det]
    masks = from_pixels(collect((f.runs for f in kept), size))
    seconds["join"] = time.perf_counter() - joining
    scores, kinds = np.array([f.score for f in kept], np.float32), np.array([f.kind for f in kept], np.int64)
    return Segments(masks, scores, kinds, whole.names, seconds, pixels)


def windows(size: tuple[int, int], tile: int, overlap: float) -> Iterator[Box]:
    """Tiles xyxy of a photo (height, width), row by row; those at the right and the lower border end there."""

    def starts(length: int) -> list[int]:
        if length <= tile:
            return [0]
        steps = -(-(length - tile) // max(1, round(tile * (1 - overlap))))
        return [round(k * (length - tile) / steps) for k in range(steps + 1)]

    height, width = size
    for y in starts(height):
        for x in starts(width):
            yield x, y, min(width, x + tile), min(height, y + tile)


def moved(segments: Segments, offset: tuple[int, int], tile: int) -> Iterator[Found]:
    """The masks of a part of the photo at `offset` (x, y), those without pixels left out."""
    dx, dy = offset
    for i, runs in enumerate(segments.masks.all_runs()):
        if len(runs.columns):
            there = Runs(runs.columns + dx, runs.tops + dy, runs.bottoms + dy)
            yield Found(there, there.bounds, float(segments.scores[i]), int(segments.classes[i]), tile)


def join(parts: Sequence[Sequence[Found]], tiles: Sequence[Box], size: tuple[int, int]) -> list[tuple[Found, bool]]:
    """The masks of all tiles, joined across seams; and of each whether it is cut at one all the same."""
    everything = [f for part in parts for f in part]
    first = np.cumsum([0, *map(len, parts)])
    group = list(range(len(everything)))

    def root(k: int) -> int:
        while group[k] != k:
            k = group[k]
        return k

    for a in range(len(tiles)):
        for b in range(a + 1, len(tiles)):
            strip = common(tiles[a], tiles[b])
            if strip is not None:
                for i, j in agreeing(parts[a], parts[b], strip, size[0]):
                    group[root(int(first[b]) + j)] = root(int(first[a]) + i)
    members: dict[int, list[Found]] = {}
    for k, f in enumerate(everything):
        members.setdefault(root(k), []).append(f)
    return [(one := united(fs, size[0]), any(cut(one, tiles[f.tile], size) for f in fs)) for fs in members.values()]


def common(a: Box, b: Box) -> Box | None:
    """What two boxes share, None where that is nothing."""
    x0, y0, x1, y1 = max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])
    return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None


def agreeing(a: Sequence[Found], b: Sequence[Found], strip: Box, height: int) -> Iterator[tuple[int, int]]:
    """Pairs of masks, one of each tile, that are each other's best on the strip, with IoU `AGREE` there."""
    near = ([(k, within(f.runs, strip)) for k, f in enumerate(fs) if common(f.bounds, strip)] for fs in (a, b))
    ones, others = ([(k, part) for k, part in some if part.area >= LEAST] for some in near)
    if not ones or not others:
        return
    areas, theirs = (np.array([runs.area for _, runs in some]) for some in (ones, others))
    first, second = (np.array([runs.bounds for _, runs in some]) for some in (ones, others))
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    meet = np.asarray(low < np.minimum(first[:, None, 2:], second[None, :, 2:])).all(axis=2)
    # The smaller of two masks is at least IoU times the larger.
    alike = np.minimum(areas[:, None], theirs) >= AGREE * np.maximum(areas[:, None], theirs)
    table = np.zeros((len(ones), len(others)))
    for r, c in np.argwhere(meet & alike):
        table[r, c] = iou_of(ones[r][1], others[c][1], height)
    for r, c in enumerate(table.argmax(1)):
        if table[r, c] >= AGREE and table[:, c].argmax() == r:
            yield ones[r][0], others[c][0]


def within(runs: Runs, box: Box) -> Runs:
    """The part of a mask that lies in a box."""
    x0, y0, x1, y1 = box
    tops, bottoms = np.maximum(runs.tops, y0), np.minimum(runs.bottoms, y1)
    there = (runs.columns >= x0) & (runs.columns < x1) & (tops < bottoms)
    return Runs(runs.columns[there], tops[there], bottoms[there])


def united(found: Sequence[Found], height: int) -> Found:
    """One mask of several, with the best one's score, class and tile."""
    first = max(found, key=lambda f: f.score)
    if len(found) == 1:
        return first
    runs = union([f.runs for f in found], height)
    return replace(first, runs=runs, bounds=runs.bounds)


def cut(f: Found, tile: Box, size: tuple[int, int]) -> bool:
    """Whether a mask ends at a side of a tile that is a seam."""
    x0, y0, x1, y1 = f.bounds
    height, width = size
    return (
        (tile[0] > 0 and abs(x0 - tile[0]) <= NEAR)
        or (tile[1] > 0 and abs(y0 - tile[1]) <= NEAR)
        or (tile[2] < width and abs(x1 - tile[2]) <= NEAR)
        or (tile[3] < height and abs(y1 - tile[3]) <= NEAR)
    )


def without_pieces(found: Sequence[tuple[Found, bool]], whole: Sequence[Found], height: int) -> list[Found]:
    """The masks of tiles without pieces of what the whole view shows."""
    if not whole:
        return [f for f, _ in found]
    seen = union([f.runs for f in whole], height)

    def is_piece(f: Found) -> bool:
        return overlap_of(f.runs, seen, height) >= PIECE * f.runs.area

    return [f for f, is_cut in found if not (is_cut and is_piece(f))]


def best(found: Sequence[Found], tile: int, iou: float, height: int) -> list[Found]:
    """One mask of each thing, best score first."""
    if not found:
        return []
    bounds = np.array([f.bounds for f in found], np.int64)
    areas = np.array([f.runs.area for f in found])
    fits = (bounds[:, 2:] - bounds[:, :2]).max(1) < tile
    apt = np.array([f.tile >= 0 for f in found]) == fits  # the view that shows it better
    scores = np.array([f.score for f in found])
    order = np.lexsort((-scores, ~apt))
    kept, count = np.empty(len(found), np.int64), 0
    for i in order.tolist():
        others = kept[:count]
        w = np.minimum(bounds[others, 2], bounds[i, 2]) - np.maximum(bounds[others, 0], bounds[i, 0])
        h = np.minimum(bounds[others, 3], bounds[i, 3]) - np.maximum(bounds[others, 1], bounds[i, 1])
        # No two masks share more than their bounds do, or than the smaller one has.
        most = np.minimum(np.maximum(w, 0) * np.maximum(h, 0), np.minimum(areas[others], areas[i]))
        likely = others[most > iou * (areas[others] + areas[i] - most)]
        if not any(iou_of(found[i].runs, found[k].runs, height) > iou for k in likely.tolist()):
            kept[count] = i
            count += 1
    return [found[i] for i in sorted(kept[:count].tolist(), key=lambda i: -scores[i])]
