"""Masks on grids equal the slow, obvious way: every pixel's logit by itself, from the four cells about it."""

import dataclasses
import io
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import supervision
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco

from fastsam import Segments, UsageError
from fastsam.masks.drawn import Drawn, collect
from fastsam.masks.lazy import Masks, from_grids

SIZE = (50, 70)
PHOTO = np.random.default_rng(0).integers(0, 256, (*SIZE, 3)).astype(np.uint8)


def make(size: tuple[int, int], n: int, seed: int) -> Drawn:
    """Random grids about random places, some of them beyond the photo or without a pixel."""
    rng = np.random.default_rng(seed)
    height, width = size
    squares = np.stack(
        (rng.uniform(-0.5, 1, n) * width, rng.uniform(-0.5, 1, n) * height, rng.uniform(0.02, 1.5, n) * max(size)), 1
    )
    grids = [rng.normal(0, 3, (int(g), int(g))).astype(np.float32) for g in rng.integers(1, 14, n)]
    if n > 1:
        grids[0] = -np.abs(grids[0])
    return collect(grids, squares, size)


def slow(masks: Drawn, i: int) -> np.ndarray:
    """(H, W) logits, minus infinity beyond the grid: pixel by pixel."""
    (left, top, side), n = masks.squares[i], int(masks.cells[i])
    grid = masks.values[masks.cells[:i].astype(int) @ masks.cells[:i] :][: n * n].reshape(n, n).astype(np.float64)
    logits = np.full(masks.size, -np.inf)
    for row in range(masks.size[0]):
        for column in range(masks.size[1]):
            x, y = column + 0.5, row + 0.5
            if not (left <= x < left + side and top <= y < top + side):
                continue
            at_x = min(max((x - left) * n / side - 0.5, 0), n - 1)
            at_y = min(max((y - top) * n / side - 0.5, 0), n - 1)
            c, r = int(at_x), int(at_y)
            d, s = min(c + 1, n - 1), min(r + 1, n - 1)
            above = grid[r, c] * (1 - at_x + c) + grid[r, d] * (at_x - c)
            below = grid[s, c] * (1 - at_x + c) + grid[s, d] * (at_x - c)
            logits[row, column] = above * (1 - at_y + r) + below * (at_y - r)
    return logits


def doubtful(logits: np.ndarray) -> np.ndarray:
    """Where float32 cannot tell on which side of 0 a logit lies."""
    return np.abs(logits) < 1e-3


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 10**6))
def test_masks_equal_the_slow_reference(height: int, width: int, seed: int) -> None:
    drawn = make((height, width), 3, seed)
    masks = from_grids(drawn)
    for i in range(3):
        expected = slow(drawn, i)
        clear = ~doubtful(expected)
        np.testing.assert_array_equal(masks[i][clear], (expected > 0)[clear])
        (x, y), logits = masks.logits(i)
        own = expected[y : y + logits.shape[0], x : x + logits.shape[1]]
        np.testing.assert_allclose(logits, own, atol=2e-3)
        assert np.isfinite(expected).sum() == logits.size  # nothing lies beyond the window


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.floats(-4, 4), st.integers(0, 10**6))
def test_runs_are_where_logits_are_above_a_level(height: int, width: int, level: float, seed: int) -> None:
    drawn = make((height, width), 4, seed)
    for i, runs in enumerate(drawn.runs_of(np.arange(4), level)):
        expected = slow(drawn, i)
        painted = np.zeros(drawn.size, bool)
        runs.crop().paint(painted, True)
        clear = ~doubtful(expected - level)
        np.testing.assert_array_equal(painted[clear], (expected > level)[clear])
        assert (runs.tops < runs.bottoms).all()


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 10**6))
def test_a_point_reads_the_logit_of_the_pixel_it_lies_in(height: int, width: int, seed: int) -> None:
    drawn = make((height, width), 3, seed)
    rows, columns = np.indices((height, width)).reshape(2, -1)
    points = np.stack((columns, rows), 1) + np.random.default_rng(seed).random((len(rows), 2)) * 0.999
    read = drawn.logits_at(points)
    for i in range(3):
        np.testing.assert_allclose(read[i], slow(drawn, i).reshape(-1), atol=1e-4)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 6), st.integers(0, 10**6))
def test_masks_are_taken_in_any_order(n: int, seed: int) -> None:
    masks = from_grids(make(SIZE, n, seed))
    order = np.random.default_rng(seed).permutation(n)[: max(0, n - 1)]
    taken = masks.take(order)
    np.testing.assert_array_equal(taken.stack(), masks.stack()[order])
    np.testing.assert_array_equal(taken.boxes, masks.boxes[order])
    np.testing.assert_array_equal(masks.occupied(), masks.stack().any((1, 2)))
    np.testing.assert_array_equal(masks.areas, masks.stack().sum((1, 2)))


def test_masks_of_one_cell_fill_their_square() -> None:
    drawn = collect([np.ones((1, 1), np.float32), -np.ones((1, 1), np.float32)], np.array([[3, 4, 5]] * 2), SIZE)
    masks = from_grids(drawn)
    expected = np.zeros(SIZE, bool)
    expected[4:9, 3:8] = True
    np.testing.assert_array_equal(masks[0], expected)
    assert not masks[1].any()
    assert masks.boxes.tolist() == [[3, 4, 8, 9], [0, 0, 0, 0]]
    assert masks.occupied().tolist() == [True, False]


def test_a_grid_off_the_photo_or_between_two_centres_has_no_pixel() -> None:
    squares = np.array([[100.0, 100, 20], [-40, 5, 20], [5.6, 5.6, 0.8]])
    drawn = collect([np.ones((4, 4), np.float32)] * 3, squares, SIZE)
    masks = from_grids(drawn)
    assert not masks.occupied().any()
    assert all(masks.logits(i)[1].size == 0 for i in range(3))
    assert (masks.logits_at(np.array([[5.8, 5.8], [0, 0]])) == -np.inf).all()


def test_a_mask_spans_a_photo_of_any_length() -> None:
    grid = np.full((48, 48), -3.0, np.float32)
    grid[:, 5:40] = 3.0
    masks = from_grids(collect([grid], np.array([[0.0, -20000, 40000]]), (10, 40000)))
    (x, y), logits = masks.logits(0)
    assert ((x, y), logits.shape) == ((0, 0), (10, 40000))
    np.testing.assert_array_equal(masks[0], logits > 0)


@pytest.mark.parametrize(
    "change",
    [
        {"squares": np.zeros((2, 2))},
        {"squares": np.array([[0, 0, 5.0], [0, 0, 0]])},
        {"squares": np.array([[0, 0, 5.0], [0, np.inf, 5]])},
        {"cells": np.array([2, 0])},
        {"values": np.zeros(7, np.float32)},
    ],
)
def test_what_does_not_fit_together_is_an_error(change: dict[str, Any]) -> None:
    parts = {"squares": np.array([[0, 0, 5.0]] * 2), "cells": np.array([2, 2]), "values": np.zeros(8, np.float32)}
    Drawn(SIZE, **parts)
    with pytest.raises(ValueError, match="grid"):
        Drawn(SIZE, **(parts | change))


def test_the_arrays_become_read_only() -> None:
    drawn = make(SIZE, 2, 0)
    for array in (drawn.squares, drawn.cells, drawn.values):
        with pytest.raises(ValueError, match="read-only"):
            array[:] = 1


# A whole result of drawn masks.


def disc(x: float, y: float, radius: float, hole: float = 0.0) -> tuple[np.ndarray, tuple[float, float, float]]:
    """A grid of logits in whose middle lies a disc, or a ring; they fall by one a pixel."""
    side = 3 * radius
    at = (np.arange(24) + 0.5) * side / 24 - side / 2
    away = np.hypot(*np.meshgrid(at, at))
    return np.minimum(radius - away, away - hole if hole else np.inf).astype(np.float32), (
        x - side / 2,
        y - side / 2,
        side,
    )


@pytest.fixture
def segments() -> Segments:
    """A disc, a small one on it, a ring beside."""
    grids, squares = zip(disc(22, 24, 16), disc(24, 25, 5), disc(56, 30, 10, 4), strict=True)
    masks = from_grids(collect(grids, np.array(squares), SIZE))
    return Segments(masks, np.array([0.9, 0.8, 0.7], np.float32), np.array([0, 1, 0]), ("cup", "spoon"), photo=PHOTO)


def stacked(masks: Masks) -> np.ndarray:
    return masks.stack()


@pytest.mark.parametrize("n", [0, 1, 5])
def test_saved_masks_load_exactly(tmp_path: Path, n: int) -> None:
    masks = from_grids(make(SIZE, n, 7))
    before = Segments(masks, np.linspace(1, 0.5, n, dtype=np.float32), np.zeros(n, np.int64))
    before.save(tmp_path / "drawn.npz")
    back = Segments.load(tmp_path / "drawn.npz", photo=PHOTO)
    assert isinstance(back.masks.source, Drawn)
    assert back.size == SIZE
    for name in ("squares", "cells", "values"):
        np.testing.assert_array_equal(getattr(back.masks.source, name), getattr(masks.source, name))
    for name in ("boxes", "scores", "classes"):
        np.testing.assert_array_equal(getattr(back, name), getattr(before, name))
    np.testing.assert_array_equal(stacked(back.masks), stacked(masks))
    assert back.photo is not None


def test_compact_forms_agree_with_the_masks(segments: Segments) -> None:
    whole = stacked(segments.masks)
    assert (whole.sum((1, 2)) > [600, 60, 200]).all()
    expected = np.zeros(SIZE, int)
    for i in (0, 2, 1):
        expected[whole[i]] = i + 1
    np.testing.assert_array_equal(segments.label_map(), expected)
    for packed, polygons, mask in zip(segments.to_rle(), segments.to_polygons(), whole, strict=True):
        np.testing.assert_array_equal(coco.decode({**packed, "counts": packed["counts"].encode()}), mask)
        assert len(polygons) == 1
    assert [len(p[0].holes) for p in segments.to_polygons()] == [0, 0, 1]
    detections = segments.to_supervision()
    assert isinstance(detections, supervision.Detections)
    np.testing.assert_array_equal(detections.mask, whole)
    assert [record["area"] for record in segments.to_records()] == whole.sum((1, 2)).tolist()


def test_what_masks_say_together(segments: Segments) -> None:
    whole = stacked(segments.masks)
    assert segments.hierarchy().tolist() == [-1, 0, -1]
    parts = segments.partition()
    np.testing.assert_array_equal(parts.labels > 0, whole.any(0))
    assert set(np.unique(parts.labels)) == {0, 1, 2, 3}
    np.testing.assert_array_equal(segments.merge([0, 2]), whole[0] | whole[2])
    edges = segments.edges()
    assert (edges.shape, edges.dtype) == (SIZE, np.float32)
    rows, columns = np.nonzero(edges > 0.05)
    assert len(rows) > 40
    rings = [abs(np.hypot(columns + 0.5 - x, rows + 0.5 - y) - r) for x, y, r in
             ((22, 24, 16), (24, 25, 5), (56, 30, 10), (56, 30, 4))]  # fmt: skip
    assert np.quantile(np.min(rings, 0), 0.9) < 2.5
    cut = segments.cutout(2)
    assert cut.shape[2] == 4
    assert 0.8 < (cut[..., 3] > 127).sum() / whole[2].sum() < 1.2


def test_segments_are_filtered_as_others_are(segments: Segments) -> None:
    assert segments.filter(inside=0.8).classes.tolist() == [0, 0]
    assert segments.filter(area=(100, None)).scores.tolist() == pytest.approx([0.9, 0.7])
    assert len(segments.filter(conf=0.75)) == 2
    sharp = dataclasses.replace(segments, masks=sharpened(segments.masks, 50), kept=None)
    assert segments.filter(stability=0.7).scores.tolist() == pytest.approx([0.9])  # a pixel is much of small ones
    assert len(sharp.filter(stability=0.7)) == 3


def sharpened(masks: Masks, times: float) -> Masks:
    """The same masks, surer of themselves."""
    source = masks.source
    assert isinstance(source, Drawn)
    return Masks(masks.boxes, dataclasses.replace(source, values=source.values * np.float32(times)))


def test_plain_prompts_choose_among_drawn_masks(segments: Segments) -> None:
    whole = stacked(segments.masks)
    picks = segments.select(points=[(24, 25)], boxes=[(46, 20, 66, 40)], masks=[whole[0]], refine=False)
    assert [pick.index for pick in picks] == [1, 2, 0]
    assert [pick.how for pick in picks] == ["mask"] * 3
    np.testing.assert_array_equal(picks[1].mask, whole[2])
    (nothing,) = segments.select(points=[(56, 30)], refine=False)  # in the hole
    assert nothing.mask is None


@pytest.mark.usefixtures("encoder")
def test_words_see_drawn_masks(segments: Segments) -> None:
    names = segments.name(["noise", "cat"], encoder="offline")
    assert len(names) == 3
    assert set(names) <= {"noise", "cat", None}


def arrays_of(segments: Segments) -> dict[str, np.ndarray]:
    with np.load(io.BytesIO(segments.to_npz())) as file:
        return {name: file[name] for name in file.files}


HOSTILE: dict[str, Any] = {
    "size of no numbers": lambda a: {"size": np.array(["a", "b"])},
    "size of fractions": lambda a: {"size": np.array([50.0, 70.0])},
    "size of three": lambda a: {"size": np.array([50, 70, 3])},
    "size of one": lambda a: {"size": np.int64(50)},
    "negative size": lambda a: {"size": np.array([-50, 70])},
    "cells as fractions": lambda a: {"cells": a["cells"].astype(float)},
    "cells in a table": lambda a: {"cells": a["cells"][None]},
    "no cells": lambda a: {"cells": a["cells"] * 0},
    "negative cells": lambda a: {"cells": -a["cells"]},
    "huge cells": lambda a: {"cells": a["cells"] + 2**31},
    "cells whose squares overflow": lambda a: {"cells": a["cells"] * 0 + 2**32, "values": a["values"][:0]},
    "more cells than values": lambda a: {"cells": a["cells"] + 1},
    "fewer squares": lambda a: {"squares": a["squares"][:-1]},
    "squares of two numbers": lambda a: {"squares": a["squares"][:, :2].copy()},
    "squares in float32": lambda a: {"squares": a["squares"].astype(np.float32)},
    "a negative side": lambda a: {"squares": a["squares"] * [1, 1, -1]},
    "no side": lambda a: {"squares": a["squares"] * [1, 1, 0]},
    "no number": lambda a: {"squares": a["squares"] * np.nan},
    "a far square": lambda a: {"squares": a["squares"] + [1e6, 0, 0]},
    "an endless square": lambda a: {"squares": a["squares"] * [1, 1, 1e12]},
    "values in float64": lambda a: {"values": a["values"].astype(float)},
    "values in a table": lambda a: {"values": a["values"][:, None]},
    "values that are none": lambda a: {"values": a["values"] * np.nan},
    "infinite values": lambda a: {"values": a["values"] * np.inf},
    "too few values": lambda a: {"values": a["values"][:-1]},
    "no values": lambda a: {"values": a["values"][:0]},
    "boxes of words": lambda a: {"boxes": np.array([["a"] * 4] * 3)},
    "boxes that are none": lambda a: {"boxes": a["boxes"] * np.nan},
    "fewer boxes": lambda a: {"boxes": a["boxes"][:-1]},
    "fewer scores": lambda a: {"scores": a["scores"][:-1]},
}


@pytest.mark.parametrize("case", HOSTILE)
def test_made_up_arrays_are_refused_in_one_line_and_little_memory(
    segments: Segments, tmp_path: Path, case: str
) -> None:
    arrays = arrays_of(segments)
    np.savez(tmp_path / "bad.npz", **(arrays | HOSTILE[case](arrays)))
    tracemalloc.start()
    with pytest.raises(UsageError, match=r"bad\.npz is not a saved Segments file: ") as error:
        Segments.load(tmp_path / "bad.npz")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "\n" not in str(error.value)
    assert peak < 4_000_000


def test_the_widest_edges_are_narrow_beside_the_photo() -> None:
    masks = collect([np.ones((1, 1), np.float32)] * 3, np.array([[-4000, -4000, 8000.0]] * 3), (1000, 2000))
    assert masks.pitch == 2000 / 32
    assert make(SIZE, 0, 0).pitch == 1
    fine = collect([np.ones((48, 48), np.float32)], np.array([[0, 0, 480.0]]), (1000, 2000))
    assert fine.pitch == 10


@pytest.mark.parametrize("name", ["size", "squares", "cells", "values", "boxes"])
def test_a_file_that_lacks_an_array_is_refused(segments: Segments, tmp_path: Path, name: str) -> None:
    arrays = arrays_of(segments)
    del arrays[name]
    np.savez(tmp_path / "bad.npz", **arrays)
    with pytest.raises(UsageError, match=r"bad\.npz is not a saved Segments file"):
        Segments.load(tmp_path / "bad.npz")


def test_where_grids_start_is_not_taken_from_a_file(segments: Segments, tmp_path: Path) -> None:
    np.savez(tmp_path / "more.npz", **arrays_of(segments), starts=np.array([10**9, -5, 3]))
    back = Segments.load(tmp_path / "more.npz")
    np.testing.assert_array_equal(stacked(back.masks), stacked(segments.masks))


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(*[st.floats(-400, 400)] * 2, st.floats(1e-310, 300)), min_size=2, max_size=2),
    st.integers(1, 9), st.integers(0, 10**6),
)  # fmt: skip
def test_whatever_a_file_says_is_refused_or_works(
    squares: list[tuple[float, float, float]], cells: int, seed: int
) -> None:
    grids = np.random.default_rng(seed).normal(0, 30, (2, cells, cells)).astype(np.float32)
    masks = from_grids(collect(list(grids), np.array(squares), SIZE))
    packed = Segments(masks, np.ones(2, np.float32), np.zeros(2, np.int64)).to_npz()
    try:
        back = Segments.from_npz(packed)
    except UsageError:
        return
    np.testing.assert_array_equal(stacked(back.masks), stacked(masks))
    assert np.isfinite(back.edges()).all()
    assert back.label_map().shape == SIZE
    assert (back.masks.logits_at(np.array([[3.0, 4.0]])).shape) == (2, 1)


@pytest.mark.filterwarnings("error")
def test_logits_of_any_size_make_no_warning() -> None:
    grid = np.full((8, 8), -1e30, np.float32)
    grid[2:6, 2:6] = 1e30
    masks = from_grids(collect([grid, -grid], np.array([[0, 0, 40.0]] * 2), SIZE))
    segments = Segments(masks, np.array([0.9, 0.8]), np.zeros(2, np.int64), photo=PHOTO.copy())
    assert [pick.index for pick in segments.select(boxes=[(10, 10, 30, 30)], points=[(20, 20)], refine=False)] == [0, 0]
    segments.edges(), segments.partition(), segments.filter(stability=0.5), segments.hierarchy()
