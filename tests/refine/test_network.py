"""The second network: crops of several sizes in one call, numbers that are none, files that are none."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fastsam import UsageError
from fastsam.refine import maps as m
from fastsam.refine.crop import SIZES
from fastsam.refine.network import AT_ONCE, BUNDLED, UNKNOWN, load, shared
from fastsam.weights.catalogue import BUNDLED as FIRST


def crops(*sizes: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Crops, each of one shade, its number."""
    return [np.full((s, s, 3), k, np.uint8) for k, s in enumerate(sizes)], [m.empty(s) for s in sizes]


def shade(images: np.ndarray, maps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    number = images[:, 0, 0, 0].astype(np.float32)
    return np.tile(number[:, None, None, None], (1, 1, *maps.shape[2:])), number[:, None] / 100


def test_crops_of_several_sizes_come_back_in_order(refiner_of: Any) -> None:
    refiner = refiner_of(shade)
    sizes = (96, 192, 96, 128, 192, 96)
    logits, quality = refiner.run(*crops(*sizes))
    for k, size in enumerate(sizes):
        assert logits[k].shape == (size // 2, size // 2)
        assert (logits[k] == k).all()
    np.testing.assert_allclose(quality, np.arange(6) / 100, rtol=1e-6)
    assert len(refiner.session.seen) == 3  # one pass a size


def test_at_most_so_many_pass_together(refiner_of: Any) -> None:
    refiner = refiner_of(shade)
    logits, _ = refiner.run(*crops(*[96] * (2 * AT_ONCE + 3)))
    assert [int(own[0, 0]) for own in logits] == list(range(2 * AT_ONCE + 3))
    assert sorted(len(feed["images"]) for feed in refiner.session.seen) == [3, AT_ONCE, AT_ONCE]


def test_on_one_thread_it_draws_the_same() -> None:
    refiner = load(threads=2)
    assert refiner.single is refiner.single
    assert refiner.single.threads == 1
    assert refiner.single.single is refiner.single
    assert (refiner.single.told, refiner.single.meant) == (refiner.told, refiner.meant)
    for ours, theirs in zip(refiner.run(*crops(96))[0], refiner.single.run(*crops(96))[0], strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_no_crops_are_no_trouble(refiner_of: Any) -> None:
    logits, quality = refiner_of(shade).run([], [])
    assert (logits, quality.shape) == ([], (0,))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_of_what_is_no_number_the_others_stay(refiner_of: Any, value: float) -> None:
    def broken(images: np.ndarray, maps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        logits, quality = np.full((len(images), 1, 48, 48), 2.0), np.full((len(images), 1), 0.9)
        logits[0, 0, 3, 4] = value
        quality[1, 0] = value
        return logits, quality

    logits, quality = refiner_of(broken).run(*crops(96, 96, 96))
    np.testing.assert_allclose(quality, [0, 0, 0.9], rtol=1e-6)
    assert logits[0][3, 4] == UNKNOWN
    assert (logits[0] != 2).sum() == 1
    assert (logits[1] == 2).all()


def test_of_a_network_with_several_masks_per_crop_the_first_counts(refiner_of: Any) -> None:
    def several(images: np.ndarray, maps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        number = np.arange(4, dtype=np.float32)[None] + np.zeros((len(images), 1), np.float32)
        return np.tile(number[..., None, None], (1, 1, 48, 48)), 0.9 - number / 10

    (logits, _), quality = refiner_of(several).run(*crops(96, 96))
    assert (logits == 0).all()
    np.testing.assert_allclose(quality, 0.9, rtol=1e-6)


def test_the_bundled_network_takes_every_size() -> None:
    assert BUNDLED.is_file()
    images = [np.random.default_rng(s).integers(0, 256, (s, s, 3)).astype(np.uint8) for s in SIZES]
    logits, quality = shared(1).run(images, [m.empty(s) for s in SIZES])
    assert [own.shape for own in logits] == [(s // 2, s // 2) for s in SIZES]
    assert all(np.isfinite(own).all() for own in logits)
    assert ((quality >= 0) & (quality <= 1)).all()
    assert shared(1) is shared(1)


def test_a_file_that_is_no_second_network_is_named(tmp_path: Path) -> None:
    (tmp_path / "noise.onnx").write_bytes(b"noise" * 50)
    for file in (tmp_path / "noise.onnx", tmp_path / "none.onnx"):
        with pytest.raises(UsageError, match=file.name) as error:
            load(file)
        assert "\n" not in str(error.value)
    with pytest.raises(UsageError, match="is not a second network"):
        load(FIRST["fastsam-tiny"])
