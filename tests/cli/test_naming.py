"""`--name`, `--all`, `--only-named`, `--outline`, `--boxes`: what is named, and how the picture shows it."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fastsam import FastSAM

WORDS = ["cup", "spoon", "table"]


@pytest.fixture
def coffee(examples: Path) -> Path:
    return examples / "coffee.png"


def pixels(file: Path) -> np.ndarray:
    return np.asarray(Image.open(file).convert("RGB"))


def test_words_have_commas_between_them_and_each_object_its_name_once(
    fastsam, encoder: None, model: FastSAM, coffee: Path, tmp_path: Path
) -> None:
    segments = model(coffee)
    formats = ("--format", "overlay", "--format", "coco", "-o", tmp_path)
    for more, given in ((), segments.name(WORDS)), (("--all",), segments.name(WORDS, all=True)):
        done = fastsam("segment", coffee, "--name", "cup, spoon", "--name", "table", "--json", *more, *formats)
        (answer,) = json.loads(done.out)
        assert [row["name"] for row in answer["segments"]] == [name or "object" for name in given]
        kinds = json.loads((tmp_path / "instances.json").read_text())["categories"]
        assert [kind["name"] for kind in kinds] == ["object", *WORDS]
        named = segments.named(WORDS, all=bool(more))
        np.testing.assert_array_equal(pixels(tmp_path / "coffee.png"), named.picture())
    assert sum(name is not None for name in segments.name(WORDS, all=True)) > sum(map(bool, segments.name(WORDS))) > 0


def test_masks_without_a_name_are_dropped_on_demand(
    fastsam, encoder: None, model: FastSAM, coffee: Path, tmp_path: Path
) -> None:
    done = fastsam("segment", coffee, "--name", "cup", "--only-named", "--json", "-o", tmp_path)
    (answer,) = json.loads(done.out)
    segments = model(coffee)
    stay = [i for i, name in enumerate(segments.name(["cup"])) if name]
    assert [row["segmentation"] for row in answer["segments"]] == [segments.to_rle()[i] for i in stay]
    only = segments.named(["cup"], only=True)
    assert only.to_rle() == [segments.to_rle()[i] for i in stay]
    assert set(only.captions) == {"cup"}
    assert len(segments[:0].named(["cup"], only=True)) == 0


def test_a_text_means_one_mask_an_object_unless_all_are_wanted(
    fastsam, encoder: None, model: FastSAM, coffee: Path
) -> None:
    (pick,) = model(coffee).select(texts=["cup"])
    (every,) = model(coffee).select(texts=["cup"], all=True)
    assert 0 < len(pick.matches) < len(every.matches) == len(every.candidates)
    assert {c.index for c in pick.candidates} == {c.index for c in every.candidates}
    assert pick.matches[0].index == every.matches[0].index
    for more, wanted in ((), pick), (("--all",), every):
        (answer,) = json.loads(fastsam("segment", coffee, "--text", "cup", "--json", *more).out)
        assert [m["index"] for m in answer["picks"][0]["matches"]] == [m.index for m in wanted.matches]


def test_outlines_and_boxes_are_drawn_on_demand(fastsam, model: FastSAM, coffee: Path, tmp_path: Path) -> None:
    segments = model(coffee).filter(level="things")
    for words, wanted in (
        (["--outline"], segments.picture(outline=True)),
        (["--boxes"], segments.picture(boxes=True)),
        (["--outline", "--boxes"], segments.picture(outline=True, boxes=True)),
    ):
        assert fastsam("segment", coffee, "-o", tmp_path, *words).code == 0
        np.testing.assert_array_equal(pixels(tmp_path / "coffee.png"), wanted)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--only-named"], "--only-named needs --name: give the words that masks are named by"),
        (["--all"], "--all needs --name or --text: it only changes what words mean"),
        (["--all", "--point", "1,1"], "--all needs --name or --text: it only changes what words mean"),
        (["--name", " , "], "--name ' , ' has no words: give some, such as 'person, bus'"),
        (["--outline", "--json"], "--outline changes the overlay, which is not written: add --format overlay"),
        (["--boxes", "--format", "coco"], "--boxes changes the overlay, which is not written: add --format overlay"),
    ],
)
def test_flags_that_would_do_nothing_are_one_line(fastsam, coffee: Path, words: list[str], message: str) -> None:
    done = fastsam("segment", coffee, *words)
    assert (done.code, done.out, done.err) == (2, "", f"fastsam: {message}\n")
