"""Tries mutated files, many in a child process with a memory limit, and says what the worst one did.

    python tests/fuzz/attack.py --count 100000

Every file must load, or be refused by one printable line, within ten seconds of processor time and 2 GB. A child that
dies has found something: it is named, and the next one goes on after it. Exit code 1 if there was any.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

HERE = Path(__file__).parent
FIXTURES = HERE.parent / "fixtures"
MEMORY = 2 << 30  # bytes that a child may have
LONGEST = 10.0  # seconds of processor time that a file may take
SILENT = 600  # seconds after which a child that says nothing is stopped
EACH = 5000  # files for one child
KINDS = ("pt",) * 14 + ("safetensors",) * 2 + ("onnx",) * 1 + ("npz",) * 3


def seeds() -> dict[str, list[bytes]]:
    """Contents of real files of each kind."""
    from fastsam.weights.tensors import write_safetensors
    from fastsam.weights.yolo import read_checkpoint

    part = FIXTURES / "part.pt"
    checkpoint = read_checkpoint(part)
    with tempfile.TemporaryDirectory() as folder:
        write_safetensors(checkpoint, Path(folder) / "part.safetensors")
        tensors = (Path(folder) / "part.safetensors").read_bytes()
    return {"pt": [part.read_bytes()], "safetensors": [tensors], "onnx": [graph(checkpoint)], "npz": kept()}


def graph(checkpoint: Any) -> bytes:
    """A few operators, and a checkpoint's numbers under their names."""
    from onnx import TensorProto, helper, numpy_helper

    images, out = (helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, 3, None, None]) for n in ("images", "out"))
    numbers = [numpy_helper.from_array(values, name) for name, values in checkpoint.entries.items()]
    nodes = [helper.make_node("Identity", ["images"], ["out"])]
    model = helper.make_model(helper.make_graph(nodes, "part", [images], [out], numbers))
    helper.set_model_props(model, {"fastsam": '{"imgsz": 256}'})
    return bytes(model.SerializeToString())


def kept() -> list[bytes]:
    """Saved segments of each kind: as a network gives them, on grids, as runs."""
    import numpy as np

    from fastsam import Segments
    from fastsam.image.letterbox import fit
    from fastsam.masks.drawn import collect
    from fastsam.masks.lazy import from_grids, from_network

    rng, n = np.random.default_rng(0), 3
    boxes = np.array([[2, 3, 40, 30], [0, 0, 60, 40], [10, 5, 30, 20]], np.float32)
    box = fit((40, 60), 64)
    prototypes = rng.normal(size=(4, box.input[0] // 4, box.input[1] // 4)).astype(np.float32)
    coefficients = rng.normal(size=(n, 4)).astype(np.float32)
    grids = collect(
        [rng.normal(size=(k, k)).astype(np.float32) for k in (6, 8, 9)], np.array([[1, 2, 30]] * n), (40, 60)
    )
    given = rng.random((n, 40, 60)) > 0.5
    sources = [from_network(coefficients, prototypes, boxes, box, boxes), from_grids(grids)]
    scores, classes = np.array([0.9, 0.8, 0.7], np.float32), np.zeros(n, np.int64)
    found = [Segments(masks, scores, classes) for masks in sources]
    return [s.to_npz() for s in (*found, Segments.from_masks(np.zeros((40, 60, 3), np.uint8), given))]


def try_one(kind: str, content: bytes, file: Path) -> str:
    """Reads a file as the product does: `loads`, or why not. Raises whatever should not be raised."""
    from fastsam import Segments, UsageError
    from fastsam.weights import catalogue
    from fastsam.weights.convert import read_any

    try:
        if kind == "npz":
            use(Segments.from_npz(content, name=str(file)))
        else:
            file.write_bytes(content)
            checkpoint = read_any(file)
            with suppress(UsageError):  # it is a piece of a network, which no runtime can run
                catalogue.build(file, checkpoint)
    except UsageError as error:
        line = str(error)
        if (
            not line.replace("\u200d", "").replace("\u200c", "").isprintable()
            or len(line) > 1000
            or file.name not in line
        ):
            raise ValueError(f"not one line that names the file: {line!r}") from error
        return line
    return "loads"


def use(segments: Any) -> None:
    """What is done with segments that were loaded."""
    import numpy as np

    if segments.size[0] * segments.size[1] > 1 << 24 or len(segments) > 100:
        return
    masks = segments.masks
    areas = masks.areas
    assert [rle["size"] for rle in masks.to_rle()] == [list(segments.size)] * len(segments)
    assert (areas >= 0).all()
    assert all(int(mask.sum()) == area for mask, area in zip(masks, areas, strict=True))
    masks.logits_at(np.array([[1.5, 2.5]]))
    for i in range(len(segments)):
        masks.logits(i)
        masks.to_polygons(i)
    segments.filter(conf=0.5)


def limit() -> None:
    """Bounds this process: what it has mapped already, and as much as 2 GB are more than it uses."""
    mapped, used = (int(v) * resource.getpagesize() for v in Path("/proc/self/statm").read_text().split()[:2])
    most = MEMORY + mapped - used
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def child(seed: int, first: int, count: int) -> None:
    """Tries files, saying each one's number before, and its outcome after."""
    sys.path.insert(0, str(HERE))
    from mutate import mutated

    known = seeds()
    import onnx  # noqa: F401  # before the limit: what is loaded later is mapped, not used

    from fastsam.weights import graph  # noqa: F401

    limit()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(first, first + count):
            rng = Random(f"{seed}-{number}")
            kind = rng.choice(KINDS)
            content = mutated(kind, rng.choice(known[kind]), rng)
            print(json.dumps({"number": number, "kind": kind}), flush=True)
            start = time.process_time()
            try:
                outcome, fault = try_one(kind, content, Path(folder) / f"it.{kind}"), ""
            except BaseException as error:  # whatever it is, it is what is looked for
                outcome, fault = "", f"{type(error).__name__}: {error}"
            seconds = time.process_time() - start
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
            said = {"outcome": outcome, "fault": fault, "seconds": seconds, "memory": memory}
            print(json.dumps(said), flush=True)


def attack(count: int, seed: int = 0) -> dict[str, Any]:
    """Tries `count` files; what happened, in numbers, and the faults."""
    total: dict[str, Any] = {"tried": 0, "loaded": 0, "refused": 0, "seconds": 0.0, "memory": 0, "faults": []}
    total |= {"kinds": {}, "crashes": 0, "slowest": -1}
    first = 0
    while first < count:
        some = min(EACH, count - first)
        command = [
            sys.executable,
            __file__,
            "--child",
            "--seed",
            str(seed),
            "--first",
            str(first),
            "--count",
            str(some),
        ]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as process:
            last = watch(process, total)
        if last < first:
            raise RuntimeError("a child did not start")
        if process.returncode:
            total["crashes"] += 1
            total["faults"].append(f"file {last}: the child ended with {process.returncode}")
        first = last + 1 if process.returncode else first + some
    return total


def watch(process: Any, total: dict[str, Any]) -> int:
    """Adds what a child says to `total`; the number of the last file that it tried."""
    from threading import Timer

    last, silence = -1, Timer(SILENT, process.kill)
    silence.start()
    for line in process.stdout:
        silence.cancel()
        silence = Timer(SILENT, process.kill)
        silence.start()
        said = json.loads(line)
        if "number" in said:
            last = said["number"]
            total["tried"] += 1
            total["kinds"][said["kind"]] = total["kinds"].get(said["kind"], 0) + 1
            continue
        total["loaded"] += said["outcome"] == "loads"
        total["refused"] += said["outcome"] not in ("loads", "")
        if said["seconds"] > total["seconds"]:
            total["seconds"], total["slowest"] = said["seconds"], last
        total["memory"] = max(total["memory"], said["memory"])
        slow = f"{said['seconds']:.1f} s" if said["seconds"] > LONGEST else ""
        if fault := said["fault"] or slow:
            total["faults"].append(f"file {last}: {fault}")
    silence.cancel()
    return last


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--count", type=int, default=2000)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--first", type=int, default=0)
    options.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.child:
        child(given.seed, given.first, given.count)
        return 0
    total = attack(given.count, given.seed)
    print(json.dumps(total, indent=1))
    return 1 if total["faults"] else 0


if __name__ == "__main__":
    sys.exit(main())
