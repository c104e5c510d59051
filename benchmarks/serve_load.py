"""A service under load: many clients, each segmenting photos and clicking on them, every answer checked.

    python benchmarks/serve_load.py PHOTO... [--clients 32] [--seconds 180] [--pause 0.25] [--slow 0] [--json FILE]

Starts `fastsam serve`. Each client segments a photo, clicks twenty places on it with a pause between (a person's, drawn
evenly up to twice --pause), then takes the next photo. Every mask is compared with what the library finds in the same
photo in this process. Prints how long answers took, what was lost or wrong, and the server's memory over time. With
--slow 600 all is done twice, the second time beside so many connections that are slow on purpose, and compared.
Needs the serve extra.
"""

import argparse
import json
import multiprocessing
import re
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from serving import served
from slow_clients import besieged

from fastsam import FastSAM
from fastsam.client import Client
from fastsam.errors import UsageError
from fastsam.masks.rle import encode

PLACES = 200  # of a photo, whose answers are known before
CLICKS = 20
PROCESSES = 4
last = threading.local()  # each client's last call, until its answer is checked
Row = tuple[str, float, str]  # kind of request, seconds, and `right`, `wrong` or why it was lost


@dataclass(frozen=True)
class Known:
    """A photo and what must come back: RLE of all masks, and for each place the RLE of its answer, None where none."""

    data: bytes
    masks: list[str]
    places: list[tuple[float, float]]
    answers: list[str | None]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="+", type=Path)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=180)
    parser.add_argument("--pause", type=float, default=0.25)
    parser.add_argument("--slow", type=int, default=0)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    model = FastSAM(threads=1)
    known = [learn(model, file) for file in given.photos]
    with served() as (address, process):
        while True:
            try:
                Client(address).ask("GET", "/readyz")
                break
            except UsageError:
                time.sleep(0.1)
        report = summary(*load(address, process, known, given), given.clients, given.seconds)
        if given.slow:
            with besieged(address, given.slow) as slow:
                beside = summary(*load(address, process, known, given), given.clients, given.seconds)
            report = {"alone": report, "beside slow ones": beside, "slow ones": slow, **compared(report, beside)}
    print(json.dumps(report, indent=2))
    if given.json:
        given.json.write_text(json.dumps(report, indent=2) + "\n")


def load(
    address: str, process: int, known: list[Known], given: argparse.Namespace
) -> tuple[list[Row], list[tuple[float, float]]]:
    """What all clients saw, and the server's memory: seconds, MB."""
    memory: list[tuple[float, float]] = []
    until = time.time() + given.seconds
    with multiprocessing.Pool(PROCESSES) as pool:
        each = [given.clients // PROCESSES + (k < given.clients % PROCESSES) for k in range(PROCESSES)]
        done = pool.starmap_async(crowd, [(address, known, n, until, given.pause, k) for k, n in enumerate(each)])
        while not done.ready():
            memory.append((time.time(), resident(process)))
            done.wait(2)
        return [row for part in done.get() for row in part], memory


def compared(alone: dict[str, Any], beside: dict[str, Any]) -> dict[str, Any]:
    """Ratios of the second run to the first: requests, and how long they took."""
    return {
        f"{kind}, ratio": {
            name: round(beside[kind][name] / max(alone[kind][name], 1e-9), 2) for name in ("requests", "p50", "p95")
        }
        for kind in ("segment", "select")
    }


def learn(model: FastSAM, file: Path) -> Known:
    """What the library finds in a photo, and answers at places all over it."""
    segments = model(file)
    rng = np.random.default_rng(0)
    height, width = segments.size
    places = [(float(x), float(y)) for x, y in rng.random((PLACES, 2)) * (width, height)]
    answers = []
    for place in places:
        (pick,) = segments.select(points=[place])
        answers.append(encode(pick.mask)["counts"] if pick else None)
    return Known(file.read_bytes(), [r["counts"] for r in segments.to_rle()], places, answers)


def crowd(address: str, known: list[Known], n: int, until: float, pause: float, seed: int) -> list[Row]:
    """What n clients saw."""
    rows: list[Row] = []
    threads = [
        threading.Thread(target=person, args=(address, known, until, pause, 1000 * seed + k, rows)) for k in range(n)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return rows


def person(address: str, known: list[Known], until: float, pause: float, seed: int, rows: list[Row]) -> None:
    """One client until the time is over."""
    rng = np.random.default_rng(seed)
    client = Client(address)
    time.sleep(rng.random() * 2)
    while time.time() < until:
        photo = known[rng.integers(len(known))]
        seen = timed(rows, "segment", client.segment, photo.data)
        if seen is None:
            continue
        check(rows, [m.row["segmentation"]["counts"] for m in seen.segments] == photo.masks)
        for k in rng.integers(PLACES, size=CLICKS).tolist():
            time.sleep(rng.random() * 2 * pause)
            if time.time() > until:
                break
            picks = timed(rows, "select", seen.select, points=[photo.places[k]])
            if picks is not None:
                check(rows, (picks[0] and picks[0].row["segmentation"]["counts"]) == photo.answers[k])


def timed(rows: list[Row], kind: str, call: Any, *arguments: Any, **named: Any) -> Any:
    """What a call gives, to be checked next; None where it was lost."""
    start = time.perf_counter()
    try:
        answer = call(*arguments, **named)
    except UsageError as error:
        rows.append((kind, time.perf_counter() - start, str(error)))
        return None
    last.call = (kind, time.perf_counter() - start)
    return answer


def check(rows: list[Row], right: bool) -> None:
    """Notes the last call of this thread."""
    rows.append((*last.call, "right" if right else "wrong"))


def resident(pid: int) -> float:
    """MB of memory of a process and its children."""
    total = 0.0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            if int(folder.name) == pid or parent == pid:
                found = re.search(r"VmRSS:\s+(\d+)", (folder / "status").read_text())
                total += int(found[1]) / 1024 if found else 0
        except (OSError, IndexError, ValueError):
            continue
    return total


def summary(rows: list[Row], memory: list[tuple[float, float]], clients: int, seconds: float) -> dict[str, Any]:
    """The figures: milliseconds and MB."""
    report: dict[str, Any] = {"clients": clients, "seconds": seconds}
    for kind in ("segment", "select"):
        took = np.array([1000 * t for k, t, _ in rows if k == kind])
        what = [w for k, _, w in rows if k == kind]
        lost = sorted({w for w in what if w not in ("right", "wrong")})
        report[kind] = {
            "requests": len(what),
            "wrong": what.count("wrong"),
            "lost": len(what) - what.count("right") - what.count("wrong"),
            "reasons": lost[:5],
            **{f"p{p}": round(float(np.percentile(took, p)), 1) for p in (50, 95, 99)},
            "longest": round(float(took.max()), 1),
        }
    half = len(memory) // 2
    for name, part in (("first half", memory[5:half]), ("second half", memory[half:])):
        report[f"MB, {name}"] = round(max((mb for _, mb in part), default=0.0))
    return report


if __name__ == "__main__":
    main()
