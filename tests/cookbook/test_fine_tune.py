"""The bundled network learns from a user's own masks."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from fastsam import FastSAM


def test_fine_tuning_says_what_it_brought(
    cook: Callable[..., str], make_set: Callable[..., Path], tmp_path: Path
) -> None:
    pytest.importorskip("torch", reason="the train extra is not installed")
    pytest.importorskip("faster_coco_eval", reason="the eval extra is not installed")
    sets = (make_set(8), "--held-out", make_set(3, seed=1))
    said = cook("fine_tune", *sets, "--photos", "8", "--imgsz", "96", "--batch", "4", "-o", "mine")
    assert re.search(r"mask AR@100: \d+\.\d before, \d+\.\d after -> mine/mine\.onnx\n$", said)
    assert len(FastSAM(tmp_path / "mine" / "mine.onnx").settings.names) == 1
