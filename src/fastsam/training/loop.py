"""The timetable of a run: set up, step by step to the end or a signal, save; resume continues at the last save.

Enters: a learner, its batches, a config and a folder. Leaves in the folder: `log.jsonl`, `last.pt` (full state),
`final.pt` (EMA in float16).
"""

import dataclasses
import json
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from fastsam.files import make_folder, whole
from fastsam.training import checkpoint
from fastsam.training.config import Run
from fastsam.training.learner import Learner, rate_at
from fastsam.training.stop import Stopped, deferred
from fastsam.training.world import ALONE, World


class Report(NamedTuple):
    """One line of the log: photos seen of all, photos per second, seconds left, mean losses since the last."""

    seen: int
    total: int
    rate: float
    left: float
    losses: dict[str, float]


def run(
    begin: Callable[[bool], Learner[Any, Any]],
    feed: Callable[[], Callable[[int, int], Iterator[Any]]],
    config: Run,
    folder: Path,
    device: torch.device,
    log_every: int = 50,
    save_every: float = 300,
    world: World = ALONE,
) -> Iterator[Report]:
    """Runs `config` to its end, yielding a report after the first step and then every `log_every` steps.

    Resumes if `folder` holds `last.pt`, also that of a shorter run: at each step the rate is then the longer run's.

    begin: makes the learner; it is told whether a checkpoint will fill it
    feed: loads the data and makes what yields batches number a to b - 1
    save_every: seconds between checkpoints
    world: the processes that train together: the first writes log and checkpoints, from which any number goes on
    Raises ValueError if the folder's checkpoint belongs to another config. Raises Stopped, a KeyboardInterrupt, after
    SIGINT, SIGTERM or SIGHUP, once the step under way is done and `last.pt` is written; a second signal ends at once.
    """
    last = folder / "last.pt"
    learner = begin(last.exists())
    if last.exists():
        state = checkpoint.load(last)
        check_same(state["config"], config, last)
        learner.restore(state)
        if world.rank == 0:
            cut_log(folder / "log.jsonl", learner.step)
    if not world.agree(learner.step, device):
        raise ValueError(f"processes find different checkpoints in {folder}: put it on a disk that all share")
    batches = feed()
    make_folder(folder)
    world.wait()  # the checkpoint is read by all before the first writes another
    saved = since = time.monotonic()
    first = learner.step
    sums: dict[str, Tensor] = {}
    with deferred() as signals:
        for batch in batches(first, config.steps):
            for name, value in learner.learn(batch).items():
                sums[name] = sums[name] + value if name in sums else value
            stopped = world.some(bool(signals)) and learner.step < config.steps
            due = learner.step % log_every == 0 or learner.step == config.steps
            report = None
            if due or learner.step == first + 1:  # the first tells at once how long the run takes
                n = min((learner.step - 1) % log_every + 1, learner.step - first)
                means = {name: float(world.total(value)) / n for name, value in sums.items()}
                report = make_report(learner, n * config.batch / (time.monotonic() - since), means)
            if report and due:
                if world.rank == 0:
                    write_line(folder / "log.jsonl", report, learner)
                sums, since = {}, time.monotonic()
            if world.rank == 0 and (stopped or time.monotonic() - saved > save_every):
                begun = time.monotonic()
                checkpoint.save(last, learner.state())
                saved = time.monotonic()
                since += saved - begun
            if report:
                yield report
            if stopped:
                world.wait()  # none ends before the first has saved
                raise Stopped(signals[0] if signals else signal.SIGTERM, learner.step * config.batch, config.photos)
    if world.rank == 0:
        checkpoint.save(last, learner.state())
        checkpoint.save(folder / "final.pt", checkpoint.halved(learner.final()))
    world.wait()


def check_same(stored: dict[str, Any], config: Run, file: Path) -> None:
    """Raises ValueError if a checkpoint's settings are not those of `config`, but for a length that has grown."""
    before, now = plain(stored), plain(dataclasses.asdict(config))
    changed = [name for name in now if name not in before or before[name] != now[name]]
    if changed == ["photos"] and before["photos"] < now["photos"]:
        return
    if changed or before.keys() - now.keys():
        which = ", ".join(changed) or "other names"
        raise ValueError(
            f"{file} was made with other settings ({which}): choose another folder, or the same settings; only the "
            "length of a run may grow"
        )


def plain(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings as JSON keeps them, in which a tuple and a list are the same."""
    kept: dict[str, Any] = json.loads(json.dumps(settings))
    return kept


def make_report(learner: Learner[Any, Any], rate: float, means: dict[str, float]) -> Report:
    seen, total = learner.step * learner.config.batch, learner.config.steps * learner.config.batch
    return Report(seen, total, rate, (total - seen) / rate, means)


def cut_log(file: Path, step: int) -> None:
    """Drops the lines after `step`, which are learnt again, and a line that a crash cut short."""
    if not file.exists():  # a run that was stopped before its first line
        return

    def kept(line: str) -> bool:
        try:
            return bool(json.loads(line)["step"] <= step)
        except ValueError:
            return False

    lines = file.read_text().splitlines(keepends=True)
    with whole(file) as part:
        part.write_text("".join(filter(kept, lines)))


def write_line(file: Path, report: Report, learner: Learner[Any, Any]) -> None:
    """Appends a report to the log."""
    line = {
        "step": learner.step,
        "photos": report.seen,
        "photos_per_second": round(report.rate, 2),
        "learning_rate": rate_at(learner.step, learner.config),
        **{name: round(value, 4) for name, value in report.losses.items()},
    }
    with file.open("a") as log:
        log.write(json.dumps(line) + "\n")
