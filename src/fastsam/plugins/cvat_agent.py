"""CVAT's functions without Nuclio: `cvat-cli` runs them on your own machine.

    cvat-cli task auto-annotate 42 --function-module fastsam.plugins.cvat_agent
    cvat-cli function create-native FastSAM --function-module fastsam.plugins.cvat_agent -p kind=str:interactor

Enters: pictures and prompts, as cvat_sdk has them. Leaves: masks, as cvat_sdk has them. `cvat.py` says what they mean.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from cvat_sdk import auto_annotation as cvataa
from cvat_sdk.masks import encode_mask

from fastsam.errors import UsageError
from fastsam.model import FastSAM
from fastsam.plugins.cvat import LABEL, LEVEL, ring_of, said
from fastsam.segments import Segments
from fastsam.values import show

NUMBER = 0  # of the label, within the function


class Detector:
    """Finds every thing, with exact edges."""

    spec = cvataa.DetectionFunctionSpec(labels=[cvataa.label_spec(LABEL, NUMBER, type="mask")])

    def __init__(self) -> None:
        """Loads the bundled weights."""
        self._model = FastSAM()

    def detect(self, context: Any, image: Any) -> list[Any]:
        """Masks of a picture, or polygons if CVAT asks for these."""
        found = self._model(image).filter(conf=context.conf_threshold, level=LEVEL).refine()
        shapes = []
        for runs in found.masks.all_runs():
            if runs.area and context.conv_mask_to_poly:
                shapes.append(cvataa.polygon(NUMBER, ring_of(runs).tolist()))
            elif runs.area:
                shapes.append(cvataa.mask(NUMBER, encoded(runs.crop().pixels, runs.bounds)))
        return shapes


class Interactor:
    """Draws what points and a box mean."""

    spec = cvataa.InteractionFunctionSpec(min_pos_points=0, min_neg_points=0, min_bounding_boxes=0)

    def __init__(self) -> None:
        """Loads the bundled weights."""
        self._model = FastSAM()

    def preprocess_image(self, context: Any, image: Any) -> Segments:
        """Everything in a picture: the part that does not depend on prompts."""
        found: Segments = self._model(image)
        return found

    def detect(self, context: Any, pp_image: Segments, prompts: Any) -> list[Any]:
        """The mask of one object; none if nothing is there. Raises UsageError if the prompts say nothing."""
        (pick,) = pp_image.select(said(prompts.pos_points, prompts.neg_points, prompts.bounding_box, pp_image.size))
        if not pick or not pick.candidates[0].runs.area:
            return []
        runs = pick.candidates[0].runs
        return [cvataa.InteractionResultShape(type="mask", points=encoded(runs.crop().pixels, runs.bounds))]


def encoded(pixels: npt.NDArray[np.bool_], bounds: tuple[int, int, int, int]) -> list[float]:
    """Pixels within their bounds, as CVAT has masks: lengths of runs, then the box with its last row and column."""
    x0, y0, x1, y1 = bounds
    return [*encode_mask(pixels, (0, 0, x1 - x0, y1 - y0))[:-4], x0, y0, x1 - 1, y1 - 1]


def create(kind: str = "detector") -> Detector | Interactor:
    """The function that cvat-cli asks for. Raises UsageError for an unknown kind."""
    kinds: dict[str, type[Detector | Interactor]] = {"detector": Detector, "interactor": Interactor}
    if kind not in kinds:
        raise UsageError(f"kind must be {' or '.join(kinds)}, not {show(kind)}")
    return kinds[kind]()
