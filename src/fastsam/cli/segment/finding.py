"""What finds the masks of a photo: a network, or a file of annotations.

Enters: flags. Leaves: a function from a photo to `Segments`, and how many photos it takes at the same time.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastsam.cli.segment.flags import Finding
from fastsam.cli.segment.inputs import read_annotations
from fastsam.image.photos import Photo
from fastsam.image.read import read_image
from fastsam.machine import cores
from fastsam.segments import Segments

Find = Callable[[Photo, Any], Segments]  # a photo, and its file or pixels


def finder(finding: Finding, photos: int) -> tuple[Find, int]:
    """What finds the masks of a photo, and the number of photos that are segmented at the same time.

    Raises UsageError for invalid settings.
    """
    if finding.annotations is not None:
        return from_annotations(finding, finding.annotations), min(cores(), photos)
    settings = finding.settings
    network = finding.running.load()
    network.resolve(**vars(finding.detecting.overrides))
    workers = min(network.workers, photos)
    if workers > 1:
        network = network.parallel(workers)
    return lambda _, source: network(pixels_of(source, finding.stretch), **settings), workers


def from_annotations(finding: Finding, file: Path) -> Find:
    """A function that takes a photo's masks from a COCO file. Raises UsageError if the file is invalid."""
    given = read_annotations(file)

    def find(photo: Photo, source: Any) -> Segments:
        pixels = pixels_of(source, finding.stretch)
        segments = Segments.from_masks(pixels, given.of(photo), categories=given.categories)
        return segments.filter(conf=finding.detecting.conf, iou=finding.detecting.iou)

    return find


def pixels_of(source: Any, stretch: bool) -> Any:
    """A file or a frame as it is; with `stretch`, its stretched pixels."""
    return read_image(source, stretch=True) if stretch else source
