"""torch: runs a YOLOv8-seg checkpoint on any device that torch supports. Needs the `torch` extra.

Enters: a checkpoint's entries by their published names. Leaves: a `Network`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from fastsam.errors import UsageError
from fastsam.network.yolov8 import Size, YOLOv8Seg
from fastsam.runtimes.outputs import check
from fastsam.runtimes.settings import Settings
from fastsam.untrusted.shown import reason

Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True)
class TorchNetwork:
    """A network in torch: see `Network`."""

    module: YOLOv8Seg
    device: torch.device
    settings: Settings

    @torch.inference_mode()
    def run(self, images: Float32) -> tuple[Float32, Float32]:
        """Raw outputs, as in `Network.run`."""
        raw = self.module(torch.from_numpy(images).to(self.device))
        candidates, prototypes = self.module.head.decode(raw)
        return candidates.contiguous().cpu().numpy(), prototypes.cpu().numpy()


def load(
    entries: Mapping[str, Float32], settings: Settings, file: Path, device: str = "cpu", threads: int | None = None
) -> TorchNetwork:
    """Loads a network from its entries. file: named in errors

    Raises UsageError if the entries are not a YOLOv8-seg network with batch norms, or the device cannot be used.
    """
    try:
        where = torch.device(device)
        torch.zeros(1, device=where)
    except (RuntimeError, AssertionError, NotImplementedError):
        raise UsageError(
            f"torch cannot use device {device!r} here: choose cpu, or a device that torch supports"
        ) from None
    if threads:
        torch.set_num_threads(threads)
    try:
        module = empty(entries)
        module.load_state_dict(
            {name: torch.from_numpy(values.copy()) for name, values in entries.items()}, strict=False
        )
        lacking = set(module.state_dict()) - set(entries)
        if any(not name.endswith("num_batches_tracked") for name in lacking):
            raise KeyError(min(lacking))
    except (KeyError, TypeError, RuntimeError, ZeroDivisionError, OverflowError) as error:
        raise UsageError(f"torch cannot run this checkpoint ({reason(error)}): leave out runtime='torch'") from None
    network = TorchNetwork(module.to(where).eval(), where, settings)
    check(network, file)
    return network


def empty(entries: Mapping[str, Float32]) -> YOLOv8Seg:
    """A network as large as the entries, with random weights. Raises RuntimeError if a shape does not fit."""
    size, classes = size_of(entries), len(entries["model.22.cv3.0.2.weight"])
    reg_max = entries["model.22.dfl.conv.weight"].size
    with torch.device("meta"):  # takes no memory, whatever the size
        shapes = {name: tuple(value.shape) for name, value in YOLOv8Seg(size, classes, reg_max).state_dict().items()}
    for name, shape in shapes.items():
        if name in entries and entries[name].shape != shape:
            raise RuntimeError(f"{name} must have shape {shape}, not {entries[name].shape}")
    return YOLOv8Seg(size, classes, reg_max)


def size_of(entries: Mapping[str, Any]) -> Size:
    """Depth, width and widest layer of a network, read from its shapes."""
    c256, c1024 = (len(entries[f"model.{i}.cv2.conv.weight"]) for i in (4, 8))
    width = c256 / 256
    repeats = sum(name.startswith("model.4.m.") and name.endswith(".cv1.conv.weight") for name in entries)
    return Size(repeats / 6, width, round(c1024 / width))
