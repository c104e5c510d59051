"""`Segments`: everything found in one photo, as one immutable value and a sequence of objects.

Enters: masks, scores and classes. Leaves: picks, compact forms, files.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from os import PathLike
from pathlib import Path
from types import MappingProxyType
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from fastsam import prompts as stage2
from fastsam import saved
from fastsam.errors import UsageError
from fastsam.files import write
from fastsam.image.read import Source, read_own
from fastsam.masks import annotations, relations
from fastsam.masks.edges import edges
from fastsam.masks.given import collect
from fastsam.masks.lazy import Masks, from_pixels
from fastsam.masks.partition import Partition, partition
from fastsam.masks.picture import draw as draw_picture
from fastsam.masks.polygons import Polygon
from fastsam.masks.rle import RLE, area
from fastsam.masks.runs import iou_of
from fastsam.narrow import narrow
from fastsam.prompts import Box, Candidate, Pick, Point, Prompt
from fastsam.refine.draw import draw
from fastsam.refine.everything import redraw
from fastsam.refine.network import Refiner, shared
from fastsam.segment import Segment, html_of, thumbnail
from fastsam.values import fixed, flag, is_integer, listed, number, position, positions, show
from fastsam.words import similarity
from fastsam.words.encoder import load as encoder_of
from fastsam.words.sight import Sight

Float = npt.NDArray[np.float32]
UInt8 = npt.NDArray[np.uint8]
Bool = npt.NDArray[np.bool_]
Limits = tuple[float | None, float | None]


@dataclass(frozen=True, eq=False, repr=False)
class Segments(Sequence[Segment]):
    """Everything found in one photo: N objects, best first as the network gives them. N can be 0.

    Two are equal if they have the same masks, boxes, scores and names, in the same order, on photos of the same size.
    A pickle holds the photo too, but not the cached features for words. Nothing in it can be changed: writable arrays
    are copied on construction.

    Parameters
    ----------
    masks : Masks
        The masks, decoded when they are read.
    scores : float32 array (N,)
        0..1.
    classes : int64 array (N,)
        Indices into `names`.
    names : tuple of str
        Names of the classes.
    seconds : mapping of str to float
        Time per stage, in seconds.
    photo : uint8 array (H, W, 3), optional
        The photo in RGB. None if only the masks were kept.
    kept : Sight, optional
        Cached features of these masks for words.
    threads : int, optional
        Number of CPU threads for the second network. Default: the runtime chooses.
    tracks : int64 array (N,), optional
        In a video, the id of the object that each mask shows (see `FastSAM.track`). Files do not keep it.

    Raises
    ------
    ValueError
        If the lengths differ, or the photo and the masks differ in size.

    Examples
    --------
    >>> segments[0].mask.shape, len(segments[0].box)  # one object
    ((400, 600), 4)
    >>> len(segments[:5]), len(segments[[0, 3]])  # segments again
    (5, 2)
    >>> bool(segments[segments.scores > 0.5].scores.min() > 0.5)
    True
    """

    masks: Masks
    scores: Float
    classes: npt.NDArray[np.int64]
    names: tuple[str, ...] = ("object",)
    seconds: Mapping[str, float] = field(default_factory=dict)
    photo: UInt8 | None = None
    kept: Sight | None = None
    threads: int | None = None
    tracks: npt.NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        put = partial(object.__setattr__, self)
        put("scores", fixed(self.scores, np.float32))
        put("classes", fixed(self.classes, np.int64))
        put("photo", None if self.photo is None else fixed(self.photo, np.uint8))
        put("tracks", None if self.tracks is None else fixed(self.tracks, np.int64))
        put("seconds", MappingProxyType(dict(self.seconds)))
        if not len(self.masks) == len(self.scores) == len(self.classes):
            raise ValueError(
                f"masks, scores and classes must have the same length, "
                f"not {len(self.masks)}, {len(self.scores)} and {len(self.classes)}"
            )
        if self.tracks is not None and len(self.tracks) != len(self.masks):
            raise ValueError(f"there must be one id per mask, not {len(self.tracks)} for {len(self.masks)}")
        if self.photo is not None and self.photo.shape[:2] != self.masks.size:
            raise ValueError(
                f"the photo has shape {self.photo.shape} but the masks have size {self.masks.size}: give the same photo"
            )
        if self.kept is None or self.kept.masks is not self.masks or self.kept.photo is not self.photo:
            put("kept", Sight(self.photo, self.masks))

    def __len__(self) -> int:
        return len(self.scores)

    @overload
    def __getitem__(self, index: int) -> Segment: ...

    @overload
    def __getitem__(self, index: slice | Sequence[int] | npt.NDArray[Any]) -> "Segments": ...

    def __getitem__(self, index: Any) -> "Segment | Segments":
        """Returns one `Segment` for an integer; `Segments` for a slice, one bool per object, or a list of integers.

        Raises IndexError for an index out of range, UsageError for anything else.
        """
        if is_integer(index):
            i = position(index, len(self), "segment")
            return Segment(i, float(self.scores[i]), self.names[self.classes[i]], self.masks, self.photo)
        return self.take(index)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Segments):
            return NotImplemented
        return self is other or (self._key() == other._key() and self.to_rle() == other.to_rle())

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[object, ...]:
        named = tuple(self.names[k] for k in self.classes)
        return self.size, named, self.scores.tobytes(), self.boxes.tobytes()

    def __repr__(self) -> str:
        height, width = self.size
        best = f", scores {self.scores.max():.2f} to {self.scores.min():.2f}" if len(self) else ""
        return f"Segments({len(self)} of a photo of {width} x {height} pixels{best})"

    def _repr_html_(self) -> str:
        """The picture with its masks, as a notebook shows it."""
        return html_of(repr(self), thumbnail(self.masks, self.photo))

    def __reduce__(self) -> tuple[Any, ...]:
        facts = (self.masks, self.scores, self.classes, self.names, dict(self.seconds), self.photo, None, self.threads)
        return Segments, (*facts, self.tracks)

    @property
    def boxes(self) -> Float:
        """(N, 4) float32 xyxy in photo pixels."""
        return self.masks.boxes

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the photo."""
        return self.masks.size

    @classmethod
    def from_masks(
        cls,
        photo: Source,
        masks: Any,
        scores: Sequence[float] | None = None,
        *,
        categories: Sequence[dict[str, Any]] = (),
    ) -> "Segments":
        """Makes `Segments` from masks that were drawn by hand or found by another model.

        Parameters
        ----------
        photo : path, PIL image or array
            As in `FastSAM.__call__`.
        masks : array or list
            A bool array (N, H, W); an integer label map (H, W), where 0 means no mask; or a list of arrays (H, W), COCO
            RLE dictionaries or COCO annotations. They keep their order.
        scores : sequence of float (N,), optional
            0..1. Default: the scores of the annotations, else 1.
        categories : sequence of dict
            The `categories` of the COCO file, which name the `category_id` of its annotations.

        Returns
        -------
        Segments
            One segment per mask.

        Raises
        ------
        UsageError
            If a mask does not fit the photo, or there is not one score per mask.
        UnreadableImageError
            If the photo cannot be read.

        Examples
        --------
        >>> left = np.zeros((400, 600), bool)
        >>> left[:, :300] = True
        >>> own = Segments.from_masks(photo, [left, ~left])
        >>> own.masks.areas.tolist()
        [120000, 120000]
        """
        pixels = read_own(np.asarray(photo) if isinstance(photo, np.ndarray) else photo)
        given, found, kinds = annotations.read(masks, (pixels.shape[0], pixels.shape[1]))
        try:
            values = np.array(found if scores is None else scores, np.float32)
        except (TypeError, ValueError):
            raise UsageError(f"scores must be numbers, not {show(scores)}") from None
        if values.shape != (len(given),):
            raise UsageError(f"{values.size} scores given for {len(given)} masks: give one score per mask")
        if not ((values >= 0) & (values <= 1)).all():
            raise UsageError("scores must be between 0 and 1: divide percentages by 100")
        try:
            names = {int(c["id"]): str(c["name"]) for c in listed(categories, "categories")}
        except (KeyError, IndexError, TypeError, ValueError):
            raise UsageError(f"each category must have an id and a name, as in COCO, not {show(categories)}") from None
        order = {number: k for k, number in enumerate(names)}
        classes = np.array([order.get(kind, 0) for kind in kinds], np.int64)
        return cls(from_pixels(given), values, classes, tuple(names.values()) or ("object",), photo=pixels)

    def select(
        self,
        prompts: Sequence[Prompt] | Prompt = (),
        *,
        points: Sequence[Point] | npt.NDArray[Any] | None = None,
        labels: Sequence[int] | None = None,
        boxes: Sequence[Box] | npt.NDArray[Any] = (),
        masks: Sequence[npt.NDArray[Any]] = (),
        texts: Sequence[str] = (),
        exclude: Sequence[str] = (),
        encoder: str | PathLike[str] | None = None,
        refine: bool | Refiner | None = None,
        all: bool = False,
    ) -> list[Pick]:
        """Answers prompts: points, boxes, masks and words.

        Parameters
        ----------
        prompts : Prompt or sequence of Prompt
            Each may combine points, a box, a mask and a text.
        points : sequence of (x, y), optional
            Points in photo pixels. All of them together are one prompt.
        labels : sequence of int, optional
            One per point: 1 for foreground, 0 for background. Default: all 1.
        boxes : sequence of (x1, y1, x2, y2)
            Boxes in photo pixels. Each is a prompt.
        masks : sequence of arrays (H, W)
            Rough masks of the photo's size. Each is a prompt.
        texts : sequence of str
            Words, such as "the yellow dog". Each is a prompt. They need the `text` extra.
        exclude : sequence of str
            Words for things that must not match any of `texts`.
        encoder : {"offline", "clip"} or path, optional
            How words are compared with masks; a path is a folder with the two networks of CLIP. Default: "clip" if it
            is installed, else "offline".
        refine : bool or Refiner, optional
            True redraws the answers with the second network; False chooses among the masks of the first. A `Refiner`
            redraws with that one. Default: True if the photo is known. Answers to words are never redrawn.
        all : bool
            True lets a text mean every mask that fits. By default it means one mask per object (see
            `words/distinct.py`); the others follow in `Pick.candidates`.

        Returns
        -------
        list of Pick
            One per prompt: first `prompts`, then `points`, `boxes`, `masks` and `texts`.

        Raises
        ------
        UsageError
            If a prompt is invalid or lies outside the photo, or if `refine` is True and there is no photo.

        Examples
        --------
        >>> spoon, corner = segments.select(boxes=[(320, 220, 410, 330), (0, 0, 150, 100)])
        >>> spoon.mask.shape, spoon.how
        ((400, 600), 'drawn')
        >>> clicked, = segments.select(points=[(365, 285), (300, 100)], labels=[1, 0])  # here, and not there
        >>> bool(clicked.mask[285, 365]), bool(clicked.mask[100, 300])
        (True, False)
        >>> better, = segments.select(Prompt(points=[(365, 285)], mask=clicked.mask))  # goes on from an answer
        >>> better.quality > 0.5
        True
        """
        wanted = stage2.asked(prompts, points, labels, boxes, masks, texts, exclude)
        refiner = self._refiner(refine)
        picks = stage2.select(self.masks, self.scores, wanted, self.sight, encoder, flag(all, "all"))
        if refiner is None or self.photo is None or not any(pick.prompt.text is None for pick in picks):
            return picks
        return draw(self.photo, picks, refiner())

    def refine(self, *, refiner: Refiner | None = None, min_region_area: float = 0.0) -> "Segments":
        """Redraws every mask with the second network: exact edges, no islands, scores that reflect mask quality.

        If two masks become the same, the lower-scored one is dropped.

        Parameters
        ----------
        refiner : Refiner, optional
            The second network, from `fastsam.refine.network.load`. Default: the bundled one.
        min_region_area : float
            Islands and holes with fewer photo pixels are removed. Those below 2% of their mask are always removed.

        Returns
        -------
        Segments
            The redrawn masks, best first.

        Raises
        ------
        UsageError
            If the photo is missing, or `min_region_area` is negative.

        Examples
        --------
        >>> exact = segments[:3].refine()
        >>> len(exact) <= 3
        True
        """
        least = number(min_region_area, "min_region_area", most=None)
        network = self._refiner(True if refiner is None else refiner)
        assert self.photo is not None
        assert network is not None
        found = redraw(self.photo, self.masks, self.scores, network(), least)
        tracks = None if self.tracks is None else self.tracks[found.indices]
        classes = self.classes[found.indices]
        return replace(self, masks=found.masks, scores=found.scores, classes=classes, kept=None, tracks=tracks)

    def _refiner(self, refine: Any) -> Callable[[], Refiner] | None:
        """Returns a function that loads the second network, or None if masks are not redrawn.

        Raises UsageError if redrawing is asked for without a photo, and for invalid values.
        """
        if not (refine is None or isinstance(refine, Refiner) or flag(refine, "refine")):
            return None
        if self.photo is None:
            if refine is None:
                return None
            raise UsageError("refine needs the photo, and this result has none: Segments.load(file, photo=...)")
        return (lambda: refine) if isinstance(refine, Refiner) else partial(shared, self.threads)

    def name(
        self, words: Sequence[str], *, encoder: str | PathLike[str] | None = None, all: bool = False
    ) -> list[str | None]:
        """Chooses the best of `words` for each mask. Needs the `text` extra.

        Parameters
        ----------
        words : sequence of str
            The names to choose from.
        encoder : {"offline", "clip"} or path, optional
            As in `select`.
        all : bool
            True names every mask. By default each object is named once: if masks of the same name lie within one
            another (parts, groups), only the best keeps the name (see `words/distinct.py`).

        Returns
        -------
        list of str or None
            One per mask; None if no word fits.

        Raises
        ------
        UsageError
            If a word is empty, or the photo or the encoder is missing.

        Examples
        --------
        >>> segments.name(["cup", "spoon"])[:2]
        ['cup', 'spoon']
        """
        texts = stage2.checked_texts(words, "words")
        return similarity.name(self.sight, self.scores, texts, encoder_of(encoder), flag(all, "all"))

    def named(
        self,
        words: Sequence[str],
        *,
        encoder: str | PathLike[str] | None = None,
        all: bool = False,
        only: bool = False,
    ) -> "Segments":
        """Gives the segments the names that `name` chooses; "object" if no word fits.

        Parameters
        ----------
        words : sequence of str
            The names to choose from.
        encoder, all
            As in `name`.
        only : bool
            True drops the segments that no word fits.

        Returns
        -------
        Segments
            The same masks with other `classes` and `names`.

        Examples
        --------
        >>> segments.named(["cup"]).names
        ('object', 'cup')
        """
        given = self.name(words, encoder=encoder, all=all)
        found = self.renamed(given, words)
        return found[np.array([name is not None for name in given], bool)] if flag(only, "only") else found

    def renamed(self, given: Sequence[str | None], words: Sequence[str]) -> "Segments":
        """Gives the segments names that were chosen elsewhere.

        Parameters
        ----------
        given : sequence of str or None
            One of `words` per segment; None makes it "object".
        words : sequence of str
            All names, which become classes in this order, after "object".

        Returns
        -------
        Segments
            The same masks with other `classes` and `names`.

        Examples
        --------
        >>> segments[:2].renamed(["cup", None], ["cup"]).classes.tolist()
        [1, 0]
        """
        names = ("object", *dict.fromkeys(word for word in words if word != "object"))
        kinds = [0 if name is None else names.index(name) for name in given]
        return replace(self, classes=np.array(kinds, np.int64), names=names)

    def picked(self, picks: Iterable[Pick | Candidate] | Pick | Candidate) -> "Segments":
        """Turns answers into segments of their own, so that `save`, `to_records` and every format write only these.

        Parameters
        ----------
        picks : Pick, Candidate or iterable of these
            Answers of `select`.

        Returns
        -------
        Segments
            One segment per match; a union or a redrawn mask is one segment. Matches of a text have the text as name.

        Raises
        ------
        UsageError
            If an entry is neither a Pick nor a Candidate.

        Examples
        --------
        >>> picks = segments.select(boxes=[(320, 220, 410, 330)])
        >>> answers = segments.picked(picks)
        >>> len(answers), answers[0].area == int(picks[0].mask.sum())
        (1, True)
        """
        found = [picks] if isinstance(picks, (Pick, Candidate)) else listed(picks, "picks")
        rows: list[tuple[Candidate, str | None]] = []
        for one in found:
            if isinstance(one, Pick):
                rows += [(match, one.prompt.text) for match in one.matches]
            elif isinstance(one, Candidate):
                rows.append((one, None))
            else:
                raise UsageError(f"picks must hold Pick or Candidate values, not {show(one)}")
        names = tuple(dict.fromkeys((*self.names, *(text for _, text in rows if text is not None))))
        kinds = [names.index(self.names[self.class_of(match)] if text is None else text) for match, text in rows]
        masks = from_pixels(collect((match.runs for match, _ in rows), self.size))
        scores = np.clip(np.array([match.score for match, _ in rows], np.float32), 0, 1)  # a click's rank may exceed 1
        classes = np.array(kinds, np.int64)
        return replace(self, masks=masks, scores=scores, classes=classes, names=names, kept=None, tracks=None)

    def class_of(self, answer: Candidate) -> int:
        """Finds the class of an answer.

        Parameters
        ----------
        answer : Candidate
            An answer of `select`.

        Returns
        -------
        int
            Index into `names`: the class of the segment that the answer is made of, else of the segment that it
            overlaps most, else 0.

        Examples
        --------
        >>> pick, = segments.select(boxes=[(320, 220, 410, 330)])
        >>> segments.names[segments.class_of(pick.candidates[0])]
        'object'
        """
        if answer.how != "drawn":
            return int(self.classes[answer.plus[0]])
        if answer.index is not None:
            return int(self.classes[answer.index])
        if len(self.names) == 1 or len(self) == 0:
            return 0
        runs = answer.runs
        overlaps = [iou_of(runs, other, self.size[0]) for other in self.masks.all_runs()]
        best = int(np.argmax(overlaps))
        return int(self.classes[best]) if overlaps[best] > 0 else 0

    def merge(self, answers: Iterable[Pick | Candidate | int] | Pick | Candidate) -> Bool:
        """Merges several answers into one mask.

        Parameters
        ----------
        answers : Pick, Candidate, int or iterable of these
            Picks (all their matches), candidates, or indices of segments.

        Returns
        -------
        bool array (H, W)
            The union of their pixels.

        Raises
        ------
        UsageError
            If an entry is of another type, or an index is out of range.

        Examples
        --------
        >>> both = segments.merge([0, 1])
        >>> int(both.sum()) >= segments[0].area
        True
        """
        parts: list[Candidate] = []
        for one in [answers] if isinstance(answers, (Pick, Candidate)) else listed(answers, "answers"):
            if isinstance(one, Pick):
                parts += one.matches
            elif isinstance(one, Candidate):
                parts.append(one)
            elif is_integer(one) and 0 <= one < len(self):
                parts.append(Candidate(self.masks, (int(one),), 1.0))
            else:
                raise UsageError(f"answers must hold picks, candidates or indices below {len(self)}, not {show(one)}")
        return stage2.merge(self.size, parts)

    @property
    def sight(self) -> Sight:
        """Features of the photo for words, cached so that the next word costs less."""
        assert self.kept is not None  # set when it was made
        return self.kept

    def filter(
        self,
        *,
        conf: float | None = None,
        iou: float | None = None,
        area: Limits | None = None,
        stability: float | None = None,
        inside: float | None = None,
    ) -> "Segments":
        """Keeps the segments within every limit that is given.

        Parameters
        ----------
        conf : float, optional
            Keep scores above this, 0..1.
        iou : float, optional
            Drop the lower-scored of two masks whose boxes overlap by more than this IoU, 0..1.
        area : (float or None, float or None), optional
            Minimum and maximum area in photo pixels, None for no limit.
        stability : float, optional
            Minimum IoU of the mask cut at logits +1 and -1 (probabilities 0.73 and 0.27), 0..1.
        inside : float, optional
            Drop a segment if more than this share of it lies within a larger one, 0..1 (judged by up to 256 pixels).

        Returns
        -------
        Segments
            The segments that stay, in order.

        Raises
        ------
        UsageError
            If a limit is not a number in its range.

        Examples
        --------
        >>> large = segments.filter(conf=0.1, area=(2000, None))
        >>> bool(large.scores.min() > 0.1), bool(large.masks.areas.min() >= 2000)
        (True, True)
        """
        limits = {"conf": conf, "iou": iou, "area": area, "stability": stability, "inside": inside}
        return self.take(narrow(self.masks, self.scores, self.classes, **limits))

    def edges(self) -> Float:
        """Computes an edge map from the gradients of the masks' probabilities.

        If the photo is known, the lines follow its own edges: see `masks/edges.py`.

        Returns
        -------
        float32 array (H, W)
            Strength of the edge at each pixel, 0..1. Lines are one pixel wide.

        Examples
        --------
        >>> edges = segments.edges()
        >>> edges.shape, edges.dtype.name
        ((400, 600), 'float32')
        """
        return edges(self.masks, self.scores, self.photo)

    def partition(self, *, fill: bool = False) -> Partition:
        """Divides the photo among its masks, so that each pixel belongs to one mask or to none.

        Parameters
        ----------
        fill : bool
            True assigns uncovered pixels to the nearest mask.

        Returns
        -------
        Partition
            `labels`, int32 (H, W): i + 1 for mask i, 0 for no mask; and `coverage`, the share of the photo under masks
            before filling, 0..1.

        Raises
        ------
        UsageError
            If `fill` is not a bool.

        Examples
        --------
        >>> int(segments.partition(fill=True).labels.min())  # every pixel belongs to one mask
        1
        """
        return partition(self.masks, self.scores, flag(fill, "fill"))

    def hierarchy(self) -> npt.NDArray[np.int64]:
        """Finds the parent of each segment: the smallest larger segment that contains at least 0.9 of it.

        Returns
        -------
        int64 array (N,)
            Index of the parent, -1 for no parent. Judged by up to 256 evenly spread pixels per segment.

        Examples
        --------
        >>> parents = segments.hierarchy()
        >>> parents.shape == (len(segments),)
        True
        """
        return relations.parents(self.masks)

    def picture(self, *, outline: bool = False, boxes: bool = False) -> UInt8:
        """Draws every mask on the photo, with its name if it has one. `segments.picked(picks).picture()` shows answers.

        Parameters
        ----------
        outline : bool
            True draws outlines only.
        boxes : bool
            True draws boxes too.

        Returns
        -------
        uint8 array (H, W, 3)
            RGB.

        Raises
        ------
        UsageError
            If the photo is missing.

        Examples
        --------
        >>> segments.picture().shape
        (400, 600, 3)
        """
        if self.photo is None:
            raise UsageError("a picture needs the photo, which a saved result lacks: Segments.load(file, photo=...)")
        lines, frames = flag(outline, "outline"), flag(boxes, "boxes")
        return draw_picture(self.photo, self.masks, self.captions, outline=lines, boxes=frames)

    @property
    def captions(self) -> list[str]:
        """(N,) what a picture calls each: its name, nothing if that is `object`."""
        return ["" if self.names[k] == "object" else self.names[k] for k in self.classes]

    def cutout(self, i: int) -> UInt8:
        """Cuts segment i out of the photo.

        Parameters
        ----------
        i : int
            Index of the segment.

        Returns
        -------
        uint8 array (h, w, 4)
            RGBA pixels around the segment. Alpha is 0 outside the mask, with a softened edge.

        Raises
        ------
        UsageError
            If the photo is missing.
        IndexError
            If the index is out of range.

        Examples
        --------
        >>> segments.cutout(0).shape[2]  # red, green, blue and alpha
        4
        """
        own = int(positions([i], len(self), "segment")[0])
        return self[own].cutout

    def take(self, indices: slice | Sequence[int] | npt.NDArray[Any]) -> "Segments":
        """Returns some of the segments.

        Parameters
        ----------
        indices : slice, sequence of int, or bool array (N,)
            Which segments, in which order.

        Returns
        -------
        Segments
            The segments at `indices`.

        Raises
        ------
        IndexError
            If an index is out of range.
        UsageError
            If `indices` is anything else.

        Examples
        --------
        >>> segments.take([2, 0]).scores.tolist() == segments.scores[[2, 0]].tolist()
        True
        >>> segments.take(segments.scores > 0.3) == segments[segments.scores > 0.3]
        True
        """
        chosen = positions(indices, len(self), "segment")
        sight = self.sight.take(chosen)
        scores, classes = self.scores[chosen], self.classes[chosen]
        tracks = None if self.tracks is None else self.tracks[chosen]
        return Segments(sight.masks, scores, classes, self.names, self.seconds, self.photo, sight, self.threads, tracks)

    def to_rle(self) -> list[RLE]:
        """Returns COCO RLE.

        Returns
        -------
        list of dict
            One {"size": [H, W], "counts": str} per mask.

        Examples
        --------
        >>> segments.to_rle()[0]["size"]
        [400, 600]
        """
        return self.masks.to_rle()

    def to_polygons(self, tolerance: float = 0.0) -> list[list[Polygon]]:
        """Returns outlines: valid polygons along the pixels' borders.

        Parameters
        ----------
        tolerance
            Maximum distance in pixels of a dropped corner from its outline; 0 is exact.

        Returns
        -------
        list of list of Polygon
            The outlines of each mask in photo pixels, one per part, each with its holes.

        Raises
        ------
        UsageError
            If the tolerance is negative or not a number.

        Examples
        --------
        >>> largest = max(segments.to_polygons()[0], key=lambda polygon: len(polygon.outline))
        >>> largest.outline.shape[1], largest.outline.dtype.name
        (2, 'float32')
        """
        near = number(tolerance, "tolerance", most=None)
        return [self.masks.to_polygons(i, near) for i in range(len(self))]

    def label_map(self) -> npt.NDArray[np.int32]:
        """Paints all masks into one array, small masks on top of large ones.

        Returns
        -------
        int32 array (H, W)
            i + 1 for mask i, 0 for no mask.

        Examples
        --------
        >>> labels = segments.label_map()
        >>> int(labels.max()) <= len(segments)
        True
        """
        return self.masks.label_map()

    def to_records(self) -> list[dict[str, Any]]:
        """Returns one flat dictionary per segment, for `pandas.DataFrame`.

        Returns
        -------
        list of dict
            Keys: index, class, name, score, x1, y1, x2, y2 (photo pixels), area (pixels), rle (COCO `counts`); in a
            video with ids, track.

        Examples
        --------
        >>> sorted(segments.to_records()[0])
        ['area', 'class', 'index', 'name', 'rle', 'score', 'x1', 'x2', 'y1', 'y2']
        """
        columns = zip(self.classes, self.scores, self.boxes, self.to_rle(), strict=True)
        return [
            {
                "index": i,
                "class": int(k),
                "name": self.names[k],
                "score": float(score),
                **{side: float(v) for side, v in zip(("x1", "y1", "x2", "y2"), box, strict=True)},
                "area": area(packed),
                "rle": packed["counts"],
                **({} if self.tracks is None else {"track": int(self.tracks[i])}),
            }
            for i, (k, score, box, packed) in enumerate(columns)
        ]

    def to_supervision(self) -> Any:
        """Converts to `supervision.Detections`.

        Returns
        -------
        supervision.Detections
            The same objects, with masks as a bool array (N, H, W).

        Raises
        ------
        UsageError
            If the supervision package is not installed.

        Examples
        --------
        >>> detections = segments.to_supervision()
        >>> detections.xyxy.shape == (len(segments), 4)
        True
        """
        try:
            from supervision import Detections
        except ModuleNotFoundError:
            raise UsageError("supervision is not installed: pip install supervision") from None
        return Detections(
            xyxy=self.boxes.copy(),
            mask=self.masks.stack(),
            confidence=self.scores.copy(),
            class_id=self.classes.copy(),
            tracker_id=None if self.tracks is None else self.tracks.copy(),
            data={"class_name": np.array([self.names[k] for k in self.classes], str)},
        )

    def save(self, file: str | PathLike[str]) -> None:
        """Writes the bytes of `to_npz` to a file.

        Parameters
        ----------
        file : str or path
            Used as given, whatever its suffix.

        Raises
        ------
        UsageError
            If the folder cannot be written to.

        Examples
        --------
        >>> segments.save("coffee.npz")
        >>> Segments.load("coffee.npz") == segments
        True
        """
        write(path(file), self.to_npz())

    def to_npz(self) -> bytes:
        """Packs the result into an npz file, without the photo and `seconds`.

        Returns
        -------
        bytes
            `load` and `from_npz` restore everything else exactly.

        Examples
        --------
        >>> Segments.from_npz(segments.to_npz()) == segments
        True
        """
        return saved.pack(self.masks, self.scores, self.classes, self.names)

    @classmethod
    def load(cls, file: str | PathLike[str], photo: "Source | None" = None) -> "Segments":
        """Reads a file that `save` wrote.

        Parameters
        ----------
        file : str or path
            The file.
        photo : path, PIL image or array, optional
            The photo, as in `FastSAM.__call__`. Words, cut-outs and `refine` need it.

        Returns
        -------
        Segments
            The saved result.

        Raises
        ------
        UsageError
            If `save` did not write the file, or the photo has another size.
        UnreadableImageError
            If the photo cannot be read.

        Examples
        --------
        >>> segments.save("coffee.npz")
        >>> Segments.load("coffee.npz", photo).cutout(0).shape[2]  # with the photo, cut-outs and words work
        4
        """
        where = path(file)
        try:
            data = where.read_bytes()
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise UsageError(f"{file} {saved.NOT_OURS}: {reason}") from None
        return cls.from_npz(data, photo, name=str(file))

    @classmethod
    def from_npz(
        cls, data: bytes, photo: "Source | None" = None, *, name: str = "this npz", most: int = saved.MOST
    ) -> "Segments":
        """Reads the bytes that `to_npz` made.

        Parameters
        ----------
        data : bytes
            An npz file.
        photo : path, PIL image or array, optional
            As in `load`.
        name : str
            Name of the file in errors.
        most : int
            Maximum number of bytes of the unpacked arrays.

        Returns
        -------
        Segments
            The saved result.

        Raises
        ------
        UsageError
            If `to_npz` did not make the bytes, or the photo has another size.
        UnreadableImageError
            If the photo cannot be read.

        Examples
        --------
        >>> Segments.from_npz(segments.to_npz(), photo).photo.shape
        (400, 600, 3)
        """
        masks, scores, classes, names = saved.unpack(data, name, most)
        pixels = None if photo is None else read_own(photo)
        if pixels is not None and pixels.shape[:2] != masks.size:
            raise UsageError(
                f"{name} belongs to a photo of {masks.size[1]} x {masks.size[0]} pixels, "
                f"but this photo has {pixels.shape[1]} x {pixels.shape[0]}: give the same photo"
            )
        return cls(masks, scores, classes, names, photo=pixels)


def path(file: Any) -> Path:
    """Turns a str or a path into a path. Raises UsageError for anything else."""
    if isinstance(file, (str, PathLike)):
        return Path(file)
    raise UsageError(f"file must be a path, not {show(file)}")
