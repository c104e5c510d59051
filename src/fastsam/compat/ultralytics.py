"""`FastSAM` and `FastSAMPredictor` with the calls of Ultralytics and of the published code.

Enters: photos and prompts in one call. Leaves: `Results`, one per photo, as a list or an iterator.

Differences: each prompt has its own mask, in order (`Results.prompts` says which), drawn by the second network, unless
`refine=False` chooses among the masks of the first. Masks always have the photo's size. If nothing is found, the result
is empty instead of None. `known.py` lists every attribute.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from os import PathLike
from typing import Any

import numpy as np
import numpy.typing as npt

from fastsam.compat.answers import answer_boxes, answer_points, answer_texts, gathered, refiner_of
from fastsam.compat.arrays import without_tensors
from fastsam.compat.keywords import PROMPTS, Call, call_of
from fastsam.compat.known import Known
from fastsam.compat.results import Results
from fastsam.compat.sources import photos
from fastsam.compat.taken import nested
from fastsam.compat.written import writer
from fastsam.errors import UsageError
from fastsam.loading import device_name
from fastsam.model import FastSAM as Model
from fastsam.prompts import Candidate, checked_texts
from fastsam.refine.network import Refiner
from fastsam.segments import Segments
from fastsam.stage1 import stage, timed
from fastsam.values import flag
from fastsam.video.track import identify, nothing, with_ids

PUBLISHED = {"conf": 0.25, "iou": 0.7, "max_det": 300}  # Ultralytics' defaults, for checkpoints trained there
TRACKED = 0.1  # their least score in `track`


class FastSAM(Known):
    """The model class of Ultralytics and of the published code.

    Parameters
    ----------
    model : str, path or fastsam.FastSAM
        A checkpoint (.pt, .safetensors, .onnx), the name of a model, or a model of this library.

    Raises
    ------
    UsageError
        If the weights are invalid.

    Examples
    --------
    >>> from fastsam.compat import FastSAM
    >>> (result,) = FastSAM()(photo)
    >>> result.orig_shape, len(result.boxes) == len(result.masks)
    ((400, 600), True)
    """

    task = "segment"

    def __init__(self, model: str | PathLike[str] | Model = "fastsam-tiny") -> None:
        self.model, self.device = model if isinstance(model, Model) else Model(model), "cpu"
        self._tracks = nothing()
        self.ckpt_path = self.model_name = "FastSAM" if isinstance(model, Model) else str(model)

    @property
    def names(self) -> dict[int, str]:
        """Class names by number."""
        return dict(enumerate(self.model.settings.names))

    def __call__(self, source: Any = None, stream: bool = False, **named: Any) -> Any:
        """The same as `predict`."""
        return self.predict(source, stream, **named)

    def predict(
        self,
        source: Any = None,
        stream: bool = False,
        bboxes: Any = None,
        points: Any = None,
        labels: Any = None,
        texts: Any = None,
        **named: Any,
    ) -> Any:
        """Segments everything in photos, or the objects that prompts mean in each photo.

        Parameters
        ----------
        source : str, path, int, PIL image, array or list of these
            A path, folder, pattern or video; the number of a camera; or a BGR uint8 array as OpenCV reads it.
        stream : bool
            True returns an iterator, which segments one photo or frame at a time.
        bboxes : one or several (x1, y1, x2, y2), optional
            Boxes in photo pixels. Each is a prompt.
        points, labels : points (x, y) in photo pixels and 1 or 0 for each, optional
            All points are one prompt. Nested one level deeper, [[[x, y], ...], ...], each list is a prompt.
        texts : str or list of str, optional
            Words. Each is a prompt. They need the `text` extra.
        **named
            imgsz, conf, iou, max_det: as in `fastsam.FastSAM`. Default: stored with the weights; 0.25, 0.7 and 300, as
            in Ultralytics, for a checkpoint trained there.
            classes: numbers of the classes to keep. vid_stride: use every n-th frame of a video.
            save, save_txt, save_conf, save_crop, show, project, name, exist_ok: write pictures, labels and crops.
            refine: which masks the second network redraws. Default: answers to boxes and points; True: everything;
            False: nothing; a `Refiner`: everything, with that one. Answers to words are never redrawn. The `conf` of a
            redrawn mask is its predicted IoU, and its box fits its pixels.
            Other keywords of Ultralytics are accepted; a warning names those that would change the result there.

        Returns
        -------
        list of Results, or an iterator if `stream` is True
            One per photo or frame.

        Raises
        ------
        UsageError
            If a source, prompt or setting is invalid, or a keyword is unknown.
        """
        call = call_of(named)
        if call.device is not None:
            self.to(call.device)
        found = self._each(source, {"bboxes": bboxes, "points": points, "labels": labels, "texts": texts}, call)
        return found if stream else list(found)

    def track(self, source: Any = None, stream: bool = False, persist: bool = False, **named: Any) -> Any:
        """Segments everything in a video, and keeps one id per object: `boxes.id`. Returns a list of `Results`.

        source, stream and other keywords: as in `predict`; prompts are refused
        persist: True goes on from the call before, as a loop does that hands over frame by frame
        """
        call = call_of(named)
        asked = [word for word in PROMPTS if named.get(word) is not None]
        if asked:
            raise UsageError(f"track follows every object and takes no {asked[0]}: use predict for prompts")
        if call.device is not None:
            self.to(call.device)
        if not flag(persist, "persist"):
            self._tracks = nothing()
        found = self._each(source, dict.fromkeys(PROMPTS), call, tracked=True)
        return found if stream else list(found)

    def _each(self, source: Any, asked: dict[str, Any], call: Call, tracked: bool = False) -> Iterator[Results]:
        prompted = any(asked[kind] is not None for kind in ("bboxes", "points", "texts"))
        drawing = refiner_of(self.model, prompted if call.refine is None else call.refine) or False
        defaults = PUBLISHED if self.model.settings.port else {}
        settings = {**defaults, **({"conf": TRACKED} if tracked and defaults else {}), **call.settings}
        write = writer(call.writing)
        for pixels, path in photos(source, call.stride):
            segments = self.model(pixels, imgsz=call.imgsz, refine=False if prompted else drawing, **settings)
            if call.classes is not None:
                segments = segments.take(np.flatnonzero(np.isin(segments.classes, call.classes)))
            if tracked:
                self._tracks, ids = identify(self._tracks, segments)
                segments = with_ids(segments, ids)
            result = Results(np.ascontiguousarray(pixels[..., ::-1]), path, segments)
            yield write(answered(result, asked, drawing) if prompted else result)

    def to(self, device: Any) -> "FastSAM":
        """Runs on a device from now on. Raises UsageError if it is not available."""
        self.model, self.device = self.model.on(device), device_name(device)
        return self

    def cpu(self) -> "FastSAM":
        """Runs on the CPU from now on."""
        return self.to("cpu")

    def cuda(self, device: Any = None) -> "FastSAM":
        """Runs on CUDA from now on. Raises UsageError if it is not available."""
        return self.to("cuda" if device is None else device)

    def fuse(self) -> "FastSAM":
        """Itself: batch norms are folded when a checkpoint is read."""
        return self

    def eval(self) -> "FastSAM":
        """Itself: it is always ready to predict."""
        return self

    def half(self) -> "FastSAM":
        """Itself: it runs in the precision of its runtime."""
        return self

    def float(self) -> "FastSAM":
        """Itself: it runs in the precision of its runtime."""
        return self

    def info(self, detailed: bool = False, verbose: bool = True, imgsz: Any = None) -> str:
        """A line about the model: its name, classes and default settings; also printed if `verbose`."""
        s = self.model.settings
        names = ", ".join(s.names[:5]) + (", ..." if len(s.names) > 5 else "")
        line = (
            f"{self.model_name}: classes {names}; imgsz {s.imgsz}, conf {s.conf:g}, iou {s.iou:g}, max_det {s.max_det}"
        )
        if verbose:
            print(line)
        return line


class FastSAMPredictor(Known):
    """Ultralytics' class with two steps: first everything, then prompts about it.

    overrides: `model` (a file or a name) and any keyword of `FastSAM.predict`; cfg: the same as a dictionary;
    `overrides` wins; _callbacks: accepted for compatibility, ignored
    """

    def __init__(self, cfg: Any = None, overrides: Any = None, _callbacks: Any = None) -> None:
        given = {**(dict(cfg) if isinstance(cfg, dict) else {}), **(overrides or {})}
        self.model: FastSAM | None = None
        self._named = given.pop("model", None)
        self.args = given
        call_of(given)

    def setup_model(self, model: Any = None, verbose: bool = False) -> None:
        """Loads a model: a file, a name or a `FastSAM`; by default the one in `overrides`."""
        named = self._named if model is None else model
        if isinstance(named, FastSAM):
            self.model = named
        else:
            self.model = FastSAM() if named is None else FastSAM(named)

    def __call__(self, source: Any = None, model: Any = None, stream: bool | None = None, **named: Any) -> Any:
        """Segments everything in photos, as `FastSAM.predict`. Arguments that are None come from `overrides`."""
        if model is not None or self.model is None:
            self.setup_model(model)
        assert self.model is not None
        own = {word: value for word, value in (("source", source), ("stream", stream)) if value is not None}
        return self.model.predict(**{**self.args, **named, **own})

    def prompt(
        self, results: Any, bboxes: Any = None, points: Any = None, labels: Any = None, texts: Any = None
    ) -> Any:
        """Answers prompts about results: a list of `Results`, one per photo. See `FastSAM.predict` for the prompts."""
        asked = {"bboxes": bboxes, "points": points, "labels": labels, "texts": texts}
        call = call_of(self.args)
        several = [results] if isinstance(results, Results) else list(results)
        for one in several:
            if not isinstance(one, Results):
                raise UsageError(f"results must be what the predictor returned, not a {type(one).__name__}")
        if bboxes is None and points is None and texts is None:
            return several
        refine: bool | Refiner = True if call.refine is None else call.refine
        return [answered(one, asked, refine) for one in several]

    def set_prompts(self, prompts: dict[str, Any]) -> None:
        """Sets the prompts that the next calls answer."""
        unknown = sorted(set(prompts) - set(PROMPTS))
        if unknown:
            raise UsageError(f"unknown prompt {unknown[0]!r}: choose from {', '.join(PROMPTS)}")
        self.args = {**self.args, **prompts}


def answered(result: Results, asked: dict[str, Any], refine: bool | Refiner) -> Results:
    """The same photo with the masks that answer prompts."""
    seconds: dict[str, float] = {}
    with stage("prompts", seconds):
        segments, prompts = answers(result.segments, **asked, refine=refine)
    return replace(result, segments=timed(segments, {**result.segments.seconds, **seconds}), prompts=prompts)


def answers(
    segments: Segments, bboxes: Any, points: Any, labels: Any, texts: Any, refine: bool | Refiner
) -> tuple[Segments, npt.NDArray[np.int64]]:
    """The masks that answer, and the number of each one's prompt: boxes first, then points, then words."""
    bboxes, points, labels = (without_tensors(given) for given in (bboxes, points, labels))
    found: list[list[Candidate]] = []
    if bboxes is not None:
        found += answer_boxes(segments, nested(bboxes), refine)
    if points is not None:
        found += [answer_points(segments, group, marks, refine) for group, marks in groups(points, labels)]
    if texts is not None:
        words = [texts] if isinstance(texts, str) else texts
        found += answer_texts(segments, checked_texts(words, "texts"))
    numbers = [number for number, candidates in enumerate(found) for _ in candidates]
    return gathered(segments, [c for candidates in found for c in candidates]), np.array(numbers, np.int64)


def groups(points: Any, labels: Any) -> Iterator[tuple[list[Any], Sequence[int] | None]]:
    """The points of each prompt with their labels; nothing without points."""
    several = isinstance(points, (list, tuple, np.ndarray)) and len(points) > 0
    first = points[0] if several else None
    deep = isinstance(first, (list, tuple, np.ndarray)) and len(first) > 0 and np.ndim(first[0]) == 1
    if not deep:
        rows, marks = nested(points), None if labels is None else whole_numbers(labels)
        if rows or marks:
            yield rows, marks
        return
    if labels is not None and len(labels) != len(points):
        raise UsageError(f"{len(labels)} lists of labels given for {len(points)} lists of points: give one per list")
    for k, group in enumerate(points):
        yield nested(group), None if labels is None else whole_numbers(labels[k])


def whole_numbers(labels: Any) -> list[int]:
    """Labels as a flat list. Raises UsageError for an invalid label."""
    flat = np.ravel(np.array(labels, dtype=object))
    if any(v not in (0, 1) for v in flat):
        raise UsageError(f"labels must be 1 (foreground) or 0 (background), not {labels!r}")
    return [int(v) for v in flat]
