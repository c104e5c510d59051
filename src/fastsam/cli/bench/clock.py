"""Times of calls and their spread, as every bench shows them."""

import time
from collections.abc import Callable
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
