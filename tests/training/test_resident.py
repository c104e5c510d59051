"""Batches made on the device are those of the CPU, up to interpolation."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="the train extra is not installed")

import torch

from fastsam.training import loader, resident
from fastsam.training.data import Cutout, load_sets
from fastsam.training.loader import Batch, Samples, probabilities
from fastsam.training.plan import Policy
from fastsam.training.store import bytes_of, store

CPU = torch.device("cpu")


def both(samples: Samples, n: int) -> tuple[Batch, Batch]:
    """A batch of samples 0 to n - 1, made the one way and the other."""
    kept = store(samples.photos, samples.cutouts, CPU)
    (one,) = loader.batches(samples, n, 0, 1, workers=0)
    (two,) = resident.batches(samples, kept, n, 0, 1)
    return one, two


def disc(side: int = 40) -> Cutout:
    pixels = np.zeros((side, side, 4), np.uint8)
    y, x = np.mgrid[:side, :side] + 0.5 - side / 2
    pixels[..., 3] = np.where(x**2 + y**2 < (side / 2) ** 2, 255, 0)
    pixels[..., 0] = 250
    return Cutout(pixels)


@pytest.mark.parametrize("mosaic", [0.0, 1.0])
@pytest.mark.parametrize("paste", [0.0, 1.0])
@pytest.mark.parametrize("colour", [0.0, 0.3])
def test_a_batch_is_the_same_on_the_device(
    make_set: Callable[..., Path], mosaic: float, paste: float, colour: float
) -> None:
    photos = load_sets([make_set(4), make_set(3, complete=False)])
    policy = Policy(mosaic=mosaic, paste=paste, colour=colour)
    samples = Samples(photos, probabilities(photos, {}), [disc(), disc(90)], 160, policy, 3)
    one, two = both(samples, 12)
    assert (one.images.int() - two.images.int()).abs().float().mean() < 3
    assert (one.known == two.known).float().mean() > 0.99
    matched = 0
    for mask, box, owner in zip(one.masks, one.boxes, one.owners, strict=True):
        others = (two.owners == owner).nonzero()[:, 0]
        ious = [soft_iou(mask, two.masks[k]) for k in others]
        best = int(np.argmax(ious)) if ious else 0
        if ious and ious[best] > 0.85:
            matched += 1
            assert (box - two.boxes[others[best]]).abs().max() <= 4
    assert matched >= 0.95 * len(one.boxes)
    assert abs(len(one.boxes) - len(two.boxes)) <= 0.05 * len(one.boxes)


def soft_iou(a: "torch.Tensor", b: "torch.Tensor") -> float:
    return float(torch.minimum(a, b).float().sum() / torch.maximum(a, b).float().sum().clamp(min=1))


def test_ignored_regions_are_unknown_ground_there_too(make_set: Callable[..., Path]) -> None:
    photos = load_sets([make_set(3)], min_score=2.0)
    one, two = both(Samples(photos, probabilities(photos, {}), [], 160, Policy(colour=0.0), 0), 4)
    assert len(one.boxes) == len(two.boxes) == 0
    assert 0 < (~two.known).float().mean() < 0.5
    assert (one.known == two.known).float().mean() > 0.98


def test_no_more_objects_are_taken_than_the_policy_allows(make_set: Callable[..., Path]) -> None:
    photos = load_sets([make_set(3)])
    samples = Samples(photos, probabilities(photos, {}), [], 160, Policy(max_objects=2, mosaic=1.0), 0)
    one, two = both(samples, 4)
    assert torch.bincount(two.owners).max() == 2
    assert (one.known == two.known).float().mean() > 0.98


def test_what_the_store_takes_is_told_beforehand(make_set: Callable[..., Path]) -> None:
    photos, cutouts = load_sets([make_set(3)]), [disc()]
    kept = store(photos, cutouts, CPU)
    taken = sum(t.numel() for t in (kept.pixels, kept.bits, kept.rgba))
    assert bytes_of(photos, cutouts) == taken
