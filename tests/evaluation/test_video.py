"""DAVIS's measures against their definitions, written slowly."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from fastsam.errors import UsageError
from fastsam.evaluation.video import boundary, centre, contour, mean, read_sequences, region

RNG = np.random.default_rng(1)


def blob(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    noise = cv2.GaussianBlur(rng.normal(size=(40, 60)).astype(np.float32), (0, 0), 4)
    return noise > noise.mean()


def slow_boundary(mask: np.ndarray) -> list[tuple[int, int]]:
    h, w = mask.shape
    found = []
    for y in range(h):
        for x in range(w):
            others = [(y, x + 1), (y + 1, x), (y + 1, x + 1)]
            if any(b < h and a < w and mask[b, a] != mask[y, x] for b, a in others):
                found.append((y, x))
    return found


def slow_contour(found: np.ndarray, truth: np.ndarray) -> float:
    a, b = slow_boundary(found), slow_boundary(truth)
    if not a or not b:
        return float(not a and not b)
    reach = np.ceil(0.008 * np.hypot(*found.shape))

    def matched(own: list[tuple[int, int]], other: list[tuple[int, int]]) -> float:
        return float(np.mean([min(np.hypot(y - v, x - u) for v, u in other) <= reach for y, x in own]))

    precision, recall = matched(a, b), matched(b, a)
    return 0.0 if precision + recall == 0 else 2 * precision * recall / (precision + recall)


@pytest.mark.parametrize("seed", range(6))
def test_j_and_f_are_those_of_the_slow_obvious_version(seed: int) -> None:
    found, truth = blob(seed), blob(seed + 100) if seed % 2 else np.roll(blob(seed), seed + 1, 1)
    shared = sum(bool(a and b) for a, b in zip(found.flat, truth.flat, strict=True))
    either = sum(bool(a or b) for a, b in zip(found.flat, truth.flat, strict=True))
    assert region(found, truth) == pytest.approx(shared / either)
    assert np.argwhere(boundary(found)).tolist() == [list(p) for p in slow_boundary(found)]
    assert contour(found, truth) == pytest.approx(slow_contour(found, truth))


def test_an_empty_answer_is_right_only_if_there_is_nothing() -> None:
    nothing, thing = np.zeros((20, 20), bool), np.zeros((20, 20), bool)
    thing[5:10, 5:10] = True
    assert region(nothing, nothing) == contour(nothing, nothing) == 1
    assert region(nothing, thing) == contour(nothing, thing) == region(thing, nothing) == contour(thing, nothing) == 0
    assert region(thing, thing) == contour(thing, thing) == 1


def test_the_first_frame_does_not_count() -> None:
    assert mean([0.0, 1.0, 0.5]) == 0.75


def test_the_centre_is_the_deepest_pixel() -> None:
    mask = np.zeros((30, 40), bool)
    mask[5:16, 10:21] = True
    mask[10, 21:39] = True
    assert centre(mask) == (15.5, 10.5)


def test_sequences_are_folders_of_photos_with_masks(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no sequences"):
        read_sequences(tmp_path)
    folder = tmp_path / "one"
    folder.mkdir()
    for k in range(2):
        cv2.imwrite(str(folder / f"{k:05}.jpg"), np.zeros((20, 20, 3), np.uint8))
        cv2.imwrite(str(folder / f"{k:05}.png"), np.eye(20, dtype=np.uint8) * 255)
    (clip,) = read_sequences(tmp_path)
    assert (clip.name, len(clip.frames)) == ("one", 2)
    assert clip.mask(1).sum() == 20
    (folder / "00001.png").unlink()
    with pytest.raises(UsageError, match=r"00001\.png not found"):
        read_sequences(tmp_path)
