"""`FastSAM` as a model of osam, the library that labelme asks for masks.

    python -m fastsam.plugins.osam run fastsam --image photo.jpg

Enters: osam's requests. Leaves: its responses. In Python, `register()` makes osam.apis.generate know "fastsam". Without
a prompt everything is found. Points are labelled 1 (it), 0 (not it), 2 and 3 (two corners of a box), -1 (ignored).
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from osam import apis, types

from fastsam import __version__
from fastsam.errors import UsageError
from fastsam.masks.runs import Crop, Runs
from fastsam.model import FastSAM as Network
from fastsam.plugins.kept import Kept
from fastsam.prompts import Prompt
from fastsam.weights.catalogue import BUNDLED, DEFAULT

AGAINST, FOR, FIRST_CORNER, LAST_CORNER = 0, 1, 2, 3  # osam's labels of points
CARD = BUNDLED[DEFAULT].with_name("README.md")
NAME = "fastsam:latest"


class FastSAM(types.Model):  # type: ignore[misc]  # osam is in no environment that checks types
    """The bundled networks as a model of osam. Nothing is downloaded, since they come with this package."""

    name = NAME
    metadata = types.ModelMetadata("research only (the model card)", CARD.as_uri(), CARD.as_uri())
    _blobs: dict[str, Any] = {}  # noqa: RUF012  # what osam would download

    def __init__(self) -> None:
        """Loads the bundled weights."""
        self._inference_sessions: dict[str, Any] = {}
        self._kept = Kept(Network())

    @classmethod
    def pull(cls, *_: Any, **__: Any) -> None:
        """Nothing: the weights are here."""

    @classmethod
    def remove(cls) -> None:
        """Raises UsageError: the weights go with the package."""
        raise UsageError("FastSAM's weights are part of its package: pip uninstall fast-segment-anything")

    @classmethod
    def get_id(cls) -> str:
        """The version of the package."""
        return __version__

    @classmethod
    def get_size(cls) -> int:
        """Bytes of the weights."""
        return BUNDLED[DEFAULT].stat().st_size

    @classmethod
    def get_modified_at(cls) -> float:
        """When the weights were installed."""
        return BUNDLED[DEFAULT].stat().st_mtime

    def generate(self, request: Any) -> Any:
        """Answers a request. Raises UsageError if it has no image, or an invalid prompt."""
        if request.image is None:
            raise UsageError("the request has no image: FastSAM makes no embeddings, so give the image each time")
        segments = self._kept.segments(np.asarray(request.image))
        found: list[tuple[Runs, float, str | None]]
        if request.prompt is None:
            found = [(runs, float(s), None) for runs, s in zip(segments.masks.all_runs(), segments.scores, strict=True)]
        elif request.prompt.texts is not None:
            picks = segments.select(texts=request.prompt.texts, all=True)
            found = [(c.runs, c.score, pick.prompt.text) for pick in picks for c in pick.matches]
        else:
            prompt = prompt_of(request.prompt.points, request.prompt.point_labels, segments.size)
            picks = [] if prompt is None else segments.select(prompt)
            found = [(pick.candidates[0].runs, pick.score, None) for pick in picks if pick]
        some = [annotation(*one) for one in found if one[0].area]
        return types.GenerateResponse(model=self.name, annotations=some)


def prompt_of(points: npt.NDArray[Any], labels: npt.NDArray[Any], size: tuple[int, int]) -> Prompt | None:
    """The prompt that labelled points mean; None if they say only where the object is not.

    Points beyond the border are moved to it, as a person's hand slips over it. Raises UsageError.
    """
    height, width = size
    if not np.isfinite(points).all():
        raise UsageError("the prompt's points must be finite numbers")
    inside = np.clip(points, 0, (width - 0.01, height - 0.01)).astype(np.float64)
    corners = inside[np.isin(labels, (FIRST_CORNER, LAST_CORNER))]
    if len(corners) not in (0, 2):
        raise UsageError(f"a box needs two corners, labelled {FIRST_CORNER} and {LAST_CORNER}, not {len(corners)}")
    box = (*corners.min(0).tolist(), *corners.max(0).tolist()) if len(corners) else None
    marks = np.isin(labels, (AGAINST, FOR))
    if box is None and not (labels == FOR).any():
        return None
    return Prompt(inside[marks].tolist(), labels[marks].tolist(), box)


def annotation(runs: Runs, score: float, text: str | None) -> Any:
    """A mask as osam has it: the pixels of its bounds, whose last row and column are inclusive."""
    crop: Crop = runs.crop()
    x0, y0, x1, y1 = crop.bounds
    box = types.BoundingBox(xmin=x0, ymin=y0, xmax=x1 - 1, ymax=y1 - 1)
    return types.Annotation(mask=np.ascontiguousarray(crop.tight), bounding_box=box, score=score, text=text)


def register() -> None:
    """Adds the model to those that osam knows. Once is enough; more does no harm."""
    if FastSAM not in apis.registered_model_types:
        apis.registered_model_types.append(FastSAM)


if __name__ == "__main__":
    from osam.__main__ import cli

    from fastsam.plugins import osam as own  # not this module's second copy

    own.register()
    cli()
