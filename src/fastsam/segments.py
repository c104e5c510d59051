"""`Segments`: everything found in one photo, as one frozen value.

Enters: masks, scores and classes from `model`. Leaves: picks, compact forms, files. Used by everyone.
"""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fastsam import prompts as stage2
from fastsam.candidates import suppress
from fastsam.errors import UsageError
from fastsam.files import write
from fastsam.image.read import Source, read_own
from fastsam.masks import annotations, relations, store
from fastsam.masks.cutout import cutout
from fastsam.masks.edges import edges
from fastsam.masks.lazy import Masks, from_pixels
from fastsam.masks.partition import Partition, partition
from fastsam.masks.polygons import Polygon
from fastsam.masks.rle import RLE, area
from fastsam.prompts import Box, Candidate, Pick, Point, Prompt
from fastsam.refine.draw import draw
from fastsam.refine.everything import redraw
from fastsam.refine.network import Refiner, shared
from fastsam.untrusted import npz
from fastsam.untrusted.shown import reason, shown
from fastsam.words import similarity
from fastsam.words.encoder import load as encoder_of
from fastsam.words.sight import Sight

Float = npt.NDArray[np.float32]
UInt8 = npt.NDArray[np.uint8]
Bool = npt.NDArray[np.bool_]
Limits = tuple[float | None, float | None]
FORMAT = 4
KINDS = {"format": "i8 0", "scores": "f4 1", "classes": "i8 1", "names": "U 1"}  # see `untrusted/npz`


@dataclass(frozen=True, eq=False)
class Segments:
    """N instances of one photo, best first as they leave the network; N may be 0.

    masks: lazy masks; scores: (N,) float32, 0..1; classes: (N,) int64, indices into `names`
    seconds: what each stage took; photo: RGB uint8 (H, W, 3), None where only the masks were kept
    kept: what words saw of them, if that is known already
    threads: of the CPU for the second network; None leaves it to the runtime

    Raises ValueError where the lengths differ. The arrays become read-only.
    """

    masks: Masks
    scores: Float
    classes: npt.NDArray[np.int64]
    names: tuple[str, ...] = ("object",)
    seconds: dict[str, float] = field(default_factory=dict)
    photo: UInt8 | None = None
    kept: Sight | None = field(default=None, repr=False)
    threads: int | None = None

    def __post_init__(self) -> None:
        if not len(self.masks) == len(self.scores) == len(self.classes):
            raise ValueError(
                f"{len(self.masks)} masks, {len(self.scores)} scores and {len(self.classes)} classes differ"
            )
        if self.photo is not None and self.photo.shape[:2] != self.masks.size:
            raise ValueError(f"the photo {self.photo.shape} is none of masks of {self.masks.size}")
        for array in (self.scores, self.classes, self.photo):
            if array is not None:
                array.flags.writeable = False
        if self.kept is None or self.kept.masks is not self.masks or self.kept.photo is not self.photo:
            object.__setattr__(self, "kept", Sight(self.photo, self.masks))

    def __len__(self) -> int:
        return len(self.scores)

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
        """
        pixels = read_own(photo)
        given, found, kinds = annotations.read(masks, (pixels.shape[0], pixels.shape[1]))
        try:
            values = np.array(found if scores is None else scores, np.float32)
        except (TypeError, ValueError):
            raise UsageError(f"scores {scores!r} are no numbers") from None
        if values.shape != (len(given),):
            raise UsageError(f"{len(given)} masks have {values.size} scores: give one a mask")
        if not ((values >= 0) & (values <= 1)).all():
            raise UsageError("a score is not between 0 and 1: divide percentages by 100")
        names = {int(c["id"]): str(c["name"]) for c in categories}
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
    ) -> list[Pick]:
        """One answer a prompt, in order: `prompts`, `points` (together one), each of `boxes`, `masks` and `texts`.

        points: x, y in photo pixels; labels: 1 foreground, 0 background, all 1 where left out
        boxes: x1, y1, x2, y2 in photo pixels; masks: (H, W) of the photo
        texts: words, such as "the yellow dog"; exclude: words for what no text means; need the `text` extra
        encoder: `offline`, `clip` or a folder of CLIP's towers; CLIP where it is installed, else offline
        refine: whether the second network draws the answers (see `refine/`): by default if the photo is known; False
        chooses among the masks of the first network; a `Refiner` draws with that one. Words are answered by choice.

        Raises UsageError for a prompt that makes no sense or lies outside the photo, and for refine=True without photo.
        """
        asked = [prompts] if isinstance(prompts, Prompt) else list(prompts)
        if any(not isinstance(p, Prompt) for p in asked):
            raise UsageError("prompts must be Prompt values: for coordinates say points= or boxes=")
        if labels is not None or (points is not None and len(points)):
            asked.append(Prompt(points=() if points is None else list(points), labels=labels))
        asked += [Prompt(box=box) for box in boxes]
        asked += [Prompt(mask=mask) for mask in masks]
        words = stage2.checked_texts(texts, "texts")
        if len(exclude) and not words:
            raise UsageError(f"exclude {list(exclude)} needs texts from whose answers it takes")
        asked += [Prompt(text=text, exclude=exclude) for text in words]
        picks = stage2.select(self.masks, self.scores, asked, self.sight, encoder)
        if all(pick.prompt.text is not None for pick in picks):
            return picks
        refiner = self._refiner(refine)
        return picks if refiner is None or self.photo is None else draw(self.photo, picks, refiner)

    def refine(self, *, refiner: Refiner | None = None, min_region_area: float = 0.0) -> "Segments":
        """Every mask drawn anew by the second network: exact edges, no islands, scores that know how good a mask is.

        refiner: the second network, the bundled one by default (see `fastsam.refine.network.load`)
        min_region_area: pixels of an island or a hole below which it goes; those under 2% of their mask always go

        Of masks that become the same one the better-scored stays. Raises UsageError if the photo is missing.
        """
        own = self._refiner(True if refiner is None else refiner)
        assert own is not None
        assert self.photo is not None
        found = redraw(self.photo, self.masks, self.scores, own, min_region_area)
        return replace(self, masks=found.masks, scores=found.scores, classes=self.classes[found.indices], kept=None)

    def _refiner(self, refine: bool | Refiner | None) -> Refiner | None:
        """The second network to use, None for none. Raises UsageError if it is asked for and the photo is missing."""
        if refine is False or (refine is None and self.photo is None):
            return None
        if self.photo is None:
            raise UsageError("refine needs the photo, which a saved result lacks: Segments.load(file, photo=...)")
        return refine if isinstance(refine, Refiner) else shared(self.threads)

    def name(self, words: Sequence[str], *, encoder: str | PathLike[str] | None = None) -> list[str | None]:
        """The best of `words` for every mask, None where none fits. Needs the `text` extra.

        encoder: as in `select`
        """
        return similarity.name(self.sight, stage2.checked_texts(words, "words"), encoder_of(encoder))

    def merge(self, answers: Iterable[Pick | Candidate | int] | Pick | Candidate) -> Bool:
        """One mask, bool (H, W), of several answers: picks (what matches each), candidates, or indices.

        Raises UsageError for what is none of these.
        """
        parts: list[Candidate] = []
        for one in [answers] if isinstance(answers, (Pick, Candidate)) else answers:
            if isinstance(one, Pick):
                parts += one.matches
            elif isinstance(one, Candidate):
                parts.append(one)
            elif isinstance(one, (int, np.integer)) and 0 <= one < len(self):
                parts.append(Candidate(self.masks, (int(one),), 1.0))
            else:
                raise UsageError(f"{str(one)[:60]} is no pick, no candidate and no index below {len(self)}")
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
        """
        kept = np.arange(len(self))
        if conf is not None:
            kept = kept[self.scores > number(conf, "conf")]
        if iou is not None:
            order = kept[np.argsort(-self.scores[kept], kind="stable")]
            chosen = suppress(self.boxes[order], self.classes[order], number(iou, "iou"), len(self))
            kept = np.sort(order[chosen])
        if area is not None:
            least, most = limits(area)
            areas = self.masks.areas[kept]
            kept = kept[(areas >= least) & (areas <= most)]
        if stability is not None:
            least = number(stability, "stability")
            kept = kept[relations.stability(self.masks.take(kept)) >= least]
        if inside is not None:
            masks = self.masks.take(kept)
            larger = masks.areas[None] > masks.areas[:, None]
            kept = kept[~((relations.containment(masks) > number(inside, "inside")) & larger).any(1)]
        return self.take(kept)

    def edges(self) -> Float:
        """The photo's edge map (H, W) float32, 0..1, one pixel wide: gradients of the masks' probabilities.

        Drawn to the photo's own edges where the photo is known: see `masks/edges.py`.
        """
        return edges(self.masks, self.scores, self.photo)

    def partition(self, *, fill: bool = False) -> Partition:
        """`labels` (H, W) int32 in which every pixel belongs to one mask at most (i + 1, or 0), and their `coverage`.

        fill: what no mask covers goes to the nearest one
        """
        return partition(self.masks, self.scores, fill)

    def hierarchy(self) -> npt.NDArray[np.int64]:
        """(N,) index of the smallest larger segment in which each lies, -1 where there is none.

        In which nine tenths of it lie, judged by 256 of its pixels, spread evenly.
        """
        return relations.parents(self.masks)

    def cutout(self, i: int) -> UInt8:
        """Segment i alone, RGBA uint8 (h, w, 4), its edge softened. Raises UsageError where the photo is missing."""
        if self.photo is None:
            raise UsageError("a cut-out needs the photo, which a saved result lacks: Segments.load(file, photo=...)")
        return cutout(self.photo, self.masks.crop(i))[0]

    def take(self, indices: npt.NDArray[np.int64]) -> "Segments":
        """The segments at `indices`, in that order."""
        sight = self.sight.take(indices)
        scores, classes = self.scores[indices], self.classes[indices]
        return Segments(sight.masks, scores, classes, self.names, self.seconds, self.photo, sight, self.threads)

    def to_rle(self) -> list[RLE]:
        """COCO RLE of every mask."""
        return self.masks.to_rle()

    def to_polygons(self) -> list[list[Polygon]]:
        """Outlines of every mask."""
        return [self.masks.to_polygons(i) for i in range(len(self))]

    def label_map(self) -> npt.NDArray[np.int32]:
        """(H, W) int32: 0 where no mask is, i + 1 where mask i is; small masks lie on large ones."""
        return self.masks.label_map()

    def to_records(self) -> list[dict[str, Any]]:
        """One flat dictionary a segment, for `pandas.DataFrame`: its number, class, score, box, area and RLE."""
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
        """Writes what `to_npz` gives to a file, whose name is taken as it is given."""
        write(Path(file), self.to_npz())

    def to_npz(self) -> bytes:
        """An npz file that `load` reads back exactly, but for `seconds` and the photo."""
        arrays = {
            "format": np.int64(FORMAT),
            "scores": self.scores,
            "classes": self.classes,
            "names": np.array(self.names),
            **store.to_arrays(self.masks),
        }
        out = io.BytesIO()
        np.savez_compressed(out, **arrays)  # type: ignore[arg-type]  # keywords are arrays
        return out.getvalue()

    @classmethod
    def load(cls, file: str | PathLike[str], photo: "Source | None" = None) -> "Segments":
        """Reads what `save` wrote; with the `photo`, words and cut-outs work again.

        Raises UsageError for any other file, and for a photo of another size.
        """
        try:
            data = Path(file).read_bytes()
        except OSError as error:
            raise UsageError(f"{file} is no saved Segments: {error.strerror}") from None
        return cls.from_npz(data, photo, name=str(file))

    @classmethod
    def from_npz(cls, data: bytes, photo: "Source | None" = None, *, name: str = "this npz") -> "Segments":
        """Reads what `to_npz` gave, as `load` reads a file. name: what errors call it"""
        file, pixels = name, None if photo is None else read_own(photo)
        try:
            arrays = npz.read(data, KINDS | store.KINDS, file)
            if int(arrays["format"]) != FORMAT:
                raise UsageError(f"{file} has format {arrays['format']}: this version reads format {FORMAT}")
            masks = store.from_arrays(arrays)
            if pixels is not None and pixels.shape[:2] != masks.size:
                raise UsageError(
                    f"{file} is of a photo of {masks.size[1]} x {masks.size[0]} pixels, not of "
                    f"{pixels.shape[1]} x {pixels.shape[0]}"
                )
            names, scores, classes = (arrays[name] for name in ("names", "scores", "classes"))
            if not ((scores >= 0) & (scores <= 1)).all() or not ((classes >= 0) & (classes < len(names))).all():
                raise UsageError(f"{file} holds scores or classes that no network gives")
            return cls(masks, scores, classes, tuple(shown(str(n), 1000) for n in names), photo=pixels)
        except UsageError:
            raise
        except KeyError as error:
            raise UsageError(f"{file} is no saved Segments: it lacks {error.args[0]}") from None
        except Exception as error:  # of bytes that somebody made up
            raise UsageError(f"{file} is no saved Segments: {reason(error)}") from None


def number(value: Any, name: str) -> float:
    """A share 0..1. Raises UsageError for anything else."""
    if isinstance(value, (int, float, np.number)) and 0 <= value <= 1:
        return float(value)
    raise UsageError(f"{name} {value!r} is no number between 0 and 1")


def limits(area: Any) -> tuple[float, float]:
    """The least and the most pixels of (least, most), None for no limit. Raises UsageError for anything else."""
    if (
        isinstance(area, (tuple, list))
        and len(area) == 2
        and all(isinstance(v, (int, float, type(None))) for v in area)
    ):
        return float(area[0] or 0), float("inf") if area[1] is None else float(area[1])
    raise UsageError(f"area {area!r} is not (least, most) pixels, with None for no limit: area=(500, None)")
