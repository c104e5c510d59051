"""Starts `fastsam serve` for the benchmarks beside this file."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def served(*options: str) -> Iterator[tuple[str, int]]:
    """Address and process number of a service, which ends with the block. options: of `fastsam serve`"""
    command = [sys.executable, "-m", "fastsam", "serve", "--no-browser", "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            found = re.search(r"http://\S+", server.stdout.readline())
            assert found is not None
            yield found[0], server.pid
        finally:
            server.terminate()
