"""`Segments`: everything found in one photo. Each file of this folder has one subject of it.

Enters: masks, scores and classes. Leaves: picks, names, edge maps, pictures, files.
"""

from dataclasses import dataclass

from fastsam.segments.asking import Asking
from fastsam.segments.combining import Combining
from fastsam.segments.exchanging import Exchanging
from fastsam.segments.keeping import Keeping
from fastsam.segments.naming import Naming
from fastsam.segments.segment import Segment
from fastsam.segments.showing import Showing

__all__ = ["Segment", "Segments"]


@dataclass(frozen=True, eq=False, repr=False)
class Segments(Asking, Naming, Combining, Showing, Exchanging, Keeping):
    """Everything found in one photo: N objects, best first as the network gives them. N can be 0.

    Two are equal if they have the same masks, boxes, scores and names, in the same order, on photos of the same size.
    A pickle holds the photo too, but not the cached features for words. Nothing in it can be changed: writable arrays
    are copied on construction.

    Parameters
    ----------
    masks : Masks
        The masks, decoded when they are read.
    scores : float32 array (N,)
        0..1.
    classes : int64 array (N,)
        Indices into `names`.
    names : tuple of str
        Names of the classes.
    seconds : mapping of str to float
        Time per stage, in seconds.
    photo : uint8 array (H, W, 3), optional
        The photo in RGB. None if only the masks were kept.
    kept : Sight, optional
        Cached features of these masks for words.
    threads : int, optional
        Number of CPU threads for the second network. Default: the runtime chooses.
    tracks : int64 array (N,), optional
        In a video, the id of the object that each mask shows (see `FastSAM.track`). Files do not keep it.

    Raises
    ------
    ValueError
        If the lengths differ, or the photo and the masks differ in size.

    Examples
    --------
    >>> segments[0].mask.shape, len(segments[0].box)  # one object
    ((400, 600), 4)
    >>> len(segments[:5]), len(segments[[0, 3]])  # segments again
    (5, 2)
    >>> bool(segments[segments.scores > 0.5].scores.min() > 0.5)
    True
    """
