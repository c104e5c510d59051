"""The machine, as this process sees it."""

import subprocess
import sys

import pytest

from fastsam.machine import cores, has_bf16, peak_memory, processor, scheduled


def test_it_names_the_processor_and_counts_cores() -> None:
    assert cores() >= 1
    assert processor().strip()
    assert isinstance(has_bf16(), bool)


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
