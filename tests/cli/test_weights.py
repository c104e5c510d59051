"""`fastsam weights`."""

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from fastsam.weights import download

Run = Callable[..., object]


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_the_list_says_what_is_here(fastsam: Run) -> None:
    outcome = fastsam("weights", "list")
    assert outcome.code == 0
    for word in ("fastsam-tiny", "fastsam-s", "fastsam-x", "23.9", "144.9", "research", "fastsam-open", "Apache-2.0"):
        assert word in outcome.out


def test_the_bundled_model_needs_no_fetching(fastsam: Run) -> None:
    assert fastsam("weights", "get", "fastsam-tiny").out.strip().endswith("fastsam-tiny.onnx")


def test_everything_that_open_weights_were_trained_on_is_listed(fastsam: Run) -> None:
    """The list is what `scripts/write_credits.py` makes of the set; nothing in it is for research alone."""
    assert fastsam("weights", "credits", "fastsam-refine").out == fastsam("weights", "credits", "fastsam-open").out
    rows = list(csv.DictReader(io.StringIO(fastsam("weights", "credits", "fastsam-open").out)))
    assert len(rows) == len({row["file"] for row in rows}) == 2237
    assert sum(row["file"].startswith("cutouts/") for row in rows) == 1733
    assert all(row["licence"] and row["source"] for row in rows)
    assert not [row for row in rows if re.search("NC|ND|SA-|GPL|research", row["licence"])]


def test_weights_for_research_have_no_such_list(fastsam: Run) -> None:
    outcome = fastsam("weights", "credits", "fastsam-tiny")
    assert outcome.code == 2
    assert "'fastsam-tiny' has no list of credits" in outcome.err.strip()


def test_offline_is_one_line_after_the_notice(fastsam: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    import requests

    def refuse(*_: object, **__: object) -> None:
        raise requests.ConnectionError

    monkeypatch.setattr(requests, "get", refuse)
    outcome = fastsam("weights", "get", "fastsam-s")
    lines = outcome.err.strip().splitlines()
    assert outcome.code == 2
    assert "SA-1B" in lines[0]
    assert all("no connection" in line for line in lines[1:-1])
    assert "check the connection" in lines[-1]


def test_a_wrong_file_and_a_wrong_name_are_named(fastsam: Run, tmp_path: Path) -> None:
    (tmp_path / "FastSAM-s.pt").write_bytes(b"other")
    outcome = fastsam("weights", "get", "fastsam-s", "--from", tmp_path / "FastSAM-s.pt")
    assert (outcome.code, "its sha256 is" in outcome.err) == (2, True)
    outcome = fastsam("weights", "get", "sam-h")
    assert outcome.code == 2
    assert "choose from fastsam-tiny, fastsam-tiny-int8, fastsam-open, fastsam-s, fastsam-x" in outcome.err
    assert download.present("fastsam-s") is None


def test_convert_writes_what_the_suffix_says(
    fastsam: Run, write_checkpoint: Callable[..., None], tmp_path: Path
) -> None:
    from fastsam.network import Architecture, build

    write_checkpoint(build(Architecture()), tmp_path / "net.pt")
    assert fastsam("weights", "convert", tmp_path / "net.pt", tmp_path / "net.safetensors").code == 0
    assert fastsam("weights", "convert", tmp_path / "net.safetensors", tmp_path / "net.onnx").code == 0
    assert (tmp_path / "net.onnx").stat().st_size > 1_000_000
    outcome = fastsam("weights", "convert", tmp_path / "net.pt", tmp_path / "net.engine")
    assert (outcome.code, "must be .safetensors or .onnx" in outcome.err) == (2, True)
