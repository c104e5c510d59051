"""Answers that are drawn: by a network made by hand, so that nothing depends on what real weights have learnt."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fastsam import Pick, Prompt, Segments, UsageError
from fastsam.masks.drawn import Drawn
from fastsam.refine import maps as m
from fastsam.refine.draw import COPY_IOU, LEAST_QUALITY, MOST_CANDIDATES
from fastsam.refine.network import Refiner
from fastsam.refine.rank import BROKEN, judged

BOX = (14.0, 24.0, 67.0, 77.0)  # of the first disc


def iou(a: Any, b: Any) -> float:
    return float((a & b).sum() / (a | b).sum())


@pytest.fixture
def segments(photo: np.ndarray, things: np.ndarray) -> Segments:
    """Rough masks of the discs: each is a rectangle that does not fit."""
    rough = np.zeros_like(things)
    for mask, thing in zip(rough, things, strict=True):
        rows, columns = np.flatnonzero(thing.any(1)), np.flatnonzero(thing.any(0))
        mask[rows[0] + 3 : rows[-1] + 4, columns[0] - 2 : columns[-1]] = True
    return Segments.from_masks(photo, rough, [0.9, 0.8, 0.7])


def same(a: list[Pick], b: list[Pick]) -> bool:
    return [(p.candidates, p.meant, p.quality) for p in a] == [(p.candidates, p.meant, p.quality) for p in b]


ASKED: dict[str, Any] = {"points": [(40, 50)], "boxes": [BOX, (90, 20, 130, 60)]}


def test_without_refine_the_answers_are_the_plain_ones(segments: Segments, bright_refiner: Any) -> None:
    plain = segments.select(**ASKED, refine=False)
    assert [p.how for p in plain] == ["mask"] * 3
    assert [p.quality for p in plain] == [None] * 3
    for pick in plain:
        assert pick.index is not None
        np.testing.assert_array_equal(pick.mask, segments.masks[pick.index])
    assert not same(plain, segments.select(**ASKED, refine=bright_refiner()))


def test_with_refine_the_answers_are_what_is_there(segments: Segments, things: np.ndarray, bright_refiner: Any) -> None:
    refiner = bright_refiner()
    picks = segments.select(**ASKED, masks=[segments.masks[2]], refine=refiner)
    assert [p.how for p in picks] == ["drawn"] * 4
    assert [p.quality for p in picks[1:]] == pytest.approx([0.9] * 3)
    assert [p.score for p in picks] == [p.quality for p in picks]
    for pick, k in zip(picks, (0, 0, 1, 2), strict=True):
        assert pick.mask.dtype == bool
        assert pick.mask.shape == (120, 160)
        assert iou(pick.mask, things[k]) > 0.9
        assert iou(segments.select(boxes=[BOX], refine=False)[0].mask, things[0]) < 0.9
    assert isinstance(picks[0].candidates[0].masks.source, Drawn)


def test_the_default_draws_if_the_photo_is_known(segments: Segments) -> None:
    """With the bundled weights, whatever they answer."""
    for pick in segments.select(**ASKED):
        assert pick.how in ("drawn", None)
    kept = Segments.from_npz(segments.to_npz())
    assert same(kept.select(**ASKED), kept.select(**ASKED, refine=False))
    assert {p.how for p in kept.select(**ASKED)} == {"mask"}


def test_drawing_without_the_photo_is_an_error_that_names_the_remedy(segments: Segments, bright_refiner: Any) -> None:
    kept = Segments.from_npz(segments.to_npz())
    for refine in (True, bright_refiner()):
        with pytest.raises(UsageError, match=r"needs the photo.*Segments\.load\(file, photo=\.\.\.\)") as error:
            kept.select(**ASKED, refine=refine)
        assert "\n" not in str(error.value)
    with pytest.raises(UsageError, match="needs the photo"):
        kept.refine()
    back = Segments.from_npz(segments.to_npz(), photo=segments.photo)
    assert back.select(**ASKED, refine=bright_refiner())[0].how == "drawn"


def test_nothing_asked_is_nothing_answered(segments: Segments, bright_refiner: Any) -> None:
    refiner = bright_refiner()
    assert segments.select(refine=refiner) == []
    assert refiner.session.seen == []


@pytest.mark.usefixtures("encoder")
def test_words_are_answered_by_choice(segments: Segments, bright_refiner: Any) -> None:
    asked = {"texts": ["a circle"], "encoder": "offline"}
    refiner = bright_refiner()
    assert same(segments.select(**asked, refine=refiner), segments.select(**asked, refine=False))
    both = [Prompt(text="a circle", box=BOX)]
    picks = segments.select(both, encoder="offline", refine=refiner)
    assert same(picks, segments.select(both, encoder="offline", refine=False))
    assert refiner.session.seen == []


def test_what_answers_is_named_by_the_segment_it_was_drawn_from(segments: Segments, refiner_of: Any) -> None:
    def rough(images: np.ndarray, maps: np.ndarray) -> tuple[np.ndarray, Any]:
        """The rough mask as it is, good if there is one."""
        said = maps[:, m.MASK].any((1, 2))
        box = np.where(said[:, None, None], maps[:, m.MASK], maps[:, m.BOX])
        return 5 * box[:, None], np.where(said, 0.9, 0.6)[:, None]

    (pick,) = segments.select(boxes=[BOX], refine=refiner_of(rough))
    assert (pick.how, pick.index) == ("drawn", 0)
    assert iou(pick.mask, segments.masks[0]) > 0.9

    (pick,) = segments.select(boxes=[(60, 90, 80, 110)], refine=refiner_of(rough))  # nothing was found there
    assert (pick.how, pick.index) == ("drawn", None)
    assert iou(pick.mask, np.pad(np.ones((20, 20), bool), ((90, 10), (60, 80)))) > 0.8


def test_the_network_is_told_what_was_said(segments: Segments, bright_refiner: Any) -> None:
    refiner = bright_refiner()
    segments.select([Prompt(points=[(40, 50), (70, 90)], labels=[1, 0], box=BOX)], refine=refiner)
    maps = np.concatenate([feed["maps"] for feed in refiner.session.seen if feed["maps"].shape[2] == 48])
    assert (maps[:, m.POSITIVE].max((1, 2)) == 1).all()
    assert (maps[:, m.NEGATIVE].max((1, 2)) == 1).all()
    assert {-1, 1} == set(np.unique(maps[:, m.BOX]).tolist())
    assert maps[0, m.MASK].max() > 0.9  # the mask that stage 2 chose


def test_a_box_is_seen_without_its_mask_unless_that_fits(segments: Segments, bright_refiner: Any) -> None:
    def looks(box: tuple[float, float, float, float]) -> list[bool]:
        """Whether each look knows a rough mask."""
        refiner = bright_refiner()
        segments.select(boxes=[box], refine=refiner)
        return [bool(one[m.MASK].any()) for feed in refiner.session.seen for one in feed["maps"]]

    x0, y0, x1, y1 = (float(v) for v in segments.boxes[0])
    assert looks((x0, y0, x1, y1)) == [True]
    assert looks((x0 - 9, y0 - 9, x1 + 9, y1 + 9)) == [True, False]
    assert looks((70, 80, 90, 110)) == [False]


def test_candidates_are_ranked_by_quality_and_differ(segments: Segments, refiner_of: Any, things: np.ndarray) -> None:
    """A disc about the click that fills a third of every window: at each scale it is another thing."""

    def third(images: np.ndarray, maps: np.ndarray) -> tuple[np.ndarray, Any]:
        side = maps.shape[2]
        at = np.hypot(*np.meshgrid(*[np.arange(side) - side / 2] * 2))
        return (side / 3 - at)[None, None], 0.8

    (pick,) = segments.select(points=[(40, 50)], refine=refiner_of(third))
    qualities = [c.quality for c in pick.candidates]
    assert 2 <= len(pick.candidates) <= MOST_CANDIDATES
    assert qualities == sorted(qualities, reverse=True)
    assert [c.score for c in pick.candidates] == qualities
    assert pick.quality == pick.score == qualities[0]
    for i, one in enumerate(pick.candidates):
        assert one.how == "drawn"
        assert all(iou(one.mask, other.mask) < COPY_IOU for other in pick.candidates[i + 1 :])
        assert one.mask[50, 40]
    assert pick.matches == pick.candidates[:1]


def test_a_doubtful_drawing_is_no_answer(segments: Segments, bright_refiner: Any) -> None:
    (box,) = segments.select(boxes=[BOX], refine=bright_refiner(LEAST_QUALITY - 0.01))
    assert (bool(box), box.mask, box.how, box.quality, box.index, box.score) == (False, None, None, None, None, 0)
    assert not segments.select(points=[(40, 50)], refine=bright_refiner(0.01))[0]
    assert all(segments.select(**ASKED, refine=bright_refiner(LEAST_QUALITY + 0.2)))


def test_several_clicks_and_masks_always_get_the_best_drawing(segments: Segments, bright_refiner: Any) -> None:
    """Who corrects an answer must not lose it."""
    asked = [Prompt(points=[(40, 50), (42, 52)]), Prompt(mask=segments.masks[0])]
    good, mask = segments.select(asked, refine=bright_refiner(0.05))
    assert good
    assert mask
    assert mask.quality == pytest.approx(0.05)
    assert len(mask.candidates) == 1


def test_a_drawing_beside_the_photo_is_no_answer(segments: Segments, refiner_of: Any) -> None:
    """All that is drawn lies in the half of the window that is beyond the border."""

    def left(images: np.ndarray, maps: np.ndarray) -> tuple[np.ndarray, Any]:
        side = maps.shape[2]
        return np.where(np.arange(side) < side * 0.2, 4.0, -4.0)[None, None, None], 0.9

    (pick,) = segments.select(boxes=[(0, 30, 5, 90)], refine=refiner_of(left))
    assert not pick
    assert segments.select(boxes=[(60, 30, 65, 90)], refine=refiner_of(left))[0]


def test_of_many_that_differ_the_best_few_are_candidates(segments: Segments, refiner_of: Any) -> None:
    """Every look finds another thing: stripes about the click, of other widths."""
    widths = iter(range(2, 200, 3))

    def stripes(images: np.ndarray, maps: np.ndarray) -> tuple[np.ndarray, Any]:
        away = np.abs(np.arange(maps.shape[2]) - maps.shape[2] / 2)
        return np.stack([np.tile(next(widths) / 2 - away, (len(away), 1)) for _ in images])[:, None], 0.9

    (pick,) = segments.select(points=[(80, 60)], refine=refiner_of(stripes))
    assert len(pick.candidates) == MOST_CANDIDATES


def test_a_click_is_looked_at_again_through_a_window_that_fits(
    segments: Segments, bright_refiner: Any, things: np.ndarray
) -> None:
    refiner = bright_refiner()
    (small,) = segments.select(points=[(100, 95)], refine=refiner)
    last = refiner.session.seen[-1]
    assert len(last["images"]) == 1
    rough = last["maps"][0, m.MASK] > 0
    rows, columns = np.nonzero(rough)
    assert 0.6 < max(np.ptp(rows), np.ptp(columns)) / len(rough) < 0.85  # what was drawn before nearly fills it
    assert rough[len(rough) // 2, len(rough) // 2]
    assert last["maps"][0, m.POSITIVE].any()
    assert iou(small.mask, things[2]) > 0.9
    count = len(refiner.session.seen)
    fit = tuple(float(v) for v in segments.boxes[0])
    segments.select(boxes=[fit], masks=[segments.masks[0]], refine=refiner)
    assert all(len(feed["images"]) >= 1 for feed in refiner.session.seen[count:])
    assert sum(len(feed["images"]) for feed in refiner.session.seen[count:]) == 2  # a box once, a mask once


def test_a_box_is_seen_as_far_as_it_lies_on_the_photo(segments: Segments, bright_refiner: Any) -> None:
    over, within = bright_refiner(), bright_refiner()
    segments.select(boxes=[(-1000, -1000, 67, 77)], refine=over)
    segments.select(boxes=[(0, 0, 67, 77)], refine=within)
    np.testing.assert_array_equal(over.session.seen[0]["images"][0], within.session.seen[0]["images"][0])


def test_many_prompts_are_answered_in_order(segments: Segments, bright_refiner: Any, things: np.ndarray) -> None:
    boxes = [BOX, (92, 22, 129, 59), (92, 87, 109, 104)]
    order = np.random.default_rng(0).integers(0, 3, 40)
    refiner = bright_refiner()
    picks = segments.select(boxes=[boxes[k] for k in order], refine=refiner)
    assert all(iou(pick.mask, things[k]) > 0.85 for pick, k in zip(picks, order, strict=True))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", ["logits", "quality", "both", "one cell"])
def test_a_network_that_gives_no_numbers_gives_no_match(
    segments: Segments, refiner_of: Any, value: float, where: str
) -> None:
    def broken(images: np.ndarray, maps: np.ndarray) -> tuple[np.ndarray, Any]:
        logits = np.full((len(images), 4, *maps.shape[2:]), 3.0)
        if where == "one cell":
            logits[..., 5, 5] = value
        elif where != "quality":
            logits[:] = value
        return logits, value if where in ("quality", "both") else 0.9

    picks = segments.select(**ASKED, masks=[segments.masks[0]], refine=refiner_of(broken))
    assert [p.mask for p in picks] == [None] * 4


def test_a_mask_without_a_pixel_is_no_answer(segments: Segments, refiner_of: Any) -> None:
    empty = refiner_of(lambda images, maps: (np.full((1, 1, 1, 1), -3.0), 1.0))
    assert [p.mask for p in segments.select(**ASKED, refine=empty)] == [None] * 3


def test_points_that_a_drawing_does_not_obey_cost_quality(segments: Segments, bright_refiner: Any) -> None:
    refiner = bright_refiner(0.8)
    inside, outside, apart = (40, 50), (70, 80), (5, 5)
    asked = [
        Prompt(points=[inside], box=BOX),
        Prompt(points=[outside], box=BOX),
        Prompt(points=[inside, (42, 40)], labels=[1, 0], box=BOX),
        Prompt(points=[inside, apart], labels=[1, 0], box=BOX),
        Prompt(points=[outside, inside], labels=[1, 0], box=BOX),
    ]
    picks = segments.select(asked, refine=refiner)
    expected = [0.8, 0.8 * BROKEN, 0.8 * BROKEN, 0.8, 0.8 * BROKEN**2]
    assert [p.quality for p in picks] == pytest.approx(expected)


def test_quality_is_judged_at_the_clicked_cell(segments: Segments, bright_refiner: Any, things: np.ndarray) -> None:
    from fastsam.refine.draw import drawings
    from fastsam.refine.views import views

    assert segments.photo is not None
    for point in [(40, 50), (63, 50), (68, 50), (40, 27), (40, 20)]:
        prompt = Prompt(points=[point], box=BOX)
        looks = views(prompt, Pick(prompt, ()), segments.size)
        ((found,),) = drawings([segments.photo], [looks], bright_refiner(0.8))
        held = things[0][point[1], point[0]]
        assert judged(found, prompt) == pytest.approx(0.8 if held else 0.8 * BROKEN)


def test_a_click_keeps_the_thing_it_lies_on(segments: Segments, bright_refiner: Any, things: np.ndarray) -> None:
    picks = segments.select(
        [Prompt(points=[(40, 50)]), Prompt(points=[(110, 40)]), Prompt(points=[(100, 95)])], refine=bright_refiner()
    )
    for k, pick in enumerate(picks):
        assert iou(pick.mask, things[k]) > 0.85
        for other in range(3):
            assert other == k or not (pick.mask & things[other]).any()


def test_two_clicks_are_one_answer(segments: Segments, bright_refiner: Any, things: np.ndarray) -> None:
    (pick,) = segments.select(points=[(40, 50), (110, 40)], refine=bright_refiner())
    assert iou(pick.mask, things[0] | things[1]) > 0.85


def test_a_mask_is_corrected_by_points(segments: Segments, refiner_of: Any) -> None:
    """The network made by hand does what it is told: the mask before, more about a click, less about another."""

    def told(images: np.ndarray, maps: np.ndarray) -> tuple[np.ndarray, Any]:
        wanted = maps[:, m.MASK] + 3 * maps[:, m.POSITIVE] - 3 * maps[:, m.NEGATIVE]
        return 4 * wanted[:, None], 0.9

    refiner = refiner_of(told)
    (first,) = segments.select(masks=[segments.masks[0]], refine=refiner)
    before = first.mask
    assert before is not None
    assert iou(before, segments.masks[0]) > 0.9
    assert not before[72:78, 66:72].any()
    (more,) = segments.select([Prompt(points=[(68, 74)], labels=[1], mask=before)], refine=refiner)
    assert more.mask[74, 68]
    (less,) = segments.select([Prompt(points=[(20, 75)], labels=[0], mask=before)], refine=refiner)
    assert before[75, 20]
    assert not less.mask[75, 20]
    for after in (more.mask, less.mask):
        assert 0.7 < iou(after, before) < 1
    (third,) = segments.select([Prompt(points=[(62, 32)], labels=[0], mask=less.mask)], refine=refiner)
    assert less.mask[32, 62]
    assert not third.mask[32, 62]
    assert not third.mask[75, 20]  # what was said before is not forgotten


EDGES = [
    {"boxes": [(0, 0, 1, 1)]},
    {"boxes": [(159, 119, 160, 120)]},
    {"boxes": [(40, 50, 40.001, 50.001)]},
    {"boxes": [(-50, -50, 30, 30)]},
    {"boxes": [(-1e12, -1e12, 1e12, 1e12)]},
    {"boxes": [(159.999, 0, 1e9, 1)]},
    {"boxes": [(-5, -5, 1e-9, 1e-9)]},
    {"points": [(0, 0)]},
    {"points": [(159.999, 119.999)]},
    {"points": [(0, 0), (159.5, 119.5)], "labels": [1, 0]},
    {"points": [(0, 0), (159.5, 119.5), (0, 119), (159, 0)]},
    {"prompts": [Prompt(points=[(0, 0)], labels=[0], box=(150, 110, 160, 120))]},
    {"prompts": [Prompt(points=[(0, 0)], box=(150, 110, 400, 400))]},
    {"prompts": [Prompt(mask=np.eye(120, 160) > 0, box=(-1e12, -1e12, 1e12, 1e12))]},
]


@pytest.mark.parametrize("quality", [0.9, 0.1])
@pytest.mark.parametrize("asked", EDGES, ids=str)
def test_prompts_at_and_over_the_border_are_answered(
    segments: Segments, bright_refiner: Any, asked: dict[str, Any], quality: float
) -> None:
    (pick,) = segments.select(**asked, refine=bright_refiner(quality))
    if pick:
        assert pick.mask.shape == (120, 160)
        assert pick.mask.any()


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (10, 20000), (20000, 10), (2, 3)])
def test_photos_of_any_shape_are_asked(size: tuple[int, int], refiner_of: Any) -> None:
    height, width = size
    white = np.full((*size, 3), 255, np.uint8)
    whole = np.ones(size, bool)
    segments = Segments.from_masks(white, [whole])
    full = refiner_of(lambda images, maps: (np.full((1, 1, 1, 1), 3.0), 0.9))
    corner, middle = (width - 0.5, height - 0.5), (width / 2, height / 2)
    picks = segments.select(
        [Prompt(points=[corner]), Prompt(points=[middle])], boxes=[(0, 0, width, height), (0, 0, 1, 1)],
        masks=[whole], refine=full,
    )  # fmt: skip
    assert [p.how for p in picks] == ["drawn"] * 5
    assert all(p.mask.shape == size and p.mask.any() for p in picks)
    assert picks[0].mask[-1, -1]
    assert picks[2].mask.all()
    assert picks[4].mask.all()
    assert len(segments.refine(refiner=full)) == 1
    empty = Segments.from_masks(white, [])
    assert empty.select(points=[corner], refine=full)[0].mask[-1, -1]
    assert len(empty.refine(refiner=full)) == 0


def test_one_pixel_is_found(bright_refiner: Any) -> None:
    photo = np.zeros((60, 80, 3), np.uint8)
    photo[20:22, 30:32] = 255
    segments = Segments.from_masks(photo, [])
    (pick,) = segments.select(boxes=[(30, 20, 32, 22)], refine=bright_refiner())
    assert pick.mask[20:22, 30:32].all()
    assert pick.mask.sum() <= 16


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_is_asked_is_answered_in_order_by_masks_on_the_photo(
    segments: Segments, refiner_of: Callable[..., Refiner], data: st.DataObject
) -> None:
    seed = data.draw(st.integers(0, 10**6))
    rng = np.random.default_rng(seed)

    def anything(images: np.ndarray, maps: np.ndarray) -> tuple[np.ndarray, Any]:
        n, side = len(images), maps.shape[2]
        logits = rng.normal(0, 4, (n, 4, side, side))
        logits[rng.random((n, 4)) < 0.1] = np.nan
        return logits, rng.random((n, 4)) * 1.2 - 0.1

    def prompt() -> Prompt:
        k = data.draw(st.integers(0, 3))
        points = [(data.draw(st.floats(0, 159.99)), data.draw(st.floats(0, 119.99))) for _ in range(k)]
        labels = [data.draw(st.integers(0, 1)) for _ in points]
        corner = [data.draw(st.floats(-100, 150)), data.draw(st.floats(-100, 110))]
        far = [max(corner[0], 0) + data.draw(st.floats(0.01, 300)), max(corner[1], 0) + data.draw(st.floats(0.01, 300))]
        needs = 1 not in labels
        box = (*corner, *far) if needs or data.draw(st.booleans()) else None
        return Prompt(points=points, labels=labels, box=box)

    prompts = [prompt() for _ in range(data.draw(st.integers(0, 4)))]
    picks = segments.select(prompts, refine=refiner_of(anything))
    assert [p.prompt for p in picks] == prompts
    for pick in picks:
        qualities = [c.quality for c in pick.candidates]
        assert qualities == sorted(qualities, reverse=True)
        assert all(q >= LEAST_QUALITY for q in qualities) or len(pick.prompt.points) > 1
        assert len(qualities) <= MOST_CANDIDATES
        for candidate in pick.candidates:
            assert candidate.mask.shape == (120, 160)
            assert candidate.mask.any()
            assert candidate.index is None or 0 <= candidate.index < 3
        np.testing.assert_array_equal(segments.merge(pick), pick.mask if pick else np.zeros((120, 160), bool))
