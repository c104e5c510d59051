"""The progress line of a job, and the files that a row becomes."""

from pathlib import Path

import pytest

from fastsam import FastSAM, Segments
from fastsam.cli.cluster import line
from fastsam.cluster.job import Progress, Speed


def test_it_tells_if_workers_get_no_processor() -> None:
    fine = Progress(64, 0, 138, 4, 9, 2.5, 6.0, 0.95)
    assert line(fine) == "64 of 138 photos  2.5 per second  0:00:29 left  0 failed"
    assert line(Progress(64, 0, 138, 4, 9, 2.5, 6.0, 0.25)).endswith("workers wait for a processor 75% of the time")


def test_the_share_is_of_all_workers_by_what_each_last_said() -> None:
    speed = Speed()
    assert speed.share(1, 0, 0) == 1.0  # a system that does not tell
    assert speed.share(1, 30, 10) == pytest.approx(0.75)
    assert speed.share(2, 10, 30) == pytest.approx(0.5)
    assert speed.share(1, 90, 10) == pytest.approx(100 / 140)


@pytest.fixture
def row(model: FastSAM, examples: Path, monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """A data set of one photo; whether the photo was read with it."""
    reading = pytest.importorskip("fastsam.cluster.reading")
    found, asked = model(examples / "coffee.png"), list[bool]()

    def read(output: str, key: str, *, with_photo: bool) -> Segments:
        asked.append(with_photo)
        return found

    monkeypatch.setattr(reading, "read", read)
    return asked


def test_a_row_becomes_files_as_those_of_segment(fastsam, row: list[bool], tmp_path: Path) -> None:
    names = ("coco", "cutouts", "yolo", "partition")
    done = fastsam(
        "cluster", "read", "set", "a/coffee.png", "-o", tmp_path, *(w for n in names for w in ("--format", n))
    )
    assert done.code == 0
    files = ["coffee.json", "coffee-cutouts", "coffee.txt", "coffee-partition.png"]
    assert done.out.splitlines() == [str(tmp_path / name) for name in files]
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(files)
    assert list((tmp_path / "coffee-cutouts").iterdir())


def test_the_photo_is_read_only_if_a_format_uses_it(fastsam, row: list[bool], tmp_path: Path) -> None:
    for name in ("coco", "png", "edges", "overlay"):
        assert fastsam("cluster", "read", "set", "coffee.png", "-o", tmp_path, "--format", name).code == 0
    assert row == [False, False, True, True]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--format", "gif"), "unknown format 'gif'"),
        (("--format", "coco", "--format", "labelme"), "coffee.json would be written twice"),
        (("--polygons",), "need the format coco"),
    ],
)
def test_files_that_cannot_be_written_are_named_first(
    fastsam, row: list[bool], tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    done = fastsam("cluster", "read", "set", "coffee.png", "-o", tmp_path / "out", *words)
    assert (done.code, message in done.err) == (2, True)
    assert not (tmp_path / "out").exists()
    assert row == []
