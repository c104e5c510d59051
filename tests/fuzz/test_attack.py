"""Two thousand files made wrong, each loaded or refused by one line, in child processes of 2 GB."""

from pathlib import Path
from random import Random

import pytest
from attack import LONGEST, MEMORY, attack, seeds, try_one
from mutate import instructions, members, mutated


@pytest.mark.slow
def test_files_made_wrong_are_loaded_or_refused_by_one_line() -> None:
    total = attack(2000)
    assert total["faults"] == []
    assert total["tried"] == 2000
    assert total["loaded"] > 50  # not all is refused at the first byte
    assert total["seconds"] < LONGEST
    assert total["memory"] < MEMORY


def test_the_files_that_are_made_wrong_are_right_before(tmp_path: Path) -> None:
    for kind, contents in seeds().items():
        for content in contents:
            assert try_one(kind, content, tmp_path / f"it.{kind}") == "loads"


def test_a_mutation_follows_from_its_seed_and_changes_the_file() -> None:
    for kind, contents in seeds().items():
        one, again = ([mutated(kind, contents[0], Random(f"0-{k}")) for k in range(40)] for _ in range(2))
        assert one == again
        assert sum(content != contents[0] for content in one) >= 35


def test_instructions_are_the_whole_pickle() -> None:
    pickled = members(seeds()["pt"][0])["part/data.pkl"]
    assert b"".join(instructions(pickled)) == pickled
    assert len(instructions(pickled)) > 5000
