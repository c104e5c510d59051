"""What CVAT's serverless functions ask, answered. `deploy/cvat/` has the functions' files.

Enters: the body of an event. Leaves: the body of its answer, as CVAT expects it.

An interactor gets an image, points (x, y) for and against an object, and perhaps two corners of a box; its answer is
`mask`, rows of 0 and 255. A detector gets an image and perhaps a threshold; its answer is a list of masks, each with
the pixels of its box row by row, then the box, whose last row and column are inclusive.
"""

import binascii
import json
from base64 import b64decode
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from fastsam.errors import UsageError
from fastsam.image.read import decode
from fastsam.masks.bridged import joined
from fastsam.masks.polygons import polygons
from fastsam.masks.runs import Runs
from fastsam.masks.simplified import simplified
from fastsam.model import FastSAM
from fastsam.plugins.kept import Kept
from fastsam.prompts import Prompt
from fastsam.segments import Segments
from fastsam.values import number, show

LABEL = "object"  # the one that deploy/cvat/detector/function.yaml names
LEVEL = "things"
TOLERANCE = 1.0  # pixels, of a polygon


def load(context: Any) -> None:
    """Loads the model when a function starts. context: nuclio's"""
    context.user_data.model = Kept(FastSAM())


def answer(context: Any, event: Any, job: Callable[[Kept, dict[str, Any]], Any]) -> Any:
    """Nuclio's response to an event. An invalid request is answered by one line, with status 400."""
    try:
        body, status = job(context.user_data.model, read_body(event.body)), 200
    except UsageError as error:
        context.logger.warn(str(error))
        body, status = {"error": str(error)}, 400
    return context.Response(body=json.dumps(body), headers={}, content_type="application/json", status_code=status)


def interact(model: Kept, body: dict[str, Any]) -> dict[str, Any]:
    """The mask of the object that points and a box mean; without a pixel if nothing does. Raises UsageError."""
    segments = model.segments(read_picture(body))
    (pick,) = segments.select(read_prompt(body, segments.size))
    mask = np.zeros(segments.size, np.uint8) if pick.mask is None else pick.mask.astype(np.uint8) * 255
    return {"mask": mask.tolist()}


def detect(model: Kept, body: dict[str, Any]) -> list[dict[str, Any]]:
    """Every thing, with exact edges. Raises UsageError."""
    threshold = body.get("threshold")
    least = None if threshold is None else number(threshold, "threshold")
    return records(model.segments(read_picture(body)).filter(conf=least, level=LEVEL).refine())


def records(segments: Segments) -> list[dict[str, Any]]:
    """Segments as a detector's answer."""
    found = []
    for runs, score in zip(segments.masks.all_runs(), segments.scores.tolist(), strict=True):
        crop = runs.crop()
        if not crop.tight.size:
            continue
        x0, y0, x1, y1 = crop.bounds
        found.append(
            {
                "confidence": f"{score:.3f}",
                "label": LABEL,
                "type": "mask",
                "points": ring_of(runs).tolist(),
                "mask": [*crop.tight.astype(int).reshape(-1).tolist(), x0, y0, x1 - 1, y1 - 1],
            }
        )
    return found


def read_body(body: Any) -> dict[str, Any]:
    """The body of an event: a dictionary, or its JSON. Raises UsageError."""
    try:
        found = json.loads(body) if isinstance(body, (bytes, str)) else body
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise UsageError(f"the body must be a JSON object with an image, not {show(body)}")
    return found


def read_picture(body: dict[str, Any]) -> npt.NDArray[np.uint8]:
    """The picture of a body, which has its file in base64. Raises UsageError."""
    image = body.get("image")
    if not isinstance(image, str) or not image:
        raise UsageError(f"image must be the file of a picture in base64, not {show(image)}")
    try:
        data = b64decode(image, validate=True)
    except (binascii.Error, ValueError):
        raise UsageError("image is not base64") from None
    return decode(data, name="image")


def read_prompt(body: dict[str, Any], size: tuple[int, int]) -> Prompt:
    """What a body means. Raises UsageError."""
    wanted, refused, corners = (read_places(body, name) for name in ("pos_points", "neg_points", "obj_bbox"))
    return said(wanted, refused, corners, size)


def said(wanted: Any, refused: Any, corners: Any, size: tuple[int, int]) -> Prompt:
    """What places (x, y) for and against an object, and two corners of its box or none, mean.

    Places beyond the border are moved to it, as a person's hand slips over it. Raises UsageError.
    """
    height, width = size
    inside, outside, box = (
        np.array([] if some is None else some, np.float64).reshape(-1, 2).clip(0, (width - 0.01, height - 0.01))
        for some in (wanted, refused, corners)
    )
    if len(box) not in (0, 2):
        raise UsageError(f"obj_bbox must be two corners, not {len(box)}")
    if not len(inside) and not len(box):
        raise UsageError("nothing says where the object is: give pos_points or obj_bbox")
    ends = (*box.min(0).tolist(), *box.max(0).tolist()) if len(box) else None
    return Prompt([*inside.tolist(), *outside.tolist()], [1] * len(inside) + [0] * len(outside), ends)


def read_places(body: dict[str, Any], name: str) -> npt.NDArray[np.float64]:
    """Places (N, 2) x, y under a name; none if it is absent. Raises UsageError."""
    given = body.get(name)
    if given is None or given == []:
        return np.zeros((0, 2))
    try:
        places = np.array(given, np.float64)
    except (TypeError, ValueError):
        places = np.zeros(0)
    if places.ndim != 2 or places.shape[1] != 2 or not np.isfinite(places).all():
        raise UsageError(f"{name} must be a list of finite [x, y], not {show(given)}")
    return places


def ring_of(runs: Runs) -> npt.NDArray[np.float32]:
    """One ring x, y, x, y, ... through all parts and holes of a mask."""
    crop = runs.crop()
    return joined(simplified(polygons(crop.tight, crop.bounds[:2]), TOLERANCE)).reshape(-1)
