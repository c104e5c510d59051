"""The losses against slow, obvious versions in float64."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the train extra is not installed")

from fastsam.network.head import RawOutput, anchor_grid, decode_boxes  # noqa: E402
from fastsam.training.assign import Positives  # noqa: E402
from fastsam.training.loader import Batch  # noqa: E402
from fastsam.training.losses import (  # noqa: E402
    Gains,
    background_weights,
    cells_of_boxes,
    distribution_loss,
    losses,
    mask_loss,
    mask_quality,
    masks_against,
    score_loss,
)


def softplus(x: float) -> float:
    return max(x, 0) + math.log1p(math.exp(-abs(x)))


def entropy(logit: float, goal: float) -> float:
    return softplus(logit) - goal * logit


@pytest.fixture
def raw() -> RawOutput:
    torch.manual_seed(0)
    anchors, strides = anchor_grid([(8, 8), (4, 4), (2, 2)], torch.device("cpu"))
    n, a = 2, len(anchors)
    return RawOutput(
        *(torch.randn(n, a, c, dtype=torch.float64) for c in (64, 1, 32)),
        torch.randn(n, 32, 16, 16, dtype=torch.float64),
        anchors,
        strides,
    )


@pytest.fixture
def batch() -> Batch:
    rng = np.random.default_rng(0)
    boxes = torch.tensor([[8.0, 8, 40, 40], [20, 4, 60, 30], [4, 30, 33, 62]])
    masks = torch.from_numpy(rng.integers(0, 256, (3, 16, 16)).astype(np.uint8))
    known = torch.from_numpy(rng.random((2, 16, 16)) < 0.7)
    return Batch(
        torch.zeros(2, 3, 64, 64, dtype=torch.uint8),
        boxes,
        masks,
        torch.tensor([1.0, 0.5, 0.8]),
        torch.tensor([0, 0, 1]),
        known,
    )


POSITIVES = Positives(
    torch.tensor([0, 0, 1]), torch.tensor([18, 13, 41]), torch.tensor([0, 1, 2]), torch.tensor([0.9, 0.4, 0.7]).double()
)


def test_score_loss_sums_cross_entropy_where_the_ground_is_known(raw: RawOutput, batch: Batch) -> None:
    logits = raw.scores[..., 0]
    got = score_loss(logits, POSITIVES.targets, POSITIVES, background_weights(raw, batch).double())
    goals = {(0, 18): 0.9, (0, 13): 0.4, (1, 41): 0.7}
    expected = 0.0
    for n in range(2):
        for a, (x, y) in enumerate(raw.anchors.tolist()):
            if (n, a) in goals:
                expected += entropy(float(logits[n, a]), float(POSITIVES.targets[list(goals).index((n, a))]))
            elif batch.known[n, int(y // 4), int(x // 4)]:
                expected += entropy(float(logits[n, a]), 0.0)
    assert float(got) == pytest.approx(expected, rel=1e-6)


def test_distribution_loss_is_cross_entropy_on_the_two_nearest_bins(raw: RawOutput, batch: Batch) -> None:
    got = distribution_loss(raw, POSITIVES, batch.boxes[POSITIVES.objects])
    for k in range(3):
        n, a = int(POSITIVES.photos[k]), int(POSITIVES.anchors[k])
        (x, y), stride = raw.anchors[a].tolist(), float(raw.strides[a])
        x0, y0, x1, y1 = batch.boxes[POSITIVES.objects[k]].tolist()
        total = 0.0
        for side, distance in enumerate((x - x0, y - y0, x1 - x, y1 - y)):
            d = min(max(distance / stride, 0), 14.99)
            logits = raw.distributions[n, a, side * 16 : side * 16 + 16].tolist()
            norm = math.log(sum(math.exp(v) for v in logits))
            low = int(d)
            total -= (low + 1 - d) * (logits[low] - norm) + (d - low) * (logits[low + 1] - norm)
        assert float(got[k]) == pytest.approx(total / 4, rel=1e-4)


@pytest.mark.parametrize(("margin", "reach"), [(0.0, 0.0), (0.25, 0.0), (0.1, 0.6)])
def test_mask_loss_compares_inside_the_box_and_what_is_around_it_alone(
    raw: RawOutput, batch: Batch, margin: float, reach: float
) -> None:
    got = mask_loss(raw, batch, POSITIVES, torch.arange(3), 0.5, margin, reach)
    total, weights = 0.0, 0.0
    for k in range(3):
        n, a, o = int(POSITIVES.photos[k]), int(POSITIVES.anchors[k]), int(POSITIVES.objects[k])
        x0, y0, x1, y1 = (float(v) / 4 for v in batch.boxes[o])
        h, w = raw.prototypes.shape[2:]
        share = margin + reach * math.sqrt((x1 - x0) * (y1 - y0) / (h * w))
        x0, x1 = x0 - share * (x1 - x0), x1 + share * (x1 - x0)
        y0, y1 = y0 - share * (y1 - y0), y1 + share * (y1 - y0)
        sums = np.zeros(5)
        for row in range(16):
            for column in range(16):
                if math.floor(x0) <= column < math.ceil(x1) and math.floor(y0) <= row < math.ceil(y1):
                    logit = float((raw.coefficients[n, a] * raw.prototypes[n, :, row, column]).sum())
                    goal = float(batch.masks[o, row, column]) / 255
                    p = 1 / (1 + math.exp(-logit))
                    sums += [1, entropy(logit, goal), p * goal, p * p, goal * goal]
        each = sums[1] / sums[0] + 0.5 * (1 - (2 * sums[2] + 1) / (sums[3] + sums[4] + 1))
        total += each * float(batch.weights[o])
        weights += float(batch.weights[o])
    assert float(got) == pytest.approx(total / weights, rel=1e-4)


def test_a_perfect_mask_costs_nothing() -> None:
    goal = (torch.rand(200) > 0.5).float()
    index = torch.arange(200) // 50
    assert float(masks_against((goal * 2 - 1) * 50, goal, index, 4, 0.5).max()) < 1e-3


def test_the_quality_of_a_mask_is_its_iou_within_the_box(raw: RawOutput, batch: Batch) -> None:
    some = Positives(*(v[[2, 0, 1]] for v in vars(POSITIVES).values()))  # not in order of photo
    got = mask_quality(raw, batch, some, 0.0, 0.0)
    for k in range(3):
        n, a, o = int(some.photos[k]), int(some.anchors[k]), int(some.objects[k])
        found = torch.einsum("c,chw->hw", raw.coefficients[n, a], raw.prototypes[n]) > 0
        wanted = batch.masks[o] > 127
        x0, y0, x1, y1 = (batch.boxes[o] / 4).tolist()
        inside = np.s_[math.floor(y0) : math.ceil(y1), math.floor(x0) : math.ceil(x1)]
        shared, either = (found & wanted)[inside].sum(), (found | wanted)[inside].sum()
        assert float(got[k]) == pytest.approx(float(shared / either), abs=1e-5)


def test_the_cells_of_boxes_are_those_they_touch() -> None:
    boxes = torch.tensor([[0.2, 1.0, 2.1, 2.0], [3.0, 3.0, 3.0, 5.0], [-2.0, 3.5, 1.0, 9.0]])
    index, rows, columns = cells_of_boxes(boxes, 5, 4)
    cells = list(zip(index.tolist(), rows.tolist(), columns.tolist(), strict=True))
    assert cells == [(0, 1, 0), (0, 1, 1), (0, 1, 2), (2, 3, 0), (2, 4, 0)]


def test_all_losses_of_a_batch_are_finite_and_reach_every_output(raw: RawOutput, batch: Batch) -> None:
    leaves = [t.float().requires_grad_() for t in (raw.distributions, raw.scores, raw.coefficients, raw.prototypes)]
    parts = losses(RawOutput(*leaves, raw.anchors, raw.strides), batch, torch.arange(16.0), Gains(), torch.Generator())
    assert parts.keys() == {"score", "box", "distribution", "mask"}
    sum(parts.values()).backward()
    assert all(t.grad is not None and bool(torch.isfinite(t.grad).all()) and bool(t.grad.any()) for t in leaves)


def test_a_batch_without_objects_still_teaches_background(raw: RawOutput, batch: Batch) -> None:
    empty = Batch(
        batch.images,
        batch.boxes[:0],
        batch.masks[:0],
        batch.weights[:0],
        batch.owners[:0],
        torch.ones(2, 16, 16, dtype=torch.bool),
    )
    outputs = [t.float() for t in (raw.distributions, raw.scores, raw.coefficients, raw.prototypes)]
    parts = losses(RawOutput(*outputs, raw.anchors, raw.strides), empty, torch.arange(16.0), Gains(), torch.Generator())
    assert float(parts["score"]) > 0
    assert float(parts["box"]) == float(parts["mask"]) == 0


def test_decoding_in_the_loss_is_the_networks_own(raw: RawOutput) -> None:
    boxes = decode_boxes(raw.distributions, raw.anchors, raw.strides, torch.arange(16.0))
    assert bool((boxes[..., 2:] > boxes[..., :2]).all())
