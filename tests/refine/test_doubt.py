"""A mask that a click contradicts deep inside is not believed."""

from collections.abc import Callable

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fastsam import Pick, Prompt, Segments
from fastsam.refine.doubt import DEEP, believed, deep
from fastsam.refine.network import Refiner

TABLE = np.zeros((120, 160), bool)
TABLE[10:110, 10:150] = True
INSIDE, NEAR_THE_RIM, BESIDE = (80.5, 60.5), (80.5, 14.5), (4.5, 60.5)


def corrected(point: tuple[float, float], label: int = 0) -> Prompt:
    return Prompt(points=[(30.5, 30.5), point], labels=[1, label], mask=TABLE)


def test_a_background_click_deep_in_the_mask_takes_it_away() -> None:
    found = believed(corrected(INSIDE))
    assert found.mask is None
    assert list(found.points) == [(30.5, 30.5), INSIDE]


def test_other_clicks_leave_the_mask() -> None:
    for prompt in (corrected(NEAR_THE_RIM), corrected(BESIDE), corrected(INSIDE, label=1)):
        assert believed(prompt) is prompt


def test_without_a_foreground_click_nothing_else_says_what_is_meant() -> None:
    prompt = Prompt(points=[INSIDE], labels=[0], mask=TABLE)
    assert believed(prompt) is prompt


def test_prompts_without_a_mask_stay() -> None:
    prompt = Prompt(points=[INSIDE, BESIDE], labels=[1, 0], box=(1, 2, 90, 100))
    assert believed(prompt) is prompt


@given(
    st.integers(0, 2**32 - 1), st.integers(3, 14), st.integers(3, 14), st.floats(0, 5), st.floats(0, 1), st.floats(0, 1)
)
def test_depth_is_the_distance_to_the_next_pixel_outside(
    seed: int, height: int, width: int, depth: float, x: float, y: float
) -> None:
    mask = np.random.default_rng(seed).random((height, width)) < 0.95
    point = x * (width - 1), y * (height - 1)
    column, row = int(point[0]), int(point[1])
    inside = np.pad(mask, 8)  # beyond the photo is outside
    outside = np.argwhere(~inside) - 8
    nearest = min(float(np.hypot(r - row, c - column)) for r, c in outside)
    assert deep(mask, point, depth) == (nearest > depth)


def test_an_answer_that_is_far_too_large_can_be_corrected(
    photo: np.ndarray, things: np.ndarray, bright_refiner: Callable[[], Refiner]
) -> None:
    segments = Segments.from_masks(photo, things)
    rows, columns = np.nonzero(things[0])
    middle = float(columns.mean()) + 0.5, float(rows.mean()) + 0.5
    ground = next(
        (x + 0.5, y + 0.5)
        for y in range(60, 0, -1)
        for x in range(159)
        if not things[:, y, x].any() and deep(np.ones((120, 160), bool), (x, y), DEEP * np.sqrt(120 * 160))
    )
    prompt = Prompt(points=[middle, ground], labels=[1, 0], mask=np.ones((120, 160), bool))
    (pick,) = segments.select(prompt, refine=bright_refiner())
    assert isinstance(pick, Pick)
    assert pick.prompt is prompt
    assert (pick.mask & things[0]).sum() / (pick.mask | things[0]).sum() > 0.9
