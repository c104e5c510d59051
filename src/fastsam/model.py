"""`FastSAM`: one photo's path from pixels to `Segments`, top to bottom."""

import os
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from fastsam.candidates import candidates
from fastsam.errors import UsageError, require
from fastsam.image.letterbox import STRIDE, fit, letterbox, to_tensor
from fastsam.image.read import Source, read_own
from fastsam.masks.lazy import from_network, widen
from fastsam.masks.port import as_the_port
from fastsam.runtimes import onnx as runtime
from fastsam.runtimes.onnx import Settings
from fastsam.segments import Segments
from fastsam.weights import catalogue

PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider", "mps": "CoreMLExecutionProvider"}


LARGEST = 8192  # pixels of an input's side


class FastSAM:
    """Segments everything in a photo.

    >>> model = FastSAM()
    >>> segments = model("photo.jpg")
    """

    def __init__(
        self,
        weights: str | os.PathLike[str] | None = None,
        *,
        threads: int | None = None,
        providers: Sequence[str] | None = None,
        runtime: str = "onnx",
        device: Any = None,
    ) -> None:
        """Loads weights.

        weights: a file (.onnx, .pt, .safetensors) or a model's name; None for the bundled default
        threads: of the CPU; None leaves it to the runtime
        providers: ONNX Runtime's execution providers by name, first choice first; None means those of `device`
        runtime: `onnx`, or `torch` for a checkpoint (needs the torch extra)
        device: `cpu`, `cuda`, `mps` or a torch device; None means the CPU

        Raises UsageError for weights that are none, and for a provider or a device that is not there.
        """
        self._weights, self._threads, self._runtime = weights, threads, runtime
        self._device = device_name(device)
        self._network = load(weights, threads, providers, runtime, self._device)
        self.settings = self._network.settings

    def __call__(
        self,
        source: Source,
        *,
        imgsz: int | None = None,
        conf: float | None = None,
        iou: float | None = None,
        max_det: int | None = None,
        device: Any = None,
        retina_masks: bool = True,
    ) -> Segments:
        """Everything in one photo.

        source: a path, a PIL image, or an RGB uint8 array (H, W, 3)
        imgsz: longest side of the network's input in pixels; conf: least score, 0..1; iou: overlap of two boxes
        above which the lesser goes, 0..1; max_det: the most segments. What is left out comes with the weights.
        device: where to run from now on, for calls written for the published code (see `__init__`)
        retina_masks: taken for the same reason; masks are always made at the photo's own size

        Raises UnreadableImageError for a file that is no whole image, UsageError for settings that make no sense.
        """
        use = self.resolve(imgsz=imgsz, conf=conf, iou=iou, max_det=max_det)
        if device is not None:
            self.to(device)
        seconds: dict[str, float] = {}
        with stage("read", seconds):
            pixels = read_own(source)
        with stage("letterbox", seconds):
            box = fit((pixels.shape[0], pixels.shape[1]), use.imgsz)
            images = to_tensor(letterbox(pixels, box))
        with stage("network", seconds):
            raw, prototypes = self._network.run(images)
        with stage("candidates", seconds):
            found = candidates(raw[0], use.conf, use.iou, use.max_det)
            boxes = box.to_photo(found.boxes)
            if use.port:
                masks = as_the_port(found.coefficients, prototypes[0], boxes, box)
            else:
                windows = widen(boxes, use.margin, box.photo)
                masks = from_network(found.coefficients, prototypes[0], boxes, box, windows)
            segments = Segments(masks, found.scores, found.classes, use.names, seconds, pixels)
            return segments.take(np.flatnonzero(masks.occupied()))

    def to(self, device: Any) -> "FastSAM":
        """Runs on `device` from now on; where ONNX Runtime cannot, warns and stays on the CPU."""
        name = device_name(device)
        if name != self._device:
            self._network = load(self._weights, self._threads, None, self._runtime, name)
            self._device = name
        return self

    def resolve(
        self,
        *,
        imgsz: int | None = None,
        conf: float | None = None,
        iou: float | None = None,
        max_det: int | None = None,
    ) -> Settings:
        """The settings a call with these arguments uses: those that came with the weights where one is None.

        Raises UsageError for settings that make no sense.
        """
        given = {"imgsz": imgsz, "conf": conf, "iou": iou, "max_det": max_det}
        use: Settings = replace(self.settings, **{k: v for k, v in given.items() if v is not None})
        if use.imgsz < STRIDE:
            raise UsageError(f"imgsz {use.imgsz} is too small: the least is {STRIDE}")
        if use.imgsz > LARGEST:
            raise UsageError(f"imgsz {use.imgsz} is too large: the most is {LARGEST}")
        for name, share in (("conf", use.conf), ("iou", use.iou)):
            if not 0 <= share <= 1:
                raise UsageError(f"{name} {share} is not between 0 and 1")
        if use.max_det < 1:
            raise UsageError(f"max_det {use.max_det} leaves nothing: the least is 1")
        return use


def load(
    weights: str | os.PathLike[str] | None,
    threads: int | None,
    providers: Sequence[str] | None,
    kind: str,
    device: str,
) -> Any:
    """The network of a file or a model's name in the runtime `kind`, on a device by its torch name."""
    if kind == "torch":
        require("torch", "torch")
        from fastsam.runtimes import torch as torch_runtime

        file = catalogue.locate(weights)
        if not catalogue.is_checkpoint(file):
            raise UsageError(f"{file} is no checkpoint, and torch runs nothing else: leave out runtime='torch'")
        checkpoint = catalogue.read(file)
        settings = Settings(**catalogue.settings(checkpoint))
        return torch_runtime.load(checkpoint.entries, settings, device, threads)
    if kind != "onnx":
        raise UsageError(f"unknown runtime {kind!r}: choose onnx or torch")
    return runtime.load(catalogue.find(weights), threads, providers or providers_of(device))


def device_name(device: Any) -> str:
    """`cpu`, `cuda`, `cuda:1` or `mps` of what people write: None, a name, a number, a torch device."""
    word = "cpu" if device is None or device == "" else str(device).strip().lower()
    return f"cuda:{word}" if word.isdecimal() else word


def providers_of(device: str) -> list[Any]:
    """ONNX Runtime's provider for a device, the CPU where it has none. Raises UsageError for an unknown device."""
    kind, _, number = device.partition(":")
    if kind not in PROVIDERS:
        raise UsageError(f"unknown device {device!r}: choose from {', '.join(PROVIDERS)}")
    if PROVIDERS[kind] not in runtime.available():
        warnings.warn(f"ONNX Runtime has no {PROVIDERS[kind]} here: running on the CPU", stacklevel=4)
        return [PROVIDERS["cpu"]]
    return [(PROVIDERS[kind], {"device_id": int(number)}) if number.isdecimal() else PROVIDERS[kind]]


@contextmanager
def stage(name: str, seconds: dict[str, float]) -> Iterator[None]:
    """Notes in `seconds` how long the block took."""
    start = time.perf_counter()
    yield
    seconds[name] = time.perf_counter() - start
