"""`fastsam train`: settings from a file and flags, a progress line, checkpoints that a later call resumes."""

import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from fastsam.cli.report import clock
from fastsam.cli.say import say
from fastsam.errors import UsageError, require

if TYPE_CHECKING:
    from fastsam.training.config import Run
    from fastsam.training.loop import Report
    from fastsam.training.stop import Stopped

BUILT = ("backbone", "size", "reg_max", "mask_channels", "mask_towers", "placed", "coefficients")
app = App(name="train", help="Train a network on COCO-style folders.")
OPTIONS = ("data", "cutouts", "backbone", "size", "imgsz", "batch", "photos", "seed", "start", "pretrained", "holdout")


@app.default
def train(
    *,
    config: Path | None = None,
    data: Annotated[list[Path] | None, Parameter(consume_multiple=True)] = None,
    cutouts: Annotated[list[Path] | None, Parameter(consume_multiple=True)] = None,
    output: Annotated[Path, Parameter(name=("--output", "-o"))] = Path("runs/train"),
    backbone: str | None = None,
    size: str | None = None,
    imgsz: int | None = None,
    batch: int | None = None,
    photos: int | None = None,
    seed: int | None = None,
    start: Annotated[str | None, Parameter(name="--from")] = None,
    pretrained: Path | None = None,
    holdout: Path | None = None,
    device: str = "auto",
    threads: int = 0,
    workers: int = 1,
) -> int:
    """Train a segment-everything network on COCO-style folders; resumes where OUTPUT holds a checkpoint.

    Parameters
    ----------
    config
        TOML file of settings (see configs/); flags override it.
    data
        Folders with images/ and instances.json.
    cutouts
        Folders of RGBA objects to paste.
    output
        Folder for log.jsonl, last.pt and final.pt.
    backbone
        yolov8 or lite0.
    size
        n, s, m, l or x.
    imgsz
        Input size in pixels, a multiple of 32.
    batch
        Photos a step.
    photos
        Length of the run in photos seen; a larger number lengthens the run in OUTPUT.
    seed
        Seed of everything random.
    start
        Weights to start from: a checkpoint of ours or of the popular port, safetensors, or fastsam-tiny. What the
        network is built from is theirs, where nothing else is said.
    pretrained
        File of ImageNet weights for the lite0 backbone.
    holdout
        File of set/file lines to leave out.
    device
        auto, cpu, cuda, ...
    threads
        Threads of the network on the CPU; 0 leaves the choice to torch.
    workers
        Processes that prepare batches.
    """
    require("torch", "train")
    from fastsam.training.config import make_config, read_config
    from fastsam.training.detector import train as run
    from fastsam.training.start import read_start

    settings: dict[str, Any] = read_config(config) if config else {}
    given = locals()
    settings |= {name: as_setting(given[name]) for name in OPTIONS if given[name] is not None}
    last = output / "last.pt"
    begun = str(last) if last.exists() else settings.get("start")
    if begun and "start" in settings:
        theirs = asdict(read_start(begun).architecture)
        if settings.get("backbone", theirs["backbone"]) == theirs["backbone"]:
            settings = {**{name: theirs[name] for name in BUILT}, **settings}
    whole = make_config(settings)
    return follow(run, whole, output, device, threads, workers, "photos")


@app.command
def refine(
    *,
    config: Path | None = None,
    data: Annotated[list[Path] | None, Parameter(consume_multiple=True)] = None,
    cutouts: Annotated[list[Path] | None, Parameter(consume_multiple=True)] = None,
    backgrounds: Annotated[list[Path] | None, Parameter(consume_multiple=True)] = None,
    output: Annotated[Path, Parameter(name=("--output", "-o"))] = Path("runs/refine"),
    batch: int | None = None,
    photos: Annotated[int | None, Parameter(name="--crops")] = None,
    seed: int | None = None,
    start: Annotated[str | None, Parameter(name="--from")] = None,
    pretrained: Path | None = None,
    holdout: Path | None = None,
    device: str = "auto",
    threads: int = 0,
    workers: int = 1,
) -> int:
    """Train the second network, which draws what a prompt means; resumes if OUTPUT holds a checkpoint.

    Parameters
    ----------
    config
        TOML file of settings (see configs/refine/); flags override it.
    data
        Folders with images/ and instances.json.
    cutouts
        Folders of RGBA objects to paste.
    backgrounds
        Folders of pictures to paste upon.
    output
        Folder for log.jsonl, last.pt and final.pt.
    batch
        Crops per step.
    photos
        Length of the run in crops seen; a larger number lengthens the run in OUTPUT.
    seed
        Seed of everything random.
    start
        Checkpoint of fastsam train refine to start from.
    pretrained
        File of ImageNet weights for the backbone.
    holdout
        File of set/file lines to leave out.
    device
        auto, cpu, cuda, ...
    threads
        Threads of the network on the CPU; 0 leaves the choice to torch.
    workers
        Processes that prepare batches.
    """
    require("torch", "train")
    from fastsam.training.config import read_config
    from fastsam.training.refine.config import RefineConfig, make_config
    from fastsam.training.refine.loop import train as run

    settings: dict[str, Any] = read_config(config, RefineConfig) if config else {}
    given = locals()
    names = ("data", "cutouts", "backgrounds", "batch", "photos", "seed", "start", "pretrained", "holdout")
    settings |= {name: as_setting(given[name]) for name in names if given[name] is not None}
    return follow(run, make_config(settings), output, device, threads, workers, "crops")


def follow(
    run: Callable[..., Any], config: "Run", output: Path, device: str, threads: int, workers: int, what: str
) -> int:
    """Runs a config to its end and tells of it, in photos or crops; returns the exit code, 128 + N after signal N.

    Raises UsageError if there is no data.
    """
    torch = require("torch", "train")
    from fastsam.training.stop import Stopped
    from fastsam.training.world import joined

    if not config.data:
        raise UsageError("there is nothing to train on: name folders with --data")
    if threads:
        torch.set_num_threads(threads)
    where = choose_device(device)
    with joined(where, config.batch) as world:
        try:
            for report in run(config, output, where, workers, world=world):
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
    """The line that says how to go on with a run that was stopped."""
    return (
        f"stopped at {stopped.seen} of {stopped.total} {what}, saved in {output}/last.pt: "
        "give the same command again to go on"
    )


def said(report: "Report", what: str) -> str:
    """A report as a line. what: was seen, photos or crops"""
    parts = "  ".join(f"{name} {value:.3f}" for name, value in report.losses.items())
    return f"{report.seen}/{report.total} {what}  {report.rate:.1f} a second  {clock(report.left)} left  {parts}"


def choose_device(name: str) -> Any:
    """The torch device of a name, `auto` for CUDA where there is one: each process of torchrun its own.

    Raises UsageError where it cannot be used.
    """
    torch = require("torch", "train")
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


def as_setting(value: Any) -> Any:
    """A flag's value as a config file has it: paths as text."""
    if isinstance(value, list):
        return [str(v) for v in value]
    return str(value) if isinstance(value, Path) else value
