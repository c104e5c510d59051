"""Pictures of the objects of a photo.

Enters: the photo and its masks. Leaves: the photo with its masks drawn, or one object cut out.
"""

import numpy as np
import numpy.typing as npt

from fastsam.errors import without_photo
from fastsam.masks.picture import draw as draw_picture
from fastsam.segments.objects import Objects
from fastsam.values import flag, positions

UInt8 = npt.NDArray[np.uint8]


class Showing(Objects):
    """How `Segments` are shown."""

    def picture(self, *, outline: bool = False, boxes: bool = False) -> UInt8:
        """Draws every mask on the photo, with its name if it has one. `segments.picked(picks).picture()` shows answers.

        Parameters
        ----------
        outline : bool
            True draws outlines only.
        boxes : bool
            True draws boxes too.

        Returns
        -------
        uint8 array (H, W, 3)
            RGB.

        Raises
        ------
        UsageError
            If the photo is missing.

        Examples
        --------
        >>> segments.picture().shape
        (400, 600, 3)
        """
        if self.photo is None:
            raise without_photo("a picture")
        lines, frames = flag(outline, "outline"), flag(boxes, "boxes")
        return draw_picture(self.photo, self.masks, self.captions, outline=lines, boxes=frames)

    @property
    def captions(self) -> list[str]:
        """(N,) the text that a picture shows for each: its name, or "" if that is `object`."""
        return ["" if self.names[k] == "object" else self.names[k] for k in self.classes]

    def cutout(self, i: int) -> UInt8:
        """Cuts segment i out of the photo.

        Parameters
        ----------
        i : int
            Index of the segment.

        Returns
        -------
        uint8 array (h, w, 4)
            RGBA pixels around the segment. Alpha is 0 outside the mask, with a softened edge.

        Raises
        ------
        UsageError
            If the photo is missing.
        IndexError
            If the index is out of range.

        Examples
        --------
        >>> segments.cutout(0).shape[2]  # red, green, blue and alpha
        4
        """
        own = int(positions([i], len(self), "segment")[0])
        return self[own].cutout
