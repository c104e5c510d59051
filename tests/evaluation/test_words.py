"""How often words name true masks rightly, counted by hand."""

import math

import pytest

from fastsam.evaluation.words import THINGS, Named, plain, summary, vocabulary


@pytest.mark.parametrize(
    ("name", "word"),
    [("wall-brick", "wall"), ("sky-other-merged", "sky"), ("water-other", "water"), ("tv", "television"),
     ("cup", "cup"), ("door-stuff", "door"), ("potted plant", "potted plant")],
)  # fmt: skip
def test_categories_become_plain_words(name: str, word: str) -> None:
    assert plain(name) == word


def test_a_vocabulary_holds_each_word_once() -> None:
    categories = [{"name": n} for n in ("wall-brick", "wall-other-merged", "cup", "region")]
    assert vocabulary({"categories": categories}) == ["cup", "wall"]


def test_things_count_by_number_and_stuff_by_area() -> None:
    assert len(THINGS) == 80
    named = [
        Named("person", "person", "person", 900),
        Named("cup", "cup", "cup", 500),
        Named("dog", "dog", None, 400),
        Named("dog", "dog", "dog", 399),  # too small to count
        Named("wall-brick", "wall", "wall", 3000),
        Named("sky-other-merged", "sky", "sea", 1000),
    ]
    found = summary(named, 5)
    assert found.things == pytest.approx(2 / 3)
    assert found.things_without_persons == pytest.approx(1 / 2)
    assert found.stuff_area == pytest.approx(3 / 4)
    assert (found.masks, found.words) == ((3, 2), 5)
    assert math.isnan(summary([], 5).stuff_area)
