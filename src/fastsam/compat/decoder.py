"""`FastSAMDecoder` with the names, arguments and coordinates of the published code.

Enters: a model and a photo. Leaves: stacks of masks (K, H, W), from `FastSAMPrompt`.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from fastsam.compat.answers import refiner_of
from fastsam.compat.arrays import Array
from fastsam.compat.known import Known
from fastsam.compat.published import FastSAMPrompt, Stack
from fastsam.compat.results import Results
from fastsam.compat.taken import model_of
from fastsam.errors import UsageError
from fastsam.image.read import read_image
from fastsam.refine.network import Refiner

UInt8 = npt.NDArray[np.uint8]


class FastSAMDecoder(Known):
    """Segments a photo once, then answers prompts about it, with the interface of the published code.

    Parameters
    ----------
    model : FastSAM
        The model of this library, or the one of `fastsam.compat`.
    device
        Where to run, as in `fastsam.FastSAM`.
    conf, iou, imgsz
        As in `fastsam.FastSAM.__call__`. Default: the values stored with the weights.
    retina_masks
        Accepted for compatibility, ignored.
    refine : bool or Refiner
        As in `FastSAMPrompt`.

    Raises
    ------
    UsageError
        If the model is of another type, or a setting is invalid.

    Examples
    --------
    >>> decoder = FastSAMDecoder(model)
    >>> embedding = decoder.run_encoder(photo)
    >>> decoder.run_decoder(embedding, box_prompt=[320, 220, 410, 330]).shape
    (1, 400, 600)
    """

    def __init__(
        self,
        model: Any,
        device: Any = "cpu",
        conf: float | None = None,
        iou: float | None = None,
        imgsz: int | None = None,
        retina_masks: bool = True,
        refine: bool | Refiner = False,
    ) -> None:
        self.model, self.device = model_of(model).on(device), device
        self.conf, self.iou, self.imgsz, self.retina_masks = conf, iou, imgsz, retina_masks
        self.refine = refine
        self.image: UInt8 | None = None
        self.image_embedding: Any = None

    def run_encoder(self, image: Any) -> Results:
        """Segments everything in a photo.

        Parameters
        ----------
        image : path, PIL image or array
            The photo.

        Returns
        -------
        Results
            Everything found: the `image_embedding` of `run_decoder`.
        """
        self.image = read_image(image)
        segments = self.model(self.image, imgsz=self.imgsz, conf=self.conf, iou=self.iou)
        found = Results(np.ascontiguousarray(self.image[..., ::-1]), "image0.jpg", segments)
        self.image_embedding = found
        return found

    def run_decoder(
        self,
        image_embedding: Any,
        point_prompt: Any = None,
        point_label: Any = None,
        box_prompt: Any = None,
        text_prompt: str | None = None,
    ) -> Array:
        """Answers prompts about the last photo of `run_encoder`.

        Parameters
        ----------
        image_embedding
            What `run_encoder` returned.
        point_prompt, point_label, box_prompt, text_prompt
            As in `FastSAMPrompt`. Points go before boxes, and boxes before words; only the first kind is answered.

        Returns
        -------
        Array (K, H, W)
            The masks that answer; all masks without a prompt.

        Raises
        ------
        UsageError
            If a prompt is invalid.
        """
        self.image_embedding = image_embedding
        if point_prompt is not None:
            return self.point_prompt(point_prompt, point_label)
        if box_prompt is not None:
            return self.box_prompt(box_prompt)
        if text_prompt is not None:
            return self.text_prompt(text_prompt)
        return self._asked().everything_prompt()

    def box_prompt(self, bbox: Any) -> Stack:
        """As `FastSAMPrompt.box_prompt`, about the last photo of `run_encoder`."""
        return self._asked().box_prompt(bbox)

    def point_prompt(self, points: Any, pointlabel: Any = None) -> Stack:
        """As `FastSAMPrompt.point_prompt`, about the last photo of `run_encoder`."""
        return self._asked().point_prompt(points, pointlabel)

    def text_prompt(self, text: str) -> Stack:
        """As `FastSAMPrompt.text_prompt`, about the last photo of `run_encoder`."""
        return self._asked().text_prompt(text)

    def _asked(self) -> FastSAMPrompt:
        if self.image is None:
            raise UsageError("there is no photo yet: call run_encoder(image) first")
        refine = refiner_of(self.model, self.refine) or False
        return FastSAMPrompt(self.image, self.image_embedding, refine=refine)
