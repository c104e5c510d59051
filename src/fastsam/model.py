"""`FastSAM`: one photo's path from pixels to `Segments`, top to bottom."""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from fastsam.candidates import candidates
from fastsam.errors import UsageError
from fastsam.image.letterbox import STRIDE, fit, letterbox, to_tensor
from fastsam.image.read import Source, read_image
from fastsam.masks.lazy import Masks, widen
from fastsam.masks.port import as_the_port
from fastsam.runtimes import onnx as runtime
from fastsam.runtimes.onnx import Settings
from fastsam.segments import Segments
from fastsam.weights.catalogue import find


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
    ) -> None:
        """Loads weights.

        weights: an exported file or a bundled model's name; None for the bundled default
        threads: of the CPU; None leaves it to ONNX Runtime
        providers: ONNX Runtime's execution providers by name, first choice first; None means the CPU

        Raises UsageError for weights that are none and for a provider that is not there.
        """
        self._network = runtime.load(find(weights), threads, providers)
        self.settings = self._network.settings

    def __call__(
        self,
        source: Source,
        *,
        imgsz: int | None = None,
        conf: float | None = None,
        iou: float | None = None,
        max_det: int | None = None,
    ) -> Segments:
        """Everything in one photo.

        source: a path, a PIL image, or an RGB uint8 array (H, W, 3)
        imgsz: longest side of the network's input in pixels; conf: least score, 0..1; iou: overlap of two boxes
        above which the lesser goes, 0..1; max_det: the most segments. What is left out comes with the weights.

        Raises UnreadableImageError for a file that is no whole image, UsageError for settings that make no sense.
        """
        use = self.resolve(imgsz=imgsz, conf=conf, iou=iou, max_det=max_det)
        seconds: dict[str, float] = {}
        with stage("read", seconds):
            pixels = read_image(source)
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
                masks = Masks(found.coefficients, prototypes[0], boxes, box, widen(boxes, use.margin, box.photo))
            segments = Segments(masks, found.scores, found.classes, use.names, seconds)
            return segments.take(np.flatnonzero(masks.occupied()))

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
        use = replace(self.settings, **{k: v for k, v in given.items() if v is not None})  # type: ignore[arg-type]  # by name
        if use.imgsz < STRIDE:
            raise UsageError(f"imgsz {use.imgsz} is too small: the least is {STRIDE}")
        for name, share in (("conf", use.conf), ("iou", use.iou)):
            if not 0 <= share <= 1:
                raise UsageError(f"{name} {share} is not between 0 and 1")
        if use.max_det < 1:
            raise UsageError(f"max_det {use.max_det} leaves nothing: the least is 1")
        return use


@contextmanager
def stage(name: str, seconds: dict[str, float]) -> Iterator[None]:
    """Notes in `seconds` how long the block took."""
    start = time.perf_counter()
    yield
    seconds[name] = time.perf_counter() - start
