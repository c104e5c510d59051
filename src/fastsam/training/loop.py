"""The timetable of a run: set up, step by step to the end, save; resume continues where the last save stood.

Enters: a learner, its batches, a config and a folder. Leaves in the folder: `log.jsonl`, `last.pt` (full state),
`final.pt` (EMA in float16).
"""

import dataclasses
import json
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
    """Runs `config` to its end, yielding a report every `log_every` steps; resumes if `folder` holds `last.pt`.

    begin: makes the learner; it is told whether a checkpoint will fill it
    feed: loads the data and makes what yields batches number a to b - 1
    save_every: seconds between checkpoints
    world: the processes that train together: the first writes log and checkpoints, from which any number goes on
    Raises ValueError where the folder's checkpoint belongs to another config.
    """
    last = folder / "last.pt"
    learner = begin(last.exists())
    if last.exists():
        state = checkpoint.load(last)
        if plain(state["config"]) != plain(dataclasses.asdict(config)):
            raise ValueError(f"{last} was made with other settings: choose another folder, or the same settings")
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
    for batch in batches(first, config.steps):
        for name, value in learner.learn(batch).items():
            sums[name] = sums[name] + value if name in sums else value
        if learner.step % log_every == 0 or learner.step == config.steps:
            n = min((learner.step - 1) % log_every + 1, learner.step - first)
            means = {name: float(world.total(value)) / n for name, value in sums.items()}
            now = time.monotonic()
            report = make_report(learner, n * config.batch / (now - since), means)
            if world.rank == 0:
                write_line(folder / "log.jsonl", report, learner)
            sums, since = {}, now
            if world.rank == 0 and now - saved > save_every:
                checkpoint.save(last, learner.state())
                saved = since = time.monotonic()
            yield report
    if world.rank == 0:
        checkpoint.save(last, learner.state())
        checkpoint.save(folder / "final.pt", checkpoint.halved(learner.final()))
    world.wait()


def plain(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings as JSON keeps them, in which a tuple and a list are the same."""
    kept: dict[str, Any] = json.loads(json.dumps(settings))
    return kept


def make_report(learner: Learner[Any, Any], rate: float, means: dict[str, float]) -> Report:
    seen, total = learner.step * learner.config.batch, learner.config.steps * learner.config.batch
    return Report(seen, total, rate, (total - seen) / rate, means)


def cut_log(file: Path, step: int) -> None:
    """Drops the lines after `step`: what was learnt after the last checkpoint is learnt again."""
    lines = file.read_text().splitlines(keepends=True)
    with whole(file) as part:
        part.write_text("".join(line for line in lines if json.loads(line)["step"] <= step))


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
