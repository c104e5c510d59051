"""The examples of public docstrings run, and every public method has one."""

import doctest
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastsam
from fastsam import Candidate, FastSAM, FastSAMDecoder, FastSAMPrompt, Pick, Prompt, Segments, compat, read_image
from fastsam.compat import Results, SamAutomaticMaskGenerator, SamPredictor
from fastsam.segments import Segment

CLASSES = (FastSAM, Segments, Segment, Prompt, Pick, Candidate)
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
NEEDS = {
    "Segments.name": "encoder",
    "Segments.named": "encoder",
    "Segments.to_supervision": "supervision",
}  # and is skipped without


def examples() -> Iterator[doctest.DocTest]:
    finder = doctest.DocTestFinder(exclude_empty=True)
    for thing in (*CLASSES, read_image):
        for part in homes(thing) if isinstance(thing, type) else [thing]:
            yield from (test for test in finder.find(part, thing.__name__, globs={}) if test.examples)


def homes(thing: type) -> list[type]:
    """The classes of ours in which the methods of a class stand."""
    return [part for part in thing.__mro__ if part.__module__.startswith("fastsam.")]


OTHERS = (FastSAMPrompt, FastSAMDecoder, SamPredictor, SamAutomaticMaskGenerator, compat.FastSAM, Results)


def others() -> Iterator[doctest.DocTest]:
    """The examples of classes that follow other libraries: one per class."""
    for thing in OTHERS:
        yield doctest.DocTestFinder(recurse=False).find(thing, f"compat.{thing.__name__}", globs={})[0]


def run(test: doctest.DocTest, names: dict[str, Any]) -> str:
    """What differs, nothing if the example gives what it says."""
    said: list[str] = []
    test.globs = dict(names)
    doctest.DocTestRunner(optionflags=FLAGS).run(test, out=said.append)
    return "".join(said)


@pytest.fixture(scope="module")
def names(model: FastSAM) -> dict[str, Any]:
    """What an example may use without saying where it comes from."""
    photo = str(Path(__file__).parent.parent / "examples" / "coffee.png")
    public = {name: getattr(fastsam, name) for name in fastsam.__all__}
    own = {thing.__name__: thing for thing in (SamPredictor, SamAutomaticMaskGenerator)}
    return {**public, **own, "np": np, "model": model, "photo": photo, "segments": model(photo)}


@pytest.mark.parametrize("test", [*examples(), *others()], ids=lambda test: test.name)
def test_the_example_gives_what_it_says(
    test: doctest.DocTest,
    names: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    need = NEEDS.get(test.name)
    if need == "encoder":
        request.getfixturevalue(need)
    elif need is not None:
        pytest.importorskip(need)
    monkeypatch.chdir(tmp_path)
    assert run(test, names) == ""


def test_every_class_of_another_library_has_an_example() -> None:
    assert all(test.examples for test in others())


def test_a_wrong_example_is_noticed(names: dict[str, Any]) -> None:
    wrong = doctest.DocTestParser().get_doctest(">>> len(segments[:3])\n4\n", {}, "wrong", None, None)
    assert "Expected:\n    4\nGot:\n    3" in run(wrong, names)


@pytest.mark.parametrize("thing", CLASSES, ids=lambda thing: thing.__name__)
def test_every_public_method_has_an_example(thing: type) -> None:
    shown = {test.name for test in examples()}
    members = [member for home in homes(thing) for member in vars(home).items()]
    methods = [name for name, value in members if inspect.isroutine(value) and not name.startswith("_")]
    assert thing.__name__ in shown
    assert [name for name in methods if f"{thing.__name__}.{name}" not in shown] == []
