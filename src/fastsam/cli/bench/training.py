"""`fastsam bench training`."""

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from fastsam.cli import flags
from fastsam.errors import UsageError, require
from fastsam.machine import processor


def training(
    *,
    config: Annotated[Path | None, flags.CONFIG] = None,
    data: Annotated[list[Path] | None, flags.DATA] = None,
    steps: int = 40,
    rounds: Annotated[int, flags.ROUNDS] = 3,
    threads: Annotated[int | None, flags.THREADS] = None,
) -> int:
    """Time training against the bare forward and backward pass of the same network and batch, in turns.

    Without a config, the network has size n and inputs of 320 pixels.

    Parameters
    ----------
    steps
        Steps per turn.
    """
    torch = require("torch", "train")
    from fastsam.training.config import make_config, read_config
    from fastsam.training.detector import Detector, feeder, samples_of

    settings: dict[str, Any] = read_config(config) if config else {}
    if data:
        settings["data"] = [str(d) for d in data]
    if not settings.get("data"):
        raise UsageError("there is nothing to train on: give folders with --data")
    if threads:
        torch.set_num_threads(threads)
    settings.setdefault("photos", 10**6)
    run = make_config(settings)
    learner = Detector(run, torch.device("cuda" if torch.cuda.is_available() else "cpu"))
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
        for _ in range(steps):  # until the loader is up to speed
            whole(next(stream))
        full = _rate(whole, stream, run.batch, wait)
        if turn:  # the first turn warms up
            rates["bare"].append(pure)
            rates["training"].append(full)
    ratio = statistics.median(f / p for f, p in zip(rates["training"], rates["bare"], strict=True))
    print(f"processor: {processor()}; {torch.get_num_threads()} threads; bf16 {learner.bf16}")
    for name, values in rates.items():
        print(f"{name}: {statistics.median(values):.1f} photos per second ({', '.join(f'{v:.1f}' for v in values)})")
    print(f"training / bare: {ratio:.2f}")
    return 0


def _rate(step: Callable[[Any], None], items: Any, batch: int, finish: Callable[[], None]) -> float:
    start, n = time.perf_counter(), 0
    for item in items:
        step(item)
        n += batch
    finish()
    return n / (time.perf_counter() - start)
