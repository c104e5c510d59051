"""Words: what is seen of a mask, what a text means, and which masks answer."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastsam import FastSAM, Prompt, Segments, UsageError
from fastsam.masks.runs import Crop
from fastsam.words.colours import TERMS, shares, term
from fastsam.words.crops import crop, describe
from fastsam.words.distinct import distinct
from fastsam.words.distinct import shares as shared_of
from fastsam.words.offline import Offline
from fastsam.words.pooled import covered
from fastsam.words.similarity import SYNONYMS, Meaning, find, name, parse


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("the yellow dog", Meaning("dog", ("yellow",), None)),
        ("a photo of a dog", Meaning("dog", (), None)),
        ("the largest grey car on the left", Meaning("car", ("grey",), "largest")),
        ("gray wine glass", Meaning("wine glass", ("grey",), None)),
        ("the red one", Meaning("", ("red",), None)),
        ("the left cup", Meaning("cup", (), "left")),
        ("the cup on the left", Meaning("cup", (), "left")),
        ("a tank top", Meaning("tank top", (), None)),
        ("an orange", Meaning("orange", (), None)),
        ("the orange one", Meaning("", ("orange",), None)),
        ("café", Meaning("café", (), None)),
        ("天空", Meaning("天空", (), None)),
        ("the object", Meaning("the object", (), None)),
        ("5", Meaning("5", (), None)),
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
    assert TERMS[int(found.argmax())] == name
    assert found.sum() == pytest.approx(1)
    assert term(name) == name
    assert term("dog") is None


def test_a_crop_shows_the_mask_and_dims_the_rest() -> None:
    photo = np.full((300, 400, 3), 255, np.uint8)
    mask = np.zeros((300, 400), bool)
    mask[100:200, 150:250] = True
    shown = crop(photo, Crop((0, 0), mask))
    np.testing.assert_array_equal(crop(photo, Crop((140, 90), mask[90:210, 140:260])), shown)
    assert shown.shape == (224, 224, 3)
    assert (shown[112, 112] == 255).all()
    assert shown[5, 5].tolist() == [171] * 3  # 0.35 * 255 + 0.65 * 127
    inside = (shown[..., 0] == 255).mean()
    assert inside == pytest.approx(1 / 1.3**2, abs=0.02)


@pytest.mark.parametrize("size", [(40, 3000), (3000, 40), (1, 1), (2400, 3200)])
def test_crops_of_every_size_keep_the_masks_shape(size: tuple[int, int]) -> None:
    photo, mask = np.full((*size, 3), 200, np.uint8), np.zeros(size, bool)
    mask[: max(1, size[0] // 2), : max(1, size[1] // 2)] = True
    shown = crop(photo, Crop((0, 0), mask))
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
    found = describe(photo, Crop((0, 0), mask))
    expected = [0.245, 0.7475, 0.25, 0.5, 0.5, 0.5, 0, 0, 0.5, 1, 0, 0.2, 0, 0, 0]
    np.testing.assert_allclose(found, expected, atol=1e-6)


class Table:
    """An encoder that knows what each mask is: row k of `rows` has the chances of mask k."""

    name, limits, threshold = "table", "Knows what it is told.", 0.2

    def __init__(self, words: list[str], rows: list[list[float]]) -> None:
        self.words, self.rows = words, np.array(rows, np.float32)
        self.seen: list[int] = []  # how many masks each call saw

    def see(self, photo: np.ndarray, masks: Iterable[Crop]) -> np.ndarray:
        self.seen.append(sum(1 for _ in masks))
        return self.rows[: self.seen[-1]]

    def chances(self, seen: np.ndarray, words: Sequence[str], among: bool = False) -> np.ndarray:
        return np.stack([seen[:, self.words.index(word)] for word in words], 1)


@pytest.fixture
def tiles() -> Segments:
    """Five tiles on black: top left red 40 x 40, below it blue, right of it grey and large, a speck, a yellow one."""
    photo, masks = np.zeros((200, 300, 3), np.uint8), np.zeros((5, 200, 300), bool)
    places = [(0, 0, 40, 40), (0, 150, 40, 190), (150, 50, 250, 150), (100, 0, 105, 5), (260, 10, 290, 40)]
    colours = [(220, 10, 20), (20, 60, 200), (128, 128, 128), (128, 128, 128), (250, 220, 30)]
    for mask, (x0, y0, x1, y1), colour in zip(masks, places, colours, strict=True):
        mask[y0:y1, x0:x1] = True
        photo[mask] = colour
    return Segments.from_masks(photo, masks, [0.9, 0.8, 0.7, 0.9, 0.6])


def found(segments: Segments, text: str, encoder: Table, exclude: Sequence[str] = ()) -> list[int]:
    return [i for i, _ in find(segments.sight, segments.scores, text, exclude, np.arange(5), encoder)]


def test_a_text_answers_with_every_mask_above_the_threshold_best_first(tiles: Segments) -> None:
    encoder = Table(["cup", "dog"], [[0.5, 0], [0.6, 0], [0.05, 0.9], [0.3, 0.3]])
    assert found(tiles, "cup", encoder) == [1, 0, 4]
    assert found(tiles, "the dog", encoder) == [2, 4]  # the speck is too small to be named, the fourth row is mask 4
    assert found(tiles, "the red cup", encoder) == [0]
    assert found(tiles, "the green cup", encoder) == []
    assert found(tiles, "the blue one", encoder) == [1]


def test_a_place_word_puts_first_what_it_names_among_those_that_fit_well(tiles: Segments) -> None:
    encoder = Table(["cup"], [[0.5], [0.6], [0.55], [0.25]])
    firsts = {place: found(tiles, f"the {place} cup", encoder)[0] for place in SYNONYMS}
    assert firsts == {"left": 1, "right": 2, "top": 0, "bottom": 1, "largest": 2, "smallest": 1}
    assert found(tiles, "the left cup", encoder)[-1] == 4  # it fits, but less than half as well


def test_excluded_words_take_away_what_they_mean_better(tiles: Segments) -> None:
    encoder = Table(["cup", "glass"], [[0.5, 0.1], [0.6, 0.4], [0.55, 0.05], [0.3, 0.0]])
    assert found(tiles, "cup", encoder) == [1, 0, 2, 4]
    assert found(tiles, "cup", encoder, ["glass"]) == [0, 2, 4]
    assert found(tiles, "cup", encoder, ["the red cup", "blue cup"]) == [2, 4]


def test_an_excluded_place_takes_away_the_one_that_it_names(tiles: Segments) -> None:
    encoder = Table(["cup"], [[0.5], [0.6], [0.55], [0.3]])
    assert found(tiles, "cup", encoder, ["the right cup"]) == [1, 0, 4]


def test_what_was_seen_is_kept_for_those_that_stay(tiles: Segments) -> None:
    encoder = Table(["cup"], [[0.5], [0.6], [0.55], [0.3]])
    seen = tiles.sight.through(encoder)
    stay = tiles.take(np.array([4, 3, 1]))
    np.testing.assert_array_equal(stay.sight.through(encoder), seen[[3, 1]])
    np.testing.assert_array_equal(stay.sight.places, tiles.sight.places[[3, 1]])
    assert replace(tiles, names=("a",)).sight is tiles.sight


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 50), st.integers(1, 50), st.integers(1, 9), st.integers(1, 9), st.integers(0, 10**6))
def test_cells_are_covered_as_far_as_a_mask_goes(height: int, width: int, h: int, w: int, seed: int) -> None:
    mask = np.random.default_rng(seed).random((height, width)) < 0.5
    mask[height // 2, width // 2] = True
    fine = np.repeat(np.repeat(mask, h, 0), w, 1).reshape(h, height, w, width).mean((1, 3))
    np.testing.assert_allclose(covered(Crop((0, 0), mask), mask.shape, (h, w)), fine, atol=1e-4)


def test_every_mask_gets_the_best_word_or_none(tiles: Segments) -> None:
    encoder = Table(["cup", "dog"], [[0.5, 0.6], [0.6, 0.1], [0.08, 0.02], [0.2, 0.0]])  # half the threshold is 0.1
    assert name(tiles.sight, tiles.scores, ["cup", "dog"], encoder) == ["dog", "cup", None, None, "cup"]
    assert name(tiles.sight, tiles.scores, ["cup"], encoder) == ["cup", "cup", None, None, "cup"]
    assert name(tiles.sight, tiles.scores, [], encoder) == [None] * 5


def shapes(*boxes: tuple[int, int, int, int]) -> Segments:
    """Masks that fill boxes x0, y0, x1, y1, and nothing to see."""
    masks = np.zeros((len(boxes), 100, 200), bool)
    for mask, (x0, y0, x1, y1) in zip(masks, boxes, strict=True):
        mask[y0:y1, x0:x1] = True
    return Segments.from_masks(np.zeros((100, 200, 3), np.uint8), masks)


def stay(ranks: list[float], *boxes: tuple[int, int, int, int]) -> list[int]:
    return distinct(shapes(*boxes).masks, np.array(ranks)).tolist()


WHOLE, HEAD, LEGS = (10, 10, 50, 90), (20, 10, 40, 30), (15, 50, 45, 90)
BESIDE, BOTH = (60, 10, 100, 90), (10, 10, 100, 90)


def test_of_masks_of_one_name_parts_within_an_object_go() -> None:
    assert stay([0.9, 0.8, 0.7], WHOLE, HEAD, LEGS) == [0]
    assert stay([0.9, 0.8, 0.8], WHOLE, HEAD, BESIDE) == [0, 2]


def test_of_masks_of_one_name_groups_around_objects_go() -> None:
    assert stay([0.6, 0.6, 0.9], WHOLE, BESIDE, BOTH) == [0, 1]
    assert stay([0.6, 0.2, 0.9], WHOLE, HEAD, BOTH) == [2]  # one object within, and a part of it: no group
    assert stay([0.3, 0.3, 0.9], WHOLE, BESIDE, BOTH) == [2]  # by far the surest


def test_of_masks_of_one_name_copies_go_and_neighbours_stay() -> None:
    assert stay([0.8, 0.9], WHOLE, (11, 10, 51, 90)) == [1]
    assert stay([0.8, 0.9], WHOLE, (40, 10, 80, 90)) == [0, 1]  # a quarter is shared
    assert stay([0.9, 0.1], WHOLE, BESIDE) == [0]  # ranks below three tenths of the best
    assert stay([]) == []


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 8), st.integers(0, 10**6))
def test_what_masks_share_is_counted_in_pixels(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    corners = rng.integers(0, 20, (n, 2))
    boxes = np.concatenate((corners, corners + rng.integers(1, 20, (n, 2))), 1).tolist()
    segments = shapes(*(tuple(box) for box in boxes))
    pixels = segments.masks.stack().reshape(n, -1)
    both = (pixels[:, None] & pixels).sum(2) / np.minimum(pixels.sum(1)[:, None], pixels.sum(1))
    np.fill_diagonal(both, 0)
    found = shared_of(list(segments.masks.all_runs()), segments.masks.areas, segments.size[0])
    np.testing.assert_allclose(found, np.where(both >= 0.5, both, 0))


def test_each_object_is_named_once_unless_all_are_wanted() -> None:
    segments = shapes(WHOLE, HEAD, BESIDE, BOTH)
    encoder = Table(["person", "dog"], [[0.9, 0.1], [0.8, 0.1], [0.1, 0.8], [0.7, 0.2]])
    words = ["person", "dog"]
    assert name(segments.sight, segments.scores, words, encoder) == ["person", None, "dog", None]
    assert name(segments.sight, segments.scores, words, encoder, all=True) == ["person", "person", "dog", "person"]


def test_a_photo_is_looked_at_once(tiles: Segments) -> None:
    encoder = Table(["cup"], [[0.5], [0.6], [0.55], [0.25]])
    first = tiles.sight.through(encoder)
    np.testing.assert_array_equal(tiles.sight.through(encoder), first)
    assert encoder.seen == [4]


def test_what_a_part_of_the_segments_was_seen_as_lives_with_the_photo(tiles: Segments) -> None:
    """Words asked of what `take`, `filter` or a slice left: none of it is looked at twice, whoever asks next."""
    encoder = Table(["cup"], [[0.5], [0.6], [0.55], [0.3]])
    for part in (tiles.take(np.array([4, 1])), tiles[[1, 4]], tiles.filter(conf=0.55, area=(None, 1600))[1:]):
        part.sight.through(encoder)
    assert encoder.seen == [2]
    tiles.sight.through(encoder)
    assert encoder.seen == [2, 2]  # the two that were left
    for part in (tiles, tiles[::-1], tiles.filter(conf=0.5), replace(tiles, names=("a",)), tiles[2:][:1]):
        part.sight.through(encoder)
    assert encoder.seen == [2, 2]
    np.testing.assert_array_equal(tiles[[1, 4]].sight.through(encoder), encoder.rows[[1, 0]])  # as they were first seen


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Of each look that the offline encoder takes, the number of masks."""
    found: list[int] = []
    see = Offline.see

    def counted(self: Offline, photo: np.ndarray, masks: Iterable[Crop]) -> np.ndarray:
        crops = list(masks)
        found.append(len(crops))
        return see(self, photo, crops)

    monkeypatch.setattr(Offline, "see", counted)
    return found


@pytest.mark.usefixtures("encoder")
def test_further_words_after_a_filter_cost_no_look(cat: Segments, looks: list[int]) -> None:
    cat.filter(area=(100, None)).select(texts=["cat"], encoder="offline")
    cat.filter(conf=0.1).select(texts=["the red thing", "dog"], encoder="offline")
    cat[:1].name(["cat", "dog"], encoder="offline")
    assert sum(looks) == 2  # the photo's two masks that are large enough, once each


@pytest.mark.usefixtures("encoder")
def test_what_the_page_asks_about_words_is_looked_at_once(
    cat: Segments, looks: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Texts, names, files and other sliders, as a worker of the service answers them one after the other."""
    pytest.importorskip("fastapi", reason="the serve extra is not installed")
    from fastsam.serve import work
    from fastsam.serve.photo import File

    monkeypatch.setattr(work, "settle", lambda: None)  # it gives way and falls silent, which is for workers
    data = File(cv2.imencode(".png", cat.sight.pixels[..., ::-1])[1].tobytes())
    bare, use = replace(cat, photo=None, kept=None), work.Use(None, 1, 10**6)
    ((first,),) = [work.select(use, "a cat", data, bare, [Prompt(text="cat")], [0, 2], None, False)]
    assert first is not None
    work.select(use, "a cat", data, bare, [Prompt(text="dog"), Prompt(text="red thing")], [0, 1], None, True)
    assert work.name("a cat", data, bare, ["cat", "dog"], [0, 1, 2], False)[0] == "cat"
    named = bare.renamed(["cat", None, None], ["cat"])  # what the server keeps from then on
    work.write(use, "a cat", data, "a.png", named, [Prompt(text="kitten")], [0, 1], work.Wanted("coco"))
    assert looks == [1, 1]  # each of the two masks that are large enough, when it was first asked about


def test_words_without_the_photo_say_how_to_bring_it(tiles: Segments, tmp_path: Path) -> None:
    tiles.save(tmp_path / "tiles.npz")
    back = Segments.load(tmp_path / "tiles.npz")
    with pytest.raises(UsageError, match="photo="):
        name(back.sight, back.scores, ["cup"], Table(["cup"], [[1.0]]))
    with pytest.raises(UsageError, match="200 pixels"):
        Segments.load(tmp_path / "tiles.npz", photo=np.zeros((9, 9, 3), np.uint8))


def test_an_unknown_encoder_is_named(tiles: Segments) -> None:
    with pytest.raises(UsageError, match="unknown encoder 'clap'"):
        tiles.name(["cup"], encoder="clap")


@pytest.mark.parametrize("texts", ["dog", [""], [3]])
def test_what_is_no_text_is_named(tiles: Segments, texts: Any) -> None:
    with pytest.raises(UsageError, match="text"):
        tiles.select(texts=texts)


def test_excluding_from_nothing_is_wrong_use(tiles: Segments) -> None:
    with pytest.raises(UsageError, match="needs texts"):
        tiles.select(exclude=["dog"])


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
def cat(examples: Path) -> Segments:
    """A cat's photo on a red ground, with masks drawn by hand: the photo, the red beside it, a speck."""
    face = cv2.imread(str(examples / "chelsea.png"))[..., ::-1]
    photo = np.full((400, 600, 3), (200, 20, 30), np.uint8)
    photo[40:340, 60:511] = face
    masks = np.zeros((3, 400, 600), bool)
    masks[0, 40:340, 60:511] = masks[1, :, 520:] = masks[2, 350:356, 300:306] = True
    return Segments.from_masks(photo, masks, [0.9, 0.8, 0.7])


@pytest.mark.usefixtures("encoder")
def test_words_pick_what_they_name(cat: Segments) -> None:
    texts = ["cat", "a kitten", "elephant", "the red thing", "qwertz uiop"]
    by_name, by_kind, absent, colour, unknown = cat.select(texts=texts, encoder="offline")
    assert by_name.index == by_kind.index == 0
    assert by_name.score > 0.3
    assert absent.matches == unknown.matches == ()
    assert absent.mask is None
    assert colour.index == 1
    assert cat.name(["dog", "cat", "car"], encoder="offline")[0] == "cat"


@pytest.mark.usefixtures("encoder")
def test_words_and_a_box_in_one_prompt_must_both_hold(cat: Segments) -> None:
    here, there = Prompt(text="cat", box=(55, 35, 515, 345)), Prompt(text="cat", box=(0, 0, 50, 50))
    assert [p.index for p in cat.select([here, there], encoder="offline")] == [0, None]


@pytest.mark.usefixtures("encoder")
def test_words_of_a_photo_without_masks_find_nothing(model: FastSAM) -> None:
    segments = model(np.zeros((40, 60, 3), np.uint8), conf=1.0)
    assert [p.matches for p in segments.select(texts=["cat"], encoder="offline")] == [()]
    assert segments.name(["cat"], encoder="offline") == []
