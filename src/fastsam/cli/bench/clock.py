"""Seconds, spreads, memory and the processor: what every bench shows beside its own figures."""

import platform
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np


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
    status = Path("/proc/self/status")  # what `resource` says includes the process that started this one
    if status.exists():
        return (
            next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM")) // 1000
        )
    if find_spec("resource") is None:  # Windows
        return 0
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most // (1_000_000 if sys.platform == "darwin" else 1000)


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
