"""`FastSAM`: one photo's path from pixels to `Segments`, top to bottom; batches, streams and tiles of the same."""

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from fastsam import tiles
from fastsam.candidates import candidates
from fastsam.errors import UsageError
from fastsam.image.letterbox import STRIDE, Letterbox, fit, prepare
from fastsam.image.read import Source, UnreadableImageError, read_own
from fastsam.loading import Choice, cores, device_name, load
from fastsam.masks.lazy import from_network, widen
from fastsam.masks.placed import coefficients_of, place
from fastsam.masks.port import as_the_port
from fastsam.refine.network import Refiner, shared
from fastsam.runtimes.settings import Settings
from fastsam.segments import Segments
from fastsam.streams import ordered

Float = npt.NDArray[np.float32]
UInt8 = npt.NDArray[np.uint8]
LARGEST = 8192  # pixels of an input's side
MOST_WORKERS = 8  # of a stream: each holds a photo, an input and the network's intermediate results


class FastSAM:
    """Segments everything in a photo.

    >>> model = FastSAM()
    >>> segments = model("photo.jpg")

    settings: those that came with the weights; network: what runs, with `run(images)` (see `runtimes/onnx`)
    """

    def __init__(
        self,
        weights: str | os.PathLike[str] | None = None,
        *,
        threads: int | None = None,
        providers: Sequence[str] | None = None,
        runtime: str = "onnx",
        device: Any = None,
        precision: str = "float32",
    ) -> None:
        """Loads weights.

        weights: a file (.onnx, .pt, .safetensors) or a model's name; None for the bundled default
        threads: of the CPU; None leaves it to the runtime
        providers: ONNX Runtime's execution providers by name, first choice first; None means those of `device`
        runtime: `onnx`; `openvino` (needs the openvino extra); or `torch` for a checkpoint (needs the torch extra)
        device: `cpu`, `cuda`, `mps` or a torch device; None means the CPU
        precision: `float32`; with OpenVINO also `bf16`, faster where the processor has it and less exact

        Raises UsageError for weights that are none, and for a runtime, a provider or a device that is not there.
        """
        if threads is not None and threads < 1:
            raise UsageError(f"threads {threads} run nothing: the least is 1, or leave it to the runtime")
        self._choice = Choice(weights, threads, providers, runtime, device_name(device), precision)
        self.network = load(self._choice)
        self.settings: Settings = self.network.settings

    def __call__(
        self,
        source: Source,
        *,
        imgsz: int | None = None,
        conf: float | None = None,
        iou: float | None = None,
        max_det: int | None = None,
        tile: int | None = None,
        overlap: float = tiles.OVERLAP,
        refine: bool | Refiner = False,
        device: Any = None,
        retina_masks: bool = True,
    ) -> Segments:
        """Everything in one photo.

        source: a path, a PIL image, or an RGB uint8 array (H, W, 3)
        imgsz: longest side of the network's input in pixels; conf: least score, 0..1; iou: overlap of two boxes
        above which the lesser goes, 0..1; max_det: the most segments. What is left out comes with the weights.
        tile: side in photo pixels of tiles that are segmented beside the whole photo, for small objects (`tiles`): the
        weights' own max_det holds for each of them then, one that is given for all together
        overlap: share of a tile that the next one shows too, above 0 and at most 0.5
        refine: whether the second network draws every mask anew (`Segments.refine`); a `Refiner` does it with that one
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
        if tile is None:
            found = run(self.network, pixels, use, seconds)
        else:
            found = tiles.segment(lambda p: run(self.network, p, use, {}), pixels, tile, overlap, use.iou, max_det)
            found = replace(found, seconds=seconds | found.seconds)
        return self._refined(found, refine)

    def _refined(self, found: Segments, refine: bool | Refiner) -> Segments:
        """The segments, drawn anew if that is asked for; their `seconds` tell how long it took."""
        found = replace(found, threads=self._choice.threads)
        if refine is False:
            return found
        seconds: dict[str, float] = {}
        with stage("refine", seconds):
            drawn = found.refine(refiner=refine if isinstance(refine, Refiner) else self.refiner)
        return replace(drawn, seconds=found.seconds | seconds)

    @property
    def refiner(self) -> Refiner:
        """The bundled second network, with as many threads as this model has; loaded when it is first used."""
        return shared(self._choice.threads)

    def batch(
        self,
        sources: Iterable[Source],
        *,
        imgsz: int | None = None,
        conf: float | None = None,
        iou: float | None = None,
        max_det: int | None = None,
        refine: bool | Refiner = False,
        at_once: int = 8,
    ) -> list[Segments]:
        """Everything in several photos, in order: those of one input size pass the network `at_once` at a time.

        The answers are those of one by one. For a GPU, or photos that are all at hand; `stream` is faster on a CPU.

        Raises as a call does, for the first photo that cannot be read.
        """
        use = self.resolve(imgsz=imgsz, conf=conf, iou=iou, max_det=max_det)
        several(sources)
        if at_once < 1:
            raise UsageError(f"at_once {at_once} runs nothing: the least is 1")
        photos = [read_own(source) for source in sources]
        alike: dict[tuple[int, int], list[int]] = {}
        for k, photo in enumerate(photos):
            alike.setdefault(fit((photo.shape[0], photo.shape[1]), use.imgsz).input, []).append(k)
        found: dict[int, Segments] = {}
        for indices in alike.values():
            for start in range(0, len(indices), at_once):
                some = indices[start : start + at_once]
                boxes, images = zip(*(prepare(photos[k], use.imgsz) for k in some), strict=True)
                raw, prototypes = self.network.run(np.concatenate(images))
                for k, r, p, box in zip(some, raw, prototypes, boxes, strict=True):
                    found[k] = read_out(r, p.copy(), box, use, photos[k], {})
        return [self._refined(found[k], refine) for k in range(len(photos))]

    def stream(
        self,
        sources: Iterable[Source],
        *,
        imgsz: int | None = None,
        conf: float | None = None,
        iou: float | None = None,
        max_det: int | None = None,
        tile: int | None = None,
        overlap: float = tiles.OVERLAP,
        refine: bool | Refiner = False,
        unreadable: Callable[[Source, UnreadableImageError], object] | None = None,
    ) -> Iterator[tuple[Source, Segments]]:
        """Each source and everything in it, in order, as fast as the machine goes; any number of sources.

        On a CPU one photo a thread, at most 8, is under way at the same time, from file to masks by itself, so that
        reading one overlaps with the network of another. Memory holds a few photos a thread, whatever the number.
        Frames of a video: `stream(frames("clip.mp4"))` with `fastsam.image.video.frames`.

        unreadable: called for a source that cannot be read, which is then left out; None raises at its turn
        """
        self.resolve(imgsz=imgsz, conf=conf, iou=iou, max_det=max_det)
        several(sources)
        if tile is not None:
            tiles.check(tile, overlap)
        model = self.parallel()
        find = partial(
            model, imgsz=imgsz, conf=conf, iou=iou, max_det=max_det, tile=tile, overlap=overlap, refine=refine
        )

        def one(source: Source) -> tuple[Source, Segments | UnreadableImageError]:
            try:
                return source, find(source)
            except UnreadableImageError as error:
                return source, error

        def answers() -> Iterator[tuple[Source, Segments]]:
            for source, found in ordered(one, sources, self.workers):
                if isinstance(found, Segments):
                    yield source, found
                elif unreadable is None:
                    raise found
                else:
                    unreadable(source, found)

        return answers()

    def to(self, device: Any) -> "FastSAM":
        """Runs on `device` from now on. Raises UsageError where it is not there."""
        name = device_name(device)
        if name != self._choice.device:
            choice = replace(self._choice, device=name, providers=None)
            self.network, self._choice = load(choice), choice
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
        given: dict[str, Any] = {"imgsz": imgsz, "conf": conf, "iou": iou, "max_det": max_det}
        use = replace(self.settings, **{k: v for k, v in given.items() if v is not None})
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

    @property
    def workers(self) -> int:
        """Photos that a stream has under way at the same time."""
        if self._choice.device != "cpu" or self._choice.runtime == "torch":
            return 2  # the device takes one after the other: the second is being read or read out
        threads = self._choice.threads or cores()
        each = -(-threads // MOST_WORKERS)
        return -(-threads // each)

    def parallel(self, calls: int | None = None) -> "FastSAM":
        """The same model for `calls` calls at the same time (`workers` of them), which share the CPU's threads."""
        calls = self.workers if calls is None else calls
        if self._choice.device != "cpu" or self._choice.runtime == "torch" or calls == 1:
            return self
        other = copy(self)
        other._choice = self._choice.shared(calls)
        other.network = load(other._choice)
        return other


def several(sources: Any) -> None:
    """Raises UsageError for one photo where several are meant."""
    if isinstance(sources, (str, os.PathLike)):
        raise UsageError(f"{sources} is one photo: give a list, or call the model itself")


def run(network: Any, pixels: UInt8, use: Settings, seconds: dict[str, float]) -> Segments:
    """One photo (H, W, 3) through letterbox, network and what follows; notes in `seconds` what each took."""
    with stage("letterbox", seconds):
        box, images = prepare(pixels, use.imgsz)
    with stage("network", seconds):
        raw, prototypes = network.run(images)
    with stage("candidates", seconds):
        return read_out(raw[0], prototypes[0], box, use, pixels, seconds)


def read_out(
    raw: Float, prototypes: Float, box: Letterbox, use: Settings, pixels: UInt8, seconds: dict[str, float]
) -> Segments:
    """What a network's raw output for one photo says: candidates, suppressed, with lazy masks that are not empty."""
    k = coefficients_of(len(prototypes), use.placed)
    found = candidates(raw, k, use.conf, use.iou, use.max_det, use.soft)
    boxes = box.to_photo(found.boxes)
    if use.port:
        masks = as_the_port(found.coefficients, prototypes, boxes, box)
    else:
        cell = box.input[0] // prototypes.shape[1]
        coefficients, prototypes = place(found.coefficients, prototypes, found.boxes, cell, use.placed)
        masks = from_network(coefficients, prototypes, boxes, box, widen(boxes, use.margin, box.photo))
    segments = Segments(masks, found.scores, found.classes, use.names, seconds, pixels)
    return segments.take(np.flatnonzero(masks.occupied()))


@contextmanager
def stage(name: str, seconds: dict[str, float]) -> Iterator[None]:
    """Notes in `seconds` how long the block took."""
    start = time.perf_counter()
    yield
    seconds[name] = time.perf_counter() - start
