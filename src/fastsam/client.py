"""A client of `fastsam serve`, for programs that want masks and no network of their own.

Enters: photos, prompts. Leaves: what the service answers, masks as arrays. Needs nothing but the core install.

>>> client = Client("127.0.0.1:8000")
>>> photo = client.segment("photo.jpg")
>>> pick, = photo.select(points=[(300, 200)])
>>> pick.mask
"""

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import requests

from fastsam.errors import UsageError
from fastsam.formats import SEGMENTS
from fastsam.image.read import read_bytes
from fastsam.masks import rle
from fastsam.prompts import Prompt
from fastsam.segments import Segments

Bool = npt.NDArray[np.bool_]
SECONDS = 120.0


@dataclass(frozen=True, repr=False)
class Mask:
    """One mask of an answer. row: its values as the service sends them"""

    row: dict[str, Any]

    @property
    def index(self) -> int | None:
        """Its index among the segments, or that of the one it was drawn from; None if there is no single one."""
        found: int | None = self.row["index"]
        return found

    @property
    def score(self) -> float:
        """0..1."""
        return float(self.row["score"])

    @property
    def quality(self) -> float | None:
        """The IoU that a drawn answer is predicted to reach, 0..1; None for a mask that was not drawn for a prompt."""
        found: float | None = self.row.get("quality")
        return found

    @property
    def how(self) -> str:
        """`mask`, `union`, `difference` or `drawn`."""
        return str(self.row.get("how", "mask"))

    @property
    def name(self) -> str:
        """What it is called: `object` without a name."""
        return str(self.row.get("name", "object"))

    def __repr__(self) -> str:
        return f"Mask({self.name!r}, {self.how}, score {self.score:.3f}, {self.row['area']} pixels)"

    @property
    def mask(self) -> Bool:
        """Its pixels, bool (H, W) of the photo."""
        return rle.decode(self.row["segmentation"])

    @property
    def matches(self) -> list["Mask"]:
        """All masks that a text means; of other prompts itself."""
        return [Mask(row) for row in self.row.get("matches", [self.row])]


@dataclass(frozen=True, repr=False)
class KeptPhoto:
    """A photo that the service keeps. answer: what it said of it"""

    client: "Client"
    answer: dict[str, Any]

    def __repr__(self) -> str:
        height, width = self.size
        count = len(self.answer["segments"])
        return f"KeptPhoto({self.answer['name']!r}, {width} x {height} pixels, {count} segments, id={self.id!r})"

    @property
    def id(self) -> str:
        """Under which the service knows it."""
        return str(self.answer["id"])

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)."""
        return int(self.answer["height"]), int(self.answer["width"])

    @property
    def segments(self) -> list[Mask]:
        """Everything in it, best first."""
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
        """One answer a prompt, in order, None where nothing matched; as `Segments.select`.

        prompts: in the general form; a click is corrected by all points so far with the mask that answered before:
        `Prompt(points=[...], labels=[...], mask=pick.mask)`
        refine: False chooses among the segments as they are; by default the service draws the answers
        all: whether a text means every mask that fits; by default one per object

        Raises UsageError for what the service refuses.

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
        """The best of `words` for each of `segments`, None if none fits; files say them from now on.

        all: whether every mask gets its name; by default each object gets it once

        Raises UsageError for what the service refuses.
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
        """The photo's masks (those at the indices `among`) as a file of that format, as `fastsam segment --format`.

        tolerance: pixels by which outlines may be simplified; polygons: in coco, polygons instead of RLE

        Examples
        --------
        >>> client.segment(photo).file("overlay")[:4]
        b'\\x89PNG'
        """
        body: dict[str, Any] = {"format": format_, "tolerance": tolerance, "polygons": polygons}
        body |= {} if among is None else {"among": list(among)}
        return self.client.ask("POST", f"/v1/images/{self.id}/select", json=body).content

    def forget(self) -> None:
        """Has the service drop it at once.

        Examples
        --------
        >>> client.segment(photo).forget()
        """
        self.client.ask("DELETE", f"/v1/images/{self.id}")


class Client:
    """A connection to the service at `address` (`127.0.0.1:8000`, `https://host/path`), with its token if it has one.

    Raises UsageError for what is no address of HTTP.

    Examples
    --------
    >>> client = Client(address)
    >>> kept = client.segment(photo)
    >>> pick, = kept.select(boxes=[(320, 220, 410, 330)])
    >>> pick.mask.shape
    (400, 600)
    """

    def __init__(self, address: str = "http://127.0.0.1:8000", token: str | None = None) -> None:
        self.address = (address if "://" in address else f"http://{address}").rstrip("/")
        if not self.address.startswith(("http://", "https://")):
            raise UsageError(f"{address} is no address of HTTP: give one such as 127.0.0.1:8000")
        self.session = requests.Session()
        if token is not None:
            self.session.headers["Authorization"] = f"Bearer {token}"

    def __repr__(self) -> str:
        return f"Client({self.address!r})"

    def about(self) -> dict[str, Any]:
        """What the service says of itself: its version, model, thresholds, limits, and whether it understands words.

        Raises UsageError where it does not answer.
        """
        found: dict[str, Any] = self.ask("GET", "/v1/about").json()
        return found

    def segment(self, photo: str | PathLike[str] | bytes | npt.NDArray[np.uint8], **settings: Any) -> KeptPhoto:
        """Everything in a photo: a file, its bytes, or an RGB array (H, W, 3) of uint8, or uint16 to be stretched.

        settings: imgsz, conf, iou, max_det, tile, refine, as `FastSAM` takes them; stretch, as `read_image` does

        Raises UsageError for what the service refuses, and where it does not answer.

        Examples
        --------
        >>> kept = client.segment(photo)
        >>> kept.size, len(kept.segments) > 0
        ((400, 600), True)
        """
        name, data = named_bytes(photo)
        answer = self.ask("POST", "/v1/segment", files={"image": (name, data)}, data=settings)
        return KeptPhoto(self, answer.json())

    def segments(self, photo: str | PathLike[str] | bytes | npt.NDArray[np.uint8], **settings: Any) -> Segments:
        """The same as `Segments`, whose prompts are answered here: the service keeps nothing. Words need no service
        either, but the photo: `Segments.from_npz` takes it.

        Raises UsageError as `segment` does.

        Examples
        --------
        >>> bool(client.segments(photo, conf=0.1).scores.min() > 0.1)
        True
        """
        name, data = named_bytes(photo)
        answer = self.ask(
            "POST", "/v1/segment", files={"image": (name, data)}, data=settings, headers={"Accept": SEGMENTS}
        )
        return Segments.from_npz(answer.content, name=f"the answer of {self.address}")

    def ask(self, method: str, path: str, **content: Any) -> requests.Response:
        """One request. Raises UsageError with the service's own words where it refuses.

        Examples
        --------
        >>> client.ask("GET", "/readyz").status_code
        200
        """
        try:
            response = self.session.request(method, self.address + path, timeout=SECONDS, **content)
        except requests.RequestException as error:
            reason = type(error).__name__
            raise UsageError(f"{self.address} does not answer ({reason}): is fastsam serve running?") from None
        if not response.ok:
            try:
                detail = response.json()["detail"]
            except (ValueError, KeyError, TypeError):
                detail = response.reason
            raise UsageError(f"{self.address}: {detail}")
        return response


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


def named_bytes(photo: str | PathLike[str] | bytes | npt.NDArray[np.uint8]) -> tuple[str, bytes]:
    """A photo's name and its file's bytes."""
    if isinstance(photo, np.ndarray):
        if photo.ndim != 3 or photo.shape[2] != 3 or photo.dtype not in (np.uint8, np.uint16) or not photo.size:
            raise UsageError(f"an array of {photo.dtype} {photo.shape} is no photo: give RGB, uint8 (H, W, 3)")
        return "photo.png", bytes(cv2.imencode(".png", np.ascontiguousarray(photo[..., ::-1]))[1])
    return ("photo", photo) if isinstance(photo, bytes) else (Path(photo).name, read_bytes(Path(photo)))
