"""`fastsam bench stream`."""

import statistics
import tempfile
from pathlib import Path
from typing import Annotated

from fastsam.cli import flags
from fastsam.cli.bench.clock import seconds_of
from fastsam.cli.flags import Detecting, Running
from fastsam.errors import UsageError
from fastsam.files import write
from fastsam.machine import processor
from fastsam.streams import ordered


def stream(
    source: str,
    /,
    *,
    running: Running = flags.RUNNING,
    detecting: Detecting = flags.DETECTING,
    photos: int = 60,
    rounds: Annotated[int, flags.ROUNDS] = 3,
) -> int:
    """Time a stream against the bare network: with lazy masks, and with all masks written as COCO RLE.

    Parameters
    ----------
    source
        A folder of photos or a video.
    photos
        Number of photos or frames.
    """
    from fastsam.formats import coco
    from fastsam.image.letterbox import prepare
    from fastsam.image.photos import find_photos, opened
    from fastsam.image.read import read_image
    from fastsam.machine import cores

    if photos < 1 or rounds < 1:
        raise UsageError(f"photos and rounds must be at least 1, not {photos} and {rounds}")
    todo = find_photos([source])[:photos]
    network, settings = running.load(), vars(detecting.overrides)
    side = network.resolve(imgsz=detecting.imgsz).imgsz
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
    print(f"processor: {processor()}; {running.threads or cores()} threads; {len(inputs)} photos")
    for name, values in rates.items():
        share = statistics.median(v / b for v, b in zip(values, rates["bare network"], strict=True))
        print(f"{name}: {statistics.median(values):.1f} photos per second, {100 * share:.0f}% of the bare network")
    return 0
