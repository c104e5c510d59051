"""The parts of following: features, memories, motion, the search."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fastsam.errors import UsageError
from fastsam.follow import eye as eyes
from fastsam.follow import memory, search, sight, thing
from fastsam.refine import maps as m
from fastsam.refine.crop import Window
from fastsam.refine.network import shared as refiner_of

RNG = np.random.default_rng(0)
Film = Any


@pytest.fixture(scope="module")
def eye() -> eyes.Eye:
    return eyes.load(threads=1)


def test_an_eye_draws_as_the_second_network_does(eye: eyes.Eye, crossing: Film) -> None:
    crop = np.ascontiguousarray(crossing.frames[0][:192, :192])
    maps = m.empty(192)
    m.put_box(maps, (10, 90, 70, 150))
    logits, quality = eye.draw(crop, maps)
    (theirs,), rated = refiner_of(1).run([crop], [maps])
    np.testing.assert_allclose(logits, theirs, atol=1e-3)
    assert quality == pytest.approx(rated[0], abs=1e-4)


def test_features_of_a_cell_have_length_1_and_weigh_both_strides(eye: eyes.Eye, crossing: Film) -> None:
    features = eye.look(np.ascontiguousarray(crossing.frames[0][:192, :192]))
    assert features.shape == (24, 24, 40 + 112)
    np.testing.assert_allclose(np.linalg.norm(features, axis=-1), 1, atol=1e-3)
    np.testing.assert_allclose((features[..., 40:] ** 2).sum(-1), eyes.COARSE, atol=1e-3)


def test_a_thing_is_remembered_now_and_then(eye: eyes.Eye, crossing: Film) -> None:
    seen = search.seen_of(crossing.masks[0])
    one = thing.begin(crossing.frames[0], seen, (2 * seen.shares - 1) * 6, 1.0, eye)
    view = memory.Memory(one.anchors[0].thing, one.anchors[0].around)
    for _ in range(thing.EVERY * (thing.RECENT + 2)):
        one = thing.learnt(replace(one, likeness=2.0), view)
        assert len(one.recent) == min(one.views // thing.EVERY, thing.RECENT)
    assert len(one.memories) == 1 + thing.RECENT


def test_a_file_that_is_no_second_network_is_refused(fixtures: Any) -> None:
    with pytest.raises(UsageError):
        eyes.load(fixtures / "README.md")


def test_evidence_is_that_of_the_slow_obvious_version() -> None:
    def unit(*shape: int) -> np.ndarray:
        values = RNG.normal(size=shape).astype(np.float32)
        return np.asarray(values / np.linalg.norm(values, axis=-1, keepdims=True), np.float32)

    features, views = unit(4, 5, 8), [memory.Memory(unit(6, 8), unit(7, 8)), memory.Memory(unit(3, 8), unit(2, 8))]
    found = memory.evidence(features, views)
    for row in range(4):
        for column in range(5):
            f = features[row, column]
            near = min(float(((f - g) ** 2).sum()) for v in views for g in v.thing)
            far = min(float(((f - g) ** 2).sum()) for v in views for g in v.around)
            expected = np.clip((far - near) * memory.GAIN, -memory.MOST, memory.MOST)
            assert found[row, column] == pytest.approx(expected, abs=1e-3)


def test_a_memory_keeps_what_the_mask_says_and_earlier_ones_do_not_deny() -> None:
    features = np.zeros((2, 2, 2), np.float32)
    features[0], features[1] = (1, 0), (0, 1)
    shares = np.array([[1, 1], [0, 0]], np.float32)
    first = memory.remember(features, shares)
    assert (len(first.thing), len(first.around)) == (2, 2)
    wrong = memory.remember(features, np.ones((2, 2), np.float32), [first])
    assert wrong.thing.tolist() == [[1, 0], [1, 0]]  # the lower row is known to be the surroundings
    thin = memory.remember(features, np.array([[0.3, 0], [0, 0]], np.float32))
    assert len(thin.thing) == 1


def test_a_mask_through_its_own_window_is_itself_and_moves_with_another() -> None:
    shares = np.zeros((96, 96), np.float32)
    shares[30:60, 20:50] = 1
    seen = sight.Seen(Window(100, 50, 96, 192), shares)
    np.testing.assert_allclose(seen.through(seen.window, 96), shares, atol=1e-6)
    other = seen.through(Window(110, 50, 96, 192), 96)
    np.testing.assert_allclose(other[:, :80], shares[:, 10:90], atol=1e-6)
    assert seen.box == pytest.approx((120, 80, 150, 110))
    assert seen.area == pytest.approx(900)


def test_a_mask_moves_as_the_picture_does(crossing: Film) -> None:
    still = search.seen_of(crossing.masks[3])
    moved = sight.moved(still, crossing.frames[3], crossing.frames[4])
    assert moved.box[0] - still.box[0] == pytest.approx(8, abs=2.5)


def test_what_a_frame_shows_beside_a_thing_leaves_the_thing_out(eye: eyes.Eye, crossing: Film) -> None:
    seen = search.seen_of(crossing.masks[5])
    scene = search.scene_of(crossing.frames[5], seen, eye)
    assert len(scene.thing) == 0
    everything = eye.look(search.reduced(crossing.frames[5], seen.window)[0])
    left_out = everything.shape[0] * everything.shape[1] - len(scene.around)
    assert 0 < left_out < 0.3 * everything.shape[0] * everything.shape[1]
