"""`FastSAM`: one photo's path from pixels to `Segments`, top to bottom; batches, streams and tiles of the same."""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from fastsam import tiles
from fastsam.accepted import refuse
from fastsam.candidates import candidates
from fastsam.errors import UsageError
from fastsam.image.letterbox import Letterbox, fit, prepare
from fastsam.image.read import Source, UnreadableImageError, read_own
from fastsam.loading import Choice, device_name, load
from fastsam.machine import cores
from fastsam.masks.lazy import from_network, widen
from fastsam.masks.placed import coefficients_of, place
from fastsam.masks.port import as_the_port
from fastsam.overrides import Overrides, Size
from fastsam.refine.network import Refiner, shared
from fastsam.runtimes.network import Network
from fastsam.runtimes.settings import Settings
from fastsam.segments import Segments
from fastsam.sources import Item, is_several, items, refuse_endless
from fastsam.streams import ordered
from fastsam.tiles import Tiling
from fastsam.values import flag, integer, show

Float = npt.NDArray[np.float32]
UInt8 = npt.NDArray[np.uint8]
MOST_WORKERS = 8  # of a stream: each holds a photo, an input and the network's intermediate results


class FastSAM:
    """Segments everything in a photo.

    settings: those that came with the weights; network: what runs, with `run(images)` (see `runtimes/onnx`)

    A model can be pickled: it is loaded again from what it was made of.

    Examples
    --------
    >>> model = FastSAM()
    >>> segments = model(photo)
    >>> segments
    Segments(... of a photo of 600 x 400 pixels, scores ...)
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

        Raises UsageError for invalid weights, and for a runtime, a provider or a device that is not there.
        """
        choice = Choice(weights, threads, providers, runtime, device_name(device), precision)
        self._choice, self.network = choice, load(choice)
        self.settings = self.network.settings

    @classmethod
    def _of(cls, choice: Choice, settings: Settings, network: Network | None = None) -> "FastSAM":
        """A model of what another one was made of. network: that other one's; None loads it again"""
        model = cls.__new__(cls)
        model._choice, model.network = choice, load(choice) if network is None else network
        model.settings = settings
        return model

    def __repr__(self) -> str:
        choice, s = self._choice, self.settings
        weights = "" if choice.weights is None else repr(os.fspath(choice.weights))
        return (
            f"FastSAM({weights}): {choice.runtime} on {choice.device}, "
            f"imgsz {s.imgsz}, conf {s.conf:g}, iou {s.iou:g}, max_det {s.max_det}"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self)._of, (self._choice, self.settings)

    def __copy__(self) -> "FastSAM":
        return self._of(self._choice, self.settings, self.network)

    def __deepcopy__(self, memo: dict[int, Any]) -> "FastSAM":
        """Shares the network, which nothing changes."""
        return self.__copy__()

    @overload
    def __call__(self, source: str | os.PathLike[str] | UInt8, **settings: Any) -> Segments: ...

    @overload
    def __call__(self, source: list[Any] | tuple[Any, ...] | Iterator[Any], **settings: Any) -> list[Segments]: ...

    @overload
    def __call__(self, source: object, **settings: Any) -> Segments: ...

    def __call__(
        self,
        source: Any,
        *,
        imgsz: Size | None = None,
        conf: float | None = None,
        iou: float | None = None,
        max_det: int | None = None,
        tile: int | None = None,
        overlap: float = tiles.OVERLAP,
        refine: bool | Refiner = False,
        stream: bool = False,
        **published: Any,
    ) -> Any:
        """Everything in one photo, as `Segments`; in several, as a list of them.

        source: a path, a PIL image, or an RGB uint8 array (H, W, 3); a list of these, a folder, a pattern or a video
        give a list (`stream` holds one photo at a time instead)
        imgsz: longest side of the network's input in pixels, or (height, width) within which it lies; conf: least
        score, 0..1; iou: overlap of two boxes above which the lesser goes, 0..1; max_det: the most segments. Settings
        left out default to those stored with the weights.
        tile: side in photo pixels of tiles that are segmented beside the whole photo, for small objects (`tiles`): the
        weights' own max_det holds for each of them then, one that is given for all together
        overlap: share of a tile that the next one shows too, above 0 and at most 0.5
        refine: whether the second network draws every mask anew (`Segments.refine`); a `Refiner` does it with that one
        stream: an iterator of what the list would hold
        published: keywords of the published call that change nothing here are ignored: see `accepted.py`

        Raises UnreadableImageError for a file that is no whole image, UsageError for invalid settings.

        Examples
        --------
        >>> segments = model(photo, conf=0.1)
        >>> bool(segments.scores.min() > 0.1)
        True
        >>> one, two = model([photo, photo], imgsz=320)  # several photos: a list
        >>> one == two
        True
        """
        overrides, tiling = Overrides(imgsz, conf, iou, max_det).checked(), Tiling(tile, overlap).checked()
        refine = drawing(refine)
        refuse(published, self._choice.device)
        refuse_endless(source)
        if flag(stream, "stream") or is_several(source):
            settings = {**vars(overrides), **vars(tiling)}
            some = (segments for _, segments in self.stream(source, **settings, refine=refine))
            return some if stream else list(some)
        return self._one(Item(source, source), overrides, tiling, refine)

    def _one(self, item: Item, overrides: Overrides, tiling: Tiling, refine: bool | Refiner) -> Segments:
        """Everything in one photo, by arguments that were checked."""
        seconds: dict[str, float] = {}
        with stage("read", seconds):
            pixels = opened(item)
        use = overrides.over(self.settings)
        find = partial(run, self.network, use=use, size=overrides.size(self.settings))
        found = tiles.segment(find, pixels, tiling, use.iou, overrides.max_det)
        return self._refined(timed(found, seconds), refine)

    def _refined(self, found: Segments, refine: bool | Refiner) -> Segments:
        """The segments, drawn anew if that is asked for; their `seconds` tell how long it took."""
        found = replace(found, threads=self._choice.threads)
        if refine is False:
            return found
        seconds: dict[str, float] = {}
        with stage("refine", seconds):
            drawn = found.refine(refiner=refine if isinstance(refine, Refiner) else self.refiner)
        return timed(drawn, seconds)

    @property
    def refiner(self) -> Refiner:
        """The bundled second network, with as many threads as this model has; loaded when it is first used."""
        return shared(self._choice.threads)

    def batch(
        self,
        sources: Any,
        *,
        imgsz: Size | None = None,
        conf: float | None = None,
        iou: float | None = None,
        max_det: int | None = None,
        refine: bool | Refiner = False,
        at_once: int = 8,
    ) -> list[Segments]:
        """Everything in several photos, in order: those of one input size pass the network `at_once` at a time.

        sources: as in `stream`, but nothing that may have no end

        The answers are those of one by one. For a GPU, or photos that are all at hand; `stream` is faster on a CPU.

        Raises as a call does, for the first photo that cannot be read.

        Examples
        --------
        >>> [len(found) > 0 for found in model.batch([photo, photo], imgsz=320)]
        [True, True]
        """
        overrides = Overrides(imgsz, conf, iou, max_det).checked()
        use, size = overrides.over(self.settings), overrides.size(self.settings)
        refine, at_once = drawing(refine), integer(at_once, "at_once", 1)
        refuse_endless(sources)
        photos = [opened(item) for item in items(sources)]
        alike: dict[tuple[int, int], list[int]] = {}
        for k, photo in enumerate(photos):
            alike.setdefault(fit((photo.shape[0], photo.shape[1]), size).input, []).append(k)
        found: dict[int, Segments] = {}
        for indices in alike.values():
            for start in range(0, len(indices), at_once):
                some = indices[start : start + at_once]
                boxes, images = zip(*(prepare(photos[k], size) for k in some), strict=True)
                raw, prototypes = self.network.run(np.concatenate(images))
                for k, r, p, box in zip(some, raw, prototypes, boxes, strict=True):
                    found[k] = read_out(r, p.copy(), box, use, photos[k])
        return [self._refined(found[k], refine) for k in range(len(photos))]

    def stream(
        self,
        sources: Any,
        *,
        imgsz: Size | None = None,
        conf: float | None = None,
        iou: float | None = None,
        max_det: int | None = None,
        tile: int | None = None,
        overlap: float = tiles.OVERLAP,
        refine: bool | Refiner = False,
        unreadable: Callable[[Source, UnreadableImageError], object] | None = None,
    ) -> Iterator[tuple[Any, Segments]]:
        """Each source and everything in it, in order, as fast as the machine goes; any number of sources.

        sources: a list or another iterable of photos, paths among them as here: a folder's or a pattern's photos and
        videos, a video file's frames, a camera by its number, a video's address (rtsp, http)
        Yields (source, segments). source: as it was given, the path of a folder's photo, or a `Frame(origin, number)`.

        On a CPU one photo per thread, at most 8, is under way at the same time, from file to masks by itself, so that
        reading one overlaps with the network of another. Memory holds a few photos per thread, whatever the number.

        unreadable: called for a source that cannot be read, which is then left out; None raises at its turn

        Examples
        --------
        >>> for source, segments in model.stream([photo], imgsz=320):
        ...     print(source == photo, segments.size)
        True (400, 600)
        """
        overrides, tiling = Overrides(imgsz, conf, iou, max_det).checked(), Tiling(tile, overlap).checked()
        refine = drawing(refine)
        if unreadable is not None and not callable(unreadable):
            raise UsageError(f"unreadable must be a function of a source and an error, not {show(unreadable)}")
        every = items(sources)
        model = self.parallel()
        find = partial(model._one, overrides=overrides, tiling=tiling, refine=refine)

        def one(item: Item) -> tuple[Any, Segments | UnreadableImageError]:
            try:
                return item.source, find(item)
            except UnreadableImageError as error:
                return item.source, error

        def answers() -> Iterator[tuple[Any, Segments]]:
            for source, found in ordered(one, every, self.workers):
                if isinstance(found, Segments):
                    yield source, found
                elif unreadable is None:
                    raise found
                else:
                    unreadable(source, found)

        return answers()

    def on(self, device: Any) -> "FastSAM":
        """The same model on another device, or itself if it runs there. Raises UsageError for one that is missing.

        Examples
        --------
        >>> model.on("cpu") is model
        True
        """
        name = device_name(device)
        if name == self._choice.device:
            return self
        return self._of(replace(self._choice, device=name, providers=None), self.settings)

    def resolve(
        self,
        *,
        imgsz: Size | None = None,
        conf: float | None = None,
        iou: float | None = None,
        max_det: int | None = None,
    ) -> Settings:
        """The settings a call with these arguments uses: those that came with the weights for each that is None.

        imgsz of a pair is its longer side. Raises UsageError for invalid settings.

        Examples
        --------
        >>> model.resolve(conf=0.3).conf
        0.3
        >>> model.resolve().imgsz  # what came with the weights
        640
        """
        return Overrides(imgsz, conf, iou, max_det).over(self.settings)

    @property
    def workers(self) -> int:
        """Photos that a stream has under way at the same time."""
        if self._choice.device != "cpu" or self._choice.runtime == "torch":
            return 2  # the device takes one after the other: the second is being read or read out
        threads = self._choice.threads or cores()
        each = -(-threads // MOST_WORKERS)
        return -(-threads // each)

    def parallel(self, calls: int | None = None) -> "FastSAM":
        """The same model for `calls` calls at the same time (`workers` of them), which share the CPU's threads.

        Examples
        --------
        >>> several = model.parallel(2)  # for two calls at the same time
        >>> len(several(photo)) == len(model(photo))
        True
        """
        calls = self.workers if calls is None else integer(calls, "calls", 1)
        if self._choice.device != "cpu" or self._choice.runtime == "torch" or calls == 1:
            return self
        return self._of(self._choice.shared(calls), self.settings)


def drawing(refine: Any) -> bool | Refiner:
    """Whether masks are drawn anew, and by which network. Raises UsageError for anything else."""
    return refine if isinstance(refine, Refiner) else flag(refine, "refine")


def opened(item: Item) -> UInt8:
    """The pixels of an item, read-only. Raises UnreadableImageError, UsageError."""
    if isinstance(item.photo, UnreadableImageError):
        raise item.photo
    pixels = read_own(item.photo)
    pixels.flags.writeable = False
    return pixels


def run(network: Network, pixels: UInt8, use: Settings, size: Size) -> Segments:
    """One photo (H, W, 3) through letterbox, network and what follows. size: of the input, as in `Overrides`"""
    seconds: dict[str, float] = {}
    with stage("letterbox", seconds):
        box, images = prepare(pixels, size)
    with stage("network", seconds):
        raw, prototypes = network.run(images)
    with stage("candidates", seconds):
        found = read_out(raw[0], prototypes[0], box, use, pixels)
    return timed(found, seconds)


def read_out(raw: Float, prototypes: Float, box: Letterbox, use: Settings, pixels: UInt8) -> Segments:
    """What a network's raw output for one photo says: candidates, suppressed, with lazy masks that have pixels."""
    k = coefficients_of(len(prototypes), use.placed)
    found = candidates(raw, k, use.conf, use.iou, use.max_det, use.soft)
    if not np.isfinite(prototypes.sum()):  # a cell without a number belongs to no mask
        prototypes = np.nan_to_num(prototypes, nan=0.0, posinf=0.0, neginf=0.0)
    prototypes.flags.writeable = False  # the masks keep them
    boxes = box.to_photo(found.boxes)
    if use.port:
        masks = as_the_port(found.coefficients, prototypes, boxes, box)
    else:
        cell = box.input[0] // prototypes.shape[1]
        coefficients, prototypes = place(found.coefficients, prototypes, found.boxes, cell, use.placed)
        masks = from_network(coefficients, prototypes, boxes, box, widen(boxes, use.margin, box.photo))
    segments = Segments(masks, found.scores, found.classes, use.names, photo=pixels)
    return segments.take(np.flatnonzero(masks.occupied()))


@contextmanager
def stage(name: str, seconds: dict[str, float]) -> Iterator[None]:
    """Notes in `seconds` how long the block took."""
    start = time.perf_counter()
    yield
    seconds[name] = time.perf_counter() - start


def timed(segments: Segments, seconds: Mapping[str, float]) -> Segments:
    """The segments, which tell as well how long these further stages took."""
    return replace(segments, seconds={**segments.seconds, **seconds})
