"""`Segments`: everything found in one photo, as one frozen value and a sequence of objects.

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
    """N instances of one photo, best first as they leave the network; N may be 0.

    masks: lazy masks; scores: (N,) float32, 0..1; classes: (N,) int64, indices into `names`
    seconds: what each stage took; photo: RGB uint8 (H, W, 3), None if only the masks were kept
    kept: what words saw of them, if that is known already
    threads: of the CPU for the second network; None leaves it to the runtime

    Two are equal if they have the same masks, boxes, scores and names, in the same order, on photos of the same size.
    A pickle holds the photo as well, and not what words saw.

    Nothing of it can be changed: arrays that can be written to are copied. Raises ValueError if the lengths differ.

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

    def __post_init__(self) -> None:
        fix = partial(object.__setattr__, self)
        fix("scores", fixed(self.scores, np.float32))
        fix("classes", fixed(self.classes, np.int64))
        fix("photo", None if self.photo is None else fixed(self.photo, np.uint8))
        fix("seconds", MappingProxyType(dict(self.seconds)))
        if not len(self.masks) == len(self.scores) == len(self.classes):
            raise ValueError(
                f"{len(self.masks)} masks, {len(self.scores)} scores and {len(self.classes)} classes differ"
            )
        if self.photo is not None and self.photo.shape[:2] != self.masks.size:
            raise ValueError(f"a photo of shape {self.photo.shape} does not fit masks of {self.masks.size} pixels")
        if self.kept is None or self.kept.masks is not self.masks or self.kept.photo is not self.photo:
            fix("kept", Sight(self.photo, self.masks))

    def __len__(self) -> int:
        return len(self.scores)

    @overload
    def __getitem__(self, index: int) -> Segment: ...

    @overload
    def __getitem__(self, index: slice | Sequence[int] | npt.NDArray[Any]) -> "Segments": ...

    def __getitem__(self, index: Any) -> "Segment | Segments":
        """One object by its number; segments by a slice, a bool for each of them, or a list of numbers.

        Raises IndexError for a number that does not exist, UsageError for anything else.
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
        """What a notebook shows: the picture with its masks."""
        return html_of(repr(self), thumbnail(self.masks, self.photo))

    def __reduce__(self) -> tuple[Any, ...]:
        facts = (self.masks, self.scores, self.classes, self.names, dict(self.seconds), self.photo, None, self.threads)
        return Segments, facts

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
        """Masks from anywhere, drawn by hand or found by another model, with everything that ours can do.

        photo: as `FastSAM` takes it
        masks: bool (N, H, W), a label map (H, W), or a list of (H, W) arrays, RLE, or a COCO file's annotations of the
        photo; they keep their order
        scores: (N,) 0..1; left out, those of the annotations, else 1
        categories: the COCO file's, whose names the annotations' `category_id` mean

        Raises UsageError for what is no mask of the photo, or not one score a mask.

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
            raise UsageError(f"scores {show(scores)} are no numbers") from None
        if values.shape != (len(given),):
            raise UsageError(f"{len(given)} masks have {values.size} scores: give one a mask")
        if not ((values >= 0) & (values <= 1)).all():
            raise UsageError("a score is not between 0 and 1: divide percentages by 100")
        try:
            names = {int(c["id"]): str(c["name"]) for c in listed(categories, "categories")}
        except (KeyError, IndexError, TypeError, ValueError):
            raise UsageError(f"categories {show(categories)} are not COCO's: give id and name of each") from None
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
        """One answer a prompt, in order: `prompts`, `points` (together one), each of `boxes`, `masks` and `texts`.

        points: x, y in photo pixels; labels: 1 foreground, 0 background, all 1 where left out
        boxes: x1, y1, x2, y2 in photo pixels; masks: (H, W) of the photo
        texts: words, such as "the yellow dog"; exclude: words for what no text means; need the `text` extra
        encoder: `offline`, `clip` or a folder of CLIP's towers; CLIP where it is installed, else offline
        refine: whether the second network draws the answers (see `refine/`): by default if the photo is known; False
        chooses among the masks of the first network; a `Refiner` draws with that one. Words are answered by choice.
        all: whether a text means every mask that fits; by default one per object (see `words/distinct.py`), and the
        others follow among its candidates

        Raises UsageError for a prompt that makes no sense or lies outside the photo, and for refine=True without photo.

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
        """Every mask drawn anew by the second network: exact edges, no islands, scores that know how good a mask is.

        refiner: the second network, the bundled one by default (see `fastsam.refine.network.load`)
        min_region_area: pixels of an island or a hole below which it goes; those under 2% of their mask always go

        Of masks that become the same one the better-scored stays. Raises UsageError if the photo is missing.

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
        return replace(self, masks=found.masks, scores=found.scores, classes=self.classes[found.indices], kept=None)

    def _refiner(self, refine: Any) -> Callable[[], Refiner] | None:
        """What gives the network that draws, loaded when it is called; None if nothing draws.

        Raises UsageError if it is asked for and the photo is missing, and for anything else.
        """
        if not (refine is None or isinstance(refine, Refiner) or flag(refine, "refine")):
            return None
        if self.photo is None:
            if refine is None:
                return None
            raise UsageError("refine needs the photo, which a saved result lacks: Segments.load(file, photo=...)")
        return (lambda: refine) if isinstance(refine, Refiner) else partial(shared, self.threads)

    def name(
        self, words: Sequence[str], *, encoder: str | PathLike[str] | None = None, all: bool = False
    ) -> list[str | None]:
        """The best of `words` for every mask, None if none fits. Needs the `text` extra.

        encoder: as in `select`
        all: whether every mask gets its name; by default each object gets it once: of masks of one name that lie within
        one another, parts and groups among them, only the best keeps it (see `words/distinct.py`)

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
        """The segments with the names that `name` gives them, `object` for those that no word fits.

        only: drop the segments that no word fits; encoder, all: as in `name`

        Examples
        --------
        >>> segments.named(["cup"]).names
        ('object', 'cup')
        """
        given = self.name(words, encoder=encoder, all=all)
        found = self.renamed(given, words)
        return found[np.array([name is not None for name in given], bool)] if flag(only, "only") else found

    def renamed(self, given: Sequence[str | None], words: Sequence[str]) -> "Segments":
        """The segments with these of the `words` for names, one each (N,), `object` for None.

        Examples
        --------
        >>> segments[:2].renamed(["cup", None], ["cup"]).classes.tolist()
        [1, 0]
        """
        names = ("object", *dict.fromkeys(word for word in words if word != "object"))
        kinds = [0 if name is None else names.index(name) for name in given]
        return replace(self, classes=np.array(kinds, np.int64), names=names)

    def picked(self, picks: Iterable[Pick | Candidate] | Pick | Candidate) -> "Segments":
        """The answers as segments of their own, one per match: a union or a drawn mask is one segment like any other.

        So every format, `save` and `to_records` write what was answered, and nothing else. A text names its matches.

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
                raise UsageError(f"{show(one)} is not a pick")
        names = tuple(dict.fromkeys((*self.names, *(text for _, text in rows if text is not None))))
        kinds = [names.index(self.names[self.class_of(match)] if text is None else text) for match, text in rows]
        masks = from_pixels(collect((match.runs for match, _ in rows), self.size))
        scores = np.clip(np.array([match.score for match, _ in rows], np.float32), 0, 1)  # a click's rank may exceed 1
        return replace(self, masks=masks, scores=scores, classes=np.array(kinds, np.int64), names=names, kept=None)

    def class_of(self, answer: Candidate) -> int:
        """The class of the segment that an answer is made of, or else overlaps most; 0 without any.

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
        """One mask, bool (H, W), of several answers: picks (what matches each), candidates, or indices.

        Raises UsageError for anything else.

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
                raise UsageError(f"{show(one)} is no pick, no candidate and no index below {len(self)}")
        return stage2.merge(self.size, parts)

    @property
    def sight(self) -> Sight:
        """What words see of the photo; kept, so that the next word costs less."""
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
        """The segments that fit all that is given.

        conf: score above it; iou: suppression of boxes at it; area: (least, most) pixels, None for no limit
        stability: least IoU of the mask cut at logits +1 and -1 (probability 0.73 and 0.27)
        inside: segments of which more than this share lies within a larger one go (from 256 of their pixels)

        Raises UsageError for what is no such number.

        Examples
        --------
        >>> large = segments.filter(conf=0.1, area=(2000, None))
        >>> bool(large.scores.min() > 0.1), bool(large.masks.areas.min() >= 2000)
        (True, True)
        """
        limits = {"conf": conf, "iou": iou, "area": area, "stability": stability, "inside": inside}
        return self.take(narrow(self.masks, self.scores, self.classes, **limits))

    def edges(self) -> Float:
        """The photo's edge map (H, W) float32, 0..1, one pixel wide: gradients of the masks' probabilities.

        Drawn to the photo's own edges where the photo is known: see `masks/edges.py`.

        Examples
        --------
        >>> edges = segments.edges()
        >>> edges.shape, edges.dtype.name
        ((400, 600), 'float32')
        """
        return edges(self.masks, self.scores, self.photo)

    def partition(self, *, fill: bool = False) -> Partition:
        """`labels` (H, W) int32 in which every pixel belongs to one mask at most (i + 1, or 0), and their `coverage`.

        fill: what no mask covers goes to the nearest one

        Examples
        --------
        >>> int(segments.partition(fill=True).labels.min())  # every pixel belongs to one mask
        1
        """
        return partition(self.masks, self.scores, flag(fill, "fill"))

    def hierarchy(self) -> npt.NDArray[np.int64]:
        """(N,) index of the smallest larger segment in which each lies, -1 where there is none.

        In which nine tenths of it lie, judged by 256 of its pixels, spread evenly.

        Examples
        --------
        >>> parents = segments.hierarchy()
        >>> parents.shape == (len(segments),)
        True
        """
        return relations.parents(self.masks)

    def picture(self, *, outline: bool = False, boxes: bool = False) -> UInt8:
        """The photo with every mask tinted, outlined and, if it has a name, named: RGB uint8 (H, W, 3).

        outline: lines alone, no tint; boxes: the boxes too. `segments.picked(picks).picture()` shows answers.

        Raises UsageError if the photo is missing.

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
        """Segment i alone, RGBA uint8 (h, w, 4), its edge softened. Raises UsageError if the photo is missing.

        Examples
        --------
        >>> segments.cutout(0).shape[2]  # red, green, blue and alpha
        4
        """
        own = int(positions([i], len(self), "segment")[0])
        return self[own].cutout

    def take(self, indices: slice | Sequence[int] | npt.NDArray[Any]) -> "Segments":
        """The segments at `indices`, in that order; or those of a slice, or for which a bool is true.

        Raises IndexError for a number that does not exist, UsageError for anything else.

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
        return Segments(sight.masks, scores, classes, self.names, self.seconds, self.photo, sight, self.threads)

    def to_rle(self) -> list[RLE]:
        """COCO RLE of every mask.

        Examples
        --------
        >>> segments.to_rle()[0]["size"]
        [400, 600]
        """
        return self.masks.to_rle()

    def to_polygons(self, tolerance: float = 0.0) -> list[list[Polygon]]:
        """Outlines of every mask, one per part, with its holes: valid polygons along the pixels' borders.

        tolerance: pixels by which a corner that is left out lies from its outline at most; 0 is exact

        Raises UsageError for what is no such number.

        Examples
        --------
        >>> largest = max(segments.to_polygons()[0], key=lambda polygon: len(polygon.outline))
        >>> largest.outline.shape[1], largest.outline.dtype.name
        (2, 'float32')
        """
        near = number(tolerance, "tolerance", most=None)
        return [self.masks.to_polygons(i, near) for i in range(len(self))]

    def label_map(self) -> npt.NDArray[np.int32]:
        """(H, W) int32: 0 where no mask is, i + 1 where mask i is; small masks lie on large ones.

        Examples
        --------
        >>> labels = segments.label_map()
        >>> int(labels.max()) <= len(segments)
        True
        """
        return self.masks.label_map()

    def to_records(self) -> list[dict[str, Any]]:
        """One flat dictionary a segment, for `pandas.DataFrame`: its number, class, score, box, area and RLE.

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
            }
            for i, (k, score, box, packed) in enumerate(columns)
        ]

    def to_supervision(self) -> Any:
        """The same as `supervision.Detections`, which must be installed; its masks are bool (N, H, W).

        Raises UsageError where supervision is not installed.

        Examples
        --------
        >>> detections = segments.to_supervision()
        >>> detections.xyxy.shape == (len(segments), 4)
        True
        """
        try:
            from supervision import Detections
        except ModuleNotFoundError:
            raise UsageError("this needs the supervision package: pip install supervision") from None
        return Detections(
            xyxy=self.boxes.copy(),
            mask=self.masks.stack(),
            confidence=self.scores.copy(),
            class_id=self.classes.copy(),
            data={"class_name": np.array([self.names[k] for k in self.classes], str)},
        )

    def save(self, file: str | PathLike[str]) -> None:
        """Writes what `to_npz` gives to a file, whose name is taken as it is given.

        Examples
        --------
        >>> segments.save("coffee.npz")
        >>> Segments.load("coffee.npz") == segments
        True
        """
        write(path(file), self.to_npz())

    def to_npz(self) -> bytes:
        """An npz file that `load` reads back exactly, but for `seconds` and the photo.

        Examples
        --------
        >>> Segments.from_npz(segments.to_npz()) == segments
        True
        """
        return saved.pack(self.masks, self.scores, self.classes, self.names)

    @classmethod
    def load(cls, file: str | PathLike[str], photo: "Source | None" = None) -> "Segments":
        """Reads what `save` wrote; with the `photo`, words and cut-outs work again.

        Raises UsageError for any other file, and for a photo of another size.

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
        """Reads what `to_npz` gave, as `load` reads a file. name: what errors call it; most: bytes unpacked

        Examples
        --------
        >>> Segments.from_npz(segments.to_npz(), photo).photo.shape
        (400, 600, 3)
        """
        masks, scores, classes, names = saved.unpack(data, name, most)
        pixels = None if photo is None else read_own(photo)
        if pixels is not None and pixels.shape[:2] != masks.size:
            raise UsageError(
                f"{name} is of a photo of {masks.size[1]} x {masks.size[0]} pixels, not of "
                f"{pixels.shape[1]} x {pixels.shape[0]}"
            )
        return cls(masks, scores, classes, names, photo=pixels)


def path(file: Any) -> Path:
    """A file's path. Raises UsageError for anything else."""
    if isinstance(file, (str, PathLike)):
        return Path(file)
    raise UsageError(f"a file must be named by a path, not {show(file)}")
