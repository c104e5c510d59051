"""`fastsam bench video`."""

import statistics
import tempfile
from pathlib import Path
from typing import Any

from fastsam.cli.bench.clock import seconds_of
from fastsam.errors import UsageError
from fastsam.machine import processor


def video(
    source: str,
    /,
    *,
    model: str | None = None,
    imgsz: int | None = None,
    conf: float | None = None,
    threads: int | None = None,
    frames: int = 60,
    rounds: int = 3,
) -> int:
    """Time a video against the bare network: masks alone, with ids, and with ids as a video of its own.

    Parameters
    ----------
    source
        A video or a folder of photos.
    model
        Name or file of the weights.
    imgsz
        Longest side of the input in pixels; by default the size stored with the weights.
    conf
        Minimum score of a mask, 0 to 1; by default the value stored with the weights.
    threads
        CPU threads of everything together; all processors by default.
    frames
        Number of frames.
    rounds
        Number of turns; the median counts.
    """
    from fastsam.cli.video import picture_of
    from fastsam.formats.overlay import TINTED
    from fastsam.image.letterbox import prepare
    from fastsam.machine import cores
    from fastsam.model import FastSAM
    from fastsam.streams import ordered
    from fastsam.video.read import read
    from fastsam.video.write import writer

    if frames < 1 or rounds < 1:
        raise UsageError(f"frames and rounds must be at least 1, not {frames} and {rounds}")
    network = FastSAM(model, threads=threads)
    side = network.resolve(imgsz=imgsz).imgsz
    settings: dict[str, Any] = {"imgsz": imgsz, "conf": conf}
    clip = read(source, last=frames - 1)
    pixels = [photo for _, photo in clip.frames]
    inputs = [prepare(photo, side)[1] for photo in pixels]
    parallel = network.parallel()

    def bare() -> None:
        for _ in ordered(parallel.network.run, inputs, network.workers):
            pass

    def found() -> None:
        for _ in network.stream(pixels, **settings):
            pass

    def followed() -> None:
        for _ in network.track(source, last=frames - 1, **settings):
            pass

    def written() -> None:
        with tempfile.TemporaryDirectory() as folder, writer(Path(folder) / "out.mp4", clip.rate) as out:
            for _, segments in network.track(source, last=frames - 1, **settings):
                out.write(picture_of(segments, TINTED))

    calls = {"bare network": bare, "masks": found, "masks with ids": followed, "masks with ids, written": written}
    rates: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(rounds + 1):
        for name, call in calls.items():
            rate = len(pixels) / seconds_of(call)
            if turn:
                rates[name].append(rate)
    height, width = clip.size
    print(f"processor: {processor()}; {threads or cores()} threads; {len(pixels)} frames of {width} x {height}")
    for name, values in rates.items():
        share = statistics.median(v / b for v, b in zip(values, rates["bare network"], strict=True))
        print(f"{name}: {statistics.median(values):.1f} frames per second, {100 * share:.0f}% of the bare network")
    return 0
