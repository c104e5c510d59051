"""Batches of samples, each a function of the seed and its number alone, so that a run resumes exactly.

Enters: photos and a `Policy`. Leaves: `Batch`es, in order, from worker processes.
"""

import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from fastsam.training.augment import Sample, render
from fastsam.training.data import AnnotatedPhoto, Cutout
from fastsam.training.plan import Plan, Policy, draw
from fastsam.training.world import ALONE, World

One = TypeVar("One")
Many = TypeVar("Many")
GRACE = 30  # seconds that a worker lives on after SIGTERM


@dataclass(frozen=True)
class Batch:
    """N samples; the T objects of all of them stand in one list.

    images: (N, 3, S, S) uint8
    boxes: (T, 4) float32 xyxy in input pixels
    masks: (T, S / 4, S / 4) uint8 0..255
    weights: (T,) float32
    owners: (T,) int64, index of the photo in the batch
    known: (N, S / 4, S / 4) bool
    """

    images: Tensor
    boxes: Tensor
    masks: Tensor
    weights: Tensor
    owners: Tensor
    known: Tensor

    def to(self, device: torch.device) -> "Batch":
        return Batch(*(t.to(device, non_blocking=True) for t in vars(self).values()))

    def pin_memory(self) -> "Batch":
        return Batch(*(t.pin_memory() for t in vars(self).values()))


def collate(samples: Sequence[Sample]) -> Batch:
    """One batch of samples of one size."""
    counts = torch.tensor([len(s.boxes) for s in samples])
    return Batch(
        images=torch.from_numpy(np.stack([s.pixels for s in samples])).permute(0, 3, 1, 2),
        boxes=torch.from_numpy(np.concatenate([s.boxes for s in samples])),
        masks=torch.from_numpy(np.concatenate([s.masks for s in samples])),
        weights=torch.from_numpy(np.concatenate([s.weights for s in samples])),
        owners=torch.repeat_interleave(torch.arange(len(samples)), counts),
        known=torch.from_numpy(np.stack([s.known for s in samples])),
    )


@dataclass(frozen=True)
class Samples(Dataset[Sample]):
    """Sample number i of a run: which photos it joins and how is drawn from a generator seeded by (seed, i)."""

    photos: Sequence[AnnotatedPhoto]
    probabilities: npt.NDArray[np.float64]
    cutouts: Sequence[Cutout]
    size: int
    policy: Policy
    seed: int

    def plan(self, i: int) -> tuple[list[int], Plan]:
        """Which photos sample i joins, and how."""
        rng = np.random.default_rng((self.seed, i))
        n = 4 if rng.random() < self.policy.mosaic else 1
        chosen = [int(k) for k in rng.choice(len(self.photos), n, p=self.probabilities)]
        return chosen, draw([self.photos[k] for k in chosen], self.cutouts, self.size, self.policy, rng)

    def __getitem__(self, i: int) -> Sample:
        chosen, plan = self.plan(i)
        return render(plan, [self.photos[k] for k in chosen], self.cutouts, self.size, self.policy.max_objects)


def probabilities(photos: Sequence[AnnotatedPhoto], set_weights: dict[str, float]) -> npt.NDArray[np.float64]:
    """How often each photo is drawn: its set's weight (1 by default), normalised over all photos."""
    weights = np.array([set_weights.get(p.name.split("/")[0], 1.0) for p in photos])
    total = weights.sum()
    if total <= 0:
        raise ValueError("no photo is left to train on: every set is empty or has weight 0")
    return np.asarray(weights / total, np.float64)


def batches(samples: Samples, batch: int, first: int, last: int, workers: int, world: World = ALONE) -> Iterator[Batch]:
    """Batches number `first` to `last` - 1 of `batch` samples each; see `in_order`."""
    return in_order(samples, collate, batch, first, last, workers, world)


def in_order(
    samples: Dataset[One],
    join: Callable[[Sequence[One]], Many],
    batch: int,
    first: int,
    last: int,
    workers: int,
    world: World = ALONE,
) -> Iterator[Many]:
    """Batches number `first` to `last` - 1 of `batch` samples each, prepared by `workers` processes (0: here).

    If several processes train together, each gets its share of every batch.

    If processes cannot be forked, and each would need a copy of all photos, batches are prepared here.
    """
    if "fork" not in multiprocessing.get_all_start_methods():
        workers = 0
    numbers = [list(world.share(range(k * batch, (k + 1) * batch))) for k in range(first, last)]
    loader: DataLoader[One] = DataLoader(
        samples,
        batch_sampler=numbers,
        num_workers=workers,
        collate_fn=join,
        worker_init_fn=_settle,
        prefetch_factor=4 if workers else None,
        multiprocessing_context="fork" if workers else None,
        pin_memory=torch.cuda.is_available(),
    )
    return iter(loader)


def _settle(_worker: int) -> None:
    """One thread; SIGTERM, which service managers send to every process, leaves the run time to be saved first."""
    import cv2

    cv2.setNumThreads(0)
    torch.set_num_threads(1)
    signal.signal(signal.SIGTERM, lambda _number, _frame: signal.alarm(GRACE))
