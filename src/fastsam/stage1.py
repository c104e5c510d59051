"""One photo through the first network: letterbox, network, detections, masks.

Enters: pixels and settings. Leaves: `Segments`, with the time that each stage took.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from fastsam.detections import detections
from fastsam.image.letterbox import Letterbox, fit, prepare
from fastsam.masks.lazy import from_network, widen
from fastsam.masks.port_rules import as_the_port
from fastsam.masks.positional import coefficients_of, place
from fastsam.overrides import Size
from fastsam.runtimes.network import Network
from fastsam.runtimes.settings import Settings
from fastsam.segments import Segments

Float32 = npt.NDArray[np.float32]
UInt8 = npt.NDArray[np.uint8]


def run(network: Network, pixels: UInt8, use: Settings, size: Size) -> Segments:
    """Segments one photo (H, W, 3): letterbox, network, detections, masks. size: of the input, as in `Overrides`"""
    seconds: dict[str, float] = {}
    with stage("letterbox", seconds):
        box, images = prepare(pixels, size)
    with stage("network", seconds):
        raw, prototypes = network.run(images)
    with stage("candidates", seconds):
        found = read_out(raw[0], prototypes[0], box, use, pixels)
    return timed(found, seconds)


def run_together(network: Network, photos: Sequence[UInt8], use: Settings, size: Size, at_once: int) -> list[Segments]:
    """Segments photos (H, W, 3), those with the same input size in batches of up to `at_once`. size: as in `run`"""
    alike: dict[tuple[int, int], list[int]] = {}
    for k, photo in enumerate(photos):
        alike.setdefault(fit((photo.shape[0], photo.shape[1]), size).input, []).append(k)
    found: dict[int, Segments] = {}
    for indices in alike.values():
        for start in range(0, len(indices), at_once):
            some = indices[start : start + at_once]
            boxes, images = zip(*(prepare(photos[k], size) for k in some), strict=True)
            raw, prototypes = network.run(np.concatenate(images))
            for k, r, p, box in zip(some, raw, prototypes, boxes, strict=True):
                found[k] = read_out(r, p.copy(), box, use, photos[k])
    return [found[k] for k in range(len(photos))]


def read_out(raw: Float32, prototypes: Float32, box: Letterbox, use: Settings, pixels: UInt8) -> Segments:
    """Turns a network's raw output for one photo into `Segments`: suppressed detections with lazy masks.

    Masks without pixels are dropped.
    """
    k = coefficients_of(len(prototypes), use.positional)
    found = detections(raw, k, use.conf, use.iou, use.max_det, use.soft)
    if not np.isfinite(prototypes.sum()):  # a cell that is not finite belongs to no mask
        prototypes = np.nan_to_num(prototypes, nan=0.0, posinf=0.0, neginf=0.0)
    prototypes.flags.writeable = False  # the masks keep them
    boxes = box.to_photo(found.boxes)
    if use.port:
        masks = as_the_port(found.coefficients, prototypes, boxes, box)
    else:
        cell = box.input[0] // prototypes.shape[1]
        coefficients, prototypes = place(found.coefficients, prototypes, found.boxes, cell, use.positional)
        masks = from_network(coefficients, prototypes, boxes, box, widen(boxes, use.margin, box.photo))
    segments = Segments(masks, found.scores, found.classes, use.names, photo=pixels)
    return segments.take(np.flatnonzero(masks.occupied()))


@contextmanager
def stage(name: str, seconds: dict[str, float]) -> Iterator[None]:
    """Stores in `seconds` how long the block took."""
    start = time.perf_counter()
    yield
    seconds[name] = time.perf_counter() - start


def timed(segments: Segments, seconds: Mapping[str, float]) -> Segments:
    """The segments, with the times of further stages added."""
    return replace(segments, seconds={**segments.seconds, **seconds})
