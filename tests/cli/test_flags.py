"""Flags that several subcommands have: one text, one meaning; the help of `segment` in groups."""

from collections import defaultdict
from collections.abc import Iterator

import pytest
from cyclopts import App

from fastsam.cli import flags
from fastsam.cli.main import app

# Words that are natural for different things, because each command has its own.
OWN = {
    "--batch",  # photos per run of the network, photos per step of training
    "--device",  # training also has auto
    "--format",  # of files, of a data set, of an export
    "--from",  # a file to train from, a file to copy, a frame
    "--json",  # answers on standard output, a file of figures
    "--level",  # its default depends on what is wanted
    "--memory",  # of the service, of the second network
    "--output",  # files, a run of training
    "--pictures",  # of photos, of sequences
    "--point",  # in a photo, in a frame of a video
    "--photos",  # kept, timed, trained on
    "--refine",  # every mask, answers, or also measured
    "--workers",  # of a service, a cluster, a loader
}


def commands(of: App, name: str = "fastsam") -> Iterator[tuple[str, App]]:
    """Every subcommand that takes arguments, by its full name."""
    if of.default_command is not None:
        yield name, of
    for word in of:
        if not word.startswith("-"):
            yield from commands(of[word], f"{name} {word}")


def texts() -> dict[str, dict[str, list[str]]]:
    """Which commands say what about a flag: flag, text, commands."""
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for name, one in commands(app):
        for argument in one.assemble_argument_collection(parse_docstring=True):
            if argument.name.startswith("--") and not argument.children:
                found[argument.name][argument.parameter.help or ""].append(name)
    return found


def test_the_same_flag_has_the_same_text_in_every_subcommand() -> None:
    said = texts()
    assert len(said) > 60
    assert {flag for flag, by_text in said.items() if len(by_text) > 1} == OWN


def test_every_flag_has_a_text() -> None:
    assert [flag for flag, by_text in texts().items() if "" in by_text] == []


@pytest.mark.parametrize("flag", ["model", "imgsz", "conf", "iou", "max-det", "tile", "overlap", "runtime", "threads"])
def test_flags_of_the_network_are_those_of_one_file(flag: str) -> None:
    parameter = getattr(flags, "TILE_OVERLAP" if flag == "overlap" else flag.replace("-", "_").upper())
    (said,) = texts()[f"--{flag}"].items()
    assert said[0] == parameter.help
    assert "fastsam segment" in said[1]
    assert len(said[1]) > 5


def test_the_help_of_segment_comes_in_groups(fastsam) -> None:
    done = fastsam("segment", "--help")
    titles = [line.split()[1] for line in done.out.splitlines() if line.startswith("╭")]
    assert titles == ["Arguments", "Finding", "Prompts", "Names", "Keeping", "Output", "Videos"]
