"""`fastsam cluster segment` against one process of one thread on the same photos, and the memory of the whole job.

python benchmarks/cluster_rates.py FOLDER [--photos 2000] [--single 600]

FOLDER is searched for photos, however deep; they are linked again under other names until there are enough. Rates are
those from the first part to the last on both sides, so that neither counts how long it takes to start. Memory is the
sum of PSS of the driver, Ray and all workers, looked at every three seconds: a look costs some milliseconds a process.
Nothing else should run meanwhile.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread

import psutil

from fastsam.image.kinds import SUFFIXES

SINGLE = """
import sys, time
from pathlib import Path
import cv2
from fastsam import FastSAM
from fastsam.cluster.parts import Facts, Part, Row
cv2.setNumThreads(1)
files = sorted(Path(sys.argv[1]).iterdir())[:int(sys.argv[2])]
part = Part(Path(sys.argv[3]), Facts("{}", ""))
model = FastSAM(threads=1)
model(files[0])
start = time.perf_counter()
for file in files:
    part.add(Row(file.name, b"", model(file)))
print(len(files) / (time.perf_counter() - start))
"""
JOB = """
import sys, time
from fastsam.cluster.job import segment
seen = []
for step in segment(sys.argv[1], sys.argv[2], workers=int(sys.argv[3])):
    seen.append((time.perf_counter(), step.done + step.failed))
(_, _), (start, first), *_, (end, last) = seen
print((last - first) / (end - start), last / (end - seen[0][0]))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--photos", type=int, default=2000)
    parser.add_argument("--single", type=int, default=600)
    parser.add_argument("--workers", type=int, default=2)
    words = parser.parse_args()
    with TemporaryDirectory() as scratch:
        for many in (words.photos, 2 * words.photos):
            link(words.folder, Path(scratch) / f"{many}", many)
        one = single(Path(scratch), words.photos, words.single)
        print(f"one process: {one:.2f} photos a second", flush=True)
        for many in (words.photos, 2 * words.photos):
            steady, whole, peak = job(Path(scratch), many, words.workers)
            share = steady / (words.workers * one)
            print(
                f"{words.workers} workers, {many} photos: {steady:.2f} a second ({100 * share:.0f}% of "
                f"{words.workers} such processes), {whole:.2f} with the start of Ray; peak {peak / 1e9:.2f} GB; "
                f"{size(Path(scratch) / f'out-{many}') / many / 1e3:.1f} KB written a photo, "
                f"{size(Path(scratch) / f'{many}') / many / 1e3:.0f} KB read",
                flush=True,
            )
        again = single(Path(scratch), words.photos, words.single)
        print(f"one process, once more: {again:.2f} photos a second")


def link(source: Path, folder: Path, count: int) -> None:
    """So many names for the photos of a folder."""
    folder.mkdir()
    files = [file for file in sorted(source.rglob("*")) if file.suffix.lower() in SUFFIXES]
    for k, file in enumerate(islice(cycle(files), count)):
        (folder / f"{k:06d}{file.suffix}").symlink_to(file.resolve())


def single(scratch: Path, many: int, count: int) -> float:
    """Photos a second of one process."""
    env = os.environ | dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    words = [sys.executable, "-c", SINGLE, str(scratch / f"{many}"), str(count), str(scratch)]
    return float(subprocess.run(words, env=env, capture_output=True, text=True, check=True).stdout)


def job(scratch: Path, many: int, workers: int) -> tuple[float, float, int]:
    """Photos a second of a job, without and with its start, and the most memory that it took, in bytes."""
    words = [sys.executable, "-c", JOB, str(scratch / f"{many}"), str(scratch / f"out-{many}"), str(workers)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    ended, peaks = Event(), [0]

    def watch() -> None:
        while not ended.wait(3.0):
            peaks.append(sum(memory(psutil.Process(process.pid))))

    Thread(target=watch, daemon=True).start()
    out, _ = process.communicate()
    ended.set()
    steady, whole = map(float, out.split())
    return steady, whole, max(peaks)


def size(folder: Path) -> int:
    """Bytes of the files in a folder, not deeper."""
    return sum(file.stat().st_size for file in folder.iterdir() if file.is_file())


def memory(process: psutil.Process) -> Iterator[int]:
    """PSS of a process and of all that it began."""
    try:
        for one in (process, *process.children(recursive=True)):
            try:
                yield one.memory_full_info().pss
            except psutil.Error:
                continue
    except psutil.Error:
        return


if __name__ == "__main__":
    main()
