"""The examples of the client's docstrings run against a service."""

import doctest
from pathlib import Path

import pytest

from fastsam.client import Client, KeptPhoto, Mask

FINDER = doctest.DocTestFinder(exclude_empty=True)
EXAMPLES = [
    test
    for thing in (Client, KeptPhoto, Mask)
    for test in FINDER.find(thing, thing.__name__, globs={})
    if test.examples
]


@pytest.mark.parametrize("test", EXAMPLES, ids=lambda test: test.name)
def test_the_example_gives_what_it_says(
    test: doctest.DocTest, address: str, examples: Path, request: pytest.FixtureRequest
) -> None:
    if test.name == "KeptPhoto.name":
        request.getfixturevalue("encoder")  # skips without one
    test.globs = {"Client": Client, "client": Client(address), "address": address, "photo": examples / "coffee.png"}
    said: list[str] = []
    doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=said.append)
    assert "".join(said) == ""
