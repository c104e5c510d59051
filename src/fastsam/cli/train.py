"""`fastsam train`: settings from a file and flags, a progress line, checkpoints that a later call resumes."""

import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol, TypeVar

from cyclopts import App, Parameter

from fastsam.cli import flags
from fastsam.cli.say import clock, say
from fastsam.errors import UsageError, require

if TYPE_CHECKING:
    import torch

    from fastsam.training.config import Run
    from fastsam.training.log import Report
    from fastsam.training.stop import Stopped
    from fastsam.training.world import World

RUN = Parameter(name=("--output", "-o"), help="Folder for log.jsonl, last.pt and final.pt.")
app = App(name="train", help="Train a network on COCO-style folders.")
Folders = Annotated[list[Path] | None, Parameter(consume_multiple=True)]
Settings = TypeVar("Settings", bound="Run", contravariant=True)
Plain = dict[str, Any]  # settings as a config file has them


@Parameter(name="*")
@dataclass(frozen=True)
class Given:
    """Settings of any run; each flag overrides the config.

    Parameters
    ----------
    cutouts
        Folders of RGBA objects to paste.
    batch
        Photos or crops per step.
    start
        Weights to start from: a checkpoint of the same command. fastsam train also takes an Ultralytics .pt, a
        safetensors file, or fastsam-tiny; it builds the network like theirs by default.
    pretrained
        File of ImageNet weights for the backbone.
    holdout
        File of SET/FILE lines to leave out.
    """

    data: Annotated[list[Path] | None, flags.DATA] = None
    cutouts: Folders = None
    batch: int | None = None
    seed: Annotated[int | None, flags.SEED] = None
    start: Annotated[str | None, Parameter(name="--from")] = None
    pretrained: Path | None = None
    holdout: Path | None = None


@Parameter(name="*")
@dataclass(frozen=True)
class Work:
    """Where a run works.

    Parameters
    ----------
    device
        auto, cpu, cuda, or another device of torch.
    workers
        Processes that prepare batches.
    """

    device: str = "auto"
    threads: Annotated[int | None, flags.THREADS] = None
    workers: int = 1


@app.default
def train(
    *,
    config: Annotated[Path | None, flags.CONFIG] = None,
    output: Annotated[Path, RUN] = Path("runs/train"),
    backbone: str | None = None,
    size: str | None = None,
    imgsz: Annotated[int | None, flags.IMGSZ] = None,
    photos: int | None = None,
    given: Given | None = None,
    work: Work | None = None,
) -> int:
    """Train a segment-everything network on COCO-style folders; resumes if OUTPUT holds a checkpoint.

    Parameters
    ----------
    backbone
        yolov8 or lite0.
    size
        n, s, m, l or x.
    photos
        Length of the run in photos seen; a larger number lengthens the run in OUTPUT.
    """
    require("torch", "train")
    from fastsam.training.config import Config, make_config, read_config
    from fastsam.training.detector import train as run
    from fastsam.training.start import read_start

    settings = read_config(config, Config) if config else {}
    settings |= named(asdict(given or Given())) | named({"imgsz": imgsz, "photos": photos})
    network = {**settings.get("network", {}), **named({"backbone": backbone, "size": size})}
    last = output / "last.pt"
    if settings.get("start"):
        theirs = asdict(read_start(str(last) if last.exists() else settings["start"]).architecture)
        if network.get("backbone", theirs["backbone"]) == theirs["backbone"]:
            network = {**theirs, "classes": 1, **network}
    return follow(run, make_config({**settings, "network": network}), output, work or Work(), "photos")


@app.command
def refine(
    *,
    config: Annotated[Path | None, flags.CONFIG] = None,
    output: Annotated[Path, RUN] = Path("runs/refine"),
    backgrounds: Folders = None,
    crops: int | None = None,
    given: Given | None = None,
    work: Work | None = None,
) -> int:
    """Train the second network, which draws what a prompt means; resumes if OUTPUT holds a checkpoint.

    Parameters
    ----------
    backgrounds
        Folders of pictures to paste on.
    crops
        Length of the run in crops seen; a larger number lengthens the run in OUTPUT.
    """
    require("torch", "train")
    from fastsam.training.config import read_config
    from fastsam.training.refine.config import RefineConfig, make_config
    from fastsam.training.refine.loop import train as run

    settings = read_config(config, RefineConfig) if config else {}
    settings |= named(asdict(given or Given())) | named({"backgrounds": backgrounds, "photos": crops})
    return follow(run, make_config(settings), output, work or Work(), "crops")


class Training(Protocol[Settings]):
    """A function that runs a config to its end: see `training.loop.run`."""

    def __call__(
        self, config: Settings, folder: Path, device: "torch.device", workers: int = 1, *, world: "World"
    ) -> "Iterator[Report]": ...


def follow(run: Training[Settings], config: Settings, output: Path, work: Work, what: str) -> int:
    """Runs a config to its end and reports progress, in photos or crops; returns the exit code, 128 + N after signal N.

    Raises UsageError if there is no data.
    """
    torch = require("torch", "train")
    from fastsam.training.stop import Stopped
    from fastsam.training.world import joined

    if not config.data:
        raise UsageError("there is nothing to train on: give folders with --data")
    if work.threads:
        torch.set_num_threads(work.threads)
    where = choose_device(work.device)
    with joined(where, config.batch) as world:
        try:
            for report in run(config, output, where, work.workers, world=world):
                if world.rank == 0:
                    say(said(report, what), error=True)
        except Stopped as stopped:
            if world.rank == 0:
                say(paused(stopped, output, what), error=True)
            return 128 + stopped.number
        if world.rank == 0:
            say(f"{output}/final.pt")
    return 0


def paused(stopped: "Stopped", output: Path, what: str) -> str:
    """The line that says how to resume a run that was stopped."""
    return (
        f"stopped at {stopped.seen} of {stopped.total} {what}, saved in {output}/last.pt: "
        "give the same command again to resume"
    )


def said(report: "Report", what: str) -> str:
    """A report as a line. what: what was seen, photos or crops"""
    parts = "  ".join(f"{name} {value:.3f}" for name, value in report.losses.items())
    return f"{report.seen}/{report.total} {what}  {report.rate:.1f} per second  {clock(report.left)} left  {parts}"


def choose_device(name: str) -> "torch.device":
    """The torch device of a name; `auto` is CUDA if there is one. Each process of torchrun gets its own.

    Raises UsageError if it cannot be used.
    """
    require("torch", "train")
    import torch

    own = f"cuda:{os.environ.get('LOCAL_RANK', 0)}"
    if name.startswith("cuda") and int(os.environ.get("WORLD_SIZE", "1")) > 1:
        name = own
    try:
        where = torch.device((own if torch.cuda.is_available() else "cpu") if name == "auto" else name)
        torch.zeros(1, device=where)
    except (RuntimeError, AssertionError, NotImplementedError):
        raise UsageError(
            f"device {name!r} cannot be used here: choose auto, cpu, or a device that torch sees"
        ) from None
    return where


def named(flags: Plain) -> Plain:
    """The flags that were given, as a config file has them: paths as text."""
    return {name: as_setting(value) for name, value in flags.items() if value is not None}


def as_setting(value: Any) -> Any:
    """A flag's value as a config file has it."""
    if isinstance(value, list):
        return [str(v) for v in value]
    return str(value) if isinstance(value, Path) else value
