"""The second network's learner and its batches: the mask of one thing.

Enters: a `RefineConfig`. Leaves: a `RefineLearner` and what yields its batches, for `training.loop`.

Clicks follow answers as a user's would (RITM's iterative sampling, Sofiiuk et al. 2021, arXiv 2102.06583): some batches
are first answered without learning, up to `clicks` times; each time a click falls upon the largest error and the answer
becomes the rough mask of the next.
"""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from fastsam.masks.lazy import probability
from fastsam.network.refine import DESCRIPTION, RefineNetwork
from fastsam.refine import maps as m
from fastsam.training.collection import cutouts_of, holdout_of, photos_of
from fastsam.training.learner import Learner
from fastsam.training.loader import in_order
from fastsam.training.loop import run
from fastsam.training.refine.config import RefineConfig
from fastsam.training.refine.losses import losses
from fastsam.training.refine.prompts import next_click
from fastsam.training.refine.samples import Batch, Samples, collate
from fastsam.training.refine.scenes import UInt8, material
from fastsam.training.start import prepare, put_second
from fastsam.training.world import ALONE, World


class RefineLearner(Learner[RefineConfig, Batch]):
    """The second network, and how it learns."""

    def __init__(self, config: RefineConfig, device: torch.device, resumes: bool = False, world: World = ALONE) -> None:
        torch.manual_seed(config.seed)
        network = RefineNetwork(config.frozen)
        if not resumes:
            prepare(network, config, lambda source: put_second(source, network))
        super().__init__(config, network, DESCRIPTION, device, world)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        batch = batch.to(self.device)
        images = self.images(batch.images)
        rng = np.random.default_rng((self.config.seed, self.step, 2))
        maps, clicked = batch.maps.clone(), batch.clicked.clone()
        if self.config.clicks and rng.random() < 0.5:
            chosen = torch.nonzero(batch.corrected)[:, 0]
            for _ in range(int(rng.integers(1, self.config.clicks + 1))):
                self.correct(images, maps, clicked, batch.truth, chosen, rng)
        with self.autocast():
            logits, quality = self.shared(images, maps)
        return losses(logits, quality, batch.truth, clicked, batch.beyond)

    @torch.no_grad()
    def correct(
        self, images: Tensor, maps: Tensor, clicked: Tensor, truth: Tensor, chosen: Tensor, rng: np.random.Generator
    ) -> None:
        """Answers the chosen samples, then clicks upon each answer's largest error; changes `maps` and `clicked`."""
        if len(chosen) == 0:
            return
        self.network.eval()
        with self.autocast():
            logits, quality = self.network(images[chosen], maps[chosen])
        self.network.train()
        logits, quality = logits.float().cpu(), quality.float().cpu()
        quality[:, 0] += 1e3 * ~clicked[chosen].cpu()  # a prompt that means one thing has one answer
        best = quality.argmax(1)
        for k, answer, number in zip(chosen.tolist(), logits, best.tolist(), strict=True):
            found = answer[number].numpy()
            click = next_click(found > 0, truth[k].cpu().numpy() > 0.5, rng)
            clicked[k] = False
            if click is None:
                continue
            x, y, positive = click
            own = maps[k].cpu().numpy()
            share = probability(found).astype(np.float32)
            m.put_mask(own, share if rng.random() < 0.5 else (share > 0.5).astype(np.float32))
            m.put_click(own, x * m.CELL, y * m.CELL, positive)
            maps[k] = torch.from_numpy(own).to(maps)


def samples_of(config: RefineConfig) -> Samples:
    """The samples of a run, its photos, cut-outs and backgrounds read into memory."""
    holdout = holdout_of(config)
    backgrounds = [picture for d in config.backgrounds for picture in load_pictures(Path(d), holdout)]
    return Samples(
        material(photos_of(config), cutouts_of(config), backgrounds, config.set_weights),
        config.policy,
        config.habits,
        config.sizes,
        config.shares,
        config.batch,
        config.seed,
    )


def load_pictures(folder: Path, holdout: frozenset[str]) -> list[UInt8]:
    """RGB pixels of every picture in a folder whose name does not say copyleft, without those of the held-out list.

    Raises FileNotFoundError for a folder without any.
    """
    files = [f for f in sorted(folder.glob("*.webp")) if not f.name.startswith("copyleft")]
    if not files:
        raise FileNotFoundError(f"{folder} holds no pictures: it has no .webp files")
    read = [cv2.imread(str(f), cv2.IMREAD_COLOR) for f in files if f"{folder.name}/{f.name}" not in holdout]
    return [cv2.cvtColor(p, cv2.COLOR_BGR2RGB) for p in read if p is not None]


def feed(
    config: RefineConfig, _device: torch.device, workers: int, world: World
) -> Callable[[int, int], Iterator[Batch]]:
    """Loads the data of a run and gives what yields its batches."""
    samples = samples_of(config)
    return lambda a, b: in_order(samples, collate, config.batch, a, b, workers, world)


train = partial(run, RefineLearner, feed)  # runs a RefineConfig to its end: see `training.loop.run`
