"""What the masks of a photo say together.

Enters: all masks. Leaves: an edge map, a partition, which mask lies in which, a label map.
"""

import numpy as np
import numpy.typing as npt

from fastsam.masks import relations
from fastsam.masks.edges import edges
from fastsam.masks.partition import Partition, partition
from fastsam.segments.objects import Objects
from fastsam.values import flag

Float32 = npt.NDArray[np.float32]


class Combining(Objects):
    """What all masks of `Segments` give together."""

    def edges(self) -> Float32:
        """Computes an edge map from the gradients of the masks' probabilities.

        If the photo is known, the lines follow its own edges: see `masks/edges.py`.

        Returns
        -------
        float32 array (H, W)
            Strength of the edge at each pixel, 0..1. Lines are one pixel wide.

        Examples
        --------
        >>> edges = segments.edges()
        >>> edges.shape, edges.dtype.name
        ((400, 600), 'float32')
        """
        return edges(self.masks, self.scores, self.photo)

    def partition(self, *, fill: bool = False) -> Partition:
        """Divides the photo among its masks, so that each pixel belongs to one mask or to none.

        Parameters
        ----------
        fill : bool
            True assigns uncovered pixels to the nearest mask.

        Returns
        -------
        Partition
            `labels`, int32 (H, W): i + 1 for mask i, 0 for no mask; and `coverage`, the share of the photo under masks
            before filling, 0..1.

        Raises
        ------
        UsageError
            If `fill` is not a bool.

        Examples
        --------
        >>> int(segments.partition(fill=True).labels.min())  # every pixel belongs to one mask
        1
        """
        return partition(self.masks, self.scores, flag(fill, "fill"))

    def hierarchy(self) -> npt.NDArray[np.int64]:
        """Finds the parent of each segment: the smallest larger segment that contains at least 0.9 of it.

        Returns
        -------
        int64 array (N,)
            Index of the parent, -1 for no parent. Judged by up to 256 evenly spread pixels per segment.

        Examples
        --------
        >>> parents = segments.hierarchy()
        >>> parents.shape == (len(segments),)
        True
        """
        return relations.parents(self.masks)

    def label_map(self) -> npt.NDArray[np.int32]:
        """Paints all masks into one array, small masks on top of large ones.

        Returns
        -------
        int32 array (H, W)
            i + 1 for mask i, 0 for no mask.

        Examples
        --------
        >>> labels = segments.label_map()
        >>> int(labels.max()) <= len(segments)
        True
        """
        return self.masks.label_map()
