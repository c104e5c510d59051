"""The machine: its processors and what they support, and the peak memory of this process.

Enters: nothing. Leaves: plain values. Works on Linux, macOS and Windows; what a system does not report is left out.
"""

import os
import platform
import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path

SHOWN = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8")  # flags that affect the speed


def cores() -> int:
    """Number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def processor() -> str:
    """The processor's name and, if the system reports them, the flags that affect its speed."""
    facts = cpuinfo()
    name = facts.get("model name") or brand() or platform.processor() or platform.machine()
    have = flags()
    return f"{name} ({' '.join(flag for flag in SHOWN if flag in have)})" if have else name


def faster_in_bf16() -> bool:
    """Whether the processor is faster in bf16 than in float32; False if the system does not report it.

    AMX is faster. AVX512-BF16 alone is faster on AMD's Zen 4 and 5. On a Xeon (Sapphire Rapids) whose AMX was hidden
    from the virtual machine, a convolution took 1.9 times as long as in float32.
    """
    return "amx_bf16" in flags() or ("avx512_bf16" in flags() and cpuinfo().get("vendor_id") == "AuthenticAMD")


def flags() -> frozenset[str]:
    """Features of the processor, as Linux names them; empty on other systems."""
    return frozenset(cpuinfo().get("flags", "").split())


@cache
def cpuinfo() -> dict[str, str]:
    """What Linux reports about one processor; empty on other systems."""
    file = Path("/proc/cpuinfo")
    if not file.exists():
        return {}
    pairs = (line.split(":", 1) for line in file.read_text().splitlines() if ":" in line)
    return {key.strip(): value.strip() for key, value in pairs}


def brand() -> str:
    """The processor's name on macOS; empty elsewhere."""
    if sys.platform != "darwin":
        return ""
    asked = subprocess.run(["sysctl", "-n", "machdep.cpu.brand_string"], capture_output=True, text=True, check=False)
    return asked.stdout.strip()


def scheduled() -> tuple[int, int]:
    """Nanoseconds that this process's threads have run, and have waited for a processor; (0, 0) if it is not told."""
    ran = waited = 0
    for file in Path("/proc/self/task").glob("*/schedstat"):
        try:
            first, second, _ = file.read_text().split()
        except (OSError, ValueError):  # a thread that has just ended
            continue
        ran, waited = ran + int(first), waited + int(second)
    return ran, waited


def peak_memory() -> int:
    """Peak memory of this process in MB; 0 if the system does not report it."""
    status = Path("/proc/self/status")  # the figure of `resource` includes the process that started this one
    if status.exists():
        held = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(held.split()[1]) // 1000
    if find_spec("resource") is None:  # Windows
        return 0
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most // (1_000_000 if sys.platform == "darwin" else 1000)
