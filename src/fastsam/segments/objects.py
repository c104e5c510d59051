"""`Objects`: the masks, scores and classes of one photo as an immutable value and a sequence.

Enters: arrays. Leaves: one `Segment`, or some of the objects. `Segments` adds what can be done with them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import numpy.typing as npt

from fastsam.masks.lazy import Masks
from fastsam.segments.narrow import narrow
from fastsam.segments.segment import Segment, html_of, thumbnail
from fastsam.values import fixed, is_integer, position, positions
from fastsam.words.sight import Sight

if TYPE_CHECKING:
    from typing_extensions import Self

Float32 = npt.NDArray[np.float32]
UInt8 = npt.NDArray[np.uint8]
Limits = tuple[float | None, float | None]


@dataclass(frozen=True, eq=False, repr=False)
class Objects(Sequence[Segment]):
    """N objects of one photo, best first. `Segments` says what each field is."""

    masks: Masks
    scores: Float32
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
    def __getitem__(self, index: slice | Sequence[int] | npt.NDArray[Any]) -> "Self": ...

    def __getitem__(self, index: Any) -> "Segment | Self":
        """Returns one `Segment` for an integer; `Segments` for a slice, one bool per object, or a list of integers.

        Raises IndexError for an index out of range, UsageError for anything else.
        """
        if is_integer(index):
            i = position(index, len(self), "segment")
            return Segment(i, float(self.scores[i]), self.names[self.classes[i]], self.masks, self.photo)
        return self.take(index)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Objects):
            return NotImplemented
        return self is other or (self._key() == other._key() and self.masks.to_rle() == other.masks.to_rle())

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[object, ...]:
        named = tuple(self.names[k] for k in self.classes)
        return self.size, named, self.scores.tobytes(), self.boxes.tobytes()

    def __repr__(self) -> str:
        height, width = self.size
        best = f", scores {self.scores.max():.2f} to {self.scores.min():.2f}" if len(self) else ""
        return f"{type(self).__name__}({len(self)} of a photo of {width} x {height} pixels{best})"

    def _repr_html_(self) -> str:
        """The picture with its masks, as a notebook shows it."""
        return html_of(repr(self), thumbnail(self.masks, self.photo))

    def __reduce__(self) -> tuple[Any, ...]:
        facts = (self.masks, self.scores, self.classes, self.names, dict(self.seconds), self.photo, None, self.threads)
        return type(self), (*facts, self.tracks)

    @property
    def boxes(self) -> Float32:
        """(N, 4) float32 xyxy in photo pixels."""
        return self.masks.boxes

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the photo."""
        return self.masks.size

    @property
    def sight(self) -> Sight:
        """Features of the photo for words, cached so that the next word costs less."""
        assert self.kept is not None  # set when it was made
        return self.kept

    def take(self, indices: slice | Sequence[int] | npt.NDArray[Any]) -> "Self":
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
        return replace(self, masks=sight.masks, scores=scores, classes=classes, kept=sight, tracks=tracks)

    def filter(
        self,
        *,
        conf: float | None = None,
        iou: float | None = None,
        area: Limits | None = None,
        stability: float | None = None,
        inside: float | None = None,
        level: str | None = None,
    ) -> "Self":
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
        level : str, optional
            After the other limits: "parts" keeps every mask, "things" what a person would point at (large or sure),
            "regions" the things that lie in no other thing. `masks/levels.py` has the rule.

        Returns
        -------
        Segments
            The segments that stay, in order.

        Raises
        ------
        UsageError
            If a limit is not a number in its range, or the level is unknown.

        Examples
        --------
        >>> large = segments.filter(conf=0.1, area=(2000, None))
        >>> bool(large.scores.min() > 0.1), bool(large.masks.areas.min() >= 2000)
        (True, True)
        >>> len(segments) > len(segments.filter(level="things")) > len(segments.filter(level="regions"))
        True
        """
        limits = {"conf": conf, "iou": iou, "area": area, "stability": stability, "inside": inside, "level": level}
        return self.take(narrow(self.masks, self.scores, self.classes, **limits))
