"""Photo to full-resolution masks as RLE: this library against the popular port, same weights, same photos.

    python benchmarks/against_port.py CHECKPOINT.pt PHOTO... --port PORT_ENVIRONMENT/bin/python [--ours FILE.onnx]...

Runs both in turns, each in a process of its own, two threads each, and prints the ratio of medians and how far masks
agree. The port (with pycocotools for its RLE) is only run, in its own environment. `--ours` names further files of the
same network, such as an int8 export, to be measured in the same turns. By default the settings of FastSAM's own README:
1024 px, conf 0.4, iou 0.9; for weights that find little, lower `--conf`.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from fastsam import FastSAM
from fastsam.machine import processor
from fastsam.masks import rle
from fastsam.masks.runs import iou_of, of_pixels

HERE = Path(__file__).parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint")
    parser.add_argument("photos", nargs="+")
    parser.add_argument("--port", required=True, help="Python of an environment that has the port and pycocotools")
    parser.add_argument("--ours", action="append", default=[], help="another file of the same network")
    parser.add_argument("--imgsz", type=int, default=1024)
    parser.add_argument("--conf", type=float, default=0.4)
    parser.add_argument("--iou", type=float, default=0.9)
    parser.add_argument("--max-det", type=int, default=100)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--side", help=argparse.SUPPRESS)
    a = parser.parse_args()
    settings = {"imgsz": a.imgsz, "conf": a.conf, "iou": a.iou, "max_det": a.max_det}
    if a.side:
        serve(a.side, a.threads, settings)
        return
    port = [a.port, str(HERE / "port_side.py"), a.checkpoint, *map(str, (a.imgsz, a.conf, a.iou, a.max_det, a.threads))]
    sides = {"the port": start(port)}
    for file in (a.checkpoint, *a.ours):
        words = [f"--{name.replace('_', '-')}={value}" for name, value in settings.items()]
        command = [sys.executable, __file__, a.checkpoint, "-", "--port", "-", "--side", file, *words]
        sides[file] = start([*command, f"--threads={a.threads}"])
    print(f"processor: {processor()}; {a.threads} threads; {settings}")
    for photo in a.photos:
        compare(photo, sides, a.rounds)
    for side in sides.values():
        side.stdin.close()
        side.wait()


def start(command: list[str]) -> Any:
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def ask(side: Any, photo: str) -> dict[str, Any]:
    side.stdin.write(photo + "\n")
    side.stdin.flush()
    while not (line := side.stdout.readline()).startswith("answer "):
        if not line:
            raise SystemExit("a side ended early: see its message above")
    return dict(json.loads(line.removeprefix("answer ")))


def serve(file: str, threads: int, settings: dict[str, Any]) -> None:
    """Our side: the same answers as `port_side.py` gives."""
    model = FastSAM(file, threads=threads)
    for line in sys.stdin:
        begin = time.perf_counter()
        segments = model(line.strip(), **settings)
        found = time.perf_counter()
        packed = segments.to_rle()
        done = time.perf_counter()
        answer = {"masks": found - begin, "rle": done - begin, "network": segments.seconds["network"], "packed": packed}
        print("answer " + json.dumps(answer), flush=True)


def compare(photo: str, sides: dict[str, Any], rounds: int) -> None:
    answers: dict[str, list[dict[str, Any]]] = {name: [] for name in sides}
    for turn in range(rounds + 1):
        for name, side in sides.items():
            answer = ask(side, photo)
            if turn:
                answers[name].append(answer)
    middle = {
        n: {k: statistics.median(a[k] for a in rows) for k in ("masks", "rle", "network")}
        for n, rows in answers.items()
    }
    first, *others = sides
    for name in sides:
        m = middle[name]
        print(
            f"{photo}: {name}: {len(answers[name][0]['packed'])} masks; network {1000 * m['network']:.0f} ms, "
            f"to masks {1000 * m['masks']:.0f} ms, to RLE {1000 * m['rle']:.0f} ms"
        )
    theirs = [of_pixels(rle.decode(p)) for p in answers[first][0]["packed"]]
    for name in others:
        ours = [of_pixels(rle.decode(p)) for p in answers[name][0]["packed"]]
        height = answers[name][0]["packed"][0]["size"][0] if ours else 1
        best = [max((iou_of(t, o, height) for o in ours), default=0.0) for t in theirs]
        share = 100 * sum(b >= 0.98 for b in best) / max(1, len(best))
        print(
            f"{photo}: {name}: {middle[first]['rle'] / middle[name]['rle']:.1f}x the port to RLE "
            f"({middle[first]['masks'] / middle[name]['rle']:.1f}x its time without RLE); "
            f"{share:.0f}% of its masks at IoU 0.98 "
            f"or more, least {min(best, default=1.0):.4f}"
        )


if __name__ == "__main__":
    main()
