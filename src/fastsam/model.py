"""`FastSAM`: a model, called with one photo or several; batches and streams. `stage1.py` is what it does to a photo."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from fastsam import tiles
from fastsam.accepted import refuse
from fastsam.errors import UsageError
from fastsam.follow.clip import Corrections, Shot, follow
from fastsam.follow.eye import shared as shared_eye
from fastsam.image.read import Source, UnreadableImageError, read_own
from fastsam.loading import Choice, device_name, load
from fastsam.machine import cores
from fastsam.overrides import Overrides, Size
from fastsam.prompts import Pick, Prompt
from fastsam.refine.network import Refiner, shared
from fastsam.runtimes.network import Network
from fastsam.runtimes.settings import Settings
from fastsam.segments import Segments
from fastsam.sources import Frame, Item, is_several, items, refuse_endless
from fastsam.stage1 import run, run_together, stage, timed
from fastsam.streams import ordered
from fastsam.tiles import Tiling
from fastsam.values import flag, integer, show
from fastsam.video.read import read
from fastsam.video.track import tracked

__all__ = ["FastSAM", "stage", "timed"]
UInt8 = npt.NDArray[np.uint8]
MOST_WORKERS = 8  # per stream: each holds a photo, an input and the network's intermediate results


class FastSAM:
    """Segments everything in a photo.

    A model can be pickled: the copy loads the same weights again.

    Parameters
    ----------
    weights : str or path, optional
        A file (.onnx, .pt, .safetensors) or the name of a model. Default: the bundled weights.
    threads : int, optional
        Number of CPU threads, at least 1. Default: the runtime chooses.
    providers : sequence of str, optional
        ONNX Runtime's execution providers by name, in order of preference. Default: those of `device`.
    runtime : {"onnx", "openvino", "torch"}
        "openvino" needs the openvino extra. "torch" needs the torch extra and a checkpoint (.pt, .safetensors).
    device : str or torch.device, optional
        "cpu", "cuda", "cuda:1", "mps" or a torch device. Default: the CPU.
    precision : {"float32", "bf16"}
        "bf16" needs OpenVINO. It is faster on processors that support it, and less exact.

    Attributes
    ----------
    settings : Settings
        The settings stored with the weights.
    network : Network
        The loaded network: an object with `run(images)` (see `runtimes/network.py`).

    Raises
    ------
    UsageError
        If the weights are invalid, or the runtime, the provider or the device is not available.

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
        """Loads the weights. See the class for the parameters."""
        choice = Choice(weights, threads, providers, runtime, device_name(device), precision)
        self._choice, self.network = choice, load(choice)
        self.settings = self.network.settings

    @classmethod
    def _of(cls, choice: Choice, settings: Settings, network: Network | None = None) -> "FastSAM":
        """Makes a model from another model's choice and settings.

        network: the other model's network; None loads the weights again
        """
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
        """Shares the network, which never changes."""
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
        """Finds every object in one photo or in several.

        The default of a setting is the value stored with the weights.

        Parameters
        ----------
        source : str, path, PIL image, array or several
            One photo: a path, a PIL image, or a uint8 RGB array (H, W, 3). Several photos: a list of these, an array
            (N, H, W, 3), a folder, a pattern such as "photos/*.jpg", or a video.
        imgsz : int or (int, int), optional
            Longest side of the network's input in pixels, or the (height, width) that the input must fit into.
        conf : float, optional
            Minimum score, 0..1.
        iou : float, optional
            Drop the lower-scored of two masks whose boxes overlap by more than this IoU, 0..1.
        max_det : int, optional
            Maximum number of masks per photo. With `tile`, a value given here limits the whole photo; the value stored
            with the weights limits each tile.
        tile : int, optional
            Also segments the photo in tiles of this side in photo pixels, to find small objects. Default: no tiles.
        overlap : float
            Share of each tile that its neighbour shows too, above 0 and at most 0.5.
        refine : bool or Refiner
            True redraws every mask with the second network (see `Segments.refine`). A `Refiner` redraws with that one.
        stream : bool
            True returns an iterator, which holds a few photos at a time instead of all.
        **published
            Keywords of the published FastSAM call that change nothing here are accepted and ignored (`accepted.py`).

        Returns
        -------
        Segments, list of Segments or iterator of Segments
            One `Segments` for one photo; a list for several; an iterator if `stream` is True.

        Raises
        ------
        UnreadableImageError
            If a file is missing, damaged or not an image.
        UsageError
            If a setting is invalid.

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
        """Segments one photo. The arguments are checked already."""
        seconds: dict[str, float] = {}
        with stage("read", seconds):
            pixels = opened(item)
        use = overrides.over(self.settings)
        find = partial(run, self.network, use=use, size=overrides.size(self.settings))
        found = tiles.segment(find, pixels, tiling, use.iou, overrides.max_det)
        return self._refined(timed(found, seconds), refine)

    def _refined(self, found: Segments, refine: bool | Refiner) -> Segments:
        """Redraws the masks if `refine` asks for it, and adds the time taken to `seconds`."""
        found = replace(found, threads=self._choice.threads)
        if refine is False:
            return found
        seconds: dict[str, float] = {}
        with stage("refine", seconds):
            drawn = found.refine(refiner=refine if isinstance(refine, Refiner) else self.refiner)
        return timed(drawn, seconds)

    @property
    def refiner(self) -> Refiner:
        """The bundled second network, with this model's number of threads. It is loaded on first use."""
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
        """Finds every object in several photos, in batches of photos with the same input size.

        The results equal those of one call per photo. Use `batch` on a GPU; `stream` is faster on a CPU.

        Parameters
        ----------
        sources : list, folder, pattern or video
            Photos, as in `stream`. Cameras and network addresses are not accepted, because they may never end.
        imgsz, conf, iou, max_det, refine
            As in `FastSAM.__call__`.
        at_once : int
            Maximum number of photos per run of the network.

        Returns
        -------
        list of Segments
            One per photo, in order.

        Raises
        ------
        UnreadableImageError
            For the first photo that cannot be read.
        UsageError
            If a setting is invalid.

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
        found = run_together(self.network, photos, use, size, at_once)
        return [self._refined(one, refine) for one in found]

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
        """Finds every object in any number of photos, as fast as the machine allows.

        On a CPU up to 8 photos are processed at the same time, one per thread, so that one photo is read while the
        network runs on another. Memory holds a few photos per thread, however many sources there are.

        Parameters
        ----------
        sources : iterable, str, path or int
            An iterable of photos and paths; a folder or a pattern, for its photos and videos; a video file; the number
            of a camera; or the address of a video (rtsp, http).
        imgsz, conf, iou, max_det, tile, overlap, refine
            As in `FastSAM.__call__`.
        unreadable : callable, optional
            Called with (source, error) for each source that cannot be read; the stream then continues without it.
            Default: the error is raised when the turn of that source comes.

        Yields
        ------
        source
            The source as it was given, the path of a photo in a folder, or a `Frame(origin, number)`.
        segments : Segments
            Everything found in it.

        Raises
        ------
        UnreadableImageError
            If a source cannot be read and `unreadable` is None.
        UsageError
            If a setting is invalid.

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

    def track(
        self,
        source: Any,
        *,
        imgsz: Size | None = None,
        conf: float | None = None,
        iou: float | None = None,
        max_det: int | None = None,
        refine: bool | Refiner = False,
        every: int = 1,
        first: int = 0,
        last: int | None = None,
    ) -> Iterator[tuple[Frame, Segments]]:
        """Finds every object in a video, and keeps one id per object.

        An object that is hidden for up to 30 frames gets its id back. What appears in one frame alone is left out.
        Memory holds a few frames per thread, however long the video is.

        Parameters
        ----------
        source : str, path, int or iterable
            A video; a folder, a pattern or a list of photos; the number of a camera; the address of a video; or RGB
            arrays (H, W, 3).
        imgsz, conf, iou, max_det, refine
            As in `FastSAM.__call__`.
        every : int
            Use every n-th frame.
        first : int
            Number of the first frame, from 0.
        last : int, optional
            Number of the last frame. Default: the last one that there is.

        Yields
        ------
        frame : Frame
            Its `origin`, `number` and `seconds`.
        segments : Segments
            What was found in it; `segments.tracks` (N,) has the ids, from 1.

        Raises
        ------
        UnreadableImageError
            If the source cannot be read, or a frame when its turn comes.
        UsageError
            If a setting is invalid, or a frame has another size than the first one.

        Examples
        --------
        >>> for frame, segments in model.track([photo, photo], imgsz=320):
        ...     print(frame.number, len(segments.tracks) == len(segments), segments.tracks.min())
        0 True 1
        1 True 1
        """
        overrides, refine = Overrides(imgsz, conf, iou, max_det).checked(), drawing(refine)
        clip = read(source, every=every, first=first, last=last)
        find = partial(self.parallel()._one, overrides=overrides, tiling=Tiling(None), refine=refine)
        shots = (Item(frame, pixels) for frame, pixels in clip.frames)
        return tracked(ordered(lambda item: (item.source, find(item)), shots, self.workers))

    def follow(
        self,
        source: Any,
        prompts: Prompt | Sequence[Prompt],
        *,
        frame: int = 0,
        corrections: Corrections | None = None,
    ) -> Iterator[tuple[Shot, list[Pick]]]:
        """Follows what was picked in one frame through a video, forwards and backwards.

        Memory holds a few frames, however long the video is; of frames before the picked one it also keeps the masks.

        Parameters
        ----------
        source : str, path, int or iterable
            A video; a folder, a pattern or a list of photos; the number of a camera; the address of a video; or RGB
            arrays (H, W, 3).
        prompts : Prompt or sequence of Prompt
            One per object. A mask without points or a box is followed as it is.
        frame : int
            Number of the frame that the prompts are for, from 0. It must be 0 for a camera, an address and an iterator.
        corrections : mapping, optional
            Prompts that pick an object anew, by the number of their frame: a `Prompt` if there is one object, else a
            mapping of its index to a `Prompt`.

        Yields
        ------
        frame : Shot
            A `Frame` with its `number`, and its `pixels`, uint8 RGB (H, W, 3). Frames come in order, from the first to
            the last.
        picks : list of Pick
            One per prompt. A pick without candidates, which is False, means that the object is lost or hidden.

        Raises
        ------
        UnreadableImageError
            If the source cannot be read, or a frame when its turn comes.
        UsageError
            If a prompt is invalid, lies outside the frame, or matches nothing there; if there is no such frame; or if a
            frame has another size than the first one.

        Examples
        --------
        >>> for frame, picks in model.follow([photo, photo, photo], Prompt(points=[(365, 285)]), frame=1):
        ...     print(frame.number, picks[0].mask.shape)
        0 (400, 600)
        1 (400, 600)
        2 (400, 600)
        """
        return follow(self, source, prompts, frame, corrections or {}, shared_eye(self._choice.threads))[1]

    def on(self, device: Any) -> "FastSAM":
        """Moves the model to another device.

        Parameters
        ----------
        device : str or torch.device
            As in `FastSAM`.

        Returns
        -------
        FastSAM
            A new model with the same weights, or this one if it runs on that device already.

        Raises
        ------
        UsageError
            If the device is unknown or not available.

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
        """Returns the settings that a call with these arguments uses.

        Parameters
        ----------
        imgsz, conf, iou, max_det
            As in `FastSAM.__call__`. None means the value stored with the weights.

        Returns
        -------
        Settings
            All settings. If `imgsz` is a pair, the result holds its longer side.

        Raises
        ------
        UsageError
            If a setting is invalid.

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
        """Number of photos that a stream processes at the same time."""
        if self._choice.device != "cpu" or self._choice.runtime == "torch":
            return 2  # the device runs one photo at a time; the other is being read, or its masks are made
        threads = self._choice.threads or cores()
        each = -(-threads // MOST_WORKERS)
        return -(-threads // each)

    def parallel(self, calls: int | None = None) -> "FastSAM":
        """Returns a model for several calls at the same time, which share the CPU threads.

        Parameters
        ----------
        calls : int, optional
            Number of simultaneous calls, at least 1. Default: `workers`.

        Returns
        -------
        FastSAM
            A new model with the same weights; this one if there is nothing to share out.

        Raises
        ------
        UsageError
            If `calls` is not an integer of at least 1.

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
    """Checks `refine`: a bool, or the network that redraws the masks. Raises UsageError for anything else."""
    return refine if isinstance(refine, Refiner) else flag(refine, "refine")


def opened(item: Item) -> UInt8:
    """The pixels (H, W, 3) of an item, read-only. Raises UnreadableImageError, UsageError."""
    if isinstance(item.photo, UnreadableImageError):
        raise item.photo
    pixels = read_own(item.photo)
    pixels.flags.writeable = False
    return pixels
