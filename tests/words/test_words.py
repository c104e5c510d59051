"""Words: what is seen of a mask, what a text means, and which masks answer."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from fastsam import FastSAM, Segments
from fastsam.words.colours import shares, term
from fastsam.words.crops import crop, describe
from fastsam.words.similarity import Meaning, parse, rank


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("the yellow dog", Meaning("dog", ("yellow",), None)),
        ("a photo of a dog", Meaning("dog", (), None)),
        ("the largest grey car on the left", Meaning("car", ("grey",), "largest")),
        ("gray wine glass", Meaning("wine glass", ("grey",), None)),
        ("the red one", Meaning("", ("red",), None)),
        ("the left cup", Meaning("cup", (), "left")),
    ],
)
def test_a_text_is_colours_a_place_and_a_thing(text: str, meaning: Meaning) -> None:
    assert parse(text) == meaning


@pytest.mark.parametrize(
    ("colour", "name"),
    [
        ((0, 0, 0), "black"), ((255, 255, 255), "white"), ((130, 130, 130), "grey"), ((220, 10, 20), "red"),
        ((20, 150, 40), "green"), ((20, 60, 200), "blue"), ((250, 220, 30), "yellow"), ((250, 140, 0), "orange"),
        ((100, 60, 30), "brown"), ((250, 160, 190), "pink"), ((110, 40, 150), "purple"),
    ],
)  # fmt: skip
def test_the_eleven_colours_are_called_by_their_names(colour: tuple[int, int, int], name: str) -> None:
    found = shares(np.full((50, 3), colour, np.uint8))
    assert max(found, key=lambda k: found[k]) == name
    assert sum(found.values()) == pytest.approx(1)
    assert term(name) == name
    assert term("dog") is None


def test_a_crop_shows_the_mask_and_dims_the_rest() -> None:
    photo = np.full((300, 400, 3), 255, np.uint8)
    mask = np.zeros((300, 400), bool)
    mask[100:200, 150:250] = True
    shown = crop(photo, mask)
    assert shown.shape == (224, 224, 3)
    assert (shown[112, 112] == 255).all()
    assert shown[5, 5].tolist() == [171] * 3  # 0.35 * 255 + 0.65 * 127
    inside = (shown[..., 0] == 255).mean()
    assert inside == pytest.approx(1 / 1.3**2, abs=0.02)


@pytest.mark.parametrize("size", [(40, 3000), (3000, 40), (1, 1), (2400, 3200)])
def test_crops_of_every_size_keep_the_masks_shape(size: tuple[int, int]) -> None:
    photo, mask = np.full((*size, 3), 200, np.uint8), np.zeros(size, bool)
    mask[: max(1, size[0] // 2), : max(1, size[1] // 2)] = True
    shown = crop(photo, mask)
    bright = shown[..., 0] > 190
    rows, columns = np.flatnonzero(bright.any(1)), np.flatnonzero(bright.any(0))
    wanted = (mask.any(1).sum(), mask.any(0).sum())
    got = (len(rows), len(columns))
    scale = 224 / (1.3 * max(wanted))
    for seen, length in zip(got, wanted, strict=True):
        assert abs(seen - length * scale) <= max(3, scale)  # the border pixels are blurred


def test_a_mask_is_described_by_its_place_and_colour() -> None:
    photo, mask = np.zeros((100, 200, 3), np.uint8), np.zeros((100, 200), bool)
    mask[:50, 100:] = True
    photo[mask] = (255, 0, 51)
    found = describe(photo, mask)
    expected = [0.245, 0.7475, 0.25, 0.5, 0.5, 0.5, 0, 0, 0.5, 1, 0, 0.2, 0, 0, 0]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_place_orders_those_that_answer_nearly_as_well() -> None:
    scores = np.array([0.9, 0.8, 0.7, 0.2, 0.01])
    places = np.array([[50, 5, 100], [10, 90, 900], [90, 50, 500], [1, 1, 9999], [0, 0, 1]], float)
    indices = np.array([3, 5, 7, 9, 11])

    def first(place: str | None) -> list[int]:
        return [c.index for c in rank(Meaning("cup", (), place), scores, np.ones(5), indices, places)]

    assert first(None) == [3, 5, 7, 9]
    assert first("left")[0] == 5
    assert first("right")[0] == 7
    assert first("top")[0] == 3
    assert first("bottom")[0] == 5
    assert first("largest")[0] == 5
    assert first("smallest")[0] == 3
    less = np.array([0.5, 1, 1, 1, 1])
    assert rank(Meaning("cup", (), None), scores, less, indices, places)[0].index == 5


@pytest.mark.usefixtures("encoder")
def test_minilm_gives_the_published_similarities() -> None:
    """The figures that the model's own page shows for these sentences."""
    from fastsam.words import minilm

    one, *others = minilm.load().embed(
        ["That is a happy person", "That is a happy dog", "That is a very happy person", "Today is a sunny day"]
    )
    np.testing.assert_allclose([one @ v for v in others], [0.695, 0.943, 0.257], atol=2e-3)
    assert minilm.load() is minilm.load()


@pytest.fixture
def cat(make_segments: Callable[..., Segments], examples: Path) -> tuple[np.ndarray, Segments]:
    """A photo of a cat on a red ground of drawn masks: its face, all of the ground, a speck."""
    face = cv2.imread(str(examples / "chelsea.png"))[..., ::-1]
    photo = np.full((400, 600, 3), (200, 20, 30), np.uint8)
    photo[40:340, 60:511] = face
    boxes = [(60.0, 40.0, 511.0, 340.0), (520.0, 0.0, 600.0, 400.0), (300.0, 350.0, 306.0, 356.0)]
    return photo, make_segments((400, 600), boxes, [0.9, 0.8, 0.7], imgsz=512)


@pytest.mark.usefixtures("encoder")
def test_words_pick_what_they_name(cat: tuple[np.ndarray, Segments]) -> None:
    from fastsam.words.similarity import find

    photo, segments = cat
    by_name, by_kind, absent, colour, unknown = find(
        photo, segments, ["cat", "a kitten", "elephant", "the red thing", "qwertz uiop"]
    )
    assert by_name[0].index == 0
    assert by_name[0].score > 0.3
    assert by_kind[0].index == 0
    assert absent == ()
    assert colour[0].index == 1
    assert unknown == ()


@pytest.mark.usefixtures("encoder")
def test_words_of_a_photo_without_masks_find_nothing(model: FastSAM) -> None:
    from fastsam.words.similarity import find

    photo = np.zeros((40, 60, 3), np.uint8)
    assert find(photo, model(photo, conf=1.0), ["cat"]) == [()]
