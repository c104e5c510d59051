"""What masks say together: edges, a partition, which lies in which; and an object cut out."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from fastsam import Segments, UsageError

Make = Callable[..., Segments]
PHOTO = np.random.default_rng(0).integers(0, 256, (100, 160, 3)).astype(np.uint8)


def boxes(*places: tuple[int, int, int, int]) -> np.ndarray:
    """Rectangles as masks of the photo."""
    masks = np.zeros((len(places), 100, 160), bool)
    for mask, (x0, y0, x1, y1) in zip(masks, places, strict=True):
        mask[y0:y1, x0:x1] = True
    return masks


def test_edges_are_thin_lie_on_the_border_and_are_as_strong_as_the_score() -> None:
    segments = Segments.from_masks(PHOTO, boxes((20, 20, 60, 80), (90, 30, 140, 70)), [0.9, 0.3])
    edges = segments.edges()
    assert (edges.shape, edges.dtype) == ((100, 160), np.float32)
    assert 0 <= edges.min() <= edges.max() <= 1
    marked = edges > 0
    rows, columns = np.nonzero(marked)
    distance = np.minimum(np.abs(rows[:, None] + 0.5 - [20, 80, 30, 70]), 99).min(1)
    distance = np.minimum(distance, np.abs(columns[:, None] + 0.5 - [20, 60, 90, 140]).min(1))
    assert distance.max() <= 1
    assert marked[40:60, 15:25].sum(1).max() == 1  # one pixel across
    assert marked[40:60, 15:25].any(1).all()  # without a gap
    assert edges[50, 15:25].max() > edges[50, 85:95].max() > 0


def test_a_shared_border_is_one_edge_and_a_stronger_one() -> None:
    alone = Segments.from_masks(PHOTO, boxes((20, 20, 60, 80)), [0.5]).edges()
    shared = Segments.from_masks(PHOTO, boxes((20, 20, 60, 80), (60, 20, 90, 80)), [0.5, 0.5]).edges()
    assert (shared[50, 55:65] > 0).sum() == 1
    assert shared[50, 55:65].max() > alone[50, 55:65].max()


def test_a_mask_cut_by_its_window_has_no_edge_there(make_segments: Make) -> None:
    segments = make_segments((128, 160), [(0.0, 0.0, 160.0, 128.0)], [0.9], imgsz=160)
    cut = replace(segments.masks.source, windows=np.array([[20, 20, 90, 80]], np.float32))
    segments = replace(segments, masks=replace(segments.masks, source=cut))
    assert segments.masks.areas.tolist() == [70 * 60]
    assert not segments.edges().any()


def test_edges_go_as_far_as_a_panorama() -> None:
    mask = np.zeros((1, 4, 40_000), bool)
    mask[0, :, 35_000:36_000] = True
    edges = Segments.from_masks(np.zeros((4, 40_000, 3), np.uint8), mask).edges()
    columns = np.flatnonzero(edges.any(0))
    assert len(columns) == 2
    assert np.abs(columns - [35_000, 36_000]).max() <= 1


def test_edges_of_coarse_masks_are_drawn_to_the_photos_own(make_segments: Make) -> None:
    segments = make_segments((240, 320), [(43.0, 0.0, 240.0, 240.0)], [0.9], imgsz=160)  # cells of 8 pixels
    wide = replace(segments.masks.source, windows=np.array([[20, 0, 260, 240]], np.float32))
    segments = replace(segments, masks=replace(segments.masks, source=wide))
    photo = np.full((240, 320, 3), 60, np.uint8)
    photo[:, 46:240] = 200
    drawn = replace(segments, photo=photo).edges()[120]
    assert np.abs(int(np.argmax(drawn[:100])) - 46) <= 1
    assert drawn[:100].max() > 0.9
    assert (drawn[:100] > 0.1).sum() == 1
    lined = np.full((240, 320, 3), 60, np.uint8)
    lined[:, 150:153] = 200  # a line within the mask is none of its edges
    assert replace(segments, photo=lined).edges()[120, 140:160].max() < 0.05


def test_a_photo_without_contrast_draws_nothing(make_segments: Make) -> None:
    segments = make_segments((240, 320), [(43.0, 0.0, 240.0, 240.0)], [0.9], imgsz=160)
    flat = replace(segments, photo=np.full((240, 320, 3), 60, np.uint8))
    assert np.array_equal(flat.edges(), segments.edges())


def test_edges_of_nothing_are_black(make_segments: Make) -> None:
    assert not make_segments((20, 30), [], []).edges().any()


def test_every_pixel_of_a_partition_has_one_owner() -> None:
    masks = boxes((0, 0, 80, 100), (60, 0, 160, 100), (10, 10, 20, 20))
    parts = Segments.from_masks(PHOTO, masks, [0.5, 0.9, 0.8]).partition()
    assert (parts.labels.shape, parts.labels.dtype) == ((100, 160), np.int32)
    assert parts.coverage == 1
    np.testing.assert_array_equal(parts.labels == 3, masks[2])
    np.testing.assert_array_equal(parts.labels == 2, masks[1])
    np.testing.assert_array_equal(parts.labels == 1, masks[0] & ~masks[1] & ~masks[2])


def test_a_mask_that_loses_most_of_its_pixels_gives_up_the_rest() -> None:
    masks = boxes((0, 0, 80, 100), (2, 0, 80, 100), (70, 0, 100, 100))
    parts = Segments.from_masks(PHOTO, masks, [0.5, 0.9, 0.4]).partition()
    assert set(np.unique(parts.labels)) == {0, 2, 3}
    assert parts.coverage == pytest.approx(
        100 / 160
    )  # of the photo under masks; what the first gave up is labelled too
    assert (parts.labels[:, :2] == 2).all()


def test_filling_gives_bare_pixels_to_the_nearest_mask() -> None:
    segments = Segments.from_masks(PHOTO, boxes((10, 10, 50, 90), (110, 10, 150, 90)), [0.5, 0.9])
    parts = segments.partition(fill=True)
    assert parts.coverage == pytest.approx(2 * 40 * 80 / 16000)
    assert (parts.labels[:, :79] == 1).all()
    assert (parts.labels[:, 81:] == 2).all()
    assert not Segments.from_masks(PHOTO, boxes()).partition(fill=True).labels.any()


def test_the_hierarchy_names_the_smallest_that_holds_nine_tenths() -> None:
    places = [(20, 20, 30, 30), (10, 10, 60, 60), (0, 0, 100, 100), (95, 40, 105, 50), (120, 0, 160, 40)]
    segments = Segments.from_masks(PHOTO, boxes(*places))
    assert segments.hierarchy().tolist() == [1, 2, -1, -1, -1]  # half of the fourth lies in the third


def test_filters_work_alone_and_together() -> None:
    places = [(20, 20, 30, 30), (10, 10, 60, 60), (0, 0, 100, 100), (95, 40, 105, 50), (120, 0, 160, 40)]
    segments = Segments.from_masks(PHOTO, boxes(*places), [0.9, 0.8, 0.7, 0.6, 0.5])
    assert segments.filter(area=(200, None)).masks.areas.tolist() == [2500, 10000, 1600]
    assert segments.filter(area=(None, 2000)).masks.areas.tolist() == [100, 100, 1600]
    assert segments.filter(inside=0.8).masks.areas.tolist() == [10000, 100, 1600]
    assert segments.filter(inside=0.8, conf=0.55).masks.areas.tolist() == [10000, 100]
    assert segments.filter(area=(200, 3000), inside=0.8).masks.areas.tolist() == [2500, 1600]  # in what is left
    assert len(segments.filter(stability=1.0)) == 5
    assert segments.filter(area=(None, 0)).photo is segments.photo


def test_stability_is_lower_where_the_border_is_vague(make_segments: Make) -> None:
    segments = make_segments((100, 160), [(20.0, 20, 60, 60), (80.0, 20, 140, 90)], [0.9, 0.8], imgsz=160)
    prototypes = segments.masks.source.prototypes.copy()
    prototypes[1] = np.where(prototypes[1] > 0, 0.5, -0.5)
    vague = replace(segments.masks.source, prototypes=prototypes)
    segments = replace(segments, masks=replace(segments.masks, source=vague))
    assert len(segments.filter(stability=0.8)) == 1


def test_a_cutout_is_the_object_with_a_soft_edge() -> None:
    segments = Segments.from_masks(PHOTO, boxes((20, 30, 60, 80), (100, 0, 160, 40), (0, 0, 0, 0)))
    cut = segments.cutout(0)
    assert (cut.shape, cut.dtype) == ((54, 44, 4), np.uint8)
    np.testing.assert_array_equal(cut[..., :3], PHOTO[28:82, 18:62])
    alpha = cut[..., 3]
    assert (alpha[5:-5, 5:-5] == 255).all()
    assert alpha[0, 0] == 0
    assert len(np.unique(alpha)) > 4
    corner = segments.cutout(1)
    assert corner.shape == (42, 62, 4)
    assert corner[0, -1, 3] == 255  # no edge where the photo ends
    assert segments.cutout(2).shape == (0, 0, 4)


def test_a_cutout_without_the_photo_says_how_to_bring_it(make_segments: Make) -> None:
    with pytest.raises(UsageError, match="photo="):
        make_segments((100, 160), [(20.0, 20, 60, 60)], [0.9]).cutout(0)
