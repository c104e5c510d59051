"""`fastsam bench stages`."""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from rich.table import Table

from fastsam.cli import flags
from fastsam.cli.bench.clock import conditions, spread
from fastsam.cli.figures import show, write_json
from fastsam.cli.flags import Segmenting
from fastsam.errors import UsageError
from fastsam.machine import peak_memory


def stages(
    photo: Annotated[Path, flags.PHOTO],
    /,
    *,
    segmenting: Segmenting = flags.AS_STORED,
    rounds: Annotated[int, flags.ROUNDS] = 20,
    cold: int = 3,
    json_file: Annotated[Path | None, flags.JSON_FILE] = None,
) -> int:
    """Time each stage of one photo, warm and at its first call; the whole command, cold; and all but the network.

    Parameters
    ----------
    cold
        Number of runs of the whole command, each in a new process.
    """
    from fastsam.formats import overlay
    from fastsam.image.letterbox import prepare
    from fastsam.image.read import read_image

    settings, network = segmenting.settings, segmenting.running.load()
    pixels = read_image(photo)
    _, images = prepare(pixels, network.resolve(imgsz=segmenting.detecting.imgsz).imgsz)
    times: dict[str, list[float]] = {}

    def clocked(name: str, call: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        answer = call()
        times.setdefault(name, []).append(1000 * (time.perf_counter() - start))
        return answer

    if rounds < 1 or cold < 0:
        raise UsageError(f"rounds must be at least 1 and cold at least 0, not {rounds} and {cold}")
    first: dict[str, float] = {}
    for turn in range(rounds + 1):
        if turn == 1:
            first = {name: own[0] for name, own in times.items()}
            times.clear()
        if turn:
            network.network.run(images)  # drawing before has filled the caches and woken other threads
        clocked("bare network", partial(network.network.run, images))
        whole = time.perf_counter()
        segments = clocked("array to lazy masks", partial(network, pixels, **settings))
        for name, seconds in segments.seconds.items():
            times.setdefault(name, []).append(1000 * seconds)
        clocked("masks as RLE", segments.to_rle)
        times.setdefault("array to RLE", []).append(1000 * (time.perf_counter() - whole))
        click = partial(segments.select, points=[(pixels.shape[1] / 2, pixels.shape[0] / 2)])
        clocked("select, a click, refine=False", partial(click, refine=False))
        clocked("select, a click", partial(click, refine=network.refiner))
        clocked("read from disk", partial(read_image, photo))
        with tempfile.TemporaryDirectory() as folder:
            picture = clocked("draw", partial(overlay.draw, pixels, segments))
            clocked("write the picture", partial(overlay.write, Path(folder) / "picture.png", picture))
    for _ in range(cold):
        words = [sys.executable, "-m", "fastsam", "segment", str(photo)]
        words += [f"--{name.replace('_', '-')}={value}" for name, value in segmenting.given.items()]
        with tempfile.TemporaryDirectory() as folder:
            words += ["-o", folder]
            clocked("command, cold", partial(subprocess.run, words, check=True, stdout=subprocess.DEVNULL))
    bare = statistics.median(times["bare network"])
    facts = {
        **conditions(pixels, images, segmenting.running.threads),
        "masks": len(segments),
        "lazy masks / bare network": statistics.median(times["array to lazy masks"]) / bare,
        "RLE / bare network": statistics.median(times["array to RLE"]) / bare,
        "peak memory in MB": peak_memory(),
    }
    path = ("read from disk", "read", "letterbox", "network", "candidates", "join", "masks as RLE")
    after = ("select, a click, refine=False", "select, a click", "draw", "write the picture")
    totals = ("bare network", "array to lazy masks", "array to RLE", "command, cold")
    rows = {name: spread(times[name]) for name in (*path, *after, *totals) if name in times}
    table = Table("stage", "median ms", "10th percentile", "90th percentile", "first call")
    for name, (low, middle, high) in rows.items():
        table.add_row(name, *(f"{v:.2f}" for v in (middle, low, high)), f"{first[name]:.2f}" if name in first else "")
    for name, fact in facts.items():
        print(f"{name}: {fact:.2f}" if isinstance(fact, float) else f"{name}: {fact}")
    show(table)
    named = {name: dict(zip(("p10", "median", "p90"), row, strict=True)) for name, row in rows.items()}
    for name, value in first.items():
        named[name]["first"] = value
    write_json(json_file, {**facts, "milliseconds": named})
    return 0
