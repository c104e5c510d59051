"""The first network's learner and its batches: everything in a photo.

Enters: a `Config`. Leaves: a `Detector` and what yields its batches, for `loop`.
"""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

from fastsam.network import Architecture, build
from fastsam.training import checkpoint, resident
from fastsam.training.config import Config
from fastsam.training.data import load_cutouts, load_sets, read_holdout
from fastsam.training.learner import Learner
from fastsam.training.loader import Batch, Samples, batches, probabilities
from fastsam.training.loop import Report, run
from fastsam.training.losses import losses
from fastsam.training.placed import place
from fastsam.training.start import put, read_start
from fastsam.training.store import fits, store
from fastsam.training.world import ALONE, World


class Detector(Learner[Config, Batch]):
    """The first network, and how it learns."""

    def __init__(self, config: Config, device: torch.device, resumes: bool = False, world: World = ALONE) -> None:
        fields = {f.name: getattr(config, f.name) for f in dataclasses.fields(Architecture) if f.name != "classes"}
        architecture = Architecture(**fields)
        torch.manual_seed(config.seed)
        network = build(architecture, config.frozen)
        if not resumes:
            start_from(network, architecture, config)
        super().__init__(config, network, checkpoint.describe(architecture), device, world)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        batch = batch.to(self.device)
        with self.autocast():
            raw = self.shared(self.images(batch.images))
        c, bins = self.config, self.network.get_submodule("head.dfl")()
        raw = place(raw, bins, c.placed)
        return losses(raw, batch, bins, c.gains, self.generator, c.margin, c.reach, self.world)


def train(
    config: Config,
    folder: Path,
    device: torch.device,
    workers: int = 1,
    log_every: int = 50,
    save_every: float = 300,
    world: World = ALONE,
) -> Iterator[Report]:
    """Runs `config` to its end; see `loop.run`."""

    def begin(resumes: bool) -> Detector:
        return Detector(config, device, resumes, world)

    def feed() -> Callable[[int, int], Iterator[Batch]]:
        return feeder(samples_of(config), config.batch, device, workers, world)

    return run(begin, feed, config, folder, device, log_every, save_every, world)


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


def start_from(network: nn.Module, architecture: Architecture, config: Config) -> None:
    """Loads `start` (a checkpoint's averaged weights) or `pretrained` (backbone entries) where given.

    Raises ValueError where an entry's name or shape does not fit, and where a frozen backbone would stay random.
    """
    if config.start:
        put(read_start(config.start), network, architecture)
    elif config.pretrained:
        load_pretrained(config.pretrained, network)
    elif config.frozen:
        raise ValueError(
            "a frozen backbone needs weights: name the ImageNet file with --pretrained, or others with --from"
        )


def load_pretrained(file: str, network: nn.Module) -> None:
    """Loads the backbone's entries from an EfficientNet-Lite file; those of blocks that the network lacks are left out.

    Raises ValueError where an entry's name or shape does not fit.
    """
    try:
        entries = torch.load(file, map_location="cpu", weights_only=True)
        backbone = network.backbone
        assert isinstance(backbone, nn.Module)
        own = backbone.state_dict()
        backbone.load_state_dict({name: entries[name] if name in entries else own[name] for name in own})
        missing = [name for name in own if name not in entries and not name.endswith("num_batches_tracked")]
        if missing:
            raise RuntimeError(f"it lacks {missing[0]}")
    except (RuntimeError, AttributeError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"{file} does not fit the network: {reason}") from error


def _path(name: str | None) -> Path | None:
    return Path(name) if name else None
