"""Which runtime loads a network, and on which device.

Enters: a file or a model's name, a runtime, a device. Leaves: an object with `run` and `settings`.
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
    """What a network is loaded from and how.

    weights: a file, a model's name, None for the bundled default; threads: of the CPU, for each call
    providers: ONNX Runtime's, None for those of `device`; precision: `float32`, or `bf16` with OpenVINO
    streams: calls that run at the same time
    """

    weights: str | os.PathLike[str] | None = None
    threads: int | None = None
    providers: Sequence[Any] | None = None
    runtime: str = "onnx"
    device: str = "cpu"
    precision: str = "float32"
    streams: int = 1

    def __post_init__(self) -> None:
        """Raises UsageError for values of the wrong kind; what is not there is found when it is loaded."""
        if self.weights is not None and not isinstance(self.weights, (str, os.PathLike)):
            raise UsageError(f"weights must be a file or a model's name, not {show(self.weights)}")
        if self.threads is not None:
            object.__setattr__(self, "threads", integer(self.threads, "threads", 1))
        for name, value in (("runtime", self.runtime), ("precision", self.precision)):
            if not isinstance(value, str):
                raise UsageError(f"{name} must be a name, not {show(value)}")
        if self.providers is not None:
            object.__setattr__(self, "providers", tuple(checked(p) for p in listed(self.providers, "providers")))

    def __reduce__(self) -> tuple[Any, ...]:
        """A file is found again from another folder, too."""
        if self.weights is None or not os.path.exists(self.weights):
            return by_fields(self)
        return by_fields(replace(self, weights=os.path.abspath(self.weights)))

    def shared(self, calls: int) -> "Choice":
        """The same for `calls` calls at a time, among which the threads are divided."""
        return replace(self, threads=max(1, (self.threads or cores()) // calls), streams=calls)


def checked(provider: Any) -> Any:
    """A provider's name, or a pair of its name and options. Raises UsageError for anything else."""
    pair = isinstance(provider, (tuple, list)) and [type(v) for v in provider] == [str, dict]
    if not (pair or isinstance(provider, str)):
        raise UsageError(f"providers must hold names, or pairs of name and options, not {show(provider)}")
    return provider


def load(choice: Choice) -> Network:
    """The network.

    Raises UsageError for weights that are none, a runtime that is not installed, a device that is not there.
    """
    if choice.precision != "float32" and choice.runtime != "openvino":
        raise UsageError(f"precision {choice.precision!r} needs runtime 'openvino': {choice.runtime} runs float32")
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
                f"{file} is no checkpoint, and torch runs nothing else: name one, or leave out runtime='torch'"
            )
        checkpoint = catalogue.read(file)
        settings = Settings(**catalogue.settings(checkpoint))
        return torch.load(checkpoint.entries, settings, file, choice.device, choice.threads)
    raise UsageError(f"unknown runtime {choice.runtime!r}: choose from {', '.join(RUNTIMES)}")


def device_name(device: Any) -> str:
    """`cpu`, `cuda`, `cuda:1` or `mps` of what people write: None, a name, a number, a torch device."""
    if isinstance(device, (bool, np.ndarray)):
        raise UsageError(f"device must be a name such as 'cpu' or 'cuda', not {show(device)}")
    word = "cpu" if device is None or device == "" else " ".join(str(device).split()).lower()[:60]
    return f"cuda:{word}" if word.isdecimal() else word


def providers_of(device: str) -> list[Any]:
    """ONNX Runtime's provider for a device. Raises UsageError for a device that is unknown or not there."""
    kind, _, number = device.partition(":")
    if kind not in PROVIDERS or (number and kind != "cuda"):
        raise UsageError(f"unknown device {device!r}: choose from {', '.join(PROVIDERS)}")
    if PROVIDERS[kind] not in onnx_runtime.available():
        remedy = "install onnxruntime-gpu in onnxruntime's place, or give" if kind == "cuda" else "give"
        raise UsageError(
            f"device {device!r} is not there: this ONNX Runtime lacks {PROVIDERS[kind]}; "
            f"{remedy} a checkpoint runtime='torch', or leave the device out"
        )
    return [(PROVIDERS[kind], {"device_id": int(number)}) if number.isdecimal() else PROVIDERS[kind]]
