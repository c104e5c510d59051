"""The assigner against loops in float64."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="the train extra is not installed")

from fastsam.training.assign import assign  # noqa: E402
from fastsam.training.iou import ciou  # noqa: E402


def slow_ciou(a: np.ndarray, b: np.ndarray) -> float:
    eps = 1e-7
    wa, ha, wb, hb = a[2] - a[0], a[3] - a[1], b[2] - b[0], b[3] - b[1]
    inter = max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    iou = inter / (wa * ha + wb * hb - inter + eps)
    hull_w, hull_h = max(a[2], b[2]) - min(a[0], b[0]), max(a[3], b[3]) - min(a[1], b[1])
    rho = ((a[0] + a[2] - b[0] - b[2]) / 2) ** 2 + ((a[1] + a[3] - b[1] - b[3]) / 2) ** 2
    v = 4 / np.pi**2 * (np.arctan(wb / (hb + eps)) - np.arctan(wa / (ha + eps))) ** 2
    return iou - rho / (hull_w**2 + hull_h**2 + eps) - v / (v - iou + 1 + eps) * v


def slow_assign(scores, boxes, anchors, objects, owners):
    """{(photo, anchor): (object, target)}."""
    claims: dict[tuple[int, int], list[tuple[float, int, float]]] = {}
    for k, (obj, photo) in enumerate(zip(objects, owners, strict=True)):
        options = []
        for a, (x, y) in enumerate(anchors):
            if obj[0] < x < obj[2] and obj[1] < y < obj[3]:
                iou = max(0.0, slow_ciou(boxes[photo, a], obj))
                options.append((scores[photo, a] ** 0.5 * iou**6, iou, a))
        options.sort(key=lambda o: -o[0])
        for t, iou, a in options[:10]:
            if t > 0:
                claims.setdefault((photo, a), []).append((iou, k, t))
    won = {place: max(c, key=lambda v: v[0]) for place, c in claims.items()}
    result = {}
    for place, (_, k, t) in won.items():
        mine = [v for v in won.values() if v[1] == k]
        result[place] = (k, t / max(v[2] for v in mine) * max(v[0] for v in mine))
    return result


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 8))
def test_the_assigner_equals_the_slow_reference(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(np.arange(6) * 8 + 4.0, np.arange(6) * 8 + 4.0), -1).reshape(-1, 2)
    corner = rng.uniform(0, 36, (n, 2))
    objects = np.concatenate((corner, corner + rng.uniform(4, 30, (n, 2))), 1)
    owners = rng.integers(0, 2, n)
    scores = rng.uniform(0.01, 0.99, (2, 36))
    sides = rng.uniform(3, 20, (2, 36, 4))
    boxes = np.concatenate((grid - sides[..., :2], grid + sides[..., 2:]), -1)
    got = assign(*(torch.from_numpy(v) for v in (scores, boxes, grid, objects, owners)))
    expected = slow_assign(scores, boxes, grid, objects, owners)
    found = {
        (int(p), int(a)): (int(o), float(t))
        for p, a, o, t in zip(got.photos, got.anchors, got.objects, got.targets, strict=True)
    }
    assert found.keys() == expected.keys()
    for place, (k, t) in expected.items():
        assert found[place][0] == k
        assert found[place][1] == pytest.approx(t, rel=1e-6)


@given(st.lists(st.floats(0, 50), min_size=8, max_size=8))
def test_ciou_equals_the_formula(values: list[float]) -> None:
    a = np.array([values[0], values[1], values[0] + values[2] + 1, values[1] + values[3] + 1])
    b = np.array([values[4], values[5], values[4] + values[6] + 1, values[5] + values[7] + 1])
    assert float(ciou(torch.from_numpy(a), torch.from_numpy(b))) == pytest.approx(slow_ciou(a, b), abs=1e-9)


def test_no_objects_give_no_positives() -> None:
    nothing = assign(
        torch.rand(1, 4), torch.rand(1, 4, 4), torch.rand(4, 2), torch.zeros(0, 4), torch.zeros(0, dtype=torch.long)
    )
    assert len(nothing.targets) == 0
