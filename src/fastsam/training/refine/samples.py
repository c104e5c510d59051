"""Sample number i of a run of the second network: a function of the seed and of i alone, so that a run resumes exactly.

Enters: `Material`, policies and a seed. Leaves: `Batch`es of crops, maps and true masks, from worker processes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import Dataset

from fastsam.refine.maps import CELL, shares_of
from fastsam.training.refine import prompts, scenes
from fastsam.training.refine.prompts import CLICK, Habits
from fastsam.training.refine.scenes import Material, Policy


@dataclass(frozen=True)
class Sample:
    """pixels: (S, S, 3) uint8; maps: (4, S / 2, S / 2) float32; truth: (S / 2, S / 2) float32 shares

    clicked: whether a single click is all that was said; corrected: whether clicks may follow
    beyond: cells of the thing outside the crop
    """

    pixels: npt.NDArray[np.uint8]
    maps: npt.NDArray[np.float32]
    truth: npt.NDArray[np.float32]
    clicked: bool
    corrected: bool
    beyond: float


@dataclass(frozen=True)
class Batch:
    """N samples of one size.

    images: (N, 3, S, S) uint8; maps: (N, 4, S / 2, S / 2) float32; truth: (N, S / 2, S / 2) float32
    clicked: (N,) bool; corrected: (N,) bool; beyond: (N,) float32
    """

    images: Tensor
    maps: Tensor
    truth: Tensor
    clicked: Tensor
    corrected: Tensor
    beyond: Tensor

    def to(self, device: torch.device) -> "Batch":
        return Batch(*(t.to(device, non_blocking=True) for t in vars(self).values()))

    def pin_memory(self) -> "Batch":
        return Batch(*(t.pin_memory() for t in vars(self).values()))


def collate(samples: Sequence[Sample]) -> Batch:
    """One batch of samples of one size."""
    return Batch(
        images=torch.from_numpy(np.stack([s.pixels for s in samples])).permute(0, 3, 1, 2),
        maps=torch.from_numpy(np.stack([s.maps for s in samples])),
        truth=torch.from_numpy(np.stack([s.truth for s in samples])),
        clicked=torch.tensor([s.clicked for s in samples]),
        corrected=torch.tensor([s.corrected for s in samples]),
        beyond=torch.tensor([s.beyond for s in samples], dtype=torch.float32),
    )


@dataclass(frozen=True)
class Samples(Dataset[Sample]):
    """What a run learns from. sizes: of crops, in pixels, one drawn for each batch with the chances `shares`"""

    source: Material
    policy: Policy
    habits: Habits
    sizes: tuple[int, ...]
    shares: tuple[float, ...]
    batch: int
    seed: int

    def size(self, k: int) -> int:
        """The crops' size in batch number k."""
        rng = np.random.default_rng((self.seed, k, 1))
        return int(rng.choice(self.sizes, p=np.array(self.shares) / sum(self.shares)))

    def __getitem__(self, i: int) -> Sample:
        rng = np.random.default_rng((self.seed, i))
        kind = self.habits.kind(rng.random())
        scene = scenes.draw(self.source, self.size(i // self.batch), kind == CLICK, self.policy, rng)
        return Sample(
            pixels=scene.pixels,
            maps=prompts.draw(scene, kind, self.habits, rng),
            truth=shares_of(scene.mask),
            clicked=kind == CLICK,
            corrected=kind != prompts.BOX,
            beyond=scene.beyond / CELL**2,
        )
