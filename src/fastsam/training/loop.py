"""The timetable of a run: set up, step by step to the end or a signal, save; resume continues at the last save.

Enters: a learner, its batches, a config and a folder. Leaves in the folder: `log.jsonl`, `last.pt` (full state),
`final.pt` (EMA in float16).
"""

import dataclasses
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor

from fastsam.files import make_folder
from fastsam.training import checkpoint, fields, log
from fastsam.training.config import Run
from fastsam.training.fields import Plain
from fastsam.training.learner import Batch, Learner, Settings
from fastsam.training.log import Report
from fastsam.training.stop import Stopped, deferred
from fastsam.training.world import ALONE, World


def run(
    begin: Callable[[Settings, torch.device, bool, World], Learner[Settings, Batch]],
    feed: Callable[[Settings, torch.device, int, World], Callable[[int, int], Iterator[Batch]]],
    config: Settings,
    folder: Path,
    device: torch.device,
    workers: int = 1,
    log_every: int = 50,
    save_every: float = 300,
    world: World = ALONE,
) -> Iterator[Report]:
    """Runs `config` to its end, yielding a report after the first step and then every `log_every` steps.

    Resumes if `folder` holds `last.pt`, also that of a shorter run: at each step the rate is then the longer run's.

    begin: makes the learner; it is told whether a checkpoint will fill it
    feed: loads the data and makes what yields batches number a to b - 1, prepared by `workers` processes
    log_every: steps between reports; save_every: seconds between checkpoints
    world: the processes that train together: the first writes log and checkpoints, from which any number goes on
    Raises ValueError if the folder's checkpoint belongs to another config. Raises Stopped, a KeyboardInterrupt, after
    SIGINT, SIGTERM or SIGHUP, once the current step is done and `last.pt` is written; a second signal ends at once.
    """
    last = folder / "last.pt"
    learner = begin(config, device, last.exists(), world)
    if last.exists():
        resume(learner, last)
        if world.rank == 0:
            log.cut(folder / "log.jsonl", learner.step)
    if not world.agree(learner.step, device):
        raise ValueError(f"processes find different checkpoints in {folder}: put it on a disk that all share")
    batches = feed(config, device, workers, world)
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
                report = log.make_report(learner.step, config, n * config.batch / (time.monotonic() - since), means)
            if report and due:
                if world.rank == 0:
                    log.write_line(folder / "log.jsonl", report, learner.step, config)
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


def resume(learner: Learner[Settings, Batch], file: Path) -> None:
    """Fills a learner with the state in a checkpoint. Raises ValueError if it cannot go on from there."""
    state = checkpoint.load(file)
    if not checkpoint.State.__annotations__.keys() <= state.keys():
        raise ValueError(f"{file} holds only weights: choose another folder, and start with --from {file}")
    check_same(state["config"], learner.config, file)
    learner.restore(state)


def check_same(stored: Plain, config: Run, file: Path) -> None:
    """Raises ValueError if a checkpoint's settings are not those of `config`, but for a length that has grown.

    Settings that the checkpoint lacks were added since, with a default that leaves everything as it was.
    """
    try:
        before = fields.make(type(config), stored)
    except ValueError as error:
        raise ValueError(f"{file} was made by another version: {error}") from None
    names = [f.name for f in dataclasses.fields(config)]
    changed = [name for name in names if getattr(before, name) != getattr(config, name)]
    if changed and not (changed == ["photos"] and before.photos < config.photos):
        raise ValueError(
            f"{file} was made with other settings ({', '.join(changed)}): choose another folder, or the same settings; "
            "only the length of a run may grow"
        )
