"""The machine, as this process sees it."""

import subprocess
import sys

import pytest

from fastsam import machine
from fastsam.machine import cores, faster_in_bf16, peak_memory, processor, scheduled


def test_it_names_the_processor_and_counts_cores() -> None:
    assert cores() >= 1
    assert processor().strip()


@pytest.mark.parametrize(
    ("vendor", "flags", "gains"),
    [
        ("AuthenticAMD", "avx512f avx512_bf16", True),
        ("GenuineIntel", "avx512f avx512_bf16 amx_bf16", True),
        ("GenuineIntel", "avx512f avx512_bf16", False),  # it computes in bf16, but at half the rate
        ("AuthenticAMD", "avx2", False),
    ],
)
def test_bf16_is_used_where_it_is_faster(vendor: str, flags: str, gains: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "cpuinfo", lambda: {"vendor_id": vendor, "flags": flags})
    assert faster_in_bf16() is gains


def test_the_most_memory_is_what_was_held() -> None:
    code = "from fastsam.machine import peak_memory as peak; a = peak(); b = bytearray(200_000_000); print(a, peak())"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
    before, after = map(int, told.split())
    assert 150 <= after - before <= 300
    assert peak_memory() > 0


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell")
def test_threads_that_wait_for_a_processor_are_counted() -> None:
    """Four threads on one processor: each waits while another runs."""
    code = """
import os, threading
from fastsam.machine import scheduled
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
import hashlib
data, go = bytes(1 << 22), threading.Event()
def work():
    for _ in range(40): hashlib.sha256(data)
threads = [threading.Thread(target=lambda: (work(), go.wait())) for _ in range(4)]
for thread in threads: thread.start()
import time
while sum(scheduled()) < 1.5e9: time.sleep(0.05)
ran, waited = scheduled()
go.set()
print(ran / (ran + waited))
"""
    share = float(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)
    assert share < 0.6
    ran, waited = scheduled()
    assert ran > 0
    assert waited >= 0
