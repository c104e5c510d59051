"""Segments a photo in overlapping tiles, to find small objects that the whole view misses.

Enters: a function that segments a part of a photo. Leaves: `Segments` of the whole photo.

The photo is segmented whole, for large objects, and tile by tile. Two masks of neighbouring tiles are joined if they
agree on the strip that both tiles show (IoU of at least 0.5 there). A mask that still ends at a seam is a piece: it is
dropped if at least half of it lies within masks of the whole view. Of two masks of the same thing (IoU above `iou`),
the tile's stays if the thing fits into a tile, because it is finer; otherwise the whole view's stays. Masks of tiles
are stored as pixels, without their logits, so their stability is 1.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from fastsam.boxes import lengths, most_shared
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
SAME_MASK_IOU = 0.5  # minimum IoU of two masks to be joined, on the strip that their tiles share
PIECE_SHARE = 0.5  # drop a cut mask if at least this share of it lies within masks of the whole view
SEAM_WIDTH = 2  # a mask this many pixels from a seam ends at the seam
LEAST_STRIP_PIXELS = 16  # minimum pixels of a mask on the strip to be compared there
LEAST_TILE = 32  # minimum side of a tile in pixels
OVERLAP = 0.25  # default share of a tile that the next tile shows too


@dataclass(frozen=True, eq=False)
class TileMask:
    """A mask in photo pixels. bounds: xyxy; kind: its class; tile: number of its tile, -1 for the whole view"""

    runs: Runs
    bounds: Box
    score: float
    kind: int
    tile: int


@dataclass(frozen=True)
class Tiling:
    """How a photo is cut.

    tile: side of the tiles in photo pixels, None for no tiles; overlap: share of a tile that the next one shows too,
    above 0 and at most 0.5
    """

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
    """Segments a photo (H, W, 3).

    find: segments a part of the photo; iou: two masks with a higher IoU are the same; max_det: maximum number of masks
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
    parts: list[list[TileMask]] = []
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
    """Tiles xyxy of a photo (height, width), row by row. The last ones end at the right and lower border."""

    def starts(length: int) -> list[int]:
        if length <= tile:
            return [0]
        steps = -(-(length - tile) // max(1, round(tile * (1 - overlap))))
        return [round(k * (length - tile) / steps) for k in range(steps + 1)]

    height, width = size
    for y in starts(height):
        for x in starts(width):
            yield x, y, min(width, x + tile), min(height, y + tile)


def moved(segments: Segments, offset: tuple[int, int], tile: int) -> Iterator[TileMask]:
    """The masks of the part of the photo at `offset` (x, y), without empty ones."""
    dx, dy = offset
    for i, runs in enumerate(segments.masks.all_runs()):
        if len(runs.columns):
            there = Runs(runs.columns + dx, runs.tops + dy, runs.bottoms + dy)
            yield TileMask(there, there.bounds, float(segments.scores[i]), int(segments.classes[i]), tile)


def join(
    parts: Sequence[Sequence[TileMask]], tiles: Sequence[Box], size: tuple[int, int]
) -> list[tuple[TileMask, bool]]:
    """The masks of all tiles, joined across seams; each with whether it is still cut at a seam."""
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
    members: dict[int, list[TileMask]] = {}
    for k, f in enumerate(everything):
        members.setdefault(root(k), []).append(f)
    return [(one := united(fs, size[0]), any(cut(one, tiles[f.tile], size) for f in fs)) for fs in members.values()]


def common(a: Box, b: Box) -> Box | None:
    """The intersection of two boxes, None if it is empty."""
    x0, y0, x1, y1 = max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])
    return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None


def agreeing(a: Sequence[TileMask], b: Sequence[TileMask], strip: Box, height: int) -> Iterator[tuple[int, int]]:
    """Index pairs of masks, one per tile, that match each other best on the strip, at `SAME_MASK_IOU` or above."""
    near = ([(k, within(f.runs, strip)) for k, f in enumerate(fs) if common(f.bounds, strip)] for fs in (a, b))
    ones, others = ([(k, part) for k, part in some if part.area >= LEAST_STRIP_PIXELS] for some in near)
    if not ones or not others:
        return
    areas, theirs = (np.array([runs.area for _, runs in some]) for some in (ones, others))
    first, second = (np.array([runs.bounds for _, runs in some]) for some in (ones, others))
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    meet = np.asarray(low < np.minimum(first[:, None, 2:], second[None, :, 2:])).all(axis=2)
    # Two masks can only reach an IoU if the smaller has at least that share of the larger's pixels.
    alike = np.minimum(areas[:, None], theirs) >= SAME_MASK_IOU * np.maximum(areas[:, None], theirs)
    table = np.zeros((len(ones), len(others)))
    for r, c in np.argwhere(meet & alike):
        table[r, c] = iou_of(ones[r][1], others[c][1], height)
    for r, c in enumerate(table.argmax(1)):
        if table[r, c] >= SAME_MASK_IOU and table[:, c].argmax() == r:
            yield ones[r][0], others[c][0]


def within(runs: Runs, box: Box) -> Runs:
    """The part of a mask within a box."""
    x0, y0, x1, y1 = box
    tops, bottoms = np.maximum(runs.tops, y0), np.minimum(runs.bottoms, y1)
    there = (runs.columns >= x0) & (runs.columns < x1) & (tops < bottoms)
    return Runs(runs.columns[there], tops[there], bottoms[there])


def united(found: Sequence[TileMask], height: int) -> TileMask:
    """The union of several masks, with the score, class and tile of the best one."""
    first = max(found, key=lambda f: f.score)
    if len(found) == 1:
        return first
    runs = union([f.runs for f in found], height)
    return replace(first, runs=runs, bounds=runs.bounds)


def cut(f: TileMask, tile: Box, size: tuple[int, int]) -> bool:
    """Whether a mask ends at a seam: a side of its tile that is not the photo's border."""
    x0, y0, x1, y1 = f.bounds
    height, width = size
    return (
        (tile[0] > 0 and abs(x0 - tile[0]) <= SEAM_WIDTH)
        or (tile[1] > 0 and abs(y0 - tile[1]) <= SEAM_WIDTH)
        or (tile[2] < width and abs(x1 - tile[2]) <= SEAM_WIDTH)
        or (tile[3] < height and abs(y1 - tile[3]) <= SEAM_WIDTH)
    )


def without_pieces(found: Sequence[tuple[TileMask, bool]], whole: Sequence[TileMask], height: int) -> list[TileMask]:
    """The masks of tiles, without pieces of what the whole view shows."""
    if not whole:
        return [f for f, _ in found]
    seen = union([f.runs for f in whole], height)

    def is_piece(f: TileMask) -> bool:
        return overlap_of(f.runs, seen, height) >= PIECE_SHARE * f.runs.area

    return [f for f, is_cut in found if not (is_cut and is_piece(f))]


def best(found: Sequence[TileMask], tile: int, iou: float, height: int) -> list[TileMask]:
    """One mask per thing, best score first."""
    if not found:
        return []
    bounds = np.array([f.bounds for f in found], np.int64)
    areas = np.array([f.runs.area for f in found])
    fits = lengths(bounds).max(1) < tile
    apt = np.array([f.tile >= 0 for f in found]) == fits  # whether the mask comes from the better view
    scores = np.array([f.score for f in found])
    order = np.lexsort((-scores, ~apt))
    kept, count = np.empty(len(found), np.int64), 0
    for i in order.tolist():
        others = kept[:count]
        most = most_shared(bounds[others], areas[others], bounds[i], areas[i])
        likely = others[most > iou * (areas[others] + areas[i] - most)]
        if not any(iou_of(found[i].runs, found[k].runs, height) > iou for k in likely.tolist()):
            kept[count] = i
            count += 1
    return [found[i] for i in sorted(kept[:count].tolist(), key=lambda i: -scores[i])]
