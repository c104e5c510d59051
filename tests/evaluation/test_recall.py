"""Average recall means what COCO's own tools mean by it."""

import contextlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

pytest.importorskip("faster_coco_eval", reason="the eval extra is not installed")

from fastsam.evaluation.recall import AT, recall
from fastsam.masks import rle


def annotations_of(folder: Path) -> list[dict[str, Any]]:
    return json.loads((folder / "instances.json").read_text())["annotations"]


def shifted(annotations: list[dict[str, Any]], by: int, scores: np.ndarray) -> list[dict[str, Any]]:
    """Results that miss their object by some columns."""
    results = []
    for annotation, score in zip(annotations, scores, strict=True):
        mask = np.roll(rle.decode(annotation["segmentation"]), by, 1)
        x, y, w, h = annotation["bbox"]
        results.append(
            {
                "image_id": annotation["image_id"],
                "category_id": 1,
                "segmentation": rle.encode(mask),
                "bbox": [float(x + by), float(y), float(w), float(h)],
                "score": float(score),
            }
        )
    return results


def test_perfect_masks_are_all_recalled(make_set: Callable[..., Path]) -> None:
    folder = make_set(3)
    annotations = annotations_of(folder)
    got = recall(
        json.loads((folder / "instances.json").read_text()),
        shifted(annotations, 0, np.ones(len(annotations))),
        [0, 1, 2],
    )
    assert got.masks[100] == got.boxes[1000] == pytest.approx(100)
    assert got.masks[1] < 50
    assert got.per_photo == len(annotations) / 3


def test_nothing_found_is_no_recall(make_set: Callable[..., Path]) -> None:
    folder = make_set(2)
    assert set(recall(json.loads((folder / "instances.json").read_text()), [], [0, 1]).masks.values()) == {0.0}


@pytest.mark.parametrize("by", [2, 5])
def test_figures_equal_pycocotools(make_set: Callable[..., Path], by: int) -> None:
    folder = make_set(4, seed=by)
    annotations = annotations_of(folder)
    results = shifted(annotations, by, np.random.default_rng(0).random(len(annotations)))
    got = recall(json.loads((folder / "instances.json").read_text()), results, [0, 1, 2, 3])
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(folder / "instances.json"))
        for kind, figures in (("segm", got.masks), ("bbox", got.boxes)):
            evaluation = COCOeval(truth, truth.loadRes(results), kind)
            evaluation.params.useCats = 0
            evaluation.params.maxDets = list(AT)
            evaluation.params.areaRng = [[0, 1e10]]
            evaluation.params.areaRngLbl = ["all"]
            evaluation.evaluate()
            evaluation.accumulate()
            expected = evaluation.eval["recall"][:, 0, 0, :].mean(0) * 100
            np.testing.assert_allclose(list(figures.values()), expected, atol=1e-6)
