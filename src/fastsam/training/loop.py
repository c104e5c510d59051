"""The timetable of a run: set up, step by step to the end, save; resume continues where the last save stood.

Enters: a `Config` and a folder. Leaves in the folder: `log.jsonl`, `last.pt` (full state), `final.pt` (EMA in float16).
"""

import copy
import dataclasses
import json
import math
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from fastsam.files import make_folder, whole
from fastsam.network import Architecture, build
from fastsam.training import checkpoint, resident
from fastsam.training.config import Config, make_config
from fastsam.training.data import load_cutouts, load_sets, read_holdout
from fastsam.training.loader import Batch, Samples, batches, probabilities
from fastsam.training.losses import losses
from fastsam.training.placed import place
from fastsam.training.start import put, read_start
from fastsam.training.store import fits, store
from fastsam.training.world import ALONE, World, synchronise


class Report(NamedTuple):
    """One line of the log: photos seen of all, photos per second, seconds left, mean losses since the last."""

    seen: int
    total: int
    rate: float
    left: float
    losses: dict[str, float]


class Learner:
    """A network with its optimiser and running average: the state that a step changes and a checkpoint holds."""

    def __init__(self, config: Config, device: torch.device, resumes: bool = False, world: World = ALONE) -> None:
        self.config, self.device, self.world = config, device, world
        fields = {f.name: getattr(config, f.name) for f in dataclasses.fields(Architecture) if f.name != "classes"}
        self.architecture = Architecture(**fields)
        torch.manual_seed(config.seed)
        network = build(self.architecture, config.frozen)
        if not resumes:
            start_from(network, self.architecture, config)
        self.network = network.to(device, torch.float64 if config.precision == "float64" else torch.float32)
        channels_last(self.network)
        if config.synced:
            synchronise(self.network)
        self.average = copy.deepcopy(self.network).eval().requires_grad_(False)
        self.optimiser = torch.optim.AdamW(parameter_groups(self.network, config), lr=config.rate, fused=True)
        self.generator = torch.Generator().manual_seed(config.seed)
        self.bf16 = config.precision == "bf16" or (config.precision == "auto" and computes_bf16(device))
        self.step = 0
        self.shared: nn.Module = self.network if world.size == 1 else DistributedDataParallel(self.network)

    def learn(self, batch: Batch) -> dict[str, Tensor]:
        """One step on a batch, or this process's share of it; returns its losses, or their shares.

        They are still on the device: reading them would wait for it.
        """
        for group in self.optimiser.param_groups:
            group["lr"] = group["share"] * rate_at(self.step, self.config)
        self.network.train()
        parts = self.losses(batch.to(self.device))
        total = torch.stack(list(parts.values())).sum() * self.world.size  # gradients are averaged
        self.optimiser.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), 10.0)
        self.optimiser.step()
        self.step += 1
        self.follow()
        return {name: value.detach() for name, value in parts.items()}

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        kind = next(self.network.parameters()).dtype
        images = batch.images.to(kind).div_(255).contiguous(memory_format=torch.channels_last)
        with self.autocast():
            raw = self.shared(images)
        c, bins = self.config, self.network.head.dfl()
        raw = place(raw, bins, c.placed)
        return losses(raw, batch, bins, c.gains, self.generator, c.margin, c.reach, self.world)

    def autocast(self) -> AbstractContextManager[Any]:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16)

    @torch.no_grad()
    def follow(self) -> None:
        """Moves the running average towards the network, faster in the first thousands of steps."""
        share = 1 - self.config.average * (1 - math.exp(-self.step / 1000))
        pairs = zip(self.average.state_dict().values(), self.network.state_dict().values(), strict=True)
        floats: list[tuple[Tensor, Tensor]] = []
        others: list[tuple[Tensor, Tensor]] = []
        for mean, value in pairs:
            (floats if mean.dtype.is_floating_point else others).append((mean, value))
        torch._foreach_lerp_([m for m, _ in floats], [v for _, v in floats], share)
        for mean, value in others:
            mean.copy_(value)

    def state(self) -> dict[str, Any]:
        return {
            **self.final(),
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "generator": self.generator.get_state(),
        }

    def final(self) -> dict[str, Any]:
        return {
            "architecture": checkpoint.describe(self.architecture),
            "config": dataclasses.asdict(self.config),
            "step": self.step,
            "average": self.average.state_dict(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Continues exactly where `state` was taken."""
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.generator.set_state(state["generator"])
        self.step = state["step"]


def train(
    config: Config,
    folder: Path,
    device: torch.device,
    workers: int = 1,
    log_every: int = 50,
    save_every: float = 300,
    world: World = ALONE,
) -> Iterator[Report]:
    """Runs `config` to its end, yielding a report every `log_every` steps; resumes if `folder` holds `last.pt`.

    save_every: seconds between checkpoints
    world: the processes that train together: the first writes log and checkpoints, from which any number goes on
    Raises ValueError where the folder's checkpoint belongs to another config.
    """
    last = folder / "last.pt"
    learner = Learner(config, device, resumes=last.exists(), world=world)
    if last.exists():
        state = checkpoint.load(last)
        if make_config(state["config"]) != config:
            raise ValueError(f"{last} was made with other settings: choose another folder, or the same settings")
        learner.restore(state)
        if world.rank == 0:
            cut_log(folder / "log.jsonl", learner.step)
    if not world.agree(learner.step, device):
        raise ValueError(f"processes find different checkpoints in {folder}: put it on a disk that all share")
    samples = samples_of(config)
    make_folder(folder)
    world.wait()  # the checkpoint is read by all before the first writes another
    saved = since = time.monotonic()
    first = learner.step
    sums: dict[str, Tensor] = {}
    for batch in feeder(samples, config.batch, device, workers, world)(first, config.steps):
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


def feeder(
    samples: Samples, batch: int, device: torch.device, workers: int, world: World = ALONE
) -> Callable[[int, int], Iterator[Batch]]:
    """What yields batches number a to b - 1: made on the device where all photos fit into it, else by workers."""
    if fits(samples.photos, samples.cutouts, device):
        kept = store(samples.photos, samples.cutouts, device)
        return lambda a, b: resident.batches(samples, kept, batch, a, b, world)
    return lambda a, b: batches(samples, batch, a, b, workers, world)


def samples_of(config: Config) -> Samples:
    """The samples of a run, its photos and cut-outs read into memory."""
    photos = load_sets(
        [Path(d) for d in config.data], read_holdout(_path(config.holdout)), config.min_score, config.licences
    )
    return Samples(
        photos,
        probabilities(photos, config.set_weights),
        load_cutouts([Path(d) for d in config.cutouts]),
        config.imgsz,
        config.policy,
        config.seed,
    )


def make_report(learner: Learner, rate: float, means: dict[str, float]) -> Report:
    seen, total = learner.step * learner.config.batch, learner.config.steps * learner.config.batch
    return Report(seen, total, rate, (total - seen) / rate, means)


def cut_log(file: Path, step: int) -> None:
    """Drops the lines after `step`: what was learnt after the last checkpoint is learnt again."""
    lines = file.read_text().splitlines(keepends=True)
    with whole(file) as part:
        part.write_text("".join(line for line in lines if json.loads(line)["step"] <= step))


def write_line(file: Path, report: Report, learner: Learner) -> None:
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


def rate_at(step: int, config: Config) -> float:
    """Linear warm-up, then a half cosine to a hundredth of the peak."""
    warm = max(1, config.warmup // config.batch)
    if step < warm:
        return config.rate * (step + 1) / warm
    done = (step - warm) / max(1, config.steps - warm)
    return config.rate * (0.01 + 0.99 * (1 + math.cos(math.pi * min(1.0, done))) / 2)


def parameter_groups(network: nn.Module, config: Config) -> list[dict[str, Any]]:
    """Weights with decay, biases and norms without; a pretrained backbone at its share of the rate."""
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    frozen = {f"backbone._blocks.{i}." for i in range(config.frozen)}
    frozen |= {"backbone._conv_stem.", "backbone._bn0."} if config.frozen else set()
    for name, parameter in network.named_parameters():
        if any(name.startswith(prefix) for prefix in frozen):
            parameter.requires_grad_(False)
        if parameter.requires_grad:
            groups.setdefault((name.startswith("backbone."), parameter.ndim > 1), []).append(parameter)
    return [
        {
            "params": parameters,
            "share": config.backbone_rate if is_backbone else 1.0,
            "weight_decay": config.decay if decays else 0.0,
        }
        for (is_backbone, decays), parameters in groups.items()
    ]


def start_from(network: nn.Module, architecture: Architecture, config: Config) -> None:
    """Loads `start` (a checkpoint's averaged weights) or `pretrained` (backbone entries) where given.

    Raises ValueError where an entry's name or shape does not fit, and where a frozen backbone would stay random.
    """
    if config.start:
        put(read_start(config.start), network, architecture)
    elif config.pretrained:
        try:
            entries = torch.load(config.pretrained, map_location="cpu", weights_only=True)
            skip = ("_conv_head", "_bn1", "_fc")
            kept = {k: v for k, v in entries.items() if not k.startswith(skip)}
            backbone = network.backbone
            assert isinstance(backbone, nn.Module)
            backbone.load_state_dict(kept)
        except (RuntimeError, AttributeError, OSError) as error:
            reason = str(error).splitlines()[0]
            raise ValueError(f"{config.pretrained} does not fit the network: {reason}") from error
    elif config.frozen:
        raise ValueError(
            "a frozen backbone needs weights: name the ImageNet file with --pretrained, or others with --from"
        )


def computes_bf16(device: torch.device) -> bool:
    """Whether bf16 arithmetic is in the hardware: any CUDA device of today, a CPU with AVX512-BF16 or AMX."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    flags = Path("/proc/cpuinfo")
    text = flags.read_text() if flags.exists() else ""
    return "avx512_bf16" in text or "amx_bf16" in text


def channels_last(network: nn.Module) -> None:
    """Lays out convolution weights as the fast kernels of CPUs and tensor cores want them."""
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # the stubs lack it


def _path(name: str | None) -> Path | None:
    return Path(name) if name else None
