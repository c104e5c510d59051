"""Photos, masks and cut-outs as tensors that stay in the training device's memory.

Enters: `AnnotatedPhoto`s and `Cutout`s. Leaves: a `Store`, from which `resident` makes batches.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from fastsam.training.data import AnnotatedPhoto, Cutout

FINE = 256  # cells per side in which an object's mask is kept, whatever its size
Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Store:
    """Photos, regions and cut-outs on one device.

    pixels: (N, 3, P, P) uint8, each photo in the top left corner, its border repeated beyond it
    bits: (R, 256, 32) uint8, packed masks of all regions, each stretched to 256 x 256
    rgba: (C, 4, 256, 256) uint8 cut-outs, stretched likewise
    regions: (R, 4) boxes xyxy in photo pixels; facts: (R, 3) fill, weight, ignored; first: (N + 1,) regions of photo n
    """

    pixels: Tensor
    bits: Tensor
    rgba: Tensor
    regions: Array
    facts: Array
    first: npt.NDArray[np.int64]


def fits(photos: Sequence[AnnotatedPhoto], cutouts: Sequence[Cutout], device: torch.device) -> bool:
    """Whether the device is one with memory of its own, of which `store` would leave half to the network."""
    return device.type == "cuda" and bytes_of(photos, cutouts) < torch.cuda.mem_get_info(device)[0] / 2


def bytes_of(photos: Sequence[AnnotatedPhoto], cutouts: Sequence[Cutout]) -> int:
    """What `store` takes of the device's memory."""
    side = longest_side(photos)
    regions = sum(len(p.regions) for p in photos)
    return len(photos) * 3 * side**2 + regions * FINE**2 // 8 + len(cutouts) * 4 * FINE**2


def store(photos: Sequence[AnnotatedPhoto], cutouts: Sequence[Cutout], device: torch.device) -> Store:
    """Lays photos, masks and cut-outs on the device."""
    side = longest_side(photos)
    pixels = torch.empty(len(photos), 3, side, side, dtype=torch.uint8, device=device)
    for n, photo in enumerate(photos):
        h, w = photo.pixels.shape[:2]
        padded = cv2.copyMakeBorder(photo.pixels, 0, side - h, 0, side - w, cv2.BORDER_REPLICATE)
        pixels[n] = torch.from_numpy(padded).permute(2, 0, 1)
    regions = [r for p in photos for r in p.regions]
    bits = torch.empty(len(regions), FINE, FINE // 8, dtype=torch.uint8, device=device)
    for k, region in enumerate(regions):
        bits[k] = torch.from_numpy(np.packbits(stretched(region.crop()) > 127, axis=1))
    rgba = [torch.from_numpy(stretched(c.pixels)).permute(2, 0, 1) for c in cutouts]
    boxes = [(*r.offset, r.offset[0] + r.shape[1], r.offset[1] + r.shape[0]) for r in regions]
    return Store(
        pixels=pixels,
        bits=bits,
        rgba=torch.stack(rgba).to(device) if rgba else torch.empty(0, 4, FINE, FINE, dtype=torch.uint8, device=device),
        regions=np.array(boxes, np.float32).reshape(-1, 4),
        facts=np.array([(r.fill, r.weight, r.ignored) for r in regions], np.float32).reshape(-1, 3),
        first=np.cumsum([0, *(len(p.regions) for p in photos)]),
    )


def stretched(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The picture at 256 x 256: its pixels repeated if it is smaller, averaged if it is larger."""
    h, w = picture.shape[:2]
    wide = cv2.resize(picture, (FINE, h), interpolation=cv2.INTER_AREA if w > FINE else cv2.INTER_NEAREST)
    square = cv2.resize(wide, (FINE, FINE), interpolation=cv2.INTER_AREA if h > FINE else cv2.INTER_NEAREST)
    return np.asarray(square, np.uint8)


def longest_side(photos: Sequence[AnnotatedPhoto]) -> int:
    """The longest side of all photos, in pixels."""
    return max(int(side) for p in photos for side in p.pixels.shape[:2])
