"""What every bench shows: times of calls, their spread, and the machine that took them."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from fastsam.machine import cores, processor


def seconds_of(call: Callable[[], Any]) -> float:
    """How long a call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def spread(times: list[float]) -> tuple[float, float, float]:
    """10th percentile, median, 90th percentile."""
    low, middle, high = np.percentile(times, (10, 50, 90)).tolist()
    return low, middle, high


def conditions(pixels: npt.NDArray[Any], images: npt.NDArray[Any], threads: int | None) -> dict[str, Any]:
    """What times depend on. pixels: the photo (H, W, 3); images: the network's input (N, 3, h, w)"""
    return {
        "processor": processor(),
        "threads": threads or cores(),
        "photo": f"{pixels.shape[1]} x {pixels.shape[0]}",
        "input": f"{images.shape[3]} x {images.shape[2]}",
    }
