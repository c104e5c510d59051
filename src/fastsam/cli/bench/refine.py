"""`fastsam bench refine`."""

import statistics
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from cyclopts import Parameter
from rich.table import Table

from fastsam.cli import flags
from fastsam.cli.bench.clock import conditions, seconds_of, spread
from fastsam.cli.figures import show, write_json
from fastsam.errors import UsageError
from fastsam.machine import peak_memory

BOXES = 20
FIRST = "first network"
CLOSE = 0.95  # IoU threshold, high so that there are as many masks as asked for


def refine(
    photo: Annotated[Path, flags.PHOTO],
    /,
    *,
    model: Annotated[str | None, flags.MODEL] = None,
    refiner: Annotated[Path | None, flags.REFINER] = None,
    masks: Annotated[int, flags.MASKS] = 100,
    memory: Annotated[list[int] | None, Parameter(consume_multiple=True)] = None,
    threads: Annotated[int | None, flags.THREADS] = None,
    rounds: Annotated[int, flags.ROUNDS] = 20,
    json_file: Annotated[Path | None, flags.JSON_FILE] = None,
) -> int:
    """Time the second network in turns with the first: a click, a box, twenty boxes, all masks; and measure its memory.

    Parameters
    ----------
    memory
        Numbers of masks for which peak memory is measured, each in a new process; 100 and 1000 by default.
    """
    from fastsam.image.letterbox import prepare
    from fastsam.image.read import read_image
    from fastsam.model import FastSAM
    from fastsam.refine.network import load

    counts = [100, 1000] if memory is None else memory
    if min(rounds, masks, *counts) < 1:
        raise UsageError(f"rounds, masks and memory must be at least 1, not {rounds}, {masks} and {counts}")
    network, second = FastSAM(model, threads=threads), load(refiner, threads)
    pixels = read_image(photo)
    _, images = prepare(pixels, network.settings.imgsz)
    rng = np.random.default_rng(0)
    times: dict[str, list[float]] = {}
    first: dict[str, float] = {}
    for turn in range(rounds + 1):
        if turn == 1:
            first = {name: own[0] for name, own in times.items()}
            times.clear()
        segments = network(pixels, conf=0.0, max_det=masks)
        if not len(segments):
            raise UsageError(f"{photo} has no masks to draw: give another photo")
        chosen = segments.boxes[rng.integers(0, len(segments), BOXES)].astype(float)
        middle = np.clip((chosen[0, :2] + chosen[0, 2:]) / 2, 0, np.array(segments.size[::-1]) - 1)
        calls: dict[str, Callable[[], object]] = {
            FIRST: partial(network.network.run, images),
            "one click": partial(segments.select, points=[middle.tolist()], refine=second),
            "one box": partial(segments.select, boxes=chosen[:1].tolist(), refine=second),
            "twenty boxes": partial(segments.select, boxes=chosen.tolist(), refine=second),
            f"refine, {len(segments)} masks": partial(segments.refine, refiner=second),
        }
        for name, call in calls.items():
            times.setdefault(name, []).append(1000 * seconds_of(call))
    bare = statistics.median(times[FIRST])
    rows = {name: spread(own) for name, own in times.items()}
    peaks = {str(n): alone(photo, n, model, refiner, threads) for n in counts}
    facts = conditions(pixels, images, threads)
    table = Table(
        "after the photo is segmented", "median ms", "10th", "90th percentile", "first call", "of the network"
    )
    for name, (low, median, high) in rows.items():
        table.add_row(name, *(f"{v:.1f}" for v in (median, low, high, first[name])), f"{median / bare:.2f}")
    used = Table("masks", "redrawn", "peak MB when segmented", "peak MB when redrawn")
    for wanted, peak in peaks.items():
        used.add_row(wanted, str(peak["masks"]), str(peak["segmented"]), str(peak["refined"]))
    for name, fact in facts.items():
        print(f"{name}: {fact}")
    show(table)
    show(used)
    figures = {
        name: {"p10": low, "median": median, "p90": high, "first": first[name], "ratio": median / bare}
        for name, (low, median, high) in rows.items()
    }
    write_json(json_file, {**facts, "milliseconds": figures, "memory": peaks})
    return 0


def alone(photo: Path, masks: int, model: str | None, refiner: Path | None, threads: int | None) -> dict[str, int]:
    """The result of `peaks` from a new process, because the peak memory of a process never falls."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(peaks, photo, masks, model, refiner, threads).result()


def peaks(photo: Path, masks: int, model: str | None, refiner: Path | None, threads: int | None) -> dict[str, Any]:
    """The number of redrawn masks, and the peak memory in MB after segmenting and after redrawing."""
    from fastsam.model import FastSAM
    from fastsam.refine.network import load

    second = load(refiner, threads)
    segments = FastSAM(model, threads=threads)(photo, conf=0.0, iou=CLOSE, max_det=masks)
    segmented = peak_memory()
    segments.refine(refiner=second)
    return {"masks": len(segments), "segmented": segmented, "refined": peak_memory()}
