"""The first network's learner and its batches: everything in a photo.

Enters: a `Config`. Leaves: a `Detector` and what yields its batches, for `loop`.
"""

import dataclasses
from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Tensor

from fastsam.network import build
from fastsam.training import resident
from fastsam.training.collection import cutouts_of, photos_of
from fastsam.training.config import Config
from fastsam.training.learner import Learner
from fastsam.training.loader import Batch, Samples, batches, probabilities
from fastsam.training.loop import run
from fastsam.training.losses import losses
from fastsam.training.positional import place
from fastsam.training.start import prepare, put, read_start
from fastsam.training.store import fits, store
from fastsam.training.world import ALONE, World


class Detector(Learner[Config, Batch]):
    """The first network, and how it learns."""

    def __init__(self, config: Config, device: torch.device, resumes: bool = False, world: World = ALONE) -> None:
        torch.manual_seed(config.seed)
        network = build(config.network, config.frozen)
        if not resumes:
            prepare(network, config, lambda source: put(read_start(source), network, config.network))
        super().__init__(config, network, dataclasses.asdict(config.network), device, world)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        batch = batch.to(self.device)
        with self.autocast():
            raw = self.shared(self.images(batch.images))
        c, bins = self.config, self.network.get_submodule("head.dfl")()
        raw = place(raw, bins, c.network.placed)
        return losses(raw, batch, bins, c.gains, self.generator, c.margin, c.reach, self.world)


def feeder(
    samples: Samples, batch: int, device: torch.device, workers: int, world: World = ALONE
) -> Callable[[int, int], Iterator[Batch]]:
    """What yields batches number a to b - 1: made on the device if all photos fit into it, else by workers."""
    if fits(samples.photos, samples.cutouts, device):
        kept = store(samples.photos, samples.cutouts, device)
        return lambda a, b: resident.batches(samples, kept, batch, a, b, world)
    return lambda a, b: batches(samples, batch, a, b, workers, world)


def samples_of(config: Config) -> Samples:
    """The samples of a run, its photos and cut-outs read into memory."""
    photos = photos_of(config)
    return Samples(
        photos,
        probabilities(photos, config.set_weights),
        cutouts_of(config),
        config.imgsz,
        config.policy,
        config.seed,
    )


def feed(config: Config, device: torch.device, workers: int, world: World) -> Callable[[int, int], Iterator[Batch]]:
    """Loads the data of a run and gives what yields its batches."""
    return feeder(samples_of(config), config.batch, device, workers, world)


train = partial(run, Detector, feed)  # runs a Config to its end: see `loop.run`
