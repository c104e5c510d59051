"""`fastsam doctor`: shows what this machine has, and tests whether a device agrees with the CPU."""

import platform
import statistics
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any

import numpy as np

from fastsam.cli import flags
from fastsam.cli.bench.clock import seconds_of
from fastsam.cli.flags import Running
from fastsam.machine import processor

PACKAGES = ("fast-segment-anything", "numpy", "opencv-python-headless", "onnxruntime", "openvino", "torch")
CLOSE = 1e-3  # maximum difference of a device's outputs, as a share of their range
ROUNDS = 10


def doctor(*, running: Running = flags.RUNNING, imgsz: Annotated[int | None, flags.IMGSZ] = None) -> int:
    """Show versions, processor and devices; run a network on a device and compare it with the CPU.

    Exit code 0: the device agrees with the CPU; 1: it does not; 2: it is not available. The weights decide the size of
    the input unless --imgsz is given.
    """
    from fastsam.machine import cores
    from fastsam.model import FastSAM
    from fastsam.runtimes.onnx import available

    print(f"python {platform.python_version()}, {platform.system()} {platform.machine()}, {cores()} processors")
    print(processor())
    print(", ".join(f"{name} {found}" for name in PACKAGES if (found := installed(name))))
    print(f"ONNX Runtime's providers: {', '.join(available())}")
    print(f"torch's devices: {', '.join(torch_devices()) or 'none, torch is not installed'}")
    expected, tested = FastSAM(running.model, threads=running.threads), running.load()
    side = tested.resolve(imgsz=imgsz).imgsz
    images = np.random.default_rng(0).random((1, 3, side, side), np.float32)
    first, second = expected.network.run(images), tested.network.run(images)
    moved = max(float(np.abs(a - b).max() / np.ptp(a)) for a, b in zip(first, second, strict=True))
    name = f"{running.runtime} on {running.device or 'cpu'} in {running.precision}"
    print(f"CPU, ONNX Runtime: {timed(expected, images):.1f} ms for {side} x {side} pixels")
    print(f"{name}: {timed(tested, images):.1f} ms; outputs differ by {moved:.1e} of their range")
    if moved > CLOSE and running.precision == "float32":
        print(f"{name} does not agree with the CPU: do not use this device")
        return 1
    print(f"{name} works")
    return 0


def installed(package: str) -> str | None:
    """The version of a package; None if it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def torch_devices() -> list[str]:
    """The devices that torch can use here."""
    try:
        import torch
    except ModuleNotFoundError:
        return []
    found = ["cpu", *(f"cuda:{k} ({torch.cuda.get_device_name(k)})" for k in range(torch.cuda.device_count()))]
    return found + (["mps"] if torch.backends.mps.is_available() else [])


def timed(model: Any, images: Any) -> float:
    """Milliseconds of the network, median of several runs."""
    return statistics.median(1000 * seconds_of(partial(model.network.run, images)) for _ in range(ROUNDS))
