"""`fastsam eval track`."""

from collections import defaultdict
from pathlib import Path
from typing import Any

from rich.table import Table

from fastsam.cli.evaluate.flags import AS_STORED, NO_FILES, FileFlags, NetworkFlags
from fastsam.cli.evaluate.report import figure, progress, show, write_json
from fastsam.errors import UsageError
from fastsam.masks.runs import Runs
from fastsam.segments import Segments


def track(folder: Path, /, *, network: NetworkFlags = AS_STORED, files: FileFlags = NO_FILES) -> int:
    """Measure how well ids stay with their objects through videos: IDF1 and identity switches.

    Parameters
    ----------
    folder
        A folder with frames/ (a video or a folder of photos each) and instances_txt/ (its masks as MOTS text, with the
        same name), such as benchmarks/render_tracks.py makes.
    """
    from fastsam.evaluation.tracks import Score, read_mots, score
    from fastsam.streams import ordered
    from fastsam.video.read import read
    from fastsam.video.track import tracked

    pairs = videos(folder)
    segment = network.load()
    table = Table("video", "frames", "objects", "IDF1", "found", "switches")
    rows: dict[str, Any] = {}
    total = Score()
    for source, text in progress(pairs, "tracking"):
        truth, clip = read_mots(text), read(source)
        height = clip.size[0]
        shots = ordered(lambda shot: (shot[0], segment(shot[1])), clip.frames, 1)
        given = [(truth.get(frame.number, {}), owned(found)) for frame, found in tracked(shots)]
        one, frames = score(given, height), len(given)
        total += one
        objects = len({number for masks in truth.values() for number in masks})
        rows[text.stem] = {**vars(one), "idf1": one.idf1, "recall": one.recall, "frames": frames, "objects": objects}
        table.add_row(text.stem, str(frames), str(objects), *cells(one))
    rows["all"] = {**vars(total), "idf1": total.idf1, "recall": total.recall}
    table.add_row("all", "", "", *cells(total))
    show(table)
    write_json(files.json_file, rows)
    return 0


def owned(found: Segments) -> dict[int, Runs]:
    """The masks of a frame by id."""
    assert found.tracks is not None
    return dict(zip(found.tracks.tolist(), found.masks.all_runs(), strict=True))


def cells(score: Any) -> tuple[str, str, str]:
    """IDF1, the share found and the switches, for a table."""
    return figure(100 * score.idf1), figure(100 * score.recall, unit="%"), str(score.switches)


def videos(folder: Path) -> list[tuple[Path, Path]]:
    """Each video with its truth. Raises UsageError if there is none."""
    sources: dict[str, list[Path]] = defaultdict(list)
    for one in sorted((folder / "frames").glob("*")):
        sources[one.name if one.is_dir() else one.stem].append(one)
    texts = sorted((folder / "instances_txt").glob("*.txt"))
    pairs = [(sources[text.stem][0], text) for text in texts if text.stem in sources]
    if not pairs:
        raise UsageError(
            f"{folder} has no videos with their masks: it needs frames/NAME.mp4 and instances_txt/NAME.txt"
        )
    return pairs
