"""A client of `fastsam serve`, for programs that need masks but no network of their own.

Enters: photos, prompts. Leaves: what the service answers, masks as arrays. The core install is enough.

>>> client = Client("127.0.0.1:8000")
>>> photo = client.segment("photo.jpg")
>>> pick, = photo.select(points=[(300, 200)])
>>> pick.mask
"""

from os import PathLike
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import requests

from fastsam.client.kept import KeptPhoto, Mask
from fastsam.errors import UsageError
from fastsam.formats import SEGMENTS
from fastsam.image.read import read_bytes
from fastsam.segments import Segments

__all__ = ["Client", "KeptPhoto", "Mask"]
SECONDS = 120.0  # until a request counts as unanswered


class Client:
    """A connection to a service.

    Parameters
    ----------
    address : str
        "127.0.0.1:8000", or "https://host/path".
    token : str, optional
        The service's token, if it has one.

    Raises
    ------
    UsageError
        If the address is not one of HTTP.

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
            raise UsageError(f"address must be one of HTTP, such as 127.0.0.1:8000, not {address}")
        self.session = requests.Session()
        if token is not None:
            self.session.headers["Authorization"] = f"Bearer {token}"

    def __repr__(self) -> str:
        return f"Client({self.address!r})"

    def about(self) -> dict[str, Any]:
        """Returns what the service says of itself.

        Returns
        -------
        dict
            `version`, `model`, the thresholds stored with the weights, the limits `bytes` (of a request) and `pixels`
            (of a photo), and `words`: whether it understands words.

        Raises
        ------
        UsageError
            If the service does not answer.

        Examples
        --------
        >>> client.about()["model"]
        'fastsam-tiny'
        """
        found: dict[str, Any] = self.ask("GET", "/v1/about").json()
        return found

    def segment(self, photo: str | PathLike[str] | bytes | npt.NDArray[np.uint8], **settings: Any) -> KeptPhoto:
        """Finds every object in a photo. The service keeps the photo in memory for prompts.

        Parameters
        ----------
        photo : str, path, bytes or array
            A file, the bytes of one, or an RGB array (H, W, 3) of uint8, or of uint16 with `stretch=True`.
        **settings
            imgsz, conf, iou, max_det, tile and refine as in `FastSAM.__call__`; stretch as in `read_image`.

        Returns
        -------
        KeptPhoto
            The photo with everything found in it.

        Raises
        ------
        UsageError
            If the service refuses the photo or a setting, or does not answer.

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
        """Finds every object in a photo. The service keeps nothing, and prompts are answered on this machine.

        Parameters
        ----------
        photo, **settings
            As in `segment`.

        Returns
        -------
        Segments
            Everything found, without the photo. For words and drawn answers, add the photo with `Segments.from_npz`.

        Raises
        ------
        UsageError
            If the service refuses the photo or a setting, or does not answer.

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
        """Sends one request.

        Parameters
        ----------
        method : str
            "GET", "POST" or "DELETE".
        path : str
            Path below the address, such as "/v1/about".
        **content
            Arguments of `requests.Session.request`: `json`, `data`, `files`, `headers`.

        Returns
        -------
        requests.Response
            An answer with a status below 400.

        Raises
        ------
        UsageError
            If the service refuses, in its own words, or does not answer.

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


def named_bytes(photo: str | PathLike[str] | bytes | npt.NDArray[np.uint8]) -> tuple[str, bytes]:
    """A photo's name and its file's bytes."""
    if isinstance(photo, np.ndarray):
        if photo.ndim != 3 or photo.shape[2] != 3 or photo.dtype not in (np.uint8, np.uint16) or not photo.size:
            raise UsageError(f"an array must be RGB, uint8 (H, W, 3), not {photo.dtype} {photo.shape}")
        return "photo.png", bytes(cv2.imencode(".png", np.ascontiguousarray(photo[..., ::-1]))[1])
    return ("photo", photo) if isinstance(photo, bytes) else (Path(photo).name, read_bytes(Path(photo)))
