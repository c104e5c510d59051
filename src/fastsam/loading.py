"""Loads a network with a runtime, on a device.

Enters: a file or the name of a model, a runtime, a device. Leaves: an object with `run` and `settings`.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fastsam.errors import UsageError, require
from fastsam.machine import cores
from fastsam.runtimes import onnx as onnx_runtime
from fastsam.runtimes.network import Network
from fastsam.runtimes.settings import Settings
from fastsam.values import by_fields, integer, listed, show
from fastsam.weights import catalogue

PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider", "mps": "CoreMLExecutionProvider"}
RUNTIMES = ("onnx", "openvino", "torch")


@dataclass(frozen=True)
class Choice:
    """Which weights a network is loaded from, and how.

    weights: a file, the name of a model, or None for the bundled weights; threads: CPU threads per call, None lets the
    runtime choose
    providers: of ONNX Runtime, None for those of `device`; precision: `float32`, or `bf16` with OpenVINO
    streams: number of simultaneous calls
    """

    weights: str | os.PathLike[str] | None = None
    threads: int | None = None
    providers: Sequence[Any] | None = None
    runtime: str = "onnx"
    device: str = "cpu"
    precision: str = "float32"
    streams: int = 1

    def __post_init__(self) -> None:
        """Raises UsageError for values of the wrong type. Whether things exist is checked on loading."""
        if self.weights is not None and not isinstance(self.weights, (str, os.PathLike)):
            raise UsageError(f"weights must be a file or the name of a model, not {show(self.weights)}")
        if self.threads is not None:
            object.__setattr__(self, "threads", integer(self.threads, "threads", 1))
        for name, value in (("runtime", self.runtime), ("precision", self.precision)):
            if not isinstance(value, str):
                raise UsageError(f"{name} must be a name, not {show(value)}")
        if self.providers is not None:
            object.__setattr__(self, "providers", tuple(checked(p) for p in listed(self.providers, "providers")))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickles a file by its absolute path, so that it is found from another folder too."""
        if self.weights is None or not os.path.exists(self.weights):
            return by_fields(self)
        return by_fields(replace(self, weights=os.path.abspath(self.weights)))

    def shared(self, calls: int) -> "Choice":
        """The same choice for `calls` simultaneous calls, with the threads divided among them."""
        return replace(self, threads=max(1, (self.threads or cores()) // calls), streams=calls)


def checked(provider: Any) -> Any:
    """A provider: its name, or a pair of name and options. Raises UsageError for anything else."""
    pair = isinstance(provider, (tuple, list)) and [type(v) for v in provider] == [str, dict]
    if not (pair or isinstance(provider, str)):
        raise UsageError(f"providers must hold names, or pairs of name and options, not {show(provider)}")
    return provider


def load(choice: Choice) -> Network:
    """Loads the network.

    Raises UsageError if the weights are invalid, the runtime is not installed, or the device is not available.
    """
    if choice.precision != "float32" and choice.runtime != "openvino":
        raise UsageError(
            f"precision {choice.precision!r} needs runtime='openvino': {choice.runtime} runs in float32 only"
        )
    if choice.runtime == "onnx":
        providers = choice.providers or providers_of(choice.device)
        with catalogue.opened(choice.weights) as file:
            return onnx_runtime.load(file, choice.threads, providers)
    if choice.runtime == "openvino":
        require("openvino", "openvino")
        from fastsam.runtimes import openvino

        with catalogue.opened(choice.weights) as file:
            return openvino.load(file, choice.threads, choice.device, choice.precision, choice.streams)
    if choice.runtime == "torch":
        require("torch", "torch")
        from fastsam.runtimes import torch

        file = catalogue.locate(choice.weights)
        if not catalogue.is_checkpoint(file):
            raise UsageError(
                f"{file} is not a checkpoint, which runtime='torch' needs: give a .pt file, or leave the runtime out"
            )
        checkpoint = catalogue.read(file)
        settings = Settings(**catalogue.settings(checkpoint))
        return torch.load(checkpoint.entries, settings, file, choice.device, choice.threads)
    raise UsageError(f"unknown runtime {choice.runtime!r}: choose from {', '.join(RUNTIMES)}")


def device_name(device: Any) -> str:
    """The name of a device (`cpu`, `cuda`, `cuda:1`, `mps`), from None, a name, a number or a torch device."""
    if isinstance(device, (bool, np.ndarray)):
        raise UsageError(f"device must be a name such as 'cpu' or 'cuda', not {show(device)}")
    word = "cpu" if device is None or device == "" else " ".join(str(device).split()).lower()[:60]
    return f"cuda:{word}" if word.isdecimal() else word


def providers_of(device: str) -> list[Any]:
    """ONNX Runtime's provider for a device. Raises UsageError if the device is unknown or not available."""
    kind, _, number = device.partition(":")
    if kind not in PROVIDERS or (number and kind != "cuda"):
        raise UsageError(f"unknown device {device!r}: choose from {', '.join(PROVIDERS)}")
    if PROVIDERS[kind] not in onnx_runtime.available():
        remedy = "replace onnxruntime by onnxruntime-gpu, " if kind == "cuda" else ""
        raise UsageError(
            f"device {device!r} is not available: this ONNX Runtime has no {PROVIDERS[kind]}; "
            f"{remedy}load a checkpoint with runtime='torch', or leave the device out"
        )
    return [(PROVIDERS[kind], {"device_id": int(number)}) if number.isdecimal() else PROVIDERS[kind]]
