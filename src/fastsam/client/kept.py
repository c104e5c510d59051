"""What a service answers: photos that it keeps, and masks.

Enters: the service's JSON. Leaves: values whose masks are decoded when they are read; further questions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fastsam.masks import rle
from fastsam.prompts import Prompt

if TYPE_CHECKING:
    from fastsam.client import Client

Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True, repr=False)
class Mask:
    """One mask of an answer.

    Attributes
    ----------
    row : dict
        Its values as the service sends them.

    Examples
    --------
    >>> mask = client.segment(photo).segments[0]
    >>> mask.how, mask.mask.shape
    ('mask', (400, 600))
    """

    row: dict[str, Any]

    @property
    def index(self) -> int | None:
        """Index of the segment that it is or was drawn from; None if there is no single one."""
        found: int | None = self.row["index"]
        return found

    @property
    def score(self) -> float:
        """0..1."""
        return float(self.row["score"])

    @property
    def quality(self) -> float | None:
        """Predicted IoU with the true mask, 0..1; None for a mask that was not drawn for a prompt."""
        found: float | None = self.row.get("quality")
        return found

    @property
    def how(self) -> str:
        """How it was made: "mask", "union", "difference" or "drawn"."""
        return str(self.row.get("how", "mask"))

    @property
    def name(self) -> str:
        """Name of its class; "object" if it has no name."""
        return str(self.row.get("name", "object"))

    def __repr__(self) -> str:
        return f"Mask({self.name!r}, {self.how}, score {self.score:.3f}, {self.row['area']} pixels)"

    @property
    def mask(self) -> Bool:
        """Its pixels, bool (H, W), the size of the photo."""
        return rle.decode(self.row["segmentation"])

    @property
    def matches(self) -> list["Mask"]:
        """All masks that a text means; for another prompt the mask itself."""
        return [Mask(row) for row in self.row.get("matches", [self.row])]


@dataclass(frozen=True, repr=False)
class KeptPhoto:
    """A photo that the service keeps in memory. `Client.segment` returns it.

    Attributes
    ----------
    client : Client
        The connection that made it.
    answer : dict
        What the service said of the photo.

    Examples
    --------
    >>> kept = client.segment(photo)
    >>> kept.size, kept.segments[0].score > 0.5
    ((400, 600), True)
    """

    client: "Client"
    answer: dict[str, Any]

    def __repr__(self) -> str:
        height, width = self.size
        count = len(self.answer["segments"])
        return f"KeptPhoto({self.answer['name']!r}, {width} x {height} pixels, {count} segments, id={self.id!r})"

    @property
    def id(self) -> str:
        """The service's name for it."""
        return str(self.answer["id"])

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)."""
        return int(self.answer["height"]), int(self.answer["width"])

    @property
    def segments(self) -> list[Mask]:
        """Everything found in it, best first."""
        return [Mask(row) for row in self.answer["segments"]]

    def select(
        self,
        prompts: Sequence[Prompt] | Prompt = (),
        *,
        points: Sequence[tuple[float, float]] = (),
        labels: Sequence[int] | None = None,
        boxes: Sequence[tuple[float, float, float, float]] = (),
        masks: Sequence[Bool] = (),
        texts: Sequence[str] = (),
        exclude: Sequence[str] = (),
        refine: bool | None = None,
        all: bool = False,
    ) -> list[Mask | None]:
        """Answers prompts: points, boxes, masks and words.

        Parameters
        ----------
        prompts, points, labels, boxes, masks, texts, exclude, all
            As in `Segments.select`.
        refine : bool, optional
            True redraws the answers with the second network; False chooses among the segments. Default: the service
            decides.

        Returns
        -------
        list of Mask or None
            One per prompt, in the order of `Segments.select`; None if nothing matched.

        Raises
        ------
        UsageError
            If the service refuses a prompt or does not answer.

        Examples
        --------
        >>> pick, = client.segment(photo).select(points=[(365, 285)])
        >>> pick.mask.shape, pick.how
        ((400, 600), 'drawn')
        """
        body: dict[str, Any] = {
            "prompts": [sent(p) for p in ([prompts] if isinstance(prompts, Prompt) else prompts)],
            "points": [list(map(float, p)) for p in points],
            "boxes": [list(map(float, b)) for b in boxes],
            "masks": [rle.encode(np.asarray(m, bool)) for m in masks],
            "texts": list(texts),
            "exclude": list(exclude),
        }
        if labels is not None:
            body["labels"] = list(labels)
        if refine is not None:
            body["refine"] = refine
        if all:
            body["all"] = True
        found = self.client.ask("POST", f"/v1/images/{self.id}/select", json=body).json()
        return [None if row is None else Mask(row) for row in found["picks"]]

    def name(self, words: Sequence[str], *, all: bool = False) -> list[str | None]:
        """Chooses the best of `words` for each segment. Files that the service writes have these names from then on.

        Parameters
        ----------
        words : sequence of str
            The names to choose from.
        all : bool
            True names every mask. By default each object is named once.

        Returns
        -------
        list of str or None
            One per segment; None if no word fits.

        Raises
        ------
        UsageError
            If the service refuses the words, understands none, or does not answer.

        Examples
        --------
        >>> client.segment(photo).name(["cup", "spoon"])[:2]
        ['cup', 'spoon']
        """
        body = {"words": list(words), "all": all}
        found = self.client.ask("POST", f"/v1/images/{self.id}/name", json=body).json()
        names: list[str | None] = found["names"]
        return names

    def file(
        self,
        format_: str,
        *,
        among: Sequence[int] | None = None,
        tolerance: float | None = None,
        polygons: bool = False,
    ) -> bytes:
        """Returns the masks as a file.

        Parameters
        ----------
        format_ : str
            One of the formats of `fastsam segment --format`.
        among : sequence of int, optional
            Indices of the segments that the file has. Default: all.
        tolerance : float, optional
            Maximum distance in pixels of a dropped corner from its outline. Default: outlines are exact.
        polygons : bool
            True writes polygons instead of RLE (format "coco").

        Returns
        -------
        bytes
            The content of the file.

        Raises
        ------
        UsageError
            If the service refuses the format or an option, or does not answer.

        Examples
        --------
        >>> client.segment(photo).file("overlay")[:4]
        b'\\x89PNG'
        """
        body: dict[str, Any] = {"format": format_, "tolerance": tolerance, "polygons": polygons}
        body |= {} if among is None else {"among": list(among)}
        return self.client.ask("POST", f"/v1/images/{self.id}/select", json=body).content

    def forget(self) -> None:
        """Deletes the photo from the service.

        Raises
        ------
        UsageError
            If the service does not have it any more, or does not answer.

        Examples
        --------
        >>> client.segment(photo).forget()
        """
        self.client.ask("DELETE", f"/v1/images/{self.id}")


def sent(prompt: Prompt) -> dict[str, Any]:
    """A prompt as the service reads it."""
    said = {
        "points": prompt.points,
        "labels": prompt.labels,
        "box": prompt.box,
        "mask": None if prompt.mask is None else rle.encode(prompt.mask),
        "text": prompt.text,
        "exclude": prompt.exclude,
    }
    return {name: value for name, value in said.items() if value is not None}
