"""Levels of everything: parts, things, regions."""

import numpy as np
import pytest

from fastsam import Segments, UsageError
from fastsam.masks.levels import NOTABLE


def box(x0: int, y0: int, x1: int, y1: int) -> np.ndarray:
    mask = np.zeros((100, 200), bool)
    mask[y0:y1, x0:x1] = True
    return mask


def of(*masks: np.ndarray, scores: list[float]) -> Segments:
    return Segments.from_masks(np.zeros((100, 200, 3), np.uint8), list(masks), scores)


def shown(segments: Segments, level: str) -> list[int]:
    return segments.filter(level=level).masks.areas.tolist()


def test_parts_are_every_mask_in_order() -> None:
    segments = of(box(0, 0, 100, 100), box(0, 0, 3, 3), scores=[0.9, 0.001])
    assert shown(segments, "parts") == [10_000, 9]


def test_things_weigh_score_by_the_root_of_area() -> None:
    large, small = box(0, 0, 100, 100), box(150, 0, 160, 10)  # roots of area: 100 and 10
    edge = NOTABLE * 0.5 * 100 / 10
    assert shown(of(large, small, scores=[0.5, edge * 1.01]), "things") == [10_000, 100]
    assert shown(of(large, small, scores=[0.5, edge * 0.99]), "things") == [10_000]


def test_things_do_not_depend_on_how_high_the_scores_are() -> None:
    masks = box(0, 0, 100, 100), box(150, 0, 160, 10), box(150, 50, 190, 90)
    for factor in (1.0, 0.01):
        assert shown(of(*masks, scores=[0.5 * factor, 0.03 * factor, 0.1 * factor]), "things") == [10_000, 1600]


def test_regions_are_whole_things_without_their_parts() -> None:
    whole, part, beside = box(0, 0, 100, 100), box(0, 0, 50, 50), box(120, 0, 180, 60)
    assert shown(of(whole, part, beside, scores=[0.5, 0.4, 0.3]), "regions") == [10_000, 3600]


def test_a_thing_before_a_large_ground_and_the_ground_are_both_regions() -> None:
    ground, thing = box(0, 0, 200, 100), box(50, 50, 90, 90)
    assert shown(of(thing, ground, scores=[0.9, 0.1]), "regions") == [20_000, 1600][::-1]


def test_a_region_stays_if_exactly_half_of_it_is_free() -> None:
    first, half, more = box(0, 0, 100, 100), box(60, 0, 140, 100), box(0, 0, 102, 50)
    assert shown(of(first, half, more, scores=[0.9, 0.5, 0.5]), "regions") == [10_000, 8000]


def test_nothing_has_no_levels_and_unknown_ones_are_refused() -> None:
    assert shown(of(scores=[]), "regions") == []
    with pytest.raises(UsageError, match="unknown level 'all': choose one of parts, things, regions"):
        of(box(0, 0, 9, 9), scores=[0.5]).filter(level="all")


def test_limits_come_before_the_level() -> None:
    segments = of(box(0, 0, 200, 100), box(0, 0, 10, 10), scores=[0.9, 0.1])
    assert len(segments.filter(level="things")) == 1
    assert len(segments.filter(area=(None, 1000), level="things")) == 1
