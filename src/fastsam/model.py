"""`FastSAM`: one photo's path from pixels to `Segments`, top to bottom; batches, streams and tiles of the same."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from fastsam import tiles
from fastsam.arguments import Size, drawing, refuse, sides
from fastsam.candidates import candidates
from fastsam.errors import UsageError
from fastsam.image.letterbox import Letterbox, fit, prepare
from fastsam.image.read import Source, UnreadableImageError, read_own
from fastsam.loading import Choice, cores, device_name, load
from fastsam.masks.lazy import from_network, widen
from fastsam.masks.placed import coefficients_of, place
from fastsam.masks.port import as_the_port
from fastsam.refine.network import Refiner, shared
from fastsam.runtimes.settings import Settings
from fastsam.segments import Segments
from fastsam.sources import Item, is_several, items, refuse_endless
from fastsam.streams import ordered
from fastsam.values import flag, integer, number, show

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
        self._choice = Choice(weights, threads, providers, runtime, device_name(device), precision)
        self.network = load(self._choice)
        self.settings: Settings = self.network.settings

    def __repr__(self) -> str:
        choice, s = self._choice, self.settings
        weights = "" if choice.weights is None else repr(os.fspath(choice.weights))
        return (
            f"FastSAM({weights}): {choice.runtime} on {choice.device}, "
            f"imgsz {s.imgsz}, conf {s.conf:g}, iou {s.iou:g}, max_det {s.max_det}"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return loaded, (type(self), self._choice, self.settings)

    def __copy__(self) -> "FastSAM":
        return made(type(self), self._choice, self.network, self.settings)

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
        device: Any = None,
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
        device: where to run from now on, for calls written for the published code (see `__init__`)
        stream: an iterator of what the list would hold
        published: keywords of the published call that change nothing here are ignored: see `IGNORED`

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
        use = self.resolve(imgsz=imgsz, conf=conf, iou=iou, max_det=max_det)
        refine = drawing(refine)
        tiles.check(tiles.LEAST_TILE if tile is None else tile, overlap)
        refuse(published)
        if device is not None:
            self.to(device)
        refuse_endless(source)
        if flag(stream, "stream") or is_several(source):
            settings: dict[str, Any] = {"imgsz": imgsz, "conf": conf, "iou": iou, "max_det": max_det}
            found = self.stream(source, **settings, tile=tile, overlap=overlap, refine=refine)
            some = (segments for _, segments in found)
            return some if stream else list(some)
        return self._one(Item(source, source), use, sides(imgsz), max_det, tile, overlap, refine)

    def _one(
        self,
        item: Item,
        use: Settings,
        size: Size | None,
        max_det: int | None,
        tile: int | None,
        overlap: float,
        refine: bool | Refiner,
    ) -> Segments:
        """Everything in one photo, by settings that were checked. max_det: the one that was given"""
        seconds: dict[str, float] = {}
        with stage("read", seconds):
            pixels = opened(item)
        if tile is None:
            found = run(self.network, pixels, use, seconds, size)
        else:
            most = None if max_det is None else use.max_det
            found = tiles.segment(lambda p: run(self.network, p, use, {}, size), pixels, tile, overlap, use.iou, most)
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
        use = self.resolve(imgsz=imgsz, conf=conf, iou=iou, max_det=max_det)
        refine, at_once, size = drawing(refine), integer(at_once, "at_once", 1), sides(imgsz) or use.imgsz
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
                    found[k] = read_out(r, p.copy(), box, use, photos[k], {})
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
        use = self.resolve(imgsz=imgsz, conf=conf, iou=iou, max_det=max_det)
        refine, size = drawing(refine), sides(imgsz)
        tiles.check(tiles.LEAST_TILE if tile is None else tile, overlap)
        if unreadable is not None and not callable(unreadable):
            raise UsageError(f"unreadable must be a function of a source and an error, not {show(unreadable)}")
        every = items(sources)
        model = self.parallel()
        find = partial(model._one, use=use, size=size, max_det=max_det, tile=tile, overlap=overlap, refine=refine)

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

    def to(self, device: Any) -> "FastSAM":
        """Runs on `device` from now on. Raises UsageError if it is not there.

        Examples
        --------
        >>> model.to("cpu") is model
        True
        """
        name = device_name(device)
        if name != self._choice.device:
            choice = replace(self._choice, device=name, providers=None)
            self.network, self._choice = load(choice), choice
        return self

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
        given: dict[str, Any] = {}
        if (size := sides(imgsz)) is not None:
            given["imgsz"] = size if isinstance(size, int) else max(size)
        for name, share in (("conf", conf), ("iou", iou)):
            if share is not None:
                given[name] = number(share, name)
        if max_det is not None:
            given["max_det"] = integer(max_det, "max_det", 1)
        return replace(self.settings, **given)

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
        return loaded(type(self), self._choice.shared(calls), self.settings)


def made(kind: type[FastSAM], choice: Choice, network: Any, settings: Settings) -> FastSAM:
    """A model of a network that is loaded."""
    model = kind.__new__(kind)
    model._choice, model.network, model.settings = choice, network, settings
    return model


def loaded(kind: type[FastSAM], choice: Choice, settings: Settings) -> FastSAM:
    """A model of what another one was made of."""
    return made(kind, choice, load(choice), settings)


def opened(item: Item) -> UInt8:
    """The pixels of an item. Raises UnreadableImageError, UsageError."""
    if isinstance(item.photo, UnreadableImageError):
        raise item.photo
    return read_own(item.photo)


def run(network: Any, pixels: UInt8, use: Settings, seconds: dict[str, float], size: Size | None = None) -> Segments:
    """One photo (H, W, 3) through letterbox, network and what follows; notes in `seconds` what each took.

    size: of the input, that of `use` by default
    """
    with stage("letterbox", seconds):
        box, images = prepare(pixels, size or use.imgsz)
    with stage("network", seconds):
        raw, prototypes = network.run(images)
    with stage("candidates", seconds):
        return read_out(raw[0], prototypes[0], box, use, pixels, seconds)


def read_out(
    raw: Float, prototypes: Float, box: Letterbox, use: Settings, pixels: UInt8, seconds: dict[str, float]
) -> Segments:
    """What a network's raw output for one photo says: candidates, suppressed, with lazy masks that have pixels."""
    k = coefficients_of(len(prototypes), use.placed)
    found = candidates(raw, k, use.conf, use.iou, use.max_det, use.soft)
    if not np.isfinite(prototypes.sum()):  # a cell without a number belongs to no mask
        prototypes = np.nan_to_num(prototypes, nan=0.0, posinf=0.0, neginf=0.0)
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
