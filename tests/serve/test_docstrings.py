"""The examples of the client's and the service's docstrings run."""

import doctest
from pathlib import Path

import pytest

from fastsam.client import Client, KeptPhoto, Mask
from fastsam.serve.app import make_app
from fastsam.serve.limits import Limits

FINDER = doctest.DocTestFinder(exclude_empty=True)
THINGS = (Client, KeptPhoto, Mask, make_app, Limits)
FOUND = [test for thing in THINGS for test in FINDER.find(thing, thing.__name__, globs={})]
EXAMPLES = [test for test in FOUND if test.examples]


@pytest.mark.parametrize("test", EXAMPLES, ids=lambda test: test.name)
def test_the_example_gives_what_it_says(
    test: doctest.DocTest, address: str, examples: Path, request: pytest.FixtureRequest
) -> None:
    if test.name == "KeptPhoto.name":
        request.getfixturevalue("encoder")  # skips without one
    test.globs = {
        "Client": Client,
        "Limits": Limits,
        "client": Client(address),
        "address": address,
        "photo": examples / "coffee.png",
    }
    said: list[str] = []
    doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=said.append)
    assert "".join(said) == ""
