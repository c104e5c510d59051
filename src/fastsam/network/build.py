"""From a description to a network: the one table of what can be built."""

from dataclasses import dataclass

from fastsam.network.head import COEFFICIENTS, PLACES, MaskBranch
from fastsam.network.lite import LiteSeg
from fastsam.network.yolov8 import SIZES, YOLOv8Seg

BACKBONES = ("yolov8", "lite0")


@dataclass(frozen=True)
class Architecture:
    """What a network is built from; stored in every checkpoint and exported file.

    backbone: `yolov8` (the published network) or `lite0` (EfficientNet-Lite0 under the same neck and head)
    size: n, s, m, l or x
    classes: number of class scores
    reg_max: bins of each box side's distribution
    mask_channels, mask_towers, placed, coefficients: how masks are made, as in `MaskBranch` (lite0 only)
    """

    backbone: str = "yolov8"
    size: str = "n"
    classes: int = 1
    reg_max: int = 16
    mask_channels: int = 0
    mask_towers: int = 0
    placed: int = 0
    coefficients: int = COEFFICIENTS


def build(architecture: Architecture, frozen: int = 0) -> YOLOv8Seg | LiteSeg:
    """The network with random weights. `frozen`: leading backbone blocks without gradient (lite0 only).

    Raises ValueError for an unknown backbone or size.
    """
    if architecture.size not in SIZES:
        raise ValueError(f"unknown network size {architecture.size!r}: choose one of {', '.join(SIZES)}")
    size = SIZES[architecture.size]
    masks = branch(architecture)
    if architecture.backbone == "yolov8" and masks != MaskBranch():
        raise ValueError(
            "mask_channels, mask_towers, placed and coefficients need the backbone lite0: yolov8 is as it was published"
        )
    if min(masks.channels, masks.towers, masks.placed) < 0 or masks.coefficients <= PLACES * masks.placed:
        raise ValueError(f"{masks} makes no masks: each placed feature takes {PLACES} of the coefficients, others too")
    if architecture.backbone == "yolov8":
        return YOLOv8Seg(size, architecture.classes, architecture.reg_max)
    if architecture.backbone == "lite0":
        return LiteSeg(size, architecture.classes, architecture.reg_max, frozen, masks)
    raise ValueError(f"unknown backbone {architecture.backbone!r}: choose one of {', '.join(BACKBONES)}")


def branch(architecture: Architecture) -> MaskBranch:
    """How a network makes masks."""
    a = architecture
    return MaskBranch(a.mask_channels, a.mask_towers, a.placed, a.coefficients)
