"""Masks that weigh features by the place in their box are those of a slow, direct formula, inside a file too."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fastsam import FastSAM
from fastsam.masks.positional import coefficients_of, place

BOXES = np.array([[10, 20, 50, 60], [1016, 756, 1022, 764], [0, 0, 1024, 768], [500, 3, 502, 700]], np.float32)


def directly(coefficients: np.ndarray, maps: np.ndarray, boxes: np.ndarray, placed: int) -> np.ndarray:
    """(N, h, w) logits, each mask in coordinates of its own box, in float64."""
    plain = coefficients.shape[1] - 6 * placed
    y, x = np.mgrid[: maps.shape[1], : maps.shape[2]] * 4 + 2.0
    features = [np.ones(maps.shape[1:]), *maps[plain:]]
    logits = np.einsum("nk,khw->nhw", coefficients[:, :plain], maps[:plain], dtype=np.float64)
    for mask, row, (x0, y0, x1, y1) in zip(logits, coefficients[:, plain:].astype(float), boxes, strict=True):
        u = (x - (x0 + x1) / 2) / (max(4, x1 - x0) / 2)
        v = (y - (y0 + y1) / 2) / (max(4, y1 - y0) / 2)
        for feature, (a, b, c, d, e, f) in zip(features, row.reshape(placed, 6), strict=True):
            mask += feature * (a + b * u + c * v + d * u * u + e * v * v + f * u * v)
    return logits


@pytest.mark.parametrize("placed", [1, 3])
def test_placed_masks_are_sums_of_prototypes(placed: int) -> None:
    rng = np.random.default_rng(placed)
    maps = rng.random((8 + placed - 1, 192, 256)).astype(np.float32)
    coefficients = rng.normal(size=(4, coefficients_of(len(maps), placed))).astype(np.float32)
    assert coefficients.shape[1] == 8 + 6 * placed
    weights, prototypes = place(coefficients, maps, BOXES, 4, placed)
    got, want = np.einsum("nk,khw->nhw", weights, prototypes), directly(coefficients, maps, BOXES, placed)
    for mask, wanted, (x0, y0, x1, y1) in zip(got, want, BOXES, strict=True):
        rows, columns = slice(int(y0) // 4 - 2, int(y1) // 4 + 2), slice(int(x0) // 4 - 2, int(x1) // 4 + 2)
        near = np.s_[max(0, rows.start) : rows.stop, max(0, columns.start) : columns.stop]
        np.testing.assert_allclose(mask[near], wanted[near], atol=0.02)  # small boxes in corners are worst


def test_no_masks_are_placed_too() -> None:
    weights, prototypes = place(np.zeros((0, 20), np.float32), np.ones((9, 4, 4), np.float32), BOXES[:0], 4, 2)
    assert (weights.shape, prototypes.shape) == ((0, 20), (20, 4, 4))


def test_masks_without_places_stay_as_they_are() -> None:
    coefficients, maps = np.ones((2, 32), np.float32), np.ones((32, 4, 4), np.float32)
    assert coefficients_of(32, 0) == 32
    assert place(coefficients, maps, BOXES[:2], 4, 0) == (coefficients, maps)


@pytest.mark.parametrize("placed", [1, 2])
def test_the_losses_see_the_masks_that_a_user_sees(placed: int) -> None:
    torch = pytest.importorskip("torch", reason="the train extra is not installed")
    from fastsam.network import Architecture, build
    from fastsam.training.positional import place as place_in_torch

    torch.manual_seed(0)
    network = build(Architecture("lite0", mask_channels=16, placed=placed, coefficients=20)).eval()
    with torch.no_grad():
        raw = network(torch.rand(1, 3, 128, 160))
        seen = place_in_torch(raw, network.head.dfl(), placed)
        candidates, maps = (x[0].numpy() for x in network.head.decode(raw))
    centre, side = candidates[:2].T, candidates[2:4].T
    boxes = np.concatenate((centre - side / 2, centre + side / 2), 1)
    weights, prototypes = place(candidates[5:].T, maps, boxes, 4, placed)
    want = torch.einsum("nak,nkhw->ahw", seen.coefficients, seen.prototypes).numpy()
    np.testing.assert_allclose(np.einsum("nk,khw->nhw", weights, prototypes), want, atol=2e-3)


def write_both(folder: Path, **settings: Any) -> Any:
    """A random network as net.onnx, and a session of the same with masks inside."""
    torch = pytest.importorskip("torch", reason="the export extra is not installed")
    import onnxruntime

    from fastsam.export.masks import with_masks
    from fastsam.export.onnx import to_onnx
    from fastsam.export.sources import describe
    from fastsam.network import Architecture, build
    from fastsam.runtimes.settings import Settings

    torch.manual_seed(0)
    network = build(Architecture("lite0", mask_channels=16, placed=3, coefficients=24)).eval()
    network.head.cv3[0][-1].bias.data.fill_(0.0)
    own = Settings(imgsz=128, max_det=20, margin=0.1, positional=3, **settings)
    model = to_onnx(network)
    describe(model, own, {})
    (folder / "net.onnx").write_bytes(model.SerializeToString())
    with_masks(model, own)
    return onnxruntime.InferenceSession(model.SerializeToString())


@pytest.mark.parametrize("soft", [0.0, 0.5])
def test_a_file_with_masks_inside_has_the_same(tmp_path: Path, soft: float) -> None:
    session = write_both(tmp_path, conf=0.4, soft=soft)
    pixels = np.random.default_rng(0).integers(0, 256, (128, 128, 3), np.uint8)
    segments = FastSAM(tmp_path / "net.onnx", threads=1)(pixels)
    source = segments.masks.source
    images = pixels.transpose(2, 0, 1)[None].astype(np.float32) / 255
    masks, scores = session.run(["masks", "scores"], {"images": images})
    np.testing.assert_allclose(scores[: len(segments)], segments.scores, atol=1e-5)
    own = np.einsum("nk,khw->nhw", source.coefficients, source.prototypes)
    assert len(own) > 3
    compared = 0
    for logits in own:
        errors = [np.abs(logits - mask)[mask > -20].max() for mask in masks if (mask > -20).any()]
        compared += min(errors) < 1e-2
    assert compared == len(own)


@pytest.mark.parametrize("soft", [0.0, 0.5])
def test_a_file_with_masks_inside_may_find_nothing(tmp_path: Path, soft: float) -> None:
    session = write_both(tmp_path, conf=1.0, soft=soft)
    masks, scores = session.run(["masks", "scores"], {"images": np.zeros((1, 3, 128, 128), np.float32)})
    assert masks.shape == (0, 32, 32)
    assert scores.shape == (0,)
