"""A network that cannot learn a handful of photos by heart has a bug in its losses: here it must."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="the train extra is not installed")

import torch

from fastsam.network.head import decode_boxes
from fastsam.training.assign import assign
from fastsam.training.augment import make_sample
from fastsam.training.config import make_config
from fastsam.training.data import AnnotatedPhoto, load_set
from fastsam.training.detector import Detector
from fastsam.training.loader import Batch, collate
from fastsam.training.plan import Policy

PLAIN = Policy(zoom=(1.0, 1.0), mosaic=0.0, paste=0.0, colour=0.0, max_objects=500)


def one_batch(photos: list[AnnotatedPhoto], size: int) -> Batch:
    rng = np.random.default_rng(0)
    return collate([make_sample([p], [], size, PLAIN, rng) for p in photos])


def mask_ious(learner: Detector, batch: Batch) -> np.ndarray:
    """For every object the IoU, on the prototypes' grid, of the mask of the anchor that answers for it best.

    NaN for an object for which no anchor answers: too small to hold an anchor's centre, or a near copy of another
    annotator's region that takes all its anchors. No loss speaks of these.
    """
    network = learner.network.eval()
    with torch.no_grad():
        raw = network(batch.images.float().div(255))
        boxes = decode_boxes(raw.distributions, raw.anchors, raw.strides, network.head.dfl())
        found = assign(raw.scores[..., 0].sigmoid(), boxes, raw.anchors, batch.boxes, batch.owners)
    ious = np.full(len(batch.boxes), np.nan)
    for k in range(len(batch.boxes)):
        mine = (found.objects == k).nonzero()[:, 0]
        if len(mine) == 0:
            continue
        best = mine[found.targets[mine].argmax()]
        photo, anchor = found.photos[best], found.anchors[best]
        logits = (raw.coefficients[photo, anchor] @ raw.prototypes[photo].flatten(1)).view(raw.prototypes.shape[2:])
        x0, y0, x1, y1 = (boxes[photo, anchor] / 4).tolist()
        inside = torch.zeros_like(logits, dtype=torch.bool)
        inside[max(0, int(y0)) : int(np.ceil(y1)), max(0, int(x0)) : int(np.ceil(x1))] = True
        mask, goal = (logits > 0) & inside, batch.masks[k] > 127
        ious[k] = float((mask & goal).sum() / (mask | goal).sum().clamp(min=1))
    return ious


def learn_by_heart(batch: Batch, steps: int, enough: float, **settings: Any) -> float:
    """The mean IoU of the masks after so many steps, or as soon as it is above `enough`."""
    size = batch.images.shape[-1]
    n = len(batch.images)
    config = {"imgsz": size, "batch": n, "photos": steps * n, "warmup": 20 * n, "decay": 0.0, **settings}
    learner = Detector(make_config(config), torch.device("cpu"))
    found = 0.0
    while learner.step < steps and found <= enough:
        for _ in range(100):
            learner.learn(batch)
        ious = mask_ious(learner, batch)
        found = float(np.nanmean(ious)) if np.isnan(ious).mean() < 0.35 else 0.0
    return found


def test_drawn_shapes_are_learnt_by_heart(make_set: Callable[..., Path]) -> None:
    batch = one_batch(load_set(make_set(4, size=(128, 128))), 128)
    assert learn_by_heart(batch, 600, 0.85, rate=3e-3) > 0.85


@pytest.mark.slow
def test_the_eight_busiest_photos_are_learnt_by_heart(shared: Path) -> None:
    """With up to 257 overlapping regions a photo, many of them small: docs/training.md tells why it takes 640 px."""
    photos = sorted(load_set(shared / "data" / "train" / "bsds"), key=lambda p: -len(p.regions))[:8]
    assert all(len(p.regions) >= 20 for p in photos)
    assert learn_by_heart(one_batch(photos, 640), 800, 0.9, rate=3e-3, gains={"masks": 200}) > 0.9
