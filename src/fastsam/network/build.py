"""From a description to a network: the one table of what can be built."""

from fastsam.network.architecture import BACKBONES, COEFFICIENTS, Architecture
from fastsam.network.head import PLACES
from fastsam.network.lite import LiteSeg
from fastsam.network.yolov8 import SIZES, YOLOv8Seg


def build(architecture: Architecture, frozen: int = 0) -> YOLOv8Seg | LiteSeg:
    """The network with random weights. `frozen`: leading backbone blocks that do not learn (lite0 only).

    Raises ValueError for a network that cannot be built.
    """
    check(architecture)
    if architecture.backbone == "lite0":
        return LiteSeg(architecture, frozen)
    return YOLOv8Seg(SIZES[architecture.size], architecture.classes, architecture.reg_max)


def check(architecture: Architecture) -> None:
    """Raises ValueError for a network that cannot be built."""
    a = architecture
    if a.backbone not in BACKBONES:
        raise ValueError(f"unknown backbone {a.backbone!r}: choose one of {', '.join(BACKBONES)}")
    if a.size not in SIZES:
        raise ValueError(f"unknown network size {a.size!r}: choose one of {', '.join(SIZES)}")
    if a.classes < 1 or a.reg_max < 2:
        raise ValueError(f"classes must be at least 1, not {a.classes}, and reg_max at least 2, not {a.reg_max}")
    masks = {"mask_channels": a.mask_channels, "mask_towers": a.mask_towers, "placed": a.placed}
    for name, value in masks.items():
        if value < 0:
            raise ValueError(f"{name} must not be negative: {value}")
    if a.coefficients <= PLACES * a.placed:
        raise ValueError(
            f"coefficients must be at least {PLACES * a.placed + 1}, not {a.coefficients}: "
            f"a mask needs {PLACES} per placed feature ({a.placed}) and at least one more"
        )
    if a.backbone == "yolov8" and (any(masks.values()) or a.coefficients != COEFFICIENTS):
        raise ValueError(f"{', '.join(masks)} and coefficients need the backbone lite0: yolov8 is as it was published")
